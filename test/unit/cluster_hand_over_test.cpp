#include "common/cluster/cluster.hpp"
#include "test/support/cluster_of_three.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace mysos::cluster {

using namespace mysos::test;
using namespace std::chrono_literals;

namespace {

control::Observation leaving()
{
    control::Observation result = as_primary();
    result.leaving = true;
    return result;
}

/// Whom the effects tell to end.
std::vector<MemberId> released(const Effects& effects)
{
    std::vector<MemberId> result;
    for (const Effect& effect : effects) {
        const auto* send = std::get_if<SendOrder>(&effect);
        if (send != nullptr && std::holds_alternative<control::Stop>(send->order)) {
            result.push_back(send->member);
        }
    }
    return result;
}

/// The primary says that it leaves; the serial of the order to shut clients out.
std::uint64_t begin(State& state)
{
    const Effects effects = says(state, m1, leaving());
    CHECK(released(effects).empty());
    const auto shut_out = order<control::ShutOut>(effects);
    REQUIRE(shut_out);
    return shut_out->serial;
}

}  // namespace

TEST_CASE("hand over: a primary that is to end is let go when another leads", "[cluster]")
{
    State state = three();
    const std::uint64_t serial = begin(state);
    REQUIRE(state.switchover);
    CHECK(state.switchover->to == m2);
    static_cast<void>(says(state, m1, control::Shut{e1, last, serial}));
    CHECK(order<control::Prepare>(says(state, m2, holding(last))));
    static_cast<void>(says(state, m3, holding(last)));
    static_cast<void>(says(state, m2, control::Prepared{e2, last, e1, false}));
    const Effects third = says(state, m3, control::Prepared{e2, last, e1, false});
    CHECK(released(third).empty());
    const std::string marked = "0-2-2199023255552";
    static_cast<void>(says(state, m2, control::Promoted{e2, marked}));
    control::Observation follows = holding(marked);
    follows.epoch = e2;
    follows.source = m2;
    CHECK(released(says(state, m3, follows)).empty());

    const Effects done = says(state, m2, control::Opened{e2});
    CHECK(released(done) == std::vector{m1});
    CHECK_FALSE(find<RequestEnded>(done));  // Nobody asked.
    CHECK(state.record.primary == m2);
    // Told once, unless its stream was lost before it heard it.
    CHECK(released(says(state, m3, follows)).empty());
    static_cast<void>(give(state, MemberDisconnected{stream_of(m1)}));
    control::Observation again = leaving();
    again.phase = control::Phase::fenced;
    again.writable = false;
    CHECK(released(connect(state, m1, again)) == std::vector{m1});
}

TEST_CASE("hand over: where nobody else can lead, it is let go at once", "[cluster]")
{
    State state = three();
    SECTION("the cluster is being deleted")
    {
        static_cast<void>(give(state, DeleteOrdered{}));
        CHECK(released(says(state, m1, leaving())) == std::vector{m1});
    }
    SECTION("it is alone")
    {
        state.record.electorate = {m1};
        CHECK(released(says(state, m1, leaving())) == std::vector{m1});
    }
    CHECK_FALSE(state.switchover);
}

TEST_CASE("hand over: who is least behind succeeds, where fewest primaries are", "[cluster]")
{
    State state = three();
    SECTION("the least behind")
    {
        control::Observation lags = as_replica();
        lags.lag_seconds = 2;
        static_cast<void>(says(state, m2, lags));
        state.primaries_beside[m3] = 5;
        static_cast<void>(begin(state));
    }
    SECTION("the fewest primaries")
    {
        state.primaries_beside[m2] = 1;
        static_cast<void>(begin(state));
    }
    CHECK(state.switchover->to == m3);
}

TEST_CASE("hand over: while nobody can succeed it waits, and looks again", "[cluster]")
{
    State state = three();
    static_cast<void>(give(state, MemberDisconnected{stream_of(m3)}));
    const Effects effects = says(state, m1, leaving());
    CHECK_FALSE(order<control::ShutOut>(effects));
    CHECK(released(effects).empty());
    const Effects back = connect(state, m3, as_replica());
    CHECK(order<control::ShutOut>(back));
}

TEST_CASE("hand over: after one that failed it pauses", "[cluster]")
{
    State state = three();
    static_cast<void>(begin(state));
    const Effects failed = says(
        state,
        m1,
        control::Refused{control::Refused::Reason::server_failed, e1, "commits wait", "shut_out"});
    CHECK(order<control::Open>(failed));
    CHECK_FALSE(order<control::ShutOut>(failed));
    CHECK_FALSE(state.switchover);
    CHECK_FALSE(order<control::ShutOut>(says(state, m1, leaving())));
    REQUIRE(next_deadline(state));
    CHECK(*next_deadline(state) <= t0 + 1s);
    CHECK(order<control::ShutOut>(step(state, config(), DeadlinePassed{}, t0 + 1s)));
}

TEST_CASE("hand over: who is told to end does not wait for an earlier pause", "[cluster]")
{
    State state = three();
    state.hand_over_at = t0 + 10min;
    state.hand_over_pause = 10min;
    static_cast<void>(begin(state));
}

}  // namespace mysos::cluster
