#include "test/support/executor_script.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>

// Orders to a member that has received more than it has applied.

using namespace mysos;
using namespace mysos::executor;
using namespace mysos::executor::test;
using namespace std::chrono_literals;

namespace {

constexpr MemberId m2{2};
constexpr Epoch e4{4};
constexpr Epoch e5{5};
constexpr Epoch e6{6};

bool has(const Lines& lines, const std::string& line)
{
    return std::ranges::find(lines, line) != lines.end();
}

/// Ordered to be promoted in epoch 5.
Member candidate()
{
    Member member;
    member.fence();
    member.replicate(e4, m2, true);
    member.order(control::Promote{e5, "0-1-1", 1, {}});
    return member;
}

}  // namespace

TEST_CASE("executor: a candidate that applies gives up for a newer epoch, and lives", "[executor]")
{
    Member member = candidate();
    const OpId op = member.op();
    const Lines ordered = member.order(control::Prepare{e6});
    CHECK(has(ordered, "abandon"));
    CHECK_FALSE(has(ordered, "kill 1"));
    SECTION("it is prepared as soon as it has")
    {
        const Lines given_up =
            member.feed(OpFailed{op, control::Refused::Reason::busy, "for a newer order"});
        CHECK(has(given_up, "do stop_receiver"));
        CHECK_FALSE(member.state.record.amnesiac);
    }
    SECTION("it is too late: the server is being changed")
    {
        CHECK(has(member.feed(PromotionBegun{op}), "kill 1"));
    }
    SECTION("somebody else's beginning changes nothing")
    {
        CHECK(
            member.feed(PromotionBegun{OpId{99}}) == Lines{"ignored not the operation under way"});
    }
}

TEST_CASE("executor: a candidate that needs long to apply is asked again", "[executor]")
{
    Member member = candidate();
    const Lines late =
        member.feed(OpFailed{member.op(), control::Refused::Reason::busy, "received, not applied"});
    CHECK(has(late, "say refused promote busy 5"));
    CHECK_FALSE(has(late, "kill 1"));
    CHECK(member.phase() == control::Phase::fenced);
    CHECK(has(member.order(control::Promote{e5, "0-1-1", 1, {}}), "do promote 5 0-1-1 acks=1"));
}

TEST_CASE("executor: what a failed applier leaves unapplied is forgotten", "[executor]")
{
    for (const std::string flavor : {"mariadb", "mysql"}) {
        CAPTURE(flavor);
        Member member;
        member.fence(flavor);
        member.replicate(e4, m2, true);
        member.order(control::Prepare{e5});
        const Lines said = member.feed(ReceiverStopped{member.op(), "0-1-7", e4, false, true});
        const bool forgets = flavor == "mariadb";
        CHECK(has(said, "say prepared 5 0-1-7 amnesiac") == forgets);
        CHECK(member.state.record.amnesiac == forgets);
    }
}
