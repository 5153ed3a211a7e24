// How agents come, break off, become unreachable, return and are given up.
#include "test/standin/master.hpp"

#include <algorithm>

namespace mysos::standin {

void Master::receive(AgentSlot slot, ToMaster message)
{
    std::visit([&](auto& one) { on(slot, one); }, message);
}

Agent* Master::agent_at(AgentSlot slot)
{
    for (auto& [id, agent] : agents_)
        if (agent.slot == slot) return &agent;
    return nullptr;
}

Agent* Master::find_agent(const AgentId& id)
{
    const auto found = agents_.find(id);
    return found == agents_.end() ? nullptr : &found->second;
}

void Master::on(AgentSlot slot, to_master::Register& message)
{
    // A new agent at an address drops whoever was there before; that one is gone with its tasks.
    if (const Agent* old = agent_at(slot)) {
        const AgentId id = old->id;
        v1::TaskStatus status;
        status.set_message("a new agent registered at the same address");
        status.set_reason(v1::TaskStatus::REASON_AGENT_REMOVED);
        drop_agent(id, v1::TASK_LOST, std::move(status), v1::TaskStatus::REASON_AGENT_REMOVED);
        registry_.admitted.erase(id);
    }
    const AgentId id = config_.id + "-S" + std::to_string(next_agent_++);
    Agent& agent = agents_[id];
    agent.id = id;
    agent.slot = slot;
    agent.info = message.info;
    agent.info.mutable_id()->set_value(id);
    agent.total = message.total;
    agent.ip = message.ip;
    agent.ping_at = world_.now();
    registry_.admitted.insert(id);
    port_.send(slot, to_agent::Registered{id});
    allocate_soon_ = true;
}

void Master::on(AgentSlot slot, to_master::Reregister& message)
{
    const AgentId id = message.info.id().value();
    if (registry_.gone.contains(id)) {
        port_.send(slot, to_agent::Shutdown{});
        return;
    }
    if (Agent* known = find_agent(id)) {
        known->slot = slot;
        reconcile_agent(*known, message);
        return;
    }
    const bool was_unreachable = registry_.unreachable.erase(id) > 0;
    recovered_.erase(id);
    registry_.admitted.insert(id);
    Agent& agent = agents_[id];
    agent.id = id;
    agent.slot = slot;
    agent.ping_at = world_.now();
    readmit(agent, message, was_unreachable);
}

void Master::reconcile_agent(Agent& agent, const to_master::Reregister& message)
{
    agent.connected = true;
    agent.info = message.info;
    agent.total = message.total;
    agent.ip = message.ip;
    agent.pinged = false;
    agent.misses = 0;

    std::set<std::pair<FrameworkId, TaskId>> named;
    for (const auto& [framework, report] : message.tasks)
        named.emplace(framework, report.info.task_id().value());
    to_agent::Reregistered answer;
    for (const auto& [framework_id, framework] : frameworks_)
        for (const auto& [task_id, task] : framework.tasks)
            if (task.info.agent_id().value() == agent.id &&
                !named.contains({framework_id, task_id}))
                answer.reconcile.emplace_back(framework.info, task.info);

    // Executors that the agent no longer has disappear silently.
    std::set<std::pair<FrameworkId, ExecutorId>> alive;
    for (const auto& executor : message.executors)
        alive.emplace(executor.framework_id().value(), executor.executor_id().value());
    std::erase_if(agent.executors, [&](const auto& entry) { return !alive.contains(entry.first); });
    port_.send(agent.slot, std::move(answer));

    for (const auto& info : message.frameworks) {
        const auto framework = frameworks_.find(info.id().value());
        if (framework == frameworks_.end())
            port_.send(agent.slot, to_agent::ShutdownFramework{info.id().value()});
        else
            port_.send(agent.slot, to_agent::UpdateFramework{framework->second.info});
    }
    for (const auto& [key, policy] : agent.kills) {
        to_agent::Kill order{key.first, key.second, policy};
        port_.send(agent.slot, std::move(order));
    }
    allocate_soon_ = true;
}

void Master::recover_frameworks(const to_master::Reregister& message)
{
    for (const auto& info : message.frameworks) {
        const FrameworkId& id = info.id().value();
        if (std::ranges::find(completed_, id) != completed_.end()) continue;
        const auto [entry, fresh] = frameworks_.try_emplace(id);
        if (!fresh) continue;
        entry->second.id = id;
        entry->second.info = info;
    }
}

void Master::readmit(Agent& agent, to_master::Reregister& message, bool was_unreachable)
{
    agent.info = message.info;
    agent.total = message.total;
    agent.ip = message.ip;
    recover_frameworks(message);
    for (const auto& executor : message.executors)
        agent.executors[{executor.framework_id().value(), executor.executor_id().value()}] =
            executor;
    for (auto& [framework_id, report] : message.tasks) {
        const auto framework = frameworks_.find(framework_id);
        if (framework == frameworks_.end()) continue;
        const TaskId id = report.info.task_id().value();
        framework->second.unreachable_tasks.erase(id);
        Task& task = framework->second.tasks[id];
        task.info = report.info;
        task.state = report.state;
        task.last = report.last_sent;
        if (report.last_sent.has_state()) task.sent_state = report.last_sent.state();
        task.sent_uuid = report.last_sent.uuid();
        task.holds_resources = !is_terminal(report.state);
    }
    port_.send(agent.slot, to_agent::Reregistered{});
    for (const auto& info : message.frameworks) {
        const FrameworkId& id = info.id().value();
        const auto framework = frameworks_.find(id);
        if (framework == frameworks_.end()) {
            port_.send(agent.slot, to_agent::ShutdownFramework{id});
            std::erase_if(
                agent.executors, [&](const auto& entry) { return entry.first.first == id; });
            continue;
        }
        port_.send(agent.slot, to_agent::UpdateFramework{framework->second.info});
        if (!was_unreachable) continue;
        for (const auto& [task_id, task] : framework->second.tasks)
            if (task.info.agent_id().value() == agent.id)
                send_latest(
                    framework->second,
                    task,
                    v1::TaskStatus::REASON_AGENT_REREGISTERED,
                    "Unreachable agent re-reregistered");
    }
    allocate_soon_ = true;
}

void Master::on(AgentSlot slot, to_master::Pong& /*message*/)
{
    Agent* agent = agent_at(slot);
    if (agent == nullptr) return;
    agent->pinged = false;
    agent->misses = 0;
}

void Master::ping_agents()
{
    const TimePoint now = world_.now();
    std::vector<AgentId> lost;
    for (auto& [id, agent] : agents_) {
        if (agent.ping_at > now) continue;
        if (agent.pinged && ++agent.misses >= config_.max_agent_ping_timeouts) {
            lost.push_back(id);
            continue;
        }
        agent.pinged = true;
        agent.ping_at = now + config_.agent_ping_timeout;
        port_.send(agent.slot, to_agent::Ping{agent.connected});
    }
    for (const auto& id : lost) mark_unreachable(id);
}

void Master::give_up_recovered_agents()
{
    if (world_.now() < recovered_until_) return;
    while (!recovered_.empty()) mark_unreachable(*recovered_.begin());
}

void Master::mark_unreachable(AgentId id)
{
    recovered_.erase(id);
    registry_.admitted.erase(id);
    const v1::TimeInfo at = wall_time();
    registry_.unreachable[id] = at;
    if (!agents_.contains(id)) {
        fail_agent(id);
        return;
    }
    v1::TaskStatus status;
    status.set_message("health check timed out");
    status.set_reason(v1::TaskStatus::REASON_AGENT_REMOVED);
    *status.mutable_unreachable_time() = at;
    drop_agent(id, v1::TASK_UNREACHABLE, std::move(status), v1::TaskStatus::REASON_AGENT_REMOVED);
}

void Master::mark_gone(AgentSlot slot)
{
    const Agent* agent = agent_at(slot);
    if (agent == nullptr) return;
    const AgentId id = agent->id;
    registry_.admitted.erase(id);
    registry_.gone.insert(id);
    port_.send(slot, to_agent::Shutdown{});
    v1::TaskStatus status;
    status.set_message("Agent has been marked gone");
    status.set_reason(v1::TaskStatus::REASON_AGENT_REMOVED_BY_OPERATOR);
    drop_agent(
        id, v1::TASK_GONE_BY_OPERATOR, std::move(status), v1::TaskStatus::REASON_AGENT_REMOVED);
}

/// Ends the agent here: an update for each of its tasks, then RESCIND, then FAILURE to everybody.
void Master::drop_agent(
    const AgentId& id,
    v1::TaskState aware,
    v1::TaskStatus status,
    v1::TaskStatus::Reason lost_reason)
{
    const bool unreachable = aware == v1::TASK_UNREACHABLE;
    for (auto& [framework_id, framework] : frameworks_) {
        for (auto task = framework.tasks.begin(); task != framework.tasks.end();) {
            if (task->second.info.agent_id().value() != id) {
                ++task;
                continue;
            }
            v1::TaskStatus one = status;
            one.set_state(lost_as(framework.info, aware));
            if (one.state() == v1::TASK_LOST) one.set_reason(lost_reason);
            *one.mutable_task_id() = task->second.info.task_id();
            one.mutable_agent_id()->set_value(id);
            if (task->second.info.has_executor())
                *one.mutable_executor_id() = task->second.info.executor().executor_id();
            one.set_source(v1::TaskStatus::SOURCE_MASTER);
            one.set_timestamp(world_.wall_seconds());
            if (unreachable) framework.unreachable_tasks.insert(task->first);
            task = framework.tasks.erase(task);
            send_update(framework, std::move(one));
        }
    }
    rescind([&](const Offer& offer) { return offer.agent == id; });
    const auto maintenance = maintenance_.find(id);
    if (maintenance != maintenance_.end()) {
        rescind_inverse_offers(maintenance->second);
        maintenance_.erase(maintenance);
    }
    std::erase_if(filters_, [&](const OfferFilter& filter) { return filter.agent == id; });
    std::erase_if(operations_, [&](const auto& entry) { return entry.second.agent == id; });
    agents_.erase(id);
    fail_agent(id);
}

void Master::fail_agent(const AgentId& id)
{
    Event event;
    event.set_type(Event::FAILURE);
    event.mutable_failure()->mutable_agent_id()->set_value(id);
    for (auto& [framework_id, framework] : frameworks_) send(framework, event);
}

void Master::agent_disconnected(AgentSlot slot)
{
    Agent* agent = agent_at(slot);
    if (agent == nullptr) return;
    agent->connected = false;
    rescind([&](const Offer& offer) { return offer.agent == agent->id; });
    const auto maintenance = maintenance_.find(agent->id);
    if (maintenance != maintenance_.end()) rescind_inverse_offers(maintenance->second);
    forget_unrecoverable(*agent);
}

/// Tasks and executors of frameworks without checkpointing do not outlive their agent's process.
void Master::forget_unrecoverable(Agent& agent)
{
    for (auto& [framework_id, framework] : frameworks_) {
        if (framework.info.checkpoint()) continue;
        for (auto task = framework.tasks.begin(); task != framework.tasks.end();) {
            if (task->second.info.agent_id().value() != agent.id) {
                ++task;
                continue;
            }
            v1::TaskStatus status = made_here(
                task->first,
                v1::TASK_LOST,
                v1::TaskStatus::REASON_AGENT_DISCONNECTED,
                "Slave " + agent.info.hostname() + " disconnected");
            status.mutable_agent_id()->set_value(agent.id);
            if (task->second.info.has_executor())
                *status.mutable_executor_id() = task->second.info.executor().executor_id();
            task = framework.tasks.erase(task);
            send_update(framework, std::move(status));
        }
        const FrameworkId& id = framework_id;
        std::erase_if(agent.executors, [&](const auto& entry) { return entry.first.first == id; });
    }
}

}  // namespace mysos::standin
