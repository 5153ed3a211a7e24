#include "test/support/executor_script.hpp"

#include <catch2/catch.hpp>

using namespace mysos;
using namespace mysos::executor;
using namespace mysos::executor::test;
using namespace std::chrono_literals;

namespace {

constexpr Epoch e5{5};
constexpr Epoch e6{6};
constexpr MemberId m2{2};
const mesos::TaskId t1{"t1"};

bool has(const Lines& lines, const std::string& line)
{
    return std::find(lines.begin(), lines.end(), line) != lines.end();
}

control::Observation receivers(std::uint32_t clients, std::uint32_t required)
{
    control::Observation seen;
    seen.semi_sync_clients = clients;
    seen.acks_required = required;
    return seen;
}

}  // namespace

TEST_CASE(
    "executor: a replica's server comes back by itself, and says what it forgot", "[executor]")
{
    Member member;
    member.fence();
    member.replicate(e5, m2, true);
    CHECK(
        member.feed(ServerExited{RunId{1}, "was killed by signal 9"}) ==
        Lines{
            "epoch 5 replica amnesiac",
            "report mariadbd was killed by signal 9",
            "start 2 fenced",
            "update 6 running: starts mariadbd"});
    member.feed(Probed{RunId{2}, {}});
    CHECK(member.phase() == control::Phase::fenced);
    CHECK(observation(member.state).amnesiac);

    // A second time in a row it waits a little; after a minute up that is forgotten.
    CHECK_FALSE(has(member.feed(ServerExited{RunId{2}, "exited with status 1"}), "start 3 fenced"));
    CHECK(has(member.wait(1s), "start 3 fenced"));
    member.feed(Probed{RunId{3}, {}});
    member.wait(1min);
    CHECK(has(member.feed(ServerExited{RunId{3}, "exited with status 1"}), "start 4 fenced"));
}

TEST_CASE("executor: a MySQL replica keeps its word over a crash of its server", "[executor]")
{
    Member member;
    member.fence("mysql");
    member.replicate(e5, m2, true);
    CHECK(
        member.feed(ServerExited{RunId{1}, "was killed by signal 9"}) ==
        Lines{
            "report mysqld was killed by signal 9",
            "start 2 fenced",
            "update 6 running: starts mysqld"});
    CHECK_FALSE(observation(member.state).amnesiac);
}

TEST_CASE("executor: a commit that nobody will acknowledge any more is pushed", "[executor]")
{
    Member member;
    member.fence();
    member.promote(e5, 1, true);
    auto seen = receivers(1, 1);
    const auto probe = [&] {
        member.now += 100ms;
        return has(member.feed(Probed{member.run(), seen}), "push");
    };
    const auto probes_until_push = [&] {
        int probes = 1;
        while (!probe() && probes < 1000) ++probes;
        return probes;
    };
    const auto none = [&] {
        for (int i = 0; i < 20; ++i)
            if (probe()) return false;
        return true;
    };
    seen.commits_waiting = 1;
    CHECK(probes_until_push() == 4);  // The first one starts the clock.
    CHECK(probes_until_push() == 5);
    CHECK(probes_until_push() == 10);
    for (int i = 0; i < 6; ++i) (void)probes_until_push();
    CHECK(probes_until_push() == 300);

    SECTION("as soon again as the first time after something was acknowledged")
    {
        ++seen.commits_acknowledged;
        CHECK(probes_until_push() == 4);
    }
    SECTION("not while others go through")
    {
        for (int i = 0; i < 20; ++i) {
            ++seen.commits_acknowledged;
            CHECK_FALSE(probe());
        }
    }
    SECTION("not without enough receivers")
    {
        seen.semi_sync_clients = 0;
        CHECK(none());
    }
    SECTION("not when none waits")
    {
        seen.commits_waiting = 0;
        CHECK(none());
    }
    SECTION("not by a replica")
    {
        member.replicate(e6, m2, true);
        CHECK(none());
    }
    SECTION("a failure is told")
    {
        CHECK(
            member.feed(PushFailed{"error 1146"}) ==
            Lines{"report commits wait and cannot be pushed: error 1146"});
    }
}

