#include "test/support/executor_script.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace mysos::executor::test {

using namespace std::chrono_literals;

namespace {

const mesos::TaskId t1{"t1"};
constexpr Epoch e5{5};
constexpr Epoch e6{6};
constexpr MemberId m2{2};
const std::string told =
    "report told to end, while it leads: waits for the scheduler to move the primary";

bool has(const Lines& lines, const std::string& line)
{
    return std::ranges::find(lines, line) != lines.end();
}

/// It leads, with a grace of so long.
Member leaving(Duration grace)
{
    Member member;
    member.fence();
    member.promote(e5, 1, true);
    CHECK(member.feed(KillOrdered{t1, grace}) == Lines{told});
    return member;
}

}  // namespace

TEST_CASE("leaving: a primary that is killed serves on and says so", "[executor]")
{
    Member member = leaving(60s);
    REQUIRE(member.observations().size() == 1);
    CHECK(member.observations().front().leaving);
    CHECK(member.phase() == control::Phase::primary);
    CHECK(
        member.observations().front().message ==
        "primary of epoch 5; told to end, and waits for another primary");
    const Lines lines = member.wait(49999ms);
    CHECK_FALSE(has(lines, "do shut"));
    CHECK_FALSE(has(lines, "kill 1"));
}

TEST_CASE("leaving: it ends when the scheduler lets it go", "[executor]")
{
    Member member = leaving(60s);
    member.wait(5s);
    SECTION("while it leads, as nobody else can")
    {
        CHECK(member.order(control::Stop{}) == Lines{"do shut"});
        CHECK(member.feed(ServerShut{member.op()}) == Lines{"stop 1"});
    }
    SECTION("when another one leads")
    {
        member.order(control::Prepare{e6});
        member.feed(ServerExited{RunId{1}, "was killed by signal 9"});
        member.feed(Probed{RunId{2}, {}});
        member.feed(ReceiverStopped{member.op(), "0-1-2", e5});
        CHECK(member.phase() == control::Phase::fenced);
        CHECK(observation(member.state).leaving);
        CHECK(member.order(control::Stop{}) == Lines{"stop 2"});
    }
    CHECK_FALSE(observation(member.state).leaving);
    const std::string killed = "kill " + std::to_string(static_cast<std::uint64_t>(member.run()));
    CHECK_FALSE(has(member.wait(53999ms), killed));
    CHECK(has(member.wait(1ms), killed));  // A second before the grace ends.
    member.feed(ServerExited{member.run(), "was killed by signal 9"});
    CHECK(member.phase() == control::Phase::stopping);
    CHECK(member.state.agent.unacknowledged.back().update.state == mesos::TaskState::killed);
    CHECK(member.state.agent.unacknowledged.back().update.message == "killed as ordered");
}

TEST_CASE("leaving: it keeps enough of the grace to end in", "[executor]")
{
    SECTION("of a long one, some seconds")
    {
        Member member = leaving(60s);
        CHECK_FALSE(has(member.wait(49999ms), "do shut"));
        CHECK(has(member.wait(1ms), "do shut"));
    }
    SECTION("of a short one, half")
    {
        Member member = leaving(5s);
        CHECK_FALSE(has(member.wait(2499ms), "do shut"));
        CHECK(has(member.wait(1ms), "do shut"));
        CHECK(has(member.wait(1500ms), "kill 1"));
    }
    SECTION("told again with less, the earlier end counts")
    {
        Member member = leaving(60s);
        CHECK(member.feed(KillOrdered{t1, 4s}) == Lines{"ignored already leaving"});
        member.feed(KillOrdered{t1, 60s});
        CHECK(has(member.wait(2s), "do shut"));
    }
    SECTION("of none, nothing is waited for")
    {
        Member member;
        member.fence();
        member.promote(e5, 1, true);
        CHECK(member.feed(KillOrdered{t1, 0s}) == Lines{told, "do shut"});
    }
}

TEST_CASE("leaving: an agent's shutdown is no other", "[executor]")
{
    Member member;
    member.fence();
    member.promote(e5, 1, true);
    CHECK(member.feed(ShutdownOrdered{}) == Lines{told});
    CHECK(has(member.wait(2500ms), "do shut"));
}

TEST_CASE("leaving: who has nothing to hand over ends at once", "[executor]")
{
    Member member;
    member.fence();
    SECTION("a replica")
    {
        member.replicate(e5, m2, true);
        CHECK(member.feed(KillOrdered{t1, 60s}) == Lines{"stop 1"});
    }
    SECTION("a primary that is not open")
    {
        member.promote(e5, 1, false);
        CHECK(member.feed(KillOrdered{t1, 60s}) == Lines{"kill 1"});
    }
    SECTION("a primary without a scheduler")
    {
        member.promote(e5, 1, true);
        member.feed(StreamLost{});
        CHECK(member.feed(KillOrdered{t1, 60s}) == Lines{"do shut"});
    }
}

TEST_CASE("leaving: a server that is gone is not waited for", "[executor]")
{
    Member member = leaving(60s);
    member.feed(ServerExited{RunId{1}, "was killed by signal 11"});
    CHECK(member.state.agent.unacknowledged.back().update.state == mesos::TaskState::killed);
    CHECK_FALSE(observation(member.state).leaving);
}

TEST_CASE("leaving: a scheduler that is lost meanwhile may come back", "[executor]")
{
    Member member = leaving(60s);
    control::Observation held;
    held.semi_sync_clients = 1;
    member.feed(Probed{RunId{1}, held});
    CHECK_FALSE(has(member.feed(StreamLost{}), "do shut"));
    CHECK_FALSE(has(member.wait(10s), "do shut"));
    member.feed(StreamOpened{});
    member.wait(0s);
    CHECK(member.state.last_said.leaving);
}

}  // namespace mysos::executor::test
