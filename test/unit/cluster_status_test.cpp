#include "common/cluster/cluster.hpp"
#include "common/cluster/names.hpp"
#include "test/support/cluster.hpp"

#include <catch2/catch.hpp>

namespace mysos::cluster {

using namespace mysos::test;
using namespace std::chrono_literals;
using mesos::TaskState;
using Source = mesos::TaskStatus::Source;

TEST_CASE("cluster: a task's record is stored before it is launched", "[cluster]")
{
    State state = fresh(3);
    const Effects effects = give(state, OfferArrived{big_offer(1)});
    const auto save = index_of<Save>(effects);
    const auto accept = index_of<AcceptOffer>(effects);
    REQUIRE(save);
    REQUIRE(accept);
    CHECK(*save < *accept);
    const Member& member = std::get<Save>(effects[*save]).record.members.at(MemberId{1});
    const auto& launch = std::get<AcceptOffer>(effects[*accept]);
    CHECK(member.launched);
    CHECK(member.agent_id.text == "agent-1");
    CHECK(member.hostname == "host-1");
    CHECK(member.ip == "10.0.0.1");
    CHECK(member.persistence_id.text == "mysos-demo-1-0c6f0d5e.1");
    CHECK(launch.data.task_id == member.task_id);
    CHECK(launch.data.mem_mb == 480);
    CHECK(launch.data.disk_mb == 2047);
    REQUIRE(launch.accept.operations.size() == 3);
    const mesos::Task& task = std::get<mesos::Launch>(launch.accept.operations[2]).task;
    CHECK(task.id == member.task_id);
    CHECK(task.executor.id.text == member.task_id.text);
    CHECK(task.executor.name == "mysos.executor");
    CHECK(task.executor.source == "mysos.demo.1");
    CHECK(task.discovery.ports.at(0).number == member.port);
    CHECK(task.kill_grace == 60s);
    CHECK(task.executor.shutdown_grace > task.kill_grace);
    CHECK(task.data.empty());
}

TEST_CASE("cluster: no two members are put on one agent", "[cluster]")
{
    State state = fresh(3);
    CHECK(find<AcceptOffer>(give(state, OfferArrived{big_offer(1)})));
    CHECK_FALSE(find<AcceptOffer>(give(state, OfferArrived{big_offer(1)})));
    CHECK(find<AcceptOffer>(give(state, OfferArrived{big_offer(2)})));
    CHECK(
        waits_for(state, MemberId{3}, t0) ==
        "every agent that made an offer holds a member of this cluster already");
}

TEST_CASE("cluster: says which resource no agent offers", "[cluster]")
{
    State state = fresh(1);
    state.record.size.milli_cpus = 64000;
    CHECK(waits_for(state, MemberId{1}, t0) == "no offer has come yet");
    CHECK_FALSE(find<AcceptOffer>(give(state, OfferArrived{big_offer(1)})));
    CHECK(waits_for(state, MemberId{1}, t0) == "no agent offers 64 cpus; largest offered 4");
}

TEST_CASE("cluster: what each status does to a task that was launched", "[cluster]")
{
    struct Case {
        std::string name;
        mesos::TaskStatus status;
        bool stays_launched;
        bool has_data;
        bool asks_first;  ///< The master's word alone is not believed.
    };
    const auto by_master = [](TaskState state, const std::string& reason) {
        mesos::TaskStatus status = told(state);
        status.source = Source::master;
        status.reason = reason;
        status.uuid.clear();
        return status;
    };
    const std::string answer = "REASON_RECONCILIATION";
    const std::vector<Case> cases{
        {"staging", by_master(TaskState::staging, answer), true, false, false},
        {"starting", told(TaskState::starting), true, false, false},
        {"running", told(TaskState::running), true, true, false},
        {"killing", told(TaskState::killing), true, false, false},
        {"finished", told(TaskState::finished), false, false, false},
        {"failed", told(TaskState::failed), false, false, false},
        {"killed", told(TaskState::killed), false, false, false},
        {"error by the agent", told(TaskState::error), false, false, false},
        {"dropped by the agent", told(TaskState::dropped), false, false, false},
        {"gone by the agent", told(TaskState::gone), false, false, false},
        {"invalid", by_master(TaskState::error, "REASON_TASK_INVALID"), true, false, true},
        {"invalid offer",
         by_master(TaskState::dropped, "REASON_INVALID_OFFERS"),
         true,
         false,
         true},
        {"agent removed", by_master(TaskState::lost, "REASON_AGENT_REMOVED"), true, false, true},
        {"gone, asked for", by_master(TaskState::gone, answer), false, false, false},
        {"unknown, asked for", by_master(TaskState::unknown, answer), false, false, false},
        {"gone by an operator",
         by_master(TaskState::gone_by_operator, "REASON_AGENT_REMOVED_BY_OPERATOR"),
         false,
         false,
         false},
        {"unreachable",
         by_master(TaskState::unreachable, "REASON_AGENT_REMOVED"),
         true,
         false,
         false},
        {"back", by_master(TaskState::running, "REASON_AGENT_REREGISTERED"), true, true, false},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            State state = launched();
            mesos::TaskStatus status = c.status;
            status.task_id = state.record.members.at(MemberId{1}).task_id;
            const Effects effects = give(state, StatusArrived{MemberId{1}, status});
            const Member& member = state.record.members.at(MemberId{1});
            CHECK(member.launched == c.stays_launched);
            CHECK(member.volume_created == c.has_data);
            CHECK(find<Reconcile>(effects).has_value() == c.asks_first);

            const auto acknowledged = index_of_call<mesos::Acknowledge>(effects);
            CHECK(acknowledged.has_value() == !status.uuid.empty());
            const auto saved = index_of<Save>(effects);
            CHECK(saved.has_value() == (!c.stays_launched || c.has_data));
            if (saved && acknowledged) CHECK(*saved < *acknowledged);

            SECTION("told twice, it is acknowledged twice and changes nothing more")
            {
                const Record before = state.record;
                const Effects again = give(state, StatusArrived{MemberId{1}, status});
                CHECK(state.record == before);
                CHECK_FALSE(find<Save>(again));
                CHECK(index_of_call<mesos::Acknowledge>(again).has_value() == !status.uuid.empty());
            }
        }
    }
}

