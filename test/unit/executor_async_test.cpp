#include "test/support/executor_script.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

// A primary whose commits wait for nobody: what it tells, and when it ends itself.
namespace mysos::executor::test {

using namespace std::chrono_literals;

namespace {

constexpr Epoch e5{5};

bool has(const Lines& lines, const std::string& line)
{
    return std::ranges::find(lines, line) != lines.end();
}

control::Observation with_receivers(std::uint32_t clients)
{
    control::Observation seen;
    seen.semi_sync_clients = clients;
    seen.acks_required = 0;  // The server's own word: semi-sync is off.
    return seen;
}

/// Effects of the last input, as they are.
Effects raw(Member& member, const Input& input)
{
    return step(member.state, member.config, input, member.now);
}

Member leading(bool async)
{
    Member member;
    member.fence();
    member.state.task->data.async = async;
    member.promote(e5, 1, false);
    return member;
}

}  // namespace

TEST_CASE("async: commits wait for the marker's sake until clients are let in", "[executor]")
{
    Member member = leading(true);
    CHECK_FALSE(waits_for_nobody(member.state));
    const Effects effects = raw(member, OrderArrived{control::Open{e5}});
    const auto opens = std::ranges::find_if(
        effects, [](const Effect& effect) { return std::holds_alternative<OpenServer>(effect); });
    REQUIRE(opens != effects.end());
    CHECK(std::get<OpenServer>(*opens).async);
    CHECK(waits_for_nobody(member.state));  // Even should the answer be lost.
}

TEST_CASE("async: the number of acknowledgements is for the books", "[executor]")
{
    Member member = leading(true);
    member.order(control::Open{e5});
    member.feed(ServerOpened{member.op()});
    member.feed(Probed{RunId{1}, with_receivers(2)});
    CHECK(observation(member.state).acks_required == 1);
    const Effects effects = raw(member, OrderArrived{control::SetAcknowledgers{e5, 2, {}, 9}});
    const auto change = std::ranges::find_if(effects, [](const Effect& effect) {
        return std::holds_alternative<ChangeAcknowledgers>(effect);
    });
    REQUIRE(change != effects.end());
    CHECK(std::get<ChangeAcknowledgers>(*change).acks == 0);
    CHECK(
        member.feed(AcknowledgersChanged{member.op(), "0-1-9"}) ==
        Lines{"say acknowledgers 5 2 0-1-9 serial=9"});
    CHECK(observation(member.state).acks_required == 2);
}

TEST_CASE("async: cut off from the scheduler and from enough replicas it ends itself", "[executor]")
{
    const bool async = GENERATE(true, false);
    Member member = leading(async);
    member.order(control::Open{e5});
    member.feed(ServerOpened{member.op()});
    member.feed(Probed{RunId{1}, with_receivers(0)});
    CHECK_FALSE(has(member.wait(10s), "kill 1"));
    member.feed(StreamLost{});
    CHECK_FALSE(has(member.wait(3999ms), "kill 1"));
    // Semi-sync with nobody to wait for is a primary alone, which nobody replaces.
    CHECK(has(member.wait(1ms), "kill 1") == async);
}

TEST_CASE("async: a newer epoch ends its server before it is stored", "[executor]")
{
    Member member = leading(true);
    member.order(control::Open{e5});
    member.feed(ServerOpened{member.op()});
    const control::ToMember order = GENERATE(
        control::ToMember{control::Prepare{Epoch{6}}},
        control::ToMember{follow(Epoch{6}, MemberId{2}, true)});
    SECTION("on a volume that stalls")
    {
        const Lines lines = script(raw(member, OrderArrived{order}));
        REQUIRE(lines.size() >= 2);
        CHECK(lines[0] == "kill 1");
        CHECK(lines[1].starts_with("epoch 6 "));
    }
    SECTION("on a volume that is full")
    {
        member.disk_full = true;
        CHECK(has(member.order(order), "kill 1"));
        member.feed(ServerExited{RunId{1}, "was killed by signal 9"});
        CHECK(member.phase() == control::Phase::crashed);
    }
}

TEST_CASE("async: with its replicas it serves on without a scheduler", "[executor]")
{
    Member member = leading(true);
    member.order(control::Open{e5});
    member.feed(ServerOpened{member.op()});
    member.feed(StreamLost{});
    for (int i = 0; i < 100; ++i) {
        member.feed(Probed{RunId{1}, with_receivers(1)});
        REQUIRE_FALSE(has(member.wait(1s), "kill 1"));
    }
    // A look that does not end is no proof.
    CHECK(has(member.wait(5s), "kill 1"));
}

TEST_CASE("probe: receivers are doubted where something rests on them", "[executor]")
{
    using Receivers = ProbeServer::Receivers;
    const auto asked = [](Member& member) {
        member.feed(Probed{member.run(), {}});
        for (int i = 0; i < 100; ++i) {
            member.now += 50ms;
            for (const Effect& effect : raw(member, DeadlinePassed{})) {
                if (const auto* probe = std::get_if<ProbeServer>(&effect)) return probe->receivers;
            }
        }
        FAIL("no probe");
        return Receivers::as_counted;
    };
    Member member = leading(false);
    CHECK(asked(member) == Receivers::as_counted);
    member.feed(StreamLost{});
    CHECK(asked(member) == Receivers::alive);
    Member async = leading(true);
    CHECK(asked(async) == Receivers::proven);
    Member replica;
    replica.fence();
    replica.replicate(e5, MemberId{2}, true);
    replica.feed(StreamLost{});
    CHECK(asked(replica) == Receivers::as_counted);
}

}  // namespace mysos::executor::test
