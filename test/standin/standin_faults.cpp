// The fault switches: POST /standin/..., and what a test may ask of the inside: GET /standin/state.
#include "common/wire/json.hpp"
#include "test/standin/standin.hpp"

#include <charconv>

namespace mysos::standin {

namespace {

using nlohmann::json;

HttpResponse json_response(unsigned code, const json& body)
{
    return {code, body.dump(2) + "\n", {{"Content-Type", "application/json"}}};
}

HttpResponse done()
{
    return json_response(200, {{"done", true}});
}

HttpResponse refused(unsigned code, const std::string& why)
{
    return json_response(code, {{"error", why}});
}

std::vector<std::string> parts_of(const std::string& path)
{
    std::vector<std::string> parts;
    for (const char c : path) {
        if (c == '/')
            parts.emplace_back();
        else
            parts.back() += c;
    }
    return parts;
}

Duration milliseconds(const json& arguments, const char* name, int otherwise)
{
    return std::chrono::milliseconds{arguments.value(name, otherwise)};
}

const char* name_of(AgentShell::Mode mode)
{
    switch (mode) {
        case AgentShell::Mode::running: return "running";
        case AgentShell::Mode::silent: return "silent";
        case AgentShell::Mode::down: return "down";
    }
    return "";
}

json texts_of(const Resources& resources)
{
    json list = json::array();
    for (const auto& item : resources.items()) list.push_back(to_text(item));
    return list;
}

}  // namespace

HttpResponse Standin::control(const HttpRequest& request)
{
    const auto parts = parts_of(path_of(request));
    if (request.method() == boost::beast::http::verb::get) {
        if (parts.size() == 2 && parts[1] == "state") return json_response(200, state());
        if (parts.size() == 2 && parts[1] == "ports") return json_response(200, ports());
        return refused(404, "GET knows state and ports");
    }
    const json arguments =
        request.body().empty() ? json::object() : json::parse(request.body(), nullptr, false);
    if (!arguments.is_object()) return refused(400, "the body must be a JSON object");
    try {
        if (parts.size() == 4 && parts[1] == "agents") {
            std::size_t index = agents_.size();
            std::from_chars(parts[2].data(), parts[2].data() + parts[2].size(), index);
            if (index >= agents_.size()) return refused(404, "no such agent: " + parts[2]);
            return switch_agent(*agents_[index], AgentSlot{index}, parts[3], arguments);
        }
        if (parts.size() == 3 && parts[1] == "master") return switch_master(parts[2], arguments);
        if (parts.size() == 2 && parts[1] == "wire") return switch_wire(arguments);
    } catch (const json::exception& fault) {
        return refused(400, fault.what());
    }
    return refused(404, "unknown switch");
}

HttpResponse Standin::switch_agent(
    AgentShell& agent, AgentSlot slot, const std::string& action, const json& arguments)
{
    if (action == "kill") {
        agent.crash();
    } else if (action == "start") {
        agent.start();
    } else if (action == "restart") {
        agent.crash();
        after(milliseconds(arguments, "down_ms", 0), [&agent] { agent.start(); });
    } else if (action == "silence") {
        agent.fall_silent();
    } else if (action == "return") {
        agent.wake();
    } else if (action == "reboot") {
        agent.reboot();
    } else if (action == "drop_connections") {
        agent.drop_connections();
    } else if (action == "gone") {
        if (!master_) return refused(409, "no master leads");
        master_->mark_gone(slot);
        rearm();
    } else {
        return operate(slot, action, arguments);
    }
    return done();
}

HttpResponse Standin::operate(AgentSlot slot, const std::string& action, const json& arguments)
{
    const auto nanoseconds = [&arguments](const char* name) {
        return arguments.at(name).get<std::int64_t>() * 1'000'000;
    };
    if (!master_) return refused(409, "no master leads");
    if (action == "drain") {
        std::optional<v1::DurationInfo> max_grace;
        if (arguments.contains("max_grace_ms"))
            max_grace.emplace().set_nanoseconds(nanoseconds("max_grace_ms"));
        master_->drain(slot, max_grace);
    } else if (action == "reactivate") {
        master_->reactivate(slot);
    } else if (action == "maintenance") {
        v1::Unavailability window;
        const double start = world_.wall_seconds() * 1e9;
        window.mutable_start()->set_nanoseconds(
            static_cast<std::int64_t>(start) + nanoseconds("start_in_ms"));
        if (arguments.contains("duration_ms"))
            window.mutable_duration()->set_nanoseconds(nanoseconds("duration_ms"));
        master_->plan_maintenance(slot, window);
    } else if (action == "maintenance_over") {
        master_->plan_maintenance(slot, std::nullopt);
    } else {
        return refused(
            404,
            "an agent knows kill, start, restart, silence, return, reboot, gone, drop_connections, "
            "drain, reactivate, maintenance, maintenance_over");
    }
    rearm();
    return done();
}

HttpResponse Standin::switch_master(const std::string& action, const json& arguments)
{
    const Duration down = milliseconds(arguments, "down_ms", 0);
    const Duration unknown = milliseconds(arguments, "no_leader_ms", 0);
    const Duration recovering = milliseconds(arguments, "recovering_ms", 0);
    if (action == "drop_connections") {
        nodes_[leader_]->listener.drop_connections();
        return done();
    }
    if (!master_) return refused(409, "no master leads");
    std::size_t next = leader_;
    if (action == "failover") {
        if (nodes_.size() < 2) return refused(409, "there is no follower: start with --follower");
        next = 1 - leader_;
    } else if (action != "restart") {
        return refused(404, "the master knows restart, failover, drop_connections");
    }
    // In a call of its own: this connection is one of those that break.
    after(std::chrono::milliseconds{20}, [this, next, down, unknown, recovering] {
        succeed(next, down, unknown, recovering);
    });
    return done();
}

HttpResponse Standin::switch_wire(const json& arguments)
{
    const std::string chunks = arguments.value("chunks", "whole");
    if (chunks == "whole")
        wire_.chunks = WireMode::Chunks::whole;
    else if (chunks == "split")
        wire_.chunks = WireMode::Chunks::split;
    else if (chunks == "coalesced")
        wire_.chunks = WireMode::Chunks::coalesced;
    else
        return refused(400, "chunks must be whole, split or coalesced");
    wire_.delay = std::chrono::milliseconds{arguments.value("delay_ms", 0)};
    return done();
}

json Standin::state() const
{
    json agents = json::array();
    for (const auto& agent : agents_)
        agents.push_back(
            {{"id", agent->id()},
             {"port", agent->port()},
             {"mode", name_of(agent->mode())},
             {"registered", agent->is_registered()},
             {"work_dir", agent->work_dir()}});
    json all{{"agents", agents}, {"leader", leader_}, {"leading", master_ != nullptr}};
    if (!master_) return all;
    all["master_id"] = master_->config().id;
    for (auto& agent : all["agents"]) {
        const auto known = master_->agents().find(agent["id"].get<std::string>());
        if (known == master_->agents().end()) continue;
        agent["connected"] = known->second.connected;
        agent["active"] = known->second.active;
        const auto planned = master_->maintenance().find(known->first);
        if (planned != master_->maintenance().end())
            agent["maintenance"] = {
                {"inverse_offers", planned->second.outstanding},
                {"answers", planned->second.answers}};
        agent["total"] = texts_of(known->second.total);
    }
    all["frameworks"] = json::object();
    for (const auto& [id, framework] : master_->frameworks()) {
        json tasks = json::object();
        for (const auto& [task_id, task] : framework.tasks)
            tasks[task_id] = {
                {"state", v1::TaskState_Name(task.state)},
                {"agent", task.info.agent_id().value()},
                {"info", json::parse(wire::to_json(task.info))}};
        all["frameworks"][id] = {
            {"name", framework.info.name()},
            {"connected", framework.connected},
            {"tasks", tasks},
            {"unreachable_tasks", framework.unreachable_tasks}};
    }
    all["offers"] = json::object();
    for (const auto& [id, offer] : master_->offers())
        all["offers"][id] = {
            {"framework", offer.framework},
            {"agent", offer.agent},
            {"role", offer.role},
            {"resources", texts_of(offer.resources)}};
    return all;
}

}  // namespace mysos::standin
