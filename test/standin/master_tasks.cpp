// Updates on their way up, KILL and reconciliation on their way down.
#include "test/standin/master.hpp"

namespace mysos::standin {

v1::TimeInfo Master::wall_time() const
{
    v1::TimeInfo time;
    time.set_nanoseconds(static_cast<std::int64_t>(world_.wall_seconds() * 1e9));
    return time;
}

v1::TaskStatus Master::made_here(
    const TaskId& task,
    v1::TaskState state,
    v1::TaskStatus::Reason reason,
    std::string message) const
{
    v1::TaskStatus status;
    status.mutable_task_id()->set_value(task);
    status.set_state(state);
    status.set_message(std::move(message));
    status.set_source(v1::TaskStatus::SOURCE_MASTER);
    status.set_reason(reason);
    status.set_timestamp(world_.wall_seconds());
    return status;
}

void Master::send(Framework& framework, const Event& event)
{
    if (framework.connected) port_.send(framework.stream, event);
}

void Master::send_update(Framework& framework, v1::TaskStatus status)
{
    Event event;
    event.set_type(Event::UPDATE);
    *event.mutable_update()->mutable_status() = std::move(status);
    send(framework, event);
}

void Master::on(AgentSlot slot, to_master::Update& message)
{
    const Agent* agent = agent_at(slot);
    const auto found = frameworks_.find(message.framework);
    if (agent == nullptr || found == frameworks_.end()) return;
    Framework& framework = found->second;
    send_update(framework, message.status);
    const auto task = framework.tasks.find(message.status.task_id().value());
    if (task == framework.tasks.end() || task->second.info.agent_id().value() != agent->id) return;
    Task& tracked = task->second;
    if (!is_terminal(tracked.state)) tracked.state = message.latest;
    tracked.sent_state = message.status.state();
    tracked.sent_uuid = message.status.uuid();
    tracked.last = message.status;
    if (is_terminal(tracked.state)) tracked.holds_resources = false;
}

void Master::on(AgentSlot slot, to_master::Message& message)
{
    const Agent* agent = agent_at(slot);
    const auto found = frameworks_.find(message.framework);
    if (agent == nullptr || found == frameworks_.end()) return;
    Event event;
    event.set_type(Event::MESSAGE);
    event.mutable_message()->mutable_agent_id()->set_value(agent->id);
    event.mutable_message()->mutable_executor_id()->set_value(message.executor);
    event.mutable_message()->set_data(message.data);
    send(found->second, event);
}

void Master::on(AgentSlot slot, to_master::ExitedExecutor& message)
{
    Agent* agent = agent_at(slot);
    if (agent == nullptr) return;
    agent->executors.erase({message.framework, message.executor});
    const auto found = frameworks_.find(message.framework);
    if (found == frameworks_.end()) return;
    Event event;
    event.set_type(Event::FAILURE);
    event.mutable_failure()->mutable_agent_id()->set_value(agent->id);
    event.mutable_failure()->mutable_executor_id()->set_value(message.executor);
    event.mutable_failure()->set_status(message.status);
    send(found->second, event);
}

void Master::on(AgentSlot slot, to_master::OperationUpdate& message)
{
    const Agent* agent = agent_at(slot);
    const auto found = frameworks_.find(message.framework);
    if (agent == nullptr || found == frameworks_.end()) return;
    auto& tracked = operations_[{message.framework, message.status.operation_id().value()}];
    tracked.framework = message.framework;
    tracked.agent = agent->id;
    tracked.latest = message.status;
    Event event;
    event.set_type(Event::UPDATE_OPERATION_STATUS);
    *event.mutable_update_operation_status()->mutable_status() = message.status;
    send(found->second, event);
}

void Master::kill(Framework& framework, const Call::Kill& kill)
{
    const auto task = framework.tasks.find(kill.task_id().value());
    if (task == framework.tasks.end()) {
        std::optional<AgentId> agent;
        if (kill.has_agent_id()) agent = kill.agent_id().value();
        reconcile_one(framework, kill.task_id().value(), agent);
        return;
    }
    const AgentId& where = task->second.info.agent_id().value();
    if (kill.has_agent_id() && kill.agent_id().value() != where) return;
    Agent* agent = find_agent(where);
    if (agent == nullptr) return;
    std::optional<v1::KillPolicy> policy;
    if (kill.has_kill_policy()) policy = kill.kill_policy();
    agent->kills[{framework.id, task->first}] = policy;
    if (!agent->connected) return;
    to_agent::Kill order{framework.id, task->first, policy};
    port_.send(agent->slot, std::move(order));
}

void Master::send_latest(
    Framework& framework,
    const Task& task,
    v1::TaskStatus::Reason reason,
    const std::string& message)
{
    v1::TaskStatus status = made_here(
        task.info.task_id().value(), task.sent_state.value_or(task.state), reason, message);
    status.mutable_agent_id()->set_value(task.info.agent_id().value());
    if (task.info.has_executor())
        *status.mutable_executor_id() = task.info.executor().executor_id();
    if (task.last.has_healthy()) status.set_healthy(task.last.healthy());
    if (task.last.has_check_status()) *status.mutable_check_status() = task.last.check_status();
    if (task.last.has_container_status())
        *status.mutable_container_status() = task.last.container_status();
    send_update(framework, std::move(status));
}

void Master::reconcile(Framework& framework, const Call::Reconcile& reconcile)
{
    if (reconcile.tasks().empty()) {
        for (const auto& [id, task] : framework.tasks)
            send_latest(
                framework,
                task,
                v1::TaskStatus::REASON_RECONCILIATION,
                "Reconciliation: Latest task state");
        return;
    }
    for (const auto& one : reconcile.tasks()) {
        std::optional<AgentId> agent;
        if (one.has_agent_id()) agent = one.agent_id().value();
        reconcile_one(framework, one.task_id().value(), agent);
    }
}

void Master::reconcile_one(
    Framework& framework, const TaskId& id, const std::optional<AgentId>& agent)
{
    const auto task = framework.tasks.find(id);
    if (task != framework.tasks.end()) {
        send_latest(
            framework,
            task->second,
            v1::TaskStatus::REASON_RECONCILIATION,
            "Reconciliation: Latest task state");
        return;
    }
    // While it may still turn up with an agent, there is no answer.
    if (agent ? recovered_.contains(*agent) : !recovered_.empty()) return;

    v1::TaskState state = v1::TASK_UNKNOWN;
    std::string message = "Reconciliation: Task is unknown";
    std::optional<v1::TimeInfo> since;
    if (agent && agents_.contains(*agent)) {
        state = v1::TASK_GONE;
        message = "Reconciliation: Task is unknown to the agent";
    } else if (agent && registry_.unreachable.contains(*agent)) {
        state = v1::TASK_UNREACHABLE;
        message = "Reconciliation: Task is unreachable";
        since = registry_.unreachable.at(*agent);
    } else if (agent && registry_.gone.contains(*agent)) {
        state = v1::TASK_GONE_BY_OPERATOR;
        message = "Reconciliation: Task is gone";
    }
    v1::TaskStatus status = made_here(
        id, lost_as(framework.info, state), v1::TaskStatus::REASON_RECONCILIATION, message);
    if (agent) status.mutable_agent_id()->set_value(*agent);
    if (since) *status.mutable_unreachable_time() = *since;
    send_update(framework, std::move(status));
}

}  // namespace mysos::standin
