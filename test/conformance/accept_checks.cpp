#include "test/conformance/suite.hpp"

namespace mysos::conformance {
namespace {

using namespace std::chrono_literals;

void expect_status(
    Framework& framework, const std::string& task, const char* state, const char* reason)
{
    const Json status = framework.await_status(task);
    require_equal(text(status, "/state"), std::string{state}, "state of " + task);
    require_equal(text(status, "/reason"), std::string{reason}, "reason");
    require_equal(text(status, "/source"), std::string{"SOURCE_MASTER"}, "source");
    require(!status.contains("uuid"), "an update of the master's own has a uuid");
}

void expect_invalid(Framework& framework, const std::string& task)
{
    expect_status(framework, task, "TASK_ERROR", "REASON_TASK_INVALID");
}

/// Launches one task that must be refused with TASK_ERROR.
void refused(const Options& o, const std::function<void(Json& task, const Json& offer)>& spoil)
{
    Framework framework{o};
    const Json offer = framework.offer();
    const std::string id = new_id("invalid");
    Json task = task_info(offer, id);
    spoil(task, offer);
    framework.must(accept(offer, {launch({task})}));
    expect_invalid(framework, text(task, "/task_id/value"));
}

/// Launches one task that must reach its executor; returns LAUNCH's task.
Json launched(Framework& framework, const Json& offer, const Json& task)
{
    framework.must(accept(offer, {launch({task})}, 3600));
    Executor executor{offer, framework.id(), text(task, "/executor/executor_id/value")};
    executor.subscribe();
    return executor.await("LAUNCH")["launch"]["task"];
}

void no_operations(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer();
    const auto accepted_at = std::chrono::steady_clock::now();
    framework.must(accept(offer, {}, 3));
    (void)framework.offer(
        [&](const Json& other) { return other["agent_id"] == offer["agent_id"]; });
    require(std::chrono::steady_clock::now() - accepted_at >= 2900ms, "the filter did not hold");
}

void one_unknown_offer(const Options& o)
{
    for (const bool partition_aware : {true, false}) {
        const Json patch =
            partition_aware
                ? Json::object()
                : Json{
                      {"capabilities",
                       {{{"type", "MULTI_ROLE"}}, {{"type", "RESERVATION_REFINEMENT"}}}}};
        Framework framework{o, patch};
        const Json offer = framework.offer();
        const std::string id = new_id("unknown-offer");
        Json call = accept(offer, {launch({task_info(offer, id)})});
        call["accept"]["offer_ids"].push_back({{"value", new_id("no-offer")}});
        framework.must(call);
        expect_status(
            framework, id, partition_aware ? "TASK_DROPPED" : "TASK_LOST", "REASON_INVALID_OFFERS");
        (void)framework.offer([&](const Json& other) {
            return other["agent_id"] == offer["agent_id"] && other["id"] != offer["id"];
        });
    }
}

void two_agents(const Options& o)
{
    Framework framework{o};
    const Json first = framework.offer();
    const Json second =
        framework.offer([&](const Json& other) { return other["agent_id"] != first["agent_id"]; });
    const std::string id = new_id("two-agents");
    Json call = accept(first, {launch({task_info(first, id)})});
    call["accept"]["offer_ids"].push_back(second["id"]);
    framework.must(call);
    expect_status(framework, id, "TASK_DROPPED", "REASON_INVALID_OFFERS");
}

void only_the_first_fits(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer();
    const double cpus = unreserved(offer, "cpus");
    Json first = task_info(offer, new_id("fits"));
    Json second = task_info(offer, new_id("does-not"));
    first["resources"][0]["scalar"]["value"] = cpus - 0.1;
    second["resources"][0]["scalar"]["value"] = 0.2;
    framework.must(accept(offer, {launch({first, second})}, 3600));
    expect_invalid(framework, text(second, "/task_id/value"));
    Executor executor{offer, framework.id(), text(first, "/task_id/value")};
    executor.subscribe();
    require_equal(executor.await("LAUNCH")["launch"]["task"]["task_id"], first["task_id"], "task");
}

void one_bad_resource(const Options& o)
{
    for (const double value : {0.0004, -32.0}) {
        Framework framework{o};
        const Json offer = framework.offer();
        const Json good = task_info(offer, new_id("good"));
        Json bad = task_info(offer, new_id("bad"));
        bad["resources"][value < 0 ? 1 : 0]["scalar"]["value"] = value;
        framework.must(accept(offer, {launch({good, bad})}));
        expect_invalid(framework, text(good, "/task_id/value"));
        expect_invalid(framework, text(bad, "/task_id/value"));
    }
}

void id_in_use(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer();
    const std::string id = new_id("twice");
    framework.must(accept(offer, {launch({task_info(offer, id)})}));
    Executor executor{offer, framework.id(), id};
    executor.subscribe();
    (void)executor.await("LAUNCH");
    executor.must(executor.update(id, "TASK_RUNNING"));
    framework.acknowledge(framework.await_status(id, "TASK_RUNNING"));
    const Json next = framework.offer();
    framework.must(accept(next, {launch({task_info(next, id)})}));
    expect_invalid(framework, id);
    executor.await_none("KILL", 500ms);
}

void task_ids(const Options& o)
{
    const std::string too_long(256, 'x');
    for (const std::string& id :
         {std::string{},
          std::string{"."},
          std::string{".."},
          std::string{"a/b"},
          std::string{"a\\b"},
          std::string{"a\nb"},
          too_long}) {
        refused(o, [&](Json& task, const Json&) { task["task_id"]["value"] = id; });
    }
    Framework framework{o};
    const Json offer = framework.offer();
    const std::string odd = new_id("with space \xc3\xa4");
    require_equal(
        launched(framework, offer, task_info(offer, odd, executor_info(new_id("e"))))["task_id"],
        Json{{"value", odd}},
        "task id with a space and UTF-8");
}

void shared_executor(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer();
    const std::string name = new_id("shared");
    Json executor_message = executor_info(name);
    executor_message["resources"] = {scalar("cpus", 0.1), scalar("mem", 32)};
    const Json first = task_info(offer, new_id("first"), executor_message);
    framework.must(accept(offer, {launch({first})}));
    Executor executor{offer, framework.id(), name};
    executor.subscribe();
    (void)executor.await("LAUNCH");
    const auto same_agent = [&](const Json& other) {
        return other["agent_id"] == offer["agent_id"];
    };
    const Json next = framework.offer(same_agent);
    const double before = unreserved(next, "cpus");
    const Json second = task_info(next, new_id("second"), executor_message);
    framework.must(accept(next, {launch({second})}));
    require_equal(
        executor.await("LAUNCH")["launch"]["task"]["task_id"], second["task_id"], "second");
    const double after = unreserved(framework.offer(same_agent), "cpus");
    require(before - after < 0.15, "the executor's share was charged twice");
}

void differing_executor(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer();
    const std::string name = new_id("differs");
    const Json info = executor_info(name);
    framework.must(accept(offer, {launch({task_info(offer, new_id("first"), info)})}));
    Executor executor{offer, framework.id(), name};
    executor.subscribe();
    (void)executor.await("LAUNCH");
    const auto same_agent = [&](const Json& other) {
        return other["agent_id"] == offer["agent_id"];
    };
    const std::vector<Json> patches{
        {{"command", {{"value", "exec sleep 601"}}}},
        {{"name", "another"}},
        {{"data", base64("x")}},
        {{"source", "another"}},
        {{"resources", Json::array({scalar("cpus", 0.05)})}},
        {{"discovery", {{"visibility", "FRAMEWORK"}}}}};
    for (const Json& patch : patches) {
        const Json next = framework.offer(same_agent);
        Json changed = info;
        changed.merge_patch(patch);
        const std::string id = new_id("changed");
        framework.must(accept(next, {launch({task_info(next, id, changed)})}));
        expect_invalid(framework, id);
    }
    const Json next = framework.offer(same_agent);
    Json same = info;
    same["labels"] = {{"labels", Json::array({{{"key", "k"}, {"value", "v"}}})}};
    same["shutdown_grace_period"] = {{"nanoseconds", 1000000000}};
    const Json task = task_info(next, new_id("same"), same);
    framework.must(accept(next, {launch({task})}));
    require_equal(executor.await("LAUNCH")["launch"]["task"]["task_id"], task["task_id"], "task");
}

void allocation_filled_in(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer();
    Json task = task_info(offer, new_id("foreign-role"));
    for (Json& r : task["resources"]) r["allocation_info"] = {{"role", "another-role"}};
    framework.must(accept(offer, {launch({task})}));
    expect_invalid(framework, text(task, "/task_id/value"));
    const Json next = framework.offer();
    const Json seen = launched(framework, next, task_info(next, new_id("filled-in")));
    require_equal(text(seen, "/resources/0/allocation_info/role"), o.role, "allocation_info");
}

void thousandths(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer();
    const double cpus = unreserved(offer, "cpus");
    Json task = task_info(offer, new_id("too-much"));
    task["resources"][0]["scalar"]["value"] = cpus + 0.0006;
    framework.must(accept(offer, {launch({task})}));
    expect_invalid(framework, text(task, "/task_id/value"));
    const Json next =
        framework.offer([&](const Json& other) { return other["agent_id"] == offer["agent_id"]; });
    Json fits = task_info(next, new_id("just-fits"));
    fits["resources"][0]["scalar"]["value"] = cpus + 0.0004;
    (void)launched(framework, next, fits);
}

void same_port_twice(Json& task, const Json& offer)
{
    int port = 0;
    for (const Json& r : offer["resources"]) {
        if (r["name"] == "ports") port = at(r, "/ranges/range/0/begin").get<int>();
    }
    require(port != 0, "the agent offers no ports");
    task["resources"].push_back(ports(port, port));
    task["executor"]["resources"] = Json::array({ports(port, port)});
}

void executors_framework(const Options& o)
{
    refused(o, [](Json& task, const Json&) {
        task["executor"]["framework_id"] = {{"value", "another"}};
    });
    Framework framework{o};
    const Json offer = framework.offer();
    const Json seen = launched(framework, offer, task_info(offer, new_id("filled")));
    require_equal(text(seen, "/executor/framework_id/value"), framework.id(), "framework id");
}

void operation_id_on_launch(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer();
    const std::string id = new_id("with-op-id");
    Json with_id = launch({task_info(offer, id)});
    with_id["id"] = {{"value", "op"}};
    framework.must(accept(offer, {with_id}));
    expect_invalid(framework, id);
}

}  // namespace

void add_accept_checks(std::vector<Check>& checks)
{
    const auto add = [&](int number, const char* name, auto run) {
        checks.push_back({number, name, Needs::no_credentials, run});
    };
    const auto spoil = [](auto change) {
        return [change](const Options& o) { refused(o, change); };
    };
    add(60, "ACCEPT without operations is a DECLINE with its filters", no_operations);
    add(61,
        "one unknown offer id drops the tasks and consumes the other offers",
        one_unknown_offer);
    add(62, "offers of two agents in one ACCEPT drop its tasks", two_agents);
    add(64, "a task larger than the offer is TASK_ERROR", spoil([](Json& task, const Json& offer) {
            task["resources"][0]["scalar"]["value"] = unreserved(offer, "cpus") + 1;
        }));
    add(65, "of two tasks the one that still fits is launched", only_the_first_fits);
    add(66, "one malformed resource fails every task of its LAUNCH", one_bad_resource);
    add(67, "a task has exactly one of executor and command", [](const Options& o) {
        refused(o, [](Json& task, const Json&) { task["command"] = {{"value", "true"}}; });
        refused(o, [](Json& task, const Json&) { task.erase("executor"); });
    });
    add(68, "a task of another agent is TASK_ERROR", spoil([](Json& task, const Json&) {
            task["agent_id"]["value"] = "another";
        }));
    add(69, "a task id in use is TASK_ERROR, and the running task goes on", id_in_use);
    add(70,
        "task ids: no separators, control characters or 256 bytes; spaces and UTF-8 are fine",
        task_ids);
    add(71, "a second task of the same ExecutorInfo goes to the same executor", shared_executor);
    add(72,
        "another ExecutorInfo under the same id is TASK_ERROR, labels and grace apart",
        differing_executor);
    add(73, "executor.framework_id is filled in, another's is TASK_ERROR", executors_framework);
    add(74, "executor and task may not list the same port", spoil(same_port_twice));
    add(75,
        "a task without resources is TASK_ERROR, an executor without is fine",
        spoil([](Json& task, const Json&) { task["resources"] = Json::array(); }));
    add(76,
        "missing allocation_info is filled in, another role is not contained",
        allocation_filled_in);
    add(77, "amounts count in thousandths", thousandths);
    add(79, "an id on a LAUNCH operation fails its tasks", operation_id_on_launch);
}

}  // namespace mysos::conformance
