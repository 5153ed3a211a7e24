#include "test/conformance/suite.hpp"

/// What happens when agents, executors' connections and masters end and return. A real one is not
/// ended over HTTP, so these use the stand-in's switches.
namespace mysos::conformance {
namespace {

using namespace std::chrono_literals;

void flip(const Options& o, const std::string& path, const Json& arguments = Json::object())
{
    const Response response = fetch(o.master, json_request("/standin/" + path, arguments));
    require_equal(response.status, 200, path + " " + response.body);
}

Json state(const Options& o)
{
    Request request;
    request.method = "GET";
    request.path = "/standin/state";
    return Json::parse(fetch(o.master, request).body);
}

/// A running task, and the switches of the agent under it. Leaves every agent up.
struct OnAgent {
    explicit OnAgent(const Options& o, const Json& patch = Json::object())
        : options{o},
          framework{o, patch},
          offer(framework.offer()),
          id{new_id("on-agent")},
          executor{offer, framework.id(), id}
    {
        framework.must(accept(offer, {launch({task_info(offer, id)})}, 3600));
        executor.subscribe();
        (void)executor.await("LAUNCH");
        report("TASK_RUNNING");
        const Json agents = state(o)["agents"];
        for (std::size_t i = 0; i < agents.size(); ++i) {
            if (agents[i]["id"] == offer["agent_id"]["value"]) index = i;
        }
    }

    void report(const char* what)
    {
        executor.must(executor.update(id, what));
        framework.acknowledge(framework.await_status(id, what));
    }

    void agent(const std::string& action, const Json& arguments = Json::object()) const
    {
        flip(options, "agents/" + std::to_string(index) + "/" + action, arguments);
    }

    void await_agent_back() { (void)framework.offer(of_agent(), 30s); }

    [[nodiscard]] Framework::Predicate of_agent() const
    {
        return
            [agent = offer["agent_id"]](const Json& other) { return other["agent_id"] == agent; };
    }