TEST_CASE("executor: a crashed primary stays down until ordered", "[executor]")
{
    Member member;
    member.fence();
    member.promote(e5, 0, true);
    CHECK(
        member.feed(ServerExited{RunId{1}, "was killed by signal 9"}) ==
        Lines{
            "report mariadbd was killed by signal 9 while it was the primary",
            "update 6 running: mariadbd was killed by signal 9"});
    REQUIRE(member.observations().size() == 1);
    CHECK(member.observations().front().phase == control::Phase::crashed);
    CHECK_FALSE(has(member.wait(1min), "start 2 fenced"));
    CHECK_FALSE(observation(member.state).amnesiac);

    SECTION("Prepare starts it with its tail untouched")
    {
        CHECK(
            member.order(control::Prepare{e6}) ==
            Lines{"epoch 6 primary", "start 2 fenced", "update 7 running: starts mariadbd"});
        member.feed(Probed{RunId{2}, {}});
        CHECK(
            member.feed(ReceiverStopped{member.op(), "0-1-9", e5}) ==
            Lines{"say prepared 6 0-1-9"});
    }
    SECTION("so does Restart, which is answered by itself")
    {
        CHECK(
            member.order(control::Restart{e5}) ==
            Lines{"start 2 fenced", "update 7 running: starts mariadbd"});
        control::Observation seen;
        seen.position = "0-1-9";
        CHECK(has(member.feed(Probed{RunId{2}, seen}), "say restarted 5 0-1-9"));
    }
    SECTION("Follow starts it as a replica, which cuts the tail: it has forgotten")
    {
        CHECK(
            member.order(follow(e6, m2, true)) == Lines{
                                                      "epoch 6 replica amnesiac",
                                                      "start 2 as_replica",
                                                      "update 7 running: starts mariadbd"});
        CHECK(has(member.feed(Probed{RunId{2}, {}}), "do follow 6 2 acknowledging"));
    }
    SECTION("a KILL has nothing to stop")
    {
        CHECK(member.feed(KillOrdered{t1, {}}) == Lines{"update 7 killed: killed as ordered"});
    }
}

TEST_CASE("executor: a promotion lets in the receivers that it names, and no others", "[executor]")
{
    using Kind = control::AccountSpec::Kind;
    Member member;
    member.fence();
    CHECK(
        has(member.order(control::Promote{
                e6,
                "0-1-1",
                1,
                {{Kind::admin, {"mysos", {}}},
                 {Kind::replication, {"repl_3", {}}},
                 {Kind::replication, {"repl_2", {}}}}}),
            "do promote 6 0-1-1 acks=1 for repl_2 for repl_3"));
}

TEST_CASE("executor: a candidate that crashes has not the last word", "[executor]")
{
    Member member;
    member.fence();
    member.replicate(e5, m2, true);
    member.order(control::Promote{e6, "0-1-1", 1, {}});
    CHECK(
        has(member.feed(ServerExited{RunId{1}, "was killed by signal 9"}),
            "epoch 6 candidate amnesiac"));
    CHECK(member.phase() == control::Phase::crashed);
    CHECK(
        has(member.feed(OpFailed{member.op(), control::Refused::Reason::server_failed, "gone"}),
            "say refused promote server_failed 6"));
    CHECK(member.phase() == control::Phase::crashed);
}

TEST_CASE("executor: Restart of a live replica makes a MariaDB server forget", "[executor]")
{
    Member member;
    member.fence();
    member.replicate(e5, m2, true);
    CHECK(
        member.order(control::Restart{e5}) == Lines{"kill 1", "update 6 running: starts mariadbd"});
    CHECK(
        member.feed(ServerExited{RunId{1}, "was killed by signal 9"}) ==
        Lines{"epoch 5 replica amnesiac", "start 2 fenced"});
    CHECK(has(member.feed(Probed{RunId{2}, {}}), "say restarted 5 "));
}