TEST_CASE("cluster: a refused launch is told by the master's first words", "[cluster]")
{
    State state = launched();
    mesos::TaskStatus status = told(TaskState::error);
    status.task_id = state.record.members.at(MemberId{1}).task_id;
    status.source = Source::master;
    status.reason = "REASON_TASK_INVALID";
    status.uuid.clear();
    status.message = "more than is offered";
    static_cast<void>(give(state, StatusArrived{MemberId{1}, status}));
    status.state = TaskState::gone;
    status.reason = "REASON_RECONCILIATION";
    status.message = "Reconciliation: Task is unknown to the agent";
    static_cast<void>(give(state, StatusArrived{MemberId{1}, status}));
    CHECK_FALSE(state.record.members.at(MemberId{1}).launched);
    CHECK(state.members.at(MemberId{1}).task_message == "more than is offered");
}

TEST_CASE("cluster: launches that fail are tried less and less often", "[cluster]")
{
    State state = fresh(1);
    TimePoint now = t0;
    std::vector<Duration> pauses;
    for (int i = 0; i < 12; ++i) {
        REQUIRE(find<AcceptOffer>(step(state, config(), OfferArrived{big_offer(1)}, now)));
        mesos::TaskStatus status = told(TaskState::failed);
        status.task_id = state.record.members.at(MemberId{1}).task_id;
        status.message = "no such program: mariadbd";
        static_cast<void>(step(state, config(), StatusArrived{MemberId{1}, status}, now));
        CHECK_FALSE(find<AcceptOffer>(step(state, config(), OfferArrived{big_offer(1)}, now)));
        const auto until = next_deadline(state);
        REQUIRE(until);
        pauses.push_back(*until - now);
        now = *until;
        static_cast<void>(step(state, config(), DeadlinePassed{}, now));
    }
    CHECK(
        std::vector<Duration>(pauses.begin(), pauses.begin() + 4) ==
        std::vector<Duration>{1s, 2s, 4s, 8s});
    CHECK(pauses.back() == 300s);
    CHECK(state.record.members.at(MemberId{1}).failures == 12);
    CHECK(state.members.at(MemberId{1}).task_message == "no such program: mariadbd");

    SECTION("and a restart of the scheduler does not make it forget")
    {
        State again = restored(state.record);
        static_cast<void>(step(again, config(), Started{}, now));
        CHECK(wanting_offers(again, now).empty());
        CHECK(
            waits_for(again, MemberId{1}, now) ==
            "launched again in 300 s, after 12 failures in a row");
    }
}

TEST_CASE("cluster: a task that ran for long is launched again at once", "[cluster]")
{
    State state = launched();
    const mesos::TaskId task = state.record.members.at(MemberId{1}).task_id;
    mesos::TaskStatus status = told(TaskState::running);
    status.task_id = task;
    static_cast<void>(give(state, StatusArrived{MemberId{1}, status}));
    status.state = TaskState::failed;
    static_cast<void>(step(state, config(), StatusArrived{MemberId{1}, status}, t0 + 61s));
    CHECK(state.record.members.at(MemberId{1}).failures == 0);
    CHECK(wanting_offers(state, t0 + 61s) == std::set<MemberId>{MemberId{1}});
}

