#include "test/conformance/suite.hpp"

#include <set>

namespace mysos::conformance {
namespace {

using namespace std::chrono_literals;

constexpr const char* executor_path = "/slave(1)/api/v1/executor";

/// A task in a launched executor that has not spoken yet.
struct Launched {
    explicit Launched(
        const Options& o,
        const std::string& command = "exec sleep 600",
        const Json& patch = Json::object())
        : framework{o, patch},
          offer(framework.offer()),
          id{new_id("launched")},
          executor{offer, framework.id(), id}
    {
        const Json task = task_info(offer, id, executor_info(id, command));
        framework.must(accept(offer, {launch({task})}, 3600));
    }

    void run()
    {
        executor.subscribe();
        (void)executor.await("LAUNCH");
        executor.must(executor.update(id, "TASK_RUNNING"));
        framework.acknowledge(framework.await_status(id, "TASK_RUNNING"));
    }

    Framework framework;
    Json offer;
    std::string id;
    Executor executor;
};

void endpoint(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer([](const Json&) { return true; });
    const Address agent = Executor{offer, "f", "e"}.agent();
    for (const char* path : {executor_path, "/api/v1/executor"}) {
        Request request = json_request(path, Json::object());
        request.method = "GET";
        const Response get = fetch(agent, request);
        require_equal(get.status, 405, std::string{"GET "} + path);
        require_equal(get.header("allow"), std::string{"POST"}, "Allow");
        request.method = "POST";
        request.headers.erase("Content-Type");
        require_equal(fetch(agent, request).status, 400, "no Content-Type");
        request.headers.emplace("Content-Type", "text/plain");
        require_equal(fetch(agent, request).status, 415, "text/plain");
    }
}

/// The environment of a launched executor, by name.
std::map<std::string, std::string> environment(
    const Options& o, const Json& patch, std::string& agent)
{
    const Listener listener{o.listen_host};
    Launched task{o, "exec bash -c 'env -0 >" + listener.device() + "; exec sleep 600'", patch};
    agent = task.executor.agent().text();
    std::map<std::string, std::string> variables;
    std::string all = listener.accept_all(in(30s));
    for (std::size_t end = all.find('\0'); end != std::string::npos; end = all.find('\0')) {
        const std::size_t equals = all.find('=');
        variables[all.substr(0, equals)] = all.substr(equals + 1, end - equals - 1);
        all.erase(0, end + 1);
    }
    require_equal(variables["MESOS_FRAMEWORK_ID"], task.framework.id(), "MESOS_FRAMEWORK_ID");
    require_equal(variables["MESOS_EXECUTOR_ID"], task.id, "MESOS_EXECUTOR_ID");
    require_equal(
        variables["MESOS_SLAVE_ID"], text(task.offer, "/agent_id/value"), "MESOS_SLAVE_ID");
    return variables;
}

void environment_variables(const Options& o)
{
    std::string agent;
    auto seen = environment(o, Json::object(), agent);
    require_equal(seen["MESOS_SLAVE_PID"], "slave(1)@" + agent, "MESOS_SLAVE_PID");
    require_equal(seen["MESOS_AGENT_ENDPOINT"], agent, "MESOS_AGENT_ENDPOINT");
    require(!seen["MESOS_DIRECTORY"].empty(), "no MESOS_DIRECTORY");
    require_equal(seen["MESOS_SANDBOX"], seen["MESOS_DIRECTORY"], "MESOS_SANDBOX");
    require_equal(seen["PWD"], seen["MESOS_DIRECTORY"], "working directory");
    require_equal(
        seen["MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD"], std::string{"5secs"}, "shutdown grace");
    require_equal(seen["LIBPROCESS_PORT"], std::string{"0"}, "LIBPROCESS_PORT");
    require(!seen.contains("MESOS_AGENT_ID"), "there is a MESOS_AGENT_ID");
    require(
        !seen.contains("HOME") && !seen.contains("SSH_CONNECTION"),
        "the agent's environment came along");
    require_equal(seen["MESOS_CHECKPOINT"], std::string{"1"}, "MESOS_CHECKPOINT");
    require_equal(seen["MESOS_RECOVERY_TIMEOUT"], std::string{"15mins"}, "MESOS_RECOVERY_TIMEOUT");
    require_equal(seen["MESOS_SUBSCRIPTION_BACKOFF_MAX"], std::string{"2secs"}, "backoff");
}

void environment_without_checkpoint(const Options& o)
{
    std::string agent;
    auto seen = environment(o, {{"checkpoint", false}}, agent);
    require_equal(seen["MESOS_CHECKPOINT"], std::string{"0"}, "MESOS_CHECKPOINT");
    require(!seen.contains("MESOS_RECOVERY_TIMEOUT"), "MESOS_RECOVERY_TIMEOUT");
    require(!seen.contains("MESOS_SUBSCRIPTION_BACKOFF_MAX"), "MESOS_SUBSCRIPTION_BACKOFF_MAX");
}

void subscribe_object(const Options& o)
{
    Launched task{o};
    require_equal(task.executor.call({{"type", "SUBSCRIBE"}}).status, 400, "without subscribe");
    task.executor.subscribe();
    require(!task.executor.stream().head().has("mesos-stream-id"), "an executor has no stream id");
}

void subscribed_then_launch(const Options& o)
{
    Launched task{o};
    task.executor.subscribe();
    const std::optional<std::string> record = task.executor.stream().next(in(10s));
    require(record.has_value(), "no event");
    const Json first = Json::parse(*record);
    require_equal(text(first, "/type"), std::string{"SUBSCRIBED"}, "first event");
    for (const char* field :
         {"/subscribed/executor_info",
          "/subscribed/framework_info",
          "/subscribed/agent_info",
          "/subscribed/container_id"}) {
        (void)at(first, field);
    }
    require_equal(at(first, "/subscribed/agent_info/id"), task.offer["agent_id"], "agent_info.id");
    const Json launch = task.executor.await("LAUNCH");
    require_equal(text(launch, "/launch/task/task_id/value"), task.id, "task");
    for (const Json& r : at(launch, "/launch/task/resources")) {
        require_equal(text(r, "/allocation_info/role"), o.role, "allocation_info");
        require(!r.contains("role"), "a resource in the old form");
    }
    task.executor.await_none("HEARTBEAT");
}

void killed_before(const Options& o)
{
    Launched task{o};
    task.framework.must({{"type", "KILL"}, {"kill", {{"task_id", {{"value", task.id}}}}}});
    task.framework.acknowledge(task.framework.await_status(task.id, "TASK_KILLED"));
    const Json body{
        {"type", "SUBSCRIBE"},
        {"executor_id", {{"value", task.id}}},
        {"framework_id", {{"value", task.framework.id()}}},
        {"subscribe", Json::object()}};
    RecordStream stream{task.executor.agent(), json_request(executor_path, body)};
    // The agent may already have ended it: then nobody knows the executor any more.
    if (stream.head().status == 400) return;
    const std::optional<std::string> record = stream.next(in(10s));
    require(record.has_value(), "no event");
    require_equal(
        Json::parse(*record)["type"].get<std::string>(), std::string{"SHUTDOWN"}, "first");
}

void unknown_ids(const Options& o)
{
    Launched task{o};
    Json body{{"type", "SUBSCRIBE"}, {"subscribe", Json::object()}};
    body["executor_id"] = {{"value", new_id("nobody")}};
    require_equal(task.executor.call(body).status, 400, "unknown executor");
    body.erase("executor_id");
    body["framework_id"] = {{"value", new_id("nobody")}};
    require_equal(task.executor.call(body).status, 400, "unknown framework");
}

void never_subscribed(const Options& o)
{
    const Listener listener{o.listen_host};
    Launched task{o, "exec bash -c 'echo up >" + listener.device() + "; exec sleep 600'"};
    (void)listener.accept_all(in(30s));
    require_equal(
        task.executor.call(task.executor.update(task.id, "TASK_RUNNING")).status, 403, "UPDATE");
}

void invalid_updates(const Options& o)
{
    Launched task{o};
    task.run();
    const auto code = [&](const char* field, const Json& value) {
        Json body = task.executor.update(task.id, "TASK_RUNNING");
        if (value.is_null())
            body["update"]["status"].erase(field);
        else
            body["update"]["status"][field] = value;
        return task.executor.call(body).status;
    };
    std::string seventh(16, 'a');
    seventh[6] = '\x70';
    require_equal(code("source", nullptr), 400, "no source");
    require_equal(code("source", "SOURCE_MASTER"), 400, "SOURCE_MASTER");
    require_equal(code("uuid", nullptr), 400, "no uuid");
    require_equal(code("uuid", base64(std::string(36, 'a'))), 400, "36 bytes");
    require_equal(code("uuid", base64(seventh)), 400, "version 7");
    require_equal(code("state", "TASK_STAGING"), 400, "TASK_STAGING");
    require_equal(code("executor_id", {{"value", "another"}}), 400, "other executor");
}

void valid_update(const Options& o)
{
    Launched task{o};
    task.executor.subscribe();
    (void)task.executor.await("LAUNCH");
    const Json body = task.executor.update(task.id, "TASK_RUNNING");
    const Response response = task.executor.call(body);
    require_equal(response.status, 202, response.body);
    const Json acknowledged = task.executor.await("ACKNOWLEDGED");
    const Json& uuid = body["update"]["status"]["uuid"];
    require_equal(acknowledged["acknowledged"]["uuid"], uuid, "acknowledged uuid");
    require_equal(text(acknowledged, "/acknowledged/task_id/value"), task.id, "task");
    const Json status = task.framework.await_status(task.id);
    require_equal(status["uuid"], uuid, "uuid");
    require_equal(text(status, "/source"), std::string{"SOURCE_EXECUTOR"}, "source");
    require_equal(status["agent_id"], task.offer["agent_id"], "agent_id");
    require(at(status, "/timestamp").is_number(), "no timestamp");
    (void)at(status, "/container_status/container_id/value");
    require_equal(
        text(status, "/container_status/network_infos/0/ip_addresses/0/ip_address"),
        task.executor.agent().host,
        "address");
}

void executor_id_not_filled_in(const Options& o)
{
    Launched task{o};
    task.executor.subscribe();
    (void)task.executor.await("LAUNCH");
    Json body = task.executor.update(task.id, "TASK_RUNNING");
    body["update"]["status"].erase("executor_id");
    task.executor.must(body);
    require(!task.framework.await_status(task.id).contains("executor_id"), "executor_id came");
}

void foreign_agent_id(const Options& o)
{
    Launched task{o};
    task.run();
    Json body = task.executor.update(task.id, "TASK_RUNNING");
    body["update"]["status"]["agent_id"] = {{"value", "another"}};
    (void)task.executor.await("ACKNOWLEDGED");
    task.executor.must(body);
    task.executor.await_none("ACKNOWLEDGED");
    task.framework.await_none("UPDATE", {}, 200ms);
}

void after_the_end(const Options& o)
{
    Launched task{o};
    task.run();
    task.executor.must(task.executor.update(task.id, "TASK_FINISHED"));
    (void)task.executor.await("ACKNOWLEDGED");
    (void)task.executor.await("ACKNOWLEDGED");
    // Not acknowledged by the framework yet: afterwards the agent would have forgotten the task.
    const Json finished = task.framework.await_status(task.id, "TASK_FINISHED");
    const Json late = task.executor.update(task.id, "TASK_RUNNING");
    task.executor.must(late);
    require_equal(
        task.executor.await("ACKNOWLEDGED")["acknowledged"]["uuid"],
        late["update"]["status"]["uuid"],
        "uuid");
    task.framework.acknowledge(finished);
    task.framework.await_none("UPDATE");
}

void resubscription(const Options& o)
{
    Launched task{o};
    task.run();
    const Json sent = task.executor.update(task.id, "TASK_RUNNING");
    task.executor.must(sent);
    (void)task.framework.await_status(task.id, "TASK_RUNNING");
    Executor again{task.offer, task.framework.id(), task.id};
    const Json unsent = again.update(task.id, "TASK_RUNNING");
    again.subscribe(
        {{"unacknowledged_tasks", Json::array()},
         {"unacknowledged_updates", {sent["update"], unsent["update"]}}});
    const std::vector<std::string> last = task.executor.await_end();
    require(std::ranges::find(last, "SHUTDOWN") == last.end(), "the former stream got SHUTDOWN");
    std::set<Json> acknowledged;
    for (int i = 0; i < 2; ++i) {
        acknowledged.insert(again.await("ACKNOWLEDGED")["acknowledged"]["uuid"]);
    }
    require_equal(
        acknowledged,
        std::set<Json>{sent["update"]["status"]["uuid"], unsent["update"]["status"]["uuid"]},
        "acknowledged uuids");
}

void dropped_launch(const Options& o)
{
    Launched task{o};
    task.executor.subscribe();
    (void)task.executor.await("LAUNCH");
    Executor again{task.offer, task.framework.id(), task.id};
    again.subscribe();
    const Json status = task.framework.await_status(task.id);
    require_equal(text(status, "/state"), std::string{"TASK_DROPPED"}, "state");
    require_equal(text(status, "/source"), std::string{"SOURCE_AGENT"}, "source");
    require_equal(text(status, "/reason"), std::string{"REASON_AGENT_RESTARTED"}, "reason");
    task.framework.acknowledge(status);
}

void never_registered(const Options& o)
{
    Launched task{o};
    const Json status = task.framework.await_status(task.id, "TASK_FAILED", 90s);
    require_equal(
        text(status, "/reason"), std::string{"REASON_EXECUTOR_REGISTRATION_TIMEOUT"}, "reason");
    task.framework.acknowledge(status);
}

void executor_exit(const Options& o)
{
    for (const int code : {0, 1}) {
        const Listener listener{o.listen_host};
        // The command ends when the suite has read its line: after TASK_RUNNING.
        Launched task{
            o,
            "exec bash -c 'exec 3<>" + listener.device() + "; echo up >&3; read -t 60 <&3; exit " +
                std::to_string(code) + "'"};
        task.run();
        (void)listener.accept_all(in(1s));  // closes the connection, so that `read` ends
        std::set<std::string> missing{"UPDATE", "FAILURE"};
        const Deadline deadline = in(30s);
        while (!missing.empty()) {
            const std::optional<std::string> record = task.framework.stream().next(deadline);
            require(record.has_value(), "no " + *missing.begin() + " came");
            const Json event = Json::parse(*record);
            if (event["type"] == "UPDATE") {
                const Json& status = event["update"]["status"];
                require_equal(text(status, "/state"), std::string{"TASK_FAILED"}, "state");
                require_equal(text(status, "/source"), std::string{"SOURCE_AGENT"}, "source");
                require_equal(
                    text(status, "/reason"), std::string{"REASON_EXECUTOR_TERMINATED"}, "reason");
                task.framework.acknowledge(status);
            } else if (event["type"] == "FAILURE") {
                require_equal(at(event, "/failure/status").get<int>(), code * 256, "wait status");
                require_equal(text(event, "/failure/executor_id/value"), task.id, "executor_id");
            }
            missing.erase(event["type"].get<std::string>());
        }
    }
}

void failing_download(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer();
    const std::string id = new_id("download");
    Json executor = executor_info(id);
    executor["command"]["uris"] = Json::array({{{"value", "/nonexistent/" + id}}});
    framework.must(accept(offer, {launch({task_info(offer, id, executor)})}, 3600));
    const Json status = framework.await_status(id, "TASK_FAILED", 60s);
    require_equal(text(status, "/reason"), std::string{"REASON_CONTAINER_LAUNCH_FAILED"}, "reason");
    framework.acknowledge(status);
}

void id_still_occupied(const Options& o)
{
    const Listener listener{o.listen_host};
    Launched task{
        o, "exec bash -c 'exec 3<>" + listener.device() + "; echo up >&3; read -t 60 <&3'"};
    task.run();
    (void)listener.accept_all(in(1s));
    const Json failed = task.framework.await_status(task.id, "TASK_FAILED");  // not acknowledged
    const Json offer = task.framework.offer(
        [&](const Json& other) { return other["agent_id"] == task.offer["agent_id"]; });
    const std::string id = new_id("too-early");
    task.framework.must(accept(offer, {launch({task_info(offer, id, executor_info(task.id))})}));
    const Json status = task.framework.await_status(id);
    require_equal(text(status, "/state"), std::string{"TASK_DROPPED"}, "state");
    require_equal(text(status, "/reason"), std::string{"REASON_EXECUTOR_TERMINATED"}, "reason");
    task.framework.acknowledge(status);
    task.framework.acknowledge(failed);
}

void heartbeat_call(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer([](const Json&) { return true; });
    const Executor executor{offer, new_id("nobody"), new_id("nobody")};
    executor.must({{"type", "HEARTBEAT"}});
}

}  // namespace

void add_executor_checks(std::vector<Check>& checks)
{
    const auto add =
        [&](int number, const char* name, auto run, Needs needs = Needs::no_credentials) {
            checks.push_back({number, name, needs, run});
        };
    add(109, "the executor endpoint has two paths and the usual codes", endpoint);
    add(110, "an executor's environment is Mesos's own, not the agent's", environment_variables);
    add(111, "without checkpointing there is no recovery timeout", environment_without_checkpoint);
    add(112, "SUBSCRIBE needs its object and is answered without a stream id", subscribe_object);
    add(113, "SUBSCRIBED comes first, then LAUNCH, and no heartbeat", subscribed_then_launch);
    add(114, "an executor whose tasks were all killed is shut down", killed_before);
    add(115, "unknown framework or executor ids are 400", unknown_ids);
    add(116, "UPDATE of an executor that never subscribed is 403", never_subscribed);
    add(117, "updates without source or a valid uuid, or STAGING, are 400", invalid_updates);
    add(118, "a valid UPDATE is acknowledged and forwarded, completed", valid_update);
    add(119, "executor_id of an UPDATE is not filled in", executor_id_not_filled_in);
    add(120, "an UPDATE with another agent_id is swallowed", foreign_agent_id);
    add(121, "an UPDATE after the terminal one is only acknowledged", after_the_end);
    add(122, "a new subscription replaces the old one; updates in it count once", resubscription);
    add(123, "a delivered task that a re-subscription omits is TASK_DROPPED", dropped_launch);
    add(126, "an executor that never subscribes fails its task", never_registered, Needs::slow);
    add(127,
        "an executor that exits fails its tasks, and FAILURE has the wait status",
        executor_exit);
    add(128, "a failing download fails the task", failing_download);
    add(130, "an executor id is occupied until its updates are acknowledged", id_still_occupied);
    add(132, "HEARTBEAT is accepted with any ids", heartbeat_call);
}

}  // namespace mysos::conformance