TEST_CASE("executor: a primary that is cut off from everyone kills itself, once", "[executor]")
{
    Member member;
    member.fence();
    member.promote(e5, 1, true);
    member.feed(Probed{RunId{1}, receivers(0, 1)});
    CHECK(member.feed(StreamLost{}) == Lines{});
    CHECK_FALSE(has(member.wait(2999ms), "kill 1"));
    const Lines lines = member.wait(1ms);
    CHECK(has(lines, "kill 1"));
    CHECK(member.phase() == control::Phase::crashed);
    member.feed(ServerExited{RunId{1}, "was killed by signal 9"});
    CHECK(member.phase() == control::Phase::crashed);
    CHECK_FALSE(has(member.wait(1h), "start 2 fenced"));
}

TEST_CASE("executor: a scheduler's absence alone ends nobody", "[executor]")
{
    Member member;
    member.fence();
    SECTION("a primary with its receivers")
    {
        member.promote(e5, 1, true);
        member.feed(Probed{RunId{1}, receivers(1, 1)});
    }
    SECTION("a lone primary")
    {
        member.promote(e5, 0, true);
    }
    SECTION("a replica")
    {
        member.replicate(e5, m2, true);
    }
    member.feed(StreamLost{});
    CHECK_FALSE(has(member.wait(1h), "kill 1"));
}

TEST_CASE("executor: how a primary is stopped", "[executor]")
{
    Member member;
    member.fence();
    SECTION("shut first, then stopped, when no commit waits")
    {
        member.promote(e5, 1, true);
        member.feed(StreamLost{});  // With nobody to hand over to.
        CHECK(member.feed(KillOrdered{t1, 60s}) == Lines{"do shut"});
        CHECK(member.feed(ServerShut{member.op()}) == Lines{"stop 1"});
        CHECK(
            member.feed(ServerExited{RunId{1}, "exited with status 0"}) ==
            Lines{"update 6 killed: killed as ordered"});
    }
    SECTION("killed when it cannot be shut, since a commit waits")
    {
        member.promote(e5, 1, true);
        member.feed(StreamLost{});  // With nobody to hand over to.
        member.feed(KillOrdered{t1, 60s});
        CHECK(
            member.feed(OpFailed{member.op(), control::Refused::Reason::server_failed, "hangs"}) ==
            Lines{"report commits may be waiting: hangs", "kill 1"});
    }
    SECTION("killed when the grace ends while it is being shut")
    {
        member.promote(e5, 1, true);
        member.feed(StreamLost{});  // With nobody to hand over to.
        member.feed(KillOrdered{t1, 10s});
        CHECK(has(member.wait(9s), "kill 1"));
        member.feed(ServerExited{RunId{1}, "was killed by signal 9"});
        CHECK(
            member.feed(OpFailed{member.op(), control::Refused::Reason::server_failed, "gone"}) ==
            Lines{});
    }
    SECTION("killed at once when the last probe saw a commit waiting")
    {
        member.promote(e5, 1, true);
        control::Observation seen;
        seen.commits_waiting = 1;
        member.feed(Probed{RunId{1}, seen});
        member.feed(StreamLost{});  // With nobody to hand over to.
        CHECK(member.feed(KillOrdered{t1, 60s}) == Lines{"kill 1"});
    }
    SECTION("killed at once when it is not open: its marker may be waiting")
    {
        member.promote(e5, 1, false);
        member.feed(StreamLost{});  // With nobody to hand over to.
        CHECK(member.feed(KillOrdered{t1, 60s}) == Lines{"kill 1"});
    }
    SECTION("killed at once when an order is under way")
    {
        member.promote(e5, 1, true);
        member.order(control::SetAcknowledgers{e5, 0, {}, 1});
        member.feed(StreamLost{});  // With nobody to hand over to.
        CHECK(member.feed(KillOrdered{t1, 60s}) == Lines{"kill 1"});
    }
    SECTION("the scheduler's own Stop ends as finished")
    {
        member.promote(e5, 0, true);
        CHECK(member.order(control::Stop{}) == Lines{"do shut"});
        member.feed(ServerShut{member.op()});
        CHECK(
            member.feed(ServerExited{RunId{1}, "exited with status 0"}) ==
            Lines{"update 6 finished: stopped as the scheduler ordered"});
    }
}

