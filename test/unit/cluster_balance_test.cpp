#include "common/cluster/cluster.hpp"
#include "test/support/cluster_of_three.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <utility>

namespace mysos::cluster {

using namespace mysos::test;
using namespace std::chrono_literals;
using mesos::TaskState;

namespace {

StatusArrived status(const State& state, MemberId id, TaskState end)
{
    mesos::TaskStatus result = told(end);
    result.task_id = state.record.members.at(id).task_id;
    return {id, result};
}

Effects at(State& state, Duration later)
{
    return step(state, config(), DeadlinePassed{}, t0 + later);
}

/// The primary has locked the member's account, and a replica holds what it held then.
Effects locked(State& state, const Effects& effects)
{
    const auto lock = order<control::LockAccount>(effects);
    REQUIRE(lock);
    const control::AccountLocked answer{e1, lock->member, position, lock->serial};
    return give(state, MemberSaid{stream_of(m1), answer});
}

}  // namespace

TEST_CASE("balance: who is lost for too long gets a successor, and his volume is kept", "[cluster]")
{
    State state = three();
    static_cast<void>(give(state, status(state, m3, TaskState::lost)));
    CHECK(state.record.members.size() == 3);
    CHECK(state.members.at(m3).replace_at == t0 + config().replace_after);
    const auto volume = state.record.members.at(m3).persistence_id;

    const Effects late = at(state, config().replace_after);
    CHECK(state.record.members.contains(m4));
    CHECK(state.record.next_server_id == 5);
    CHECK(*index_of<Save>(late) < *index_of<SendOrder>(late));

    const Effects out = locked(state, late);
    CHECK(state.record.electorate == std::set{m1, m2});
    CHECK_FALSE(state.record.members.contains(m3));
    const auto retire = find<Retire>(out);
    REQUIRE(retire);
    CHECK(retire->volumes == std::vector{volume});
    CHECK(*index_of<Save>(out) < *index_of<Retire>(out));
    CHECK(wanting_offers(state, t0) == std::set{m4});
}

TEST_CASE("balance: an agent that is gone for good is not waited for", "[cluster]")
{
    State state = three();
    const Effects gone = give(state, status(state, m3, TaskState::gone_by_operator));
    CHECK(state.record.members.contains(m4));
    CHECK(order<control::LockAccount>(gone));
}

TEST_CASE("balance: a member that fails where it is again and again is replaced", "[cluster]")
{
    State state = three();
    state.record.members.at(m3).failures = config().replace_failures - 1;
    static_cast<void>(give(state, status(state, m3, TaskState::failed)));
    CHECK(state.record.members.contains(m4));
}

TEST_CASE("balance: who comes back in time stays", "[cluster]")
{
    State state = three();
    static_cast<void>(give(state, status(state, m3, TaskState::unreachable)));
    CHECK(state.members.at(m3).replace_at);
    SECTION("before anything was done")
    {
        static_cast<void>(give(state, status(state, m3, TaskState::running)));
        CHECK_FALSE(state.members.at(m3).replace_at);
        static_cast<void>(at(state, config().replace_after));
        CHECK(state.record.members.size() == 3);
    }
    SECTION("while his successor waits for an offer")
    {
        static_cast<void>(at(state, config().replace_after));
        REQUIRE(state.record.members.contains(m4));
        static_cast<void>(give(state, status(state, m3, TaskState::running)));
        CHECK(state.record.members.contains(m3));
        CHECK_FALSE(state.record.members.contains(m4));
    }
}

TEST_CASE("balance: of a cluster that is being deleted nobody is lost", "[cluster]")
{
    State state = three();
    static_cast<void>(give(state, status(state, m3, TaskState::unreachable)));
    REQUIRE(state.members.at(m3).replace_at);
    static_cast<void>(give(state, DeleteOrdered{}));
    CHECK_FALSE(state.members.at(m3).replace_at);
    static_cast<void>(at(state, config().replace_after));
    CHECK_FALSE(state.members.at(m3).overdue);
    CHECK(state.record.members.size() == 3);
}

TEST_CASE("balance: nobody is replaced without a primary to copy from", "[cluster]")
{
    State state = three();
    static_cast<void>(give(state, status(state, m1, TaskState::lost)));
    static_cast<void>(give(state, status(state, m3, TaskState::lost)));
    static_cast<void>(at(state, config().replace_after));
    CHECK(state.record.members.size() == 3);
}

TEST_CASE("balance: a new member begins with a copy", "[cluster]")
{
    State state = three();
    static_cast<void>(give(state, ScaleOrdered{4}));
    REQUIRE(state.record.members.contains(m4));
    CHECK(state.record.members.at(m4).to_copy);
    static_cast<void>(give(state, OfferArrived{big_offer(4)}));
    REQUIRE(state.record.members.at(m4).launched);

    const Effects here = connect(state, m4, seen(control::Phase::fenced, ""));
    const auto rebuild = order<control::Rebuild>(here);
    REQUIRE(rebuild);
    CHECK(rebuild->donor == m2);
    CHECK(rebuild->donor_port == state.record.members.at(m2).port);
    CHECK(rebuild->donor_peer_port == state.record.members.at(m2).peer_port);
    CHECK(rebuild->donor_host == state.record.members.at(m2).ip);
    CHECK_FALSE(order<control::Follow>(here));

    const control::Rebuilt rebuilt{e1, rebuild->serial, position, 0};
    const Effects done = give(state, MemberSaid{stream_of(m4), rebuilt});
    CHECK_FALSE(state.record.members.at(m4).to_copy);
    CHECK(find<Save>(done));
    const auto follow = order<control::Follow>(
        give(state, MemberSaid{stream_of(m4), seen(control::Phase::fenced, position)}));
    REQUIRE(follow);
    CHECK_FALSE(follow->acknowledge);
}

TEST_CASE("balance: a member whose replication stays broken is rebuilt", "[cluster]")
{
    State state = three();
    control::Observation broken = as_replica();
    const auto says = [&](Duration later) {
        return step(state, config(), MemberSaid{stream_of(m3), broken}, t0 + later);
    };
    broken.applier_running = false;
    SECTION("it cannot apply")
    {
        broken.applier_error = "1062: Duplicate entry";
    }
    SECTION("its primary has not what it lacks")
    {
        broken.receiver_running = false;
        broken.receiver_error = "1236: could not find the transaction";
    }
    static_cast<void>(says(1s));
    static_cast<void>(says(30s));
    CHECK_FALSE(state.members.at(m3).understood->needs_rebuild);
    // Ordered to follow, it tries once more.
    const control::Observation fails = std::exchange(broken, as_replica());
    broken.receiver_running = false;
    static_cast<void>(says(30s));
    broken = fails;
    static_cast<void>(says(31s));
    CHECK(state.members.at(m3).understood->needs_rebuild);
    CHECK(state.electorate.leadership->followers.at(m3).standing == electorate::Standing::errant);

    broken = as_replica();
    static_cast<void>(says(32s));
    CHECK_FALSE(state.members.at(m3).broken_since);
}

TEST_CASE("balance: who is one too many leaves E, ends, and is forgotten", "[cluster]")
{
    State state = three();
    const Effects scaled = give(state, ScaleOrdered{2});
    CHECK_FALSE(index_of_call<mesos::Kill>(scaled));
    const Effects out = locked(state, scaled);
    CHECK(state.record.electorate == std::set{m1, m2});
    CHECK(index_of_call<mesos::Kill>(out));
    CHECK(state.record.members.contains(m3));
    CHECK_FALSE(wanting_offers(state, t0).contains(m3));
    CHECK(index_of_call<mesos::Kill>(at(state, 1min)));  // Until it has ended.

    const StatusArrived killed = status(state, m3, TaskState::killed);
    const Effects ended = give(state, killed);
    CHECK_FALSE(state.record.members.contains(m3));
    CHECK(find<Retire>(ended));
    CHECK(state.record.num_nodes == 2);

    // It is known by its number should it turn up again.
    StatusArrived back = killed;
    back.status.state = TaskState::running;
    CHECK(index_of_call<mesos::Kill>(give(state, back)));
}

TEST_CASE("balance: who was to go, and has left E for it, is asked back", "[cluster]")
{
    State state = three();
    static_cast<void>(locked(state, give(state, ScaleOrdered{2})));
    REQUIRE(state.record.electorate == std::set{m1, m2});
    REQUIRE(state.members.at(m3).going);
    static_cast<void>(give(state, ScaleOrdered{3}));
    CHECK_FALSE(state.members.at(m3).going);
    CHECK(state.electorate.to_join.contains(m3));
}

TEST_CASE(
    "balance: after a restart nobody goes who may be the successor of one that has to", "[cluster]")
{
    State state = three();
    static_cast<void>(give(state, ScaleOrdered{4}));
    static_cast<void>(give(state, OfferArrived{big_offer(4)}));
    REQUIRE(state.record.members.at(m4).launched);
    state.record.num_nodes = 3;  // As if one of them had to move.
    state.dismiss_held = t0 + 30s;
    static_cast<void>(give(state, MemberSaid{stream_of(m1), as_primary()}));
    CHECK(state.record.members.contains(m4));
    CHECK_FALSE(state.members.at(m4).going);
    REQUIRE(next_deadline(state));
    CHECK(*next_deadline(state) <= t0 + 30s);
    static_cast<void>(at(state, 30s));
    CHECK(state.members.at(m4).going);
}

TEST_CASE("balance: the primary stays, whatever its number", "[cluster]")
{
    State state = three();
    static_cast<void>(give(state, ScaleOrdered{1}));
    CHECK_FALSE(state.members.at(m1).going);
    CHECK(find<Ignored>(give(state, ScaleOrdered{1})));
}

}  // namespace mysos::cluster