TEST_CASE("cluster: a member with data is launched on its own volume only", "[cluster]")
{
    State state = launched();
    const Member before = state.record.members.at(MemberId{1});
    mesos::TaskStatus status = told(TaskState::running);
    status.task_id = before.task_id;
    static_cast<void>(give(state, StatusArrived{MemberId{1}, status}));
    status.state = TaskState::failed;
    static_cast<void>(step(state, config(), StatusArrived{MemberId{1}, status}, t0 + 61s));

    const TimePoint later = t0 + 62s;
    CHECK_FALSE(find<AcceptOffer>(step(state, config(), OfferArrived{big_offer(2)}, later)));
    CHECK(waits_for(state, MemberId{1}, later) == "its volume, on agent agent-1, to be offered");

    const std::string id = before.persistence_id.text;
    const auto back = [&id](int agent) {
        return offer(
            agent,
            {ours(cpus(1000), id),
             ours(mem(512), id),
             ours(disk(1), id),
             ours(ports(31000, 31001), id),
             stored(2047, id)});
    };
    SECTION("also when its agent is back under another id")
    {
        const auto accept = find<AcceptOffer>(step(state, config(), OfferArrived{back(9)}, later));
        REQUIRE(accept);
        CHECK(accept->accept.operations.size() == 1);
        const Member& member = state.record.members.at(MemberId{1});
        CHECK(member.agent_id.text == "agent-9");
        CHECK(member.persistence_id == before.persistence_id);
        CHECK(member.task_id != before.task_id);
        CHECK(member.port == before.port);
    }
    SECTION("and the rest of its reservation is awaited")
    {
        mesos::Offer partial = back(1);
        partial.resources[0] = ours(cpus(990), id);
        CHECK_FALSE(find<AcceptOffer>(step(state, config(), OfferArrived{partial}, later)));
        CHECK(
            waits_for(state, MemberId{1}, later) ==
            "the rest of what is reserved beside its volume");
        CHECK(find<AcceptOffer>(step(state, config(), OfferArrived{back(1)}, later + 1s)));
    }
}

TEST_CASE("cluster: a fresh attempt elsewhere retires what the first may have left", "[cluster]")
{
    State state = launched();
    const Member before = state.record.members.at(MemberId{1});
    mesos::TaskStatus status = told(TaskState::failed);
    status.task_id = before.task_id;
    static_cast<void>(give(state, StatusArrived{MemberId{1}, status}));
    const TimePoint later = t0 + 5s;

    SECTION("on the same agent the id is used again")
    {
        static_cast<void>(step(state, config(), OfferArrived{big_offer(1)}, later));
        CHECK(state.record.members.at(MemberId{1}).persistence_id == before.persistence_id);
    }
    SECTION("on another it is a new one, stored before the old one is given up")
    {
        const Effects effects = step(state, config(), OfferArrived{big_offer(2)}, later);
        const auto saved = index_of<Save>(effects);
        const auto retired = index_of<Retire>(effects);
        REQUIRE(saved);
        REQUIRE(retired);
        CHECK(*saved < *retired);
        CHECK(*retired < *index_of<AcceptOffer>(effects));
        CHECK(
            std::get<Retire>(effects[*retired]) == Retire{{before.persistence_id}, {{"agent-1"}}});
        CHECK(state.record.members.at(MemberId{1}).persistence_id != before.persistence_id);
    }
}

TEST_CASE("cluster: a task that was replaced is killed when it still lives", "[cluster]")
{
    State state = launched();
    mesos::TaskStatus status = told(TaskState::running);
    status.task_id.text = "mysos-demo-1-0c6f0d5e.0";
    const Effects effects = give(state, StatusArrived{MemberId{1}, status});
    CHECK(index_of_call<mesos::Acknowledge>(effects));
    CHECK(index_of_call<mesos::Kill>(effects));
    CHECK_FALSE(state.record.members.at(MemberId{1}).volume_created);
    status.state = TaskState::failed;
    const Effects ended = give(state, StatusArrived{MemberId{1}, status});
    CHECK(index_of_call<mesos::Acknowledge>(ended));
    CHECK_FALSE(index_of_call<mesos::Kill>(ended));
    CHECK(state.record.members.at(MemberId{1}).launched);
}

TEST_CASE("cluster: a task given up as lost is taken back when it lives", "[cluster]")
{
    State state = launched();
    mesos::TaskStatus status = told(TaskState::gone);
    status.task_id = state.record.members.at(MemberId{1}).task_id;
    static_cast<void>(give(state, StatusArrived{MemberId{1}, status}));
    REQUIRE_FALSE(state.record.members.at(MemberId{1}).launched);
    status.state = TaskState::running;
    const Effects effects = give(state, StatusArrived{MemberId{1}, status});
    CHECK(state.record.members.at(MemberId{1}).launched);
    CHECK(find<Save>(effects));
}

}  // namespace mysos::cluster
