#include "test/conformance/suite.hpp"

#include <mesos/v1/scheduler.pb.h>
#include <set>

namespace mysos::conformance {
namespace {

using namespace std::chrono_literals;

const std::vector<std::pair<bool, Json>>& both_kinds()
{
    static const std::vector<std::pair<bool, Json>> kinds{
        {true, Json::object()},
        {false,
         {{"capabilities", {{{"type", "MULTI_ROLE"}}, {{"type", "RESERVATION_REFINEMENT"}}}}}}};
    return kinds;
}

/// A task whose executor, played by the suite, has reported TASK_RUNNING.
struct Running {
    explicit Running(const Options& o, const Json& patch = Json::object())
        : framework{o, patch},
          offer(framework.offer()),
          id{new_id("running")},
          executor{offer, framework.id(), id}
    {
        framework.must(accept(offer, {launch({task_info(offer, id)})}, 3600));
        executor.subscribe();
        (void)executor.await("LAUNCH");
        executor.must(executor.update(id, "TASK_RUNNING"));
        framework.acknowledge(framework.await_status(id, "TASK_RUNNING"));
    }

    [[nodiscard]] Json kill() const { return {{"task_id", {{"value", id}}}}; }

    Framework framework;
    Json offer;
    std::string id;
    Executor executor;
};

void kill_forwarded(const Options& o)
{
    Running task{o};
    Json kill = task.kill();
    task.framework.must({{"type", "KILL"}, {"kill", kill}});
    require(!task.executor.await("KILL")["kill"].contains("kill_policy"), "a policy came unasked");
    kill["agent_id"] = task.offer["agent_id"];
    kill["kill_policy"] = {{"grace_period", {{"nanoseconds", 1000000000}}}};
    task.framework.must({{"type", "KILL"}, {"kill", kill}});
    const Json event = task.executor.await("KILL");
    require_equal(text(event, "/kill/task_id/value"), task.id, "task");
    require_equal(
        text(event, "/kill/kill_policy/grace_period/nanoseconds"),
        std::string{"1000000000"},
        "policy");
}

void kill_at_another_agent(const Options& o)
{
    Running task{o};
    Json kill = task.kill();
    kill["agent_id"] = {{"value", new_id("another")}};
    task.framework.must({{"type", "KILL"}, {"kill", kill}});
    task.executor.await_none("KILL");
    task.framework.await_none("UPDATE", {}, 200ms);
}

void kill_unknown(const Options& o)
{
    for (const auto& [partition_aware, patch] : both_kinds()) {
        Framework framework{o, patch};
        const Json offer = framework.offer();
        const std::string id = new_id("unknown");
        const auto expect = [&, aware = partition_aware](const Json& agent, const char* state) {
            Json kill{{"task_id", {{"value", id}}}};
            if (!agent.is_null()) kill["agent_id"] = agent;
            framework.must({{"type", "KILL"}, {"kill", kill}});
            const Json status = framework.await_status(id);
            require_equal(text(status, "/state"), std::string{aware ? state : "TASK_LOST"}, state);
            require_equal(text(status, "/reason"), std::string{"REASON_RECONCILIATION"}, "reason");
        };
        expect(offer["agent_id"], "TASK_GONE");
        expect(nullptr, "TASK_UNKNOWN");
        expect({{"value", new_id("agent")}}, "TASK_UNKNOWN");
    }
}

void kill_before_delivery(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer();
    const std::string id = new_id("undelivered");
    framework.must(accept(offer, {launch({task_info(offer, id)})}, 3600));
    framework.must({{"type", "KILL"}, {"kill", {{"task_id", {{"value", id}}}}}});
    const Json status = framework.await_status(id);
    require_equal(text(status, "/state"), std::string{"TASK_KILLED"}, "state");
    require_equal(text(status, "/source"), std::string{"SOURCE_AGENT"}, "source");
    require_equal(
        text(status, "/reason"), std::string{"REASON_TASK_KILLED_DURING_LAUNCH"}, "reason");
    require(status.contains("uuid"), "no uuid");
    framework.acknowledge(status);
}

void repeats(const Options& o)
{
    Running task{o};
    task.executor.must(task.executor.update(task.id, "TASK_FAILED"));
    const Json first = task.framework.await_status(task.id, "TASK_FAILED");
    const auto came = std::chrono::steady_clock::now();
    const Json again = task.framework.await_status(task.id, "TASK_FAILED", 40s);
    require_equal(again["uuid"], first["uuid"], "uuid of the repetition");
    require(std::chrono::steady_clock::now() - came > 9s, "it was repeated too early");
}

void one_at_a_time(const Options& o)
{
    Running task{o};
    const Json first = task.executor.update(task.id, "TASK_RUNNING");
    const Json second = task.executor.update(task.id, "TASK_FINISHED");
    task.executor.must(first);
    task.executor.must(second);
    const Json seen = task.framework.await_status(task.id, "TASK_RUNNING");
    task.framework.await_none("UPDATE");
    task.framework.acknowledge(seen);
    const Json last = task.framework.await_status(task.id, "TASK_FINISHED");
    require_equal(last["uuid"], second["update"]["status"]["uuid"], "uuid");
}

void acknowledge_uuids(const Options& o)
{
    Running task{o};
    task.executor.must(task.executor.update(task.id, "TASK_FINISHED"));
    Json status = task.framework.await_status(task.id, "TASK_FINISHED");
    const std::string uuid = status["uuid"];
    const auto code = [&](const std::string& bytes) {
        return task.framework
            .call(
                {{"type", "ACKNOWLEDGE"},
                 {"acknowledge",
                  {{"agent_id", status["agent_id"]},
                   {"task_id", status["task_id"]},
                   {"uuid", bytes}}}})
            .status;
    };
    require_equal(code(new_uuid()), 202, "another valid uuid");
    require_equal(code(base64(std::string(15, 'a'))), 400, "15 bytes");
    require_equal(code(base64("6d1f0a5e-7c5b-4b7e-9a0f-3a8d5b2f9c11")), 400, "36 bytes");
    std::string seventh(16, 'a');
    seventh[6] = '\x70';
    require_equal(code(base64(seventh)), 400, "version 7");
    task.framework.acknowledge(status);
}

void implicit(const Options& o)
{
    Running task{o};
    task.framework.must({{"type", "RECONCILE"}, {"reconcile", Json::object()}});
    const Json status = task.framework.await_status(task.id);
    require_equal(text(status, "/state"), std::string{"TASK_RUNNING"}, "state");
    require_equal(text(status, "/reason"), std::string{"REASON_RECONCILIATION"}, "reason");
    require_equal(text(status, "/source"), std::string{"SOURCE_MASTER"}, "source");
    require(!status.contains("uuid"), "a reconciliation has a uuid");
    Framework idle{o, {{"roles", Json::array()}}};
    idle.must({{"type", "RECONCILE"}, {"reconcile", Json::object()}});
    idle.await_none("UPDATE");
}

void explicit_reconciliation(const Options& o)
{
    for (const auto& [partition_aware, patch] : both_kinds()) {
        Running task{o, patch};
        const auto ask = [&](const std::string& id, bool with_agent) {
            Json named{{"task_id", {{"value", id}}}};
            if (with_agent) named["agent_id"] = task.offer["agent_id"];
            task.framework.must(
                {{"type", "RECONCILE"}, {"reconcile", {{"tasks", Json::array({named})}}}});
            return text(task.framework.await_status(id), "/state");
        };
        require_equal(ask(task.id, true), std::string{"TASK_RUNNING"}, "a running task");
        task.executor.must(task.executor.update(task.id, "TASK_FINISHED"));
        task.framework.acknowledge(task.framework.await_status(task.id, "TASK_FINISHED"));
        // The acknowledgement travels by another connection: until it is there the task is known.
        const Deadline deadline = in(10s);
        std::string state = ask(task.id, true);
        while (state == "TASK_FINISHED" && std::chrono::steady_clock::now() < deadline) {
            state = ask(task.id, true);
        }
        require_equal(state, std::string{partition_aware ? "TASK_GONE" : "TASK_LOST"}, "ended");
        require_equal(
            ask(task.id, false),
            std::string{partition_aware ? "TASK_UNKNOWN" : "TASK_LOST"},
            "ended, no agent named");
    }
}

void messages(const Options& o)
{
    Running task{o};
    const std::string data = base64(std::string{"\x00\xff bytes", 8});
    const auto send = [&](const std::string& executor) {
        task.framework.must(
            {{"type", "MESSAGE"},
             {"message",
              {{"agent_id", task.offer["agent_id"]},
               {"executor_id", {{"value", executor}}},
               {"data", data}}}});
    };
    send(task.id);
    require_equal(text(task.executor.await("MESSAGE"), "/message/data"), data, "data");
    send(new_id("nobody"));
    task.framework.await_none("FAILURE");
    task.executor.must({{"type", "MESSAGE"}, {"message", {{"data", data}}}});
    const Json answer = task.framework.await("MESSAGE");
    require_equal(text(answer, "/message/data"), data, "data of the answer");
    require_equal(text(answer, "/message/executor_id/value"), task.id, "executor_id");
}

void shutdown(const Options& o)
{
    Running task{o};
    task.framework.must(
        {{"type", "SHUTDOWN"},
         {"shutdown",
          {{"executor_id", {{"value", task.id}}}, {"agent_id", task.offer["agent_id"]}}}});
    (void)task.executor.await("SHUTDOWN");
    // UPDATE and FAILURE have no order between them.
    std::set<std::string> missing{"UPDATE", "FAILURE"};
    const Deadline deadline = in(30s);
    while (!missing.empty()) {
        const std::optional<std::string> record = task.framework.stream().next(deadline);
        require(record.has_value(), "no " + *missing.begin() + " came");
        const Json event = Json::parse(*record);
        if (event["type"] == "UPDATE") {
            const Json& status = event["update"]["status"];
            require_equal(text(status, "/state"), std::string{"TASK_FAILED"}, "state");
            require_equal(
                text(status, "/reason"), std::string{"REASON_EXECUTOR_TERMINATED"}, "reason");
            task.framework.acknowledge(status);
        }
        if (event["type"] == "FAILURE") {
            require_equal(text(event, "/failure/executor_id/value"), task.id, "executor_id");
            require_equal(text(event, "/failure/status"), std::string{"9"}, "wait status");
        }
        missing.erase(event["type"].get<std::string>());
    }
}

void teardown(const Options& o)
{
    Running task{o};
    task.framework.must({{"type", "TEARDOWN"}});
    for (const Json& event : task.framework.await_end()) {
        const std::string type = text(event, "/type");
        require(type != "UPDATE" && type != "ERROR", "an event before the end: " + event.dump());
    }
    const std::vector<std::string> types = task.executor.await_end();
    require(!types.empty() && types.back() == "SHUTDOWN", "the executor got no SHUTDOWN");
    require_equal(task.framework.call({{"type", "REVIVE"}}).status, 400, "a call afterwards");
    task.framework.leave();
}

void update_framework(const Options& o)
{
    Framework framework{o};
    Json info = framework.info();
    info["id"] = {{"value", framework.id()}};
    const auto code = [&](const char* field, const Json& value) {
        Json changed = info;
        changed[field] = value;
        return framework
            .call(
                {{"type", "UPDATE_FRAMEWORK"}, {"update_framework", {{"framework_info", changed}}}})
            .status;
    };
    require_equal(code("user", "somebody-else"), 400, "changed user");
    require_equal(code("checkpoint", false), 400, "changed checkpoint");
    require_equal(code("principal", "another"), 400, "changed principal");
    const Json offer = framework.offer([](const Json&) { return true; });
    require_equal(code("roles", Json::array()), 200, "no roles");
    const Json rescind = framework.await("RESCIND");
    require_equal(rescind["rescind"]["offer_id"], offer["id"], "the removed role's offer");
    require_equal(code("roles", Json::array({o.role})), 200, "the role again");
    (void)framework.offer([](const Json&) { return true; }, 6s);
}

void unknown_type(const Options& o)
{
    mesos::v1::scheduler::Call call;
    call.set_type(mesos::v1::scheduler::Call::UNKNOWN);
    call.mutable_framework_id()->set_value(new_id("nobody"));
    Request request;
    request.path = "/api/v1/scheduler";
    request.headers.emplace("Content-Type", "application/x-protobuf");
    request.body = call.SerializeAsString();
    require_equal(fetch(o.master, request).status, 400, "of an unknown framework");
}

void no_sub_message(const Options& o)
{
    Framework framework{o, {{"roles", Json::array()}}};
    for (const char* type :
         {"ACCEPT",
          "DECLINE",
          "KILL",
          "ACKNOWLEDGE",
          "RECONCILE",
          "MESSAGE",
          "REQUEST",
          "SHUTDOWN"}) {
        require_equal(framework.call({{"type", type}}).status, 400, type);
    }
}

}  // namespace

void add_call_checks(std::vector<Check>& checks)
{
    const auto add =
        [&](int number, const char* name, auto run, Needs needs = Needs::no_credentials) {
            checks.push_back({number, name, needs, run});
        };
    add(93, "KILL reaches the executor, again when repeated, with its policy", kill_forwarded);
    add(94, "KILL naming another agent is dropped", kill_at_another_agent);
    add(95, "KILL of an unknown task is a reconciliation of it", kill_unknown);
    add(96, "KILL before delivery is TASK_KILLED by the agent", kill_before_delivery);
    add(97, "an unacknowledged update is repeated with its uuid after 10 s", repeats, Needs::slow);
    add(98, "the second update waits for the first one's acknowledgement", one_at_a_time);
    add(99, "ACKNOWLEDGE takes UUIDs of versions 1 to 5 and ignores wrong ones", acknowledge_uuids);
    add(100, "implicit reconciliation answers for each tracked task", implicit);
    add(101,
        "explicit reconciliation: running, ended, ended without an agent",
        explicit_reconciliation);
    add(103, "MESSAGE goes both ways, to a missing executor into silence", messages);
    add(104, "SHUTDOWN asks, then kills: TASK_FAILED and FAILURE with status 9", shutdown);
    add(105, "TEARDOWN ends the stream silently and shuts executors down", teardown);
    add(106, "UPDATE_FRAMEWORK: fixed fields are 400, removed roles rescind", update_framework);
    add(107, "type UNKNOWN of an unknown framework is 400", unknown_type);
    add(
        107,
        "type UNKNOWN of a known framework is not accepted",
        [](const Options& o) {
            Framework framework{o};
            require_equal(framework.call({{"type", "UNKNOWN"}}).status, 501, "status");
        },
        Needs::destructive);
    add(108, "a call without its sub-message is 400", no_sub_message);
}

}  // namespace mysos::conformance