    const Options& options;
    Framework framework;
    Json offer;
    std::string id;
    Executor executor;
    std::size_t index = 0;
};

void expect(const Json& status, const char* state, const char* source, const char* reason)
{
    require_equal(text(status, "/state"), std::string{state}, "state");
    require_equal(text(status, "/source"), std::string{source}, "source");
    require_equal(text(status, "/reason"), std::string{reason}, "reason");
}

void odd_chunks(const Options& o)
{
    for (const char* mode : {"split", "coalesced"}) {
        flip(o, "wire", {{"chunks", mode}});
        try {
            Framework framework{o};
            const Json offer = framework.offer();
            framework.must(decline(offer, 0));
        } catch (const Failed&) {
            flip(o, "wire", {{"chunks", "whole"}});
            throw;
        }
    }
    flip(o, "wire", {{"chunks", "whole"}});
}

void restarted_master(const Options& o)
{
    Framework framework{o};
    flip(o, "master/restart");
    (void)framework.await_end();
    const Json body{{"type", "REVIVE"}, {"framework_id", {{"value", framework.id()}}}};
    const Deadline deadline = in(20s);
    int status = 0;
    while (status != 400) {
        require(std::chrono::steady_clock::now() < deadline, "the master does not come back");
        try {
            status = fetch(o.master, scheduler_request(o, body)).status;
        } catch (const Failed&) {
            status = 0;  // Not listening yet.
        }
    }
    framework.resubscribe();
}

void rescinded(const Options& o)
{
    OnAgent task{o, {{"failover_timeout", 60.0}}};
    task.framework.must({{"type", "REVIVE"}});
    const Json offer = task.framework.offer(task.of_agent());
    task.agent("restart", {{"down_ms", 200}});
    const Json event = task.framework.await("RESCIND");
    require_equal(event["rescind"]["offer_id"], offer["id"], "rescinded offer");
    task.executor.subscribe();
    task.await_agent_back();
}

void survives_agent(const Options& o)
{
    OnAgent task{o};
    task.agent("restart", {{"down_ms", 200}});
    (void)task.executor.await_end();
    task.executor.subscribe();
    task.framework.must({{"type", "REVIVE"}});
    task.await_agent_back();
    task.framework.await_none("UPDATE");
    // Recovered and re-registered: the executor's word counts again.
    task.report("TASK_FINISHED");
}

void recovering_agent(const Options& o)
{
    OnAgent task{o};
    task.agent("restart", {{"down_ms", 100}});
    (void)task.executor.await_end();
    task.executor.subscribe();
    require_equal(
        task.executor.call(task.executor.update(task.id, "TASK_RUNNING")).status,
        503,
        "UPDATE while the agent recovers");
    task.framework.must({{"type", "REVIVE"}});
    task.await_agent_back();
}

void not_back(const Options& o)
{
    OnAgent task{o};
    task.agent("restart", {{"down_ms", 100}});
    const Json status = task.framework.await_status(task.id, {}, 30s);
    expect(status, "TASK_GONE", "SOURCE_AGENT", "REASON_EXECUTOR_REREGISTRATION_TIMEOUT");
    require(status.contains("uuid"), "no uuid");
    task.framework.acknowledge(status);
}

void no_checkpoint(const Options& o)
{
    OnAgent task{o, {{"checkpoint", false}}};
    task.agent("restart", {{"down_ms", 200}});
    const Json status = task.framework.await_status(task.id);
    expect(status, "TASK_LOST", "SOURCE_MASTER", "REASON_AGENT_DISCONNECTED");
    require(!status.contains("uuid"), "the master's own update has a uuid");
    task.await_agent_back();
}

void unreachable(const Options& o)
{
    OnAgent task{o};
    task.agent("silence");
    const Json status = task.framework.await_status(task.id, {}, 120s);
    expect(status, "TASK_UNREACHABLE", "SOURCE_MASTER", "REASON_AGENT_REMOVED");
    (void)at(status, "/unreachable_time");
    const Json failure = task.framework.await("FAILURE");
    require_equal(failure["failure"]["agent_id"], task.offer["agent_id"], "agent of FAILURE");
    require(!failure["failure"].contains("executor_id"), "FAILURE names an executor");
    task.framework.must(
        {{"type", "RECONCILE"},
         {"reconcile",
          {{"tasks",
            Json::array(
                {{{"task_id", {{"value", task.id}}}, {"agent_id", task.offer["agent_id"]}}})}}}});
    (void)at(task.framework.await_status(task.id, "TASK_UNREACHABLE"), "/unreachable_time");
    task.agent("return");
    expect(
        task.framework.await_status(task.id, {}, 60s),
        "TASK_RUNNING",
        "SOURCE_MASTER",
        "REASON_AGENT_REREGISTERED");
    task.report("TASK_FINISHED");
}

void rebooted(const Options& o)
{
    OnAgent task{o};
    task.agent("reboot");
    const Json status = task.framework.await_status(task.id, {}, 30s);
    expect(status, "TASK_FAILED", "SOURCE_AGENT", "REASON_EXECUTOR_TERMINATED");
    require_equal(status["agent_id"], task.offer["agent_id"], "agent id after the reboot");
    task.framework.acknowledge(status);
}

void volumes_survive(const Options& o)
{
    const std::string id = new_id("survivor");
    Framework framework{o};
    const Json offer = framework.offer();
    framework.must(accept(
        offer,
        {operation("RESERVE", {reserved(scalar("cpus", 0.1), o), reserved(scalar("disk", 32), o)}),
         operation("CREATE", {volume(32, id, o)})}));
    const auto with_volume = [&](const Json& other) { return !volumes(other, id).empty(); };
    const Json before = framework.offer(with_volume);
    const Json agents = state(o)["agents"];
    for (std::size_t i = 0; i < agents.size(); ++i) {
        if (agents[i]["id"] == before["agent_id"]["value"]) {
            flip(o, "agents/" + std::to_string(i) + "/restart", {{"down_ms", 100}});
        }
    }
    (void)framework.await("RESCIND");
    const Json after = framework.offer(with_volume);
    require_equal(volumes(after, id), volumes(before, id), "the volume");
    Json plain = volumes(after, id).front();
    plain.erase("disk");
    framework.must(
        accept(after, {operation("DESTROY", volumes(after, id)), operation("UNRESERVE", {plain})}));
}

void pending_updates(const Options& o)
{
    OnAgent task{o};
    task.framework.disconnect();
    const Json sent = task.executor.update(task.id, "TASK_RUNNING");
    task.executor.must(sent);
    (void)task.executor.await("ACKNOWLEDGED");
    task.framework.resubscribe();
    const Json status = task.framework.await_status(task.id, "TASK_RUNNING", 9s);
    require_equal(status["uuid"], sent["update"]["status"]["uuid"], "uuid");
}

}  // namespace

void add_fault_checks(std::vector<Check>& checks)
{
    const auto add = [&](int number, const char* name, auto run, Needs needs = Needs::standin) {
        checks.push_back({number, name, needs, run});
    };
    add(28, "records split over chunks, or sharing one, are still records", odd_chunks);
    add(44, "a restarted master knows no framework until it subscribes again", restarted_master);
    add(58, "an agent that disconnects takes its offers back by RESCIND", rescinded);
    add(92, "reservations and volumes survive an agent's restart", volumes_survive);
    add(124, "while an agent recovers an UPDATE is 503", recovering_agent);
    add(125, "an executor that does not return to a restarted agent is gone", not_back);
    add(133, "an agent back in time: no task update, and its executors go on", survives_agent);
    add(134, "without checkpointing an agent's restart loses the task", no_checkpoint);
    add(135,
        "a silent agent: TASK_UNREACHABLE, FAILURE, and TASK_RUNNING on its return",
        unreachable,
        Needs::standin);
    add(137, "after a reboot tasks are TASK_FAILED under the same agent id", rebooted);
    add(140, "updates pending at an agent come promptly with their uuids", pending_updates);
}

}  // namespace mysos::conformance
