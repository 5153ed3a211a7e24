#include "test/support/executor_script.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>

using namespace mysos;
using namespace mysos::executor;
using namespace mysos::executor::test;
using namespace std::chrono_literals;

namespace {

constexpr Epoch e5{5};
constexpr MemberId m2{2};

/// What the server says while it does as ordered.
control::Observation as_ordered(const Member& member)
{
    const control::Follow& follow = std::get<Replica>(member.state.phase).follow;
    control::Observation seen;
    seen.receiver_state = control::ReceiverState::running;
    seen.receiver_running = true;
    seen.receiver_error = "";
    seen.applier_running = true;
    seen.applier_error = "";
    seen.source_host = follow.host;
    seen.source_port = follow.port;
    return seen;
}

bool follows_again(const Lines& lines)
{
    return std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
        return line.starts_with("do follow");
    });
}

/// What comes of it when the server says the same again and again for so long.
bool follows_again(Member& member, const control::Observation& seen, Duration how_long)
{
    bool found = false;
    for (Duration waited{}; waited <= how_long; waited += 250ms) {
        member.now += 250ms;
        found = follows_again(member.feed(Probed{member.run(), seen})) || found;
    }
    return found;
}

}  // namespace

TEST_CASE("executor: what a hand changed on a replica is put back", "[executor]")
{
    struct Case {
        std::string name;
        bool mended;
        bool forgets;
        std::function<void(control::Observation&)> change;
    };
    const std::vector<Case> cases{
        {"nothing", false, false, [](auto&) {}},
        {"clients can write", true, false, [](auto& seen) { seen.writable = true; }},
        {"another source", true, false, [](auto& seen) { seen.source_host = "10.9.9.9"; }},
        {"another port", true, false, [](auto& seen) { seen.source_port = 1; }},
        {"no source", true, false, [](auto& seen) { seen.source_host = ""; }},
        {"no receiver",
         true,
         false,
         [](auto& seen) { seen.receiver_state = control::ReceiverState::stopped; }},
        {"no applier", true, false, [](auto& seen) { seen.applier_running = false; }},
        {"neither: MariaDB drops what it received",
         true,
         true,
         [](auto& seen) {
             seen.receiver_state = control::ReceiverState::stopped;
             seen.applier_running = false;
         }},
        {"a receiver that cannot connect goes on trying by itself",
         false,
         false,
         [](auto& seen) { seen.receiver_state = control::ReceiverState::connecting; }},
        {"a receiver with an error would fail again",
         false,
         false,
         [](auto& seen) {
             seen.receiver_state = control::ReceiverState::stopped;
             seen.receiver_error = "1236: the source has purged it";
         }},
        {"an applier with an error would fail again",
         false,
         false,
         [](auto& seen) {
             seen.applier_running = false;
             seen.applier_error = "1062: duplicate";
         }},
        {"the server did not say", false, false, [](auto& seen) { seen = {}; }},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            Member member;
            member.fence();
            member.replicate(e5, m2, true);
            auto seen = as_ordered(member);
            c.change(seen);
            CHECK(follows_again(member, seen, 2s) == c.mended);
            CHECK(observation(member.state).amnesiac == c.forgets);
        }
    }
}

TEST_CASE(
    "executor: a server is told again only if it stays so, and not all the time", "[executor]")
{
    Member member;
    member.fence();
    member.replicate(e5, m2, true);
    const auto well = as_ordered(member);
    auto shut = well;
    shut.writable = true;

    // One that was asked before the order was carried out says so a moment later.
    CHECK_FALSE(follows_again(member, shut, 500ms));
    CHECK_FALSE(follows_again(member, well, 500ms));
    CHECK_FALSE(follows_again(member, shut, 500ms));
    CHECK(follows_again(member, shut, 1s));

    SECTION("done")
    {
        member.feed(PrimaryFollowed{member.op()});
        CHECK(member.phase() == control::Phase::replica);
        CHECK_FALSE(follows_again(member, well, 20s));
    }
    SECTION("done, and undone again by somebody who insists")
    {
        member.feed(PrimaryFollowed{member.op()});
        CHECK_FALSE(follows_again(member, shut, 500ms));
        CHECK(follows_again(member, shut, 1s));
    }
    SECTION("in vain: then the scheduler has to know")
    {
        member.feed(OpFailed{member.op(), control::Refused::Reason::server_failed, "no"});
        CHECK(member.phase() == control::Phase::fenced);
        CHECK_FALSE(follows_again(member, shut, 1min));
    }
}

TEST_CASE("executor: an open primary that was shut by hand is opened when ordered", "[executor]")
{
    Member member;
    member.fence();
    member.promote(e5, 0, true);
    control::Observation seen;
    seen.answers = true;
    seen.writable = true;
    member.feed(Probed{member.run(), seen});
    CHECK(member.order(control::Open{e5}) == Lines{"say opened 5"});
    seen.writable = false;
    member.feed(Probed{member.run(), seen});
    CHECK(member.order(control::Open{e5}) == Lines{"do open"});
}
