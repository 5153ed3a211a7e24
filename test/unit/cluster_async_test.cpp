#include "common/cluster/cluster.hpp"
#include "test/support/cluster_of_three.hpp"

#include <catch2/catch.hpp>

// Where commits wait for nobody: what the cluster tells an election of the old primary.
namespace mysos::cluster {

using namespace mysos::test;
using namespace std::chrono_literals;
using mesos::TaskState;

namespace {

State three_of(Durability durability)
{
    State state = three();
    state.record.durability = durability;
    state.record.serving = m1;
    return state;
}

const election::Called& call_of(const State& state)
{
    REQUIRE(std::holds_alternative<election::Preparing>(state.election.phase));
    return std::get<election::Preparing>(state.election.phase).call;
}

void end(State& state, TaskState how)
{
    mesos::TaskStatus status = told(how);
    status.task_id = state.record.members.at(m1).task_id;
    static_cast<void>(give(state, StatusArrived{m1, status}));
}

void crash(State& state)
{
    static_cast<void>(
        give(state, MemberSaid{stream_of(m1), seen(control::Phase::crashed, position)}));
}

}  // namespace

TEST_CASE("async: who is known not to serve is not waited for", "[cluster]")
{
    State state = three_of(Durability::async);
    SECTION("its server has crashed")
    {
        crash(state);
    }
    SECTION("its task was seen to end")
    {
        end(state, TaskState::failed);
    }
    CHECK(call_of(state).serving == MemberId{});
    CHECK(call_of(state).fenced_after == config().fenced_after);
}

TEST_CASE("async: whose end nobody saw may serve", "[cluster]")
{
    State state = three_of(Durability::async);
    end(state, TaskState::gone_by_operator);
    CHECK(call_of(state).serving == m1);
}

TEST_CASE("async: nobody has to hold what perhaps no replica received", "[cluster]")
{
    State state = three_of(GENERATE(Durability::async, Durability::semisync));
    state.high_water = mysql::Position::parse(mysql::Flavor::mariadb, position).value();
    crash(state);
    CHECK(
        call_of(state).high_water.to_text() ==
        (state.record.durability == Durability::async ? "" : position));
}

TEST_CASE("async: semi-sync waits for nobody's end", "[cluster]")
{
    State state = three_of(Durability::semisync);
    end(state, TaskState::gone_by_operator);
    CHECK(call_of(state).fenced_after == Duration::zero());
}

TEST_CASE("async: who may let clients in is stored before it is told to", "[cluster]")
{
    State state = three_of(Durability::async);
    crash(state);
    const auto says = [&state](MemberId id, control::FromMember message) {
        return give(state, MemberSaid{stream_of(id), std::move(message)});
    };
    static_cast<void>(says(m3, control::Prepared{e2, position, e1, false}));
    static_cast<void>(says(m2, control::Prepared{e2, position, e1, false}));
    const MemberId candidate = std::get<election::Promoting>(state.election.phase).candidate.member;
    const MemberId other = candidate == m2 ? m3 : m2;
    static_cast<void>(says(candidate, control::Promoted{e2, "0-2-2199023255552"}));
    CHECK(state.record.serving == m1);
    control::Observation follows = as_replica();
    follows.epoch = e2;
    follows.source = candidate;
    follows.position = "0-2-2199023255552";
    const Effects opened = says(other, follows);
    REQUIRE(order<control::Open>(opened));
    const auto saved = find<Save>(opened);
    REQUIRE(saved);
    CHECK(saved->record.serving == candidate);
    CHECK(*index_of<Save>(opened) < *index_of<SendOrder>(opened));
}

TEST_CASE("async: of two members one goes on alone, whatever the policy says", "[cluster]")
{
    State state = three_of(GENERATE(Durability::async, Durability::semisync));
    const bool is_async = state.record.durability == Durability::async;
    state.record.num_nodes = 2;
    crash(state);
    CHECK(call_of(state).alone_after.has_value() == is_async);
}

}  // namespace mysos::cluster
