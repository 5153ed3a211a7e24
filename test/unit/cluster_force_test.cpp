#include "common/cluster/cluster.hpp"
#include "test/support/cluster_of_three.hpp"

#include <catch2/catch.hpp>

namespace mysos::cluster {

using namespace mysos::test;

namespace {

std::string why_not(const Effects& effects)
{
    const auto ended = find<RequestEnded>(effects);
    REQUIRE(ended);
    CHECK(ended->request == 7);
    return ended->why_not;
}

void lose(State& state, MemberId id)
{
    static_cast<void>(give(state, MemberDisconnected{stream_of(id)}));
    mesos::TaskStatus status = told(mesos::TaskState::failed);
    status.task_id = state.record.members.at(id).task_id;
    static_cast<void>(give(state, StatusArrived{id, status}));
    REQUIRE_FALSE(state.record.members.at(id).launched);
}

/// Of three only the third is left, and has said what it holds.
State stuck()
{
    State state = three();
    lose(state, m2);
    lose(state, m1);
    const Epoch epoch = state.record.epoch;
    REQUIRE(epoch > e1);
    static_cast<void>(give(
        state, MemberSaid{stream_of(m3), control::Prepared{epoch, position, Epoch{1}, false}}));
    static_cast<void>(step(state, config(), DeadlinePassed{}, t0 + config().election_timeout));
    REQUIRE(state.stuck);
    return state;
}

}  // namespace

TEST_CASE("force: a cluster that can go on by itself is left alone", "[cluster]")
{
    State state = three();
    const State before = state;
    CHECK(
        why_not(give(state, ForceOrdered{7, m2})) ==
        "no election is stuck: forcing would lose what need not be lost");
    CHECK(state == before);
}

TEST_CASE("force: only who was offered is promoted, and then needs nobody", "[cluster]")
{
    State state = stuck();
    CHECK(
        why_not(give(state, ForceOrdered{7, m2})) ==
        "of those that answer, member 3 holds most: only it can be promoted");

    const Effects effects = give(state, ForceOrdered{7, m3});
    CHECK(why_not(effects).empty());
    const auto promote = order<control::Promote>(effects);
    REQUIRE(promote);
    CHECK(promote->acks == 0);
    CHECK(index_of<Save>(effects) < index_of<SendOrder>(effects));
    CHECK(state.record.electorate == std::set<MemberId>{m3});
    CHECK(state.record.acks == 0);
    CHECK(state.record.primary == m3);
    CHECK_FALSE(state.stuck);

    const Epoch epoch = state.record.epoch;
    const Effects promoted =
        give(state, MemberSaid{stream_of(m3), control::Promoted{epoch, position}});
    CHECK(order<control::Open>(promoted));
}

TEST_CASE("force: who answered and was lost since is nobody to promote", "[cluster]")
{
    State state = stuck();
    lose(state, m3);
    CHECK(
        why_not(give(state, ForceOrdered{7, m3})) ==
        "the members' answers have changed: look again at who can be promoted");
    CHECK(state.stuck);  // Else there would be nowhere to look, and no other try.
}

}  // namespace mysos::cluster