TEST_CASE("executor: changes are observed at once, the rest every second", "[executor]")
{
    Member member;
    member.fence();
    control::Observation seen;
    seen.position = "0-1-1";
    member.feed(Probed{RunId{1}, seen});
    REQUIRE(member.observations().size() == 1);
    CHECK(member.observations().front().position == "0-1-1");
    CHECK_FALSE(member.observations().front().empty);

    seen.packet_age_ms = 5;
    seen.lag_seconds = 1;
    member.feed(Probed{RunId{1}, seen});
    CHECK(member.observations().empty());
    member.wait(1s);
    REQUIRE_FALSE(member.observations().empty());
    CHECK(member.observations().front().packet_age_ms == 5);

    // What may depose a primary is not kept for the next second.
    for (const std::uint64_t age : {1750U, 2000U}) {
        seen.packet_age_ms = age;
        member.feed(Probed{RunId{1}, seen});
        CHECK(member.observations().size() == 1);
    }

    member.wait(1s);
    member.feed(ProbeFailed{RunId{1}, "timed out"});
    REQUIRE(member.observations().size() == 1);
    CHECK_FALSE(member.observations().front().answers);
    CHECK(member.observations().front().unanswered_ms == 1000);

    member.wait(2s);
    member.feed(ProbeFailed{RunId{1}, "timed out"});
    REQUIRE_FALSE(member.observations().empty());
    CHECK(member.observations().back().unanswered_ms == 3000);
    // A refusal is a sign of life; so are late answers, unless there are no others for long.
    member.feed(ProbeFailed{RunId{1}, "too many connections", ProbeFailed::Sign::refused});
    CHECK(observation(member.state).unanswered_ms == 0);
    member.wait(11s);
    member.feed(ProbeFailed{RunId{1}, "timed out", ProbeFailed::Sign::late});
    CHECK(observation(member.state).unanswered_ms == 0);
    member.wait(1s);
    member.feed(ProbeFailed{RunId{1}, "timed out", ProbeFailed::Sign::late});
    CHECK(observation(member.state).unanswered_ms == 1000);
    member.feed(ProbeFailed{RunId{1}, "too many connections", ProbeFailed::Sign::refused});
    CHECK(observation(member.state).unanswered_ms == 0);
    member.feed(Probed{RunId{1}, seen});
    CHECK(observation(member.state).unanswered_ms == std::nullopt);

    member.feed(StreamLost{});
    member.wait(10s);
    CHECK(member.observations().empty());
    CHECK(member.state.observe_at == std::nullopt);
}

TEST_CASE(
    "executor: probes come one at a time, often around orders, seldom otherwise", "[executor]")
{
    Member member;
    member.fence();
    CHECK(member.wait(50ms) == Lines{"probe 1"});
    CHECK_FALSE(has(member.wait(10s), "probe 1"));  // The first has no answer yet.
    member.feed(Probed{RunId{1}, {}});
    CHECK_FALSE(has(member.wait(249ms), "probe 1"));
    CHECK(has(member.wait(1ms), "probe 1"));
    CHECK(member.feed(Probed{RunId{7}, {}}) == Lines{"ignored another run"});
}

TEST_CASE("executor: equal inputs give equal effects, and a copy is a snapshot", "[executor]")
{
    Member one;
    one.fence();
    one.replicate(e5, m2, true);
    Member two = one;
    CHECK(one.state == two.state);
    CHECK(one.order(control::Prepare{e6}) == two.order(control::Prepare{e6}));
    CHECK(one.state == two.state);
}
