#include "test/support/cluster_of_three.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

// A cluster of two, of which one may go on without the other.
namespace mysos::cluster {

using namespace mysos::test;
using namespace std::chrono_literals;

namespace {

/// Two members in E with k = 1, the first leads.
State two(TwoNodePolicy policy)
{
    Record record = three().record;
    record.members.erase(m3);
    record.num_nodes = 2;
    record.electorate = {m1, m2};
    record.two_node_policy = policy;
    State state = restored(record);
    static_cast<void>(give(state, Started{}));
    control::Observation primary = as_primary();
    primary.semi_sync_clients = 1;
    static_cast<void>(connect(state, m1, primary));
    static_cast<void>(connect(state, m2, as_replica()));
    const control::AcknowledgersSet aligned{e1, 1, position, state.electorate.serial};
    static_cast<void>(give(state, MemberSaid{stream_of(m1), aligned}));
    REQUIRE(state.verdict == diagnosis::Verdict::healthy);
    return state;
}

Effects say(State& state, MemberId id, const control::FromMember& message, TimePoint now)
{
    return step(state, config(), MemberSaid{stream_of(id), message}, now);
}

/// The primary goes on saying that nobody receives from it.
Effects without_replica(State& state, Duration duration)
{
    Effects all;
    for (TimePoint now = t0; now <= t0 + duration; now += 1s) {
        const Effects effects = say(state, m1, as_primary(), now);
        all.insert(all.end(), effects.begin(), effects.end());
    }
    return all;
}

}  // namespace

TEST_CASE("cluster: of two, the primary goes on alone where it may", "[cluster]")
{
    State state = two(TwoNodePolicy::available);
    static_cast<void>(give(state, MemberDisconnected{stream_of(m2)}));
    CHECK_FALSE(order<control::LockAccount>(without_replica(state, 4s)));
    const auto lock = order<control::LockAccount>(without_replica(state, 5s));
    REQUIRE(lock);
    CHECK(lock->member == m2);
    CHECK(state.record.electorate == std::set<MemberId>{m1, m2});

    const control::AccountLocked locked{e1, m2, position, lock->serial};
    const Effects effects = say(state, m1, locked, t0 + 6s);
    const auto saved = index_of<Save>(effects);
    const auto set = order<control::SetAcknowledgers>(effects);
    REQUIRE(saved);
    REQUIRE(set);
    CHECK(std::get<Save>(effects[*saved]).record.electorate == std::set<MemberId>{m1});
    CHECK(std::get<Save>(effects[*saved]).record.acks == 0);
    CHECK(set->acks == 0);
    CHECK(*saved < *index_of<SendOrder>(effects));
    CHECK(state.published == m1);

    SECTION("and takes the other back when it is there again")
    {
        const control::AcknowledgersSet done{e1, 0, position, set->serial};
        static_cast<void>(say(state, m1, done, t0 + 7s));
        const auto follow = order<control::Follow>(connect(state, m2, as_replica()));
        REQUIRE(follow);
        CHECK_FALSE(follow->acknowledge);
    }
    SECTION("and is the only one that can be elected")
    {
        control::Observation crashed = seen(control::Phase::crashed, position);
        const Effects elected = say(state, m1, crashed, t0 + 8s);
        CHECK(state.record.epoch > e1);
        for (const Effect& effect : elected) {
            const auto* send = std::get_if<SendOrder>(&effect);
            if (send != nullptr) CHECK(send->member == m1);
        }
        static_cast<void>(connect(state, m2, as_replica()));
        const control::Prepared empty{state.record.epoch, position, e1, false};
        CHECK_FALSE(order<control::Promote>(give(state, MemberSaid{stream_of(m2), empty})));
    }
}

TEST_CASE("cluster: of two, the primary waits for the other where it has to", "[cluster]")
{
    State state = two(TwoNodePolicy::consistent);
    static_cast<void>(give(state, MemberDisconnected{stream_of(m2)}));
    CHECK_FALSE(order<control::LockAccount>(without_replica(state, 60s)));
    CHECK(state.verdict == diagnosis::Verdict::replicas_missing);
    CHECK(state.record.electorate == std::set<MemberId>{m1, m2});
}

TEST_CASE("cluster: of two, the other takes over alone where it may", "[cluster]")
{
    State state = two(TwoNodePolicy::available);
    static_cast<void>(give(state, MemberDisconnected{stream_of(m1)}));
    mesos::TaskStatus failed = told(mesos::TaskState::failed);
    failed.task_id = state.record.members.at(m1).task_id;
    static_cast<void>(give(state, StatusArrived{m1, failed}));
    const Epoch epoch = state.record.epoch;
    REQUIRE(epoch > e1);
    static_cast<void>(say(state, m2, control::Prepared{epoch, position, e1, false}, t0 + 1s));
    static_cast<void>(say(state, m2, control::Promoted{epoch, "0-2-2199023255552"}, t0 + 2s));
    CHECK(state.record.electorate == std::set<MemberId>{m1, m2});
    const auto due = next_deadline(state);
    REQUIRE(due);
    Effects effects;
    for (TimePoint now = *due; now <= t0 + 6s; now += 1s) {
        effects = step(state, config(), DeadlinePassed{}, now);
    }
    const auto saved = index_of<Save>(effects);
    REQUIRE(saved);
    CHECK(std::get<Save>(effects[*saved]).record.electorate == std::set<MemberId>{m2});
    CHECK(std::get<Save>(effects[*saved]).record.primary == m2);
    CHECK(*saved < *index_of<SendOrder>(effects));
    const auto prepare = order<control::Prepare>(effects);
    REQUIRE(prepare);
    CHECK(prepare->epoch > epoch);

    const control::Prepared holds_all{prepare->epoch, position, epoch, false};
    const auto promote = order<control::Promote>(say(state, m2, holds_all, t0 + 8s));
    REQUIRE(promote);
    CHECK(promote->acks == 0);
    for (const control::AccountSpec& spec : promote->accounts) {
        CHECK(spec.account.user != "repl_1");  // Whose it was may not acknowledge.
    }
    const control::Promoted promoted{prepare->epoch, "0-2-3298534883328"};
    CHECK(order<control::Open>(say(state, m2, promoted, t0 + 9s)));
}

}  // namespace mysos::cluster
