#include "common/cluster/cluster.hpp"
#include "test/support/cluster.hpp"

#include <catch2/catch.hpp>

namespace mysos::cluster {

using namespace mysos::test;
using namespace std::chrono_literals;
using mesos::TaskState;

namespace {

constexpr MemberId m1{1};
constexpr MemberId m2{2};

/// Two members, both launched.
State two()
{
    State state = fresh(2);
    static_cast<void>(give(state, OfferArrived{big_offer(1)}));
    static_cast<void>(give(state, OfferArrived{big_offer(2)}));
    REQUIRE(state.record.members.at(m2).launched);
    return state;
}

StatusArrived status(const State& state, MemberId id, TaskState end)
{
    mesos::TaskStatus result = told(end);
    result.task_id = state.record.members.at(id).task_id;
    return {id, result};
}

std::size_t kills(const Effects& effects)
{
    std::size_t count = 0;
    for (const Effect& effect : effects) {
        const auto* call = std::get_if<SendCall>(&effect);
        if (call != nullptr && std::holds_alternative<mesos::Kill>(call->call)) ++count;
    }
    return count;
}

/// What ZooKeeper answers while it has nothing (more) of the cluster.
Effects tree_is_gone(State& state, const Effects& effects)
{
    const auto read = find<publish::ReadTree>(effects);
    REQUIRE(read);
    return give(state, TreeAnswered{publish::TreeRead{read->serial, {}}});
}

}  // namespace

TEST_CASE(
    "delete: ends the tasks, retires the volumes, removes the tree, then the record", "[cluster]")
{
    State state = two();
    const Effects ordered = give(state, DeleteOrdered{});
    CHECK(*index_of<Save>(ordered) < *index_of_call<mesos::Kill>(ordered));
    CHECK(kills(ordered) == 2);
    CHECK_FALSE(find<Retire>(ordered));

    const Effects first = give(state, status(state, m1, TaskState::killed));
    CHECK_FALSE(find<Retire>(first));
    const Effects last = give(state, status(state, m2, TaskState::killed));
    const auto retire = find<Retire>(last);
    REQUIRE(retire);
    CHECK(retire->volumes.size() == 2);
    CHECK(retire->agents == std::vector<mesos::AgentId>{{"agent-1"}, {"agent-2"}});
    CHECK(*index_of<Save>(last) < *index_of<Retire>(last));
    CHECK(*index_of<Retire>(last) < *index_of<publish::ReadTree>(last));
    CHECK_FALSE(find<Forget>(last));

    CHECK(find<Forget>(tree_is_gone(state, last)));
}

TEST_CASE("delete: kills are repeated until the task has ended", "[cluster]")
{
    State state = two();
    static_cast<void>(give(state, DeleteOrdered{}));
    std::vector<Duration> pauses;
    TimePoint now = t0;
    for (int i = 0; i < 6; ++i) {
        const auto at = next_deadline(state);
        REQUIRE(at);
        pauses.push_back(*at - now);
        now = *at;
        CHECK(kills(step(state, config(), DeadlinePassed{}, now)) == 2);
    }
    CHECK(pauses == std::vector<Duration>{5s, 10s, 20s, 40s, 60s, 60s});
}

TEST_CASE("delete: nothing is launched any more", "[cluster]")
{
    State state = fresh(2);
    static_cast<void>(give(state, OfferArrived{big_offer(1)}));
    static_cast<void>(give(state, DeleteOrdered{}));
    CHECK_FALSE(find<AcceptOffer>(give(state, OfferArrived{big_offer(2)})));
    CHECK(wanting_offers(state, t0).empty());
}

TEST_CASE("delete: a cluster that never launched anything is gone at once", "[cluster]")
{
    State state = fresh(3);
    const Effects ordered = give(state, DeleteOrdered{});
    CHECK_FALSE(find<Retire>(ordered));
    CHECK(find<Forget>(tree_is_gone(state, ordered)));
}

TEST_CASE("delete: goes on after a restart, from wherever it was", "[cluster]")
{
    State state = two();
    static_cast<void>(give(state, DeleteOrdered{}));

    SECTION("with tasks alive")
    {
        State again = restored(state.record);
        CHECK(kills(give(again, Started{})) == 2);
    }
    SECTION("with all tasks ended")
    {
        static_cast<void>(give(state, status(state, m1, TaskState::killed)));
        static_cast<void>(give(state, status(state, m2, TaskState::killed)));
        State again = restored(state.record);
        const Effects effects = give(again, Started{});
        CHECK(find<Retire>(effects)->volumes.size() == 2);
        CHECK(find<Forget>(tree_is_gone(again, effects)));
    }
}

TEST_CASE("delete: an agent that does not come back does not hold it up for ever", "[cluster]")
{
    State state = two();
    static_cast<void>(give(state, DeleteOrdered{}));
    static_cast<void>(give(state, status(state, m1, TaskState::killed)));
    static_cast<void>(give(state, status(state, m2, TaskState::unreachable)));
    CHECK_FALSE(find<Retire>(step(state, config(), DeadlinePassed{}, t0 + 299s)));
    CHECK(find<Retire>(step(state, config(), DeadlinePassed{}, t0 + 300s)));
}

TEST_CASE(
    "delete: a volume offered without its unreachable task proves that one ended", "[cluster]")
{
    State state = two();
    static_cast<void>(give(state, status(state, m1, TaskState::running)));
    static_cast<void>(give(state, status(state, m2, TaskState::killed)));
    static_cast<void>(give(state, status(state, m1, TaskState::unreachable)));
    static_cast<void>(give(state, DeleteOrdered{}));
    CHECK(wanting_offers(state, t0) == std::set<MemberId>{m1});
    const std::string id = state.record.members.at(m1).persistence_id.text;
    const Effects effects = give(state, OfferArrived{offer(9, {stored(2047, id)})});
    CHECK(find<Retire>(effects));
}

TEST_CASE("delete: ordered twice is ordered once", "[cluster]")
{
    State state = two();
    static_cast<void>(give(state, DeleteOrdered{}));
    const State before = state;
    const Effects effects = give(state, DeleteOrdered{});
    CHECK(effects.size() == 1);
    CHECK(find<Ignored>(effects));
    CHECK(state == before);
}

}  // namespace mysos::cluster
