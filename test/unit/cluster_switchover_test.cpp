#include "common/cluster/cluster.hpp"
#include "test/support/cluster_of_three.hpp"

#include <catch2/catch.hpp>

namespace mysos::cluster {

using namespace mysos::test;
using namespace std::chrono_literals;

namespace {

std::string why_not(const Effects& effects)
{
    const auto ended = find<RequestEnded>(effects);
    REQUIRE(ended);
    CHECK(ended->request == 7);
    return ended->why_not;
}

std::string refused(State& state, MemberId to)
{
    const Effects effects = give(state, SwitchoverOrdered{7, to});
    CHECK_FALSE(order<control::ShutOut>(effects));
    return why_not(effects);
}

std::uint64_t begin(State& state)
{
    const auto shut_out = order<control::ShutOut>(give(state, SwitchoverOrdered{7, m2}));
    REQUIRE(shut_out);
    CHECK(shut_out->epoch == e1);
    return shut_out->serial;
}

}  // namespace

TEST_CASE("switchover: the successor has received everything before it is elected", "[cluster]")
{
    State state = three();
    const std::uint64_t serial = begin(state);
    CHECK_FALSE(order<control::Prepare>(says(state, m1, control::Shut{e1, last, serial})));
    CHECK_FALSE(order<control::Prepare>(says(state, m3, holding(last))));

    CHECK(order<control::Prepare>(says(state, m2, holding(last))));
    CHECK_FALSE(order<control::Promote>(says(state, m3, control::Prepared{e2, last, e1, false})));
    const auto promote =
        order<control::Promote>(says(state, m2, control::Prepared{e2, last, e1, false}));
    REQUIRE(promote);
    CHECK(promote->position == last);
    CHECK(state.high_water.to_text() == last);

    const std::string marked = "0-2-2199023255552";
    static_cast<void>(says(state, m2, control::Promoted{e2, marked}));
    control::Observation follows = holding(marked);
    follows.epoch = e2;
    follows.source = m2;
    CHECK(order<control::Open>(says(state, m3, follows)));
    const Effects done = says(state, m2, control::Opened{e2});
    CHECK(why_not(done) == "");
    CHECK(state.record.primary == m2);
    CHECK_FALSE(state.switchover);
}

TEST_CASE("switchover: the one that is wanted is waited for, but not for ever", "[cluster]")
{
    State state = three();
    const std::uint64_t serial = begin(state);
    static_cast<void>(says(state, m1, control::Shut{e1, last, serial}));
    static_cast<void>(says(state, m2, holding(last)));
    static_cast<void>(says(state, m3, control::Prepared{e2, last, e1, false}));
    const Effects late = step(state, config(), DeadlinePassed{}, t0 + config().ask_last_after);
    CHECK(order<control::Prepare>(late));
    CHECK_FALSE(order<control::Promote>(late));  // One vote is no quorum.
    const Effects given_up =
        step(state, config(), DeadlinePassed{}, t0 + config().switchover_timeout);
    CHECK(why_not(given_up) == "the election takes long; the cluster's state says how it goes");
}

TEST_CASE("switchover: refused where it could not work", "[cluster]")
{
    State state = three();
    CHECK(refused(state, m4) == "there is no member 4");
    CHECK(refused(state, m1) == "member 1 is the primary already");

    SECTION("it lags")
    {
        control::Observation lags = as_replica();
        lags.lag_seconds = 6;
        static_cast<void>(says(state, m2, lags));
        CHECK(refused(state, m2) == "member 2 is 6 s behind");
    }
    SECTION("it does not acknowledge")
    {
        control::Observation idle = as_replica();
        idle.acknowledges = false;
        static_cast<void>(says(state, m2, idle));
        CHECK(refused(state, m2) == "member 2 does not acknowledge the primary's commits now");
    }
    SECTION("its executor is away")
    {
        static_cast<void>(give(state, MemberDisconnected{stream_of(m2)}));
        CHECK(refused(state, m2) == "member 2 does not acknowledge the primary's commits now");
    }
    SECTION("the others could not elect it")
    {
        static_cast<void>(give(state, MemberDisconnected{stream_of(m3)}));
        CHECK(refused(state, m2) == "too few other members are there to elect it at once");
    }
    SECTION("one is under way")
    {
        static_cast<void>(begin(state));
        CHECK(refused(state, m3) == "another switchover is under way");
    }
    SECTION("there is no primary")
    {
        control::Observation crashed = as_primary();
        crashed.phase = control::Phase::crashed;
        static_cast<void>(says(state, m1, crashed));
        CHECK(refused(state, m2) == "the cluster has no primary now");
    }
}

TEST_CASE("switchover: called off, the old primary is opened again", "[cluster]")
{
    State state = three();
    const std::uint64_t serial = begin(state);
    Effects off;
    std::string why;
    SECTION("clients cannot be shut out")
    {
        using Reason = control::Refused::Reason;
        off = says(state, m1, control::Refused{Reason::server_failed, e1, "timed out", "shut_out"});
        why = "clients could not be shut out: timed out";
    }
    SECTION("the primary does not answer")
    {
        off = step(state, config(), DeadlinePassed{}, t0 + config().switchover_timeout);
        why = "the primary did not shut clients out in time";
    }
    SECTION("the successor does not get on")
    {
        static_cast<void>(says(state, m1, control::Shut{e1, last, serial}));
        off = step(state, config(), DeadlinePassed{}, t0 + config().switchover_timeout);
        why = "it did not receive everything in time";
    }
    SECTION("the successor is lost")
    {
        static_cast<void>(says(state, m1, control::Shut{e1, last, serial}));
        off = give(state, MemberDisconnected{stream_of(m2)});
        why = "its executor was lost";
    }
    CHECK(why_not(off) == why + "; the old primary is open again");
    CHECK(order<control::Open>(off));
    CHECK_FALSE(order<control::Prepare>(off));
    CHECK_FALSE(state.switchover);
    CHECK(state.record.primary == m1);
    CHECK(find<Ignored>(says(state, m1, control::Shut{e1, last, serial})));
}

TEST_CASE("switchover: a failure on the way is a failover like any other", "[cluster]")
{
    State state = three();
    static_cast<void>(begin(state));
    control::Observation crashed = as_primary();
    crashed.phase = control::Phase::crashed;
    const Effects failed = says(state, m1, crashed);
    CHECK(why_not(failed) == "the primary failed meanwhile");
    CHECK(order<control::Prepare>(failed));
}

}  // namespace mysos::cluster
