// Status updates: one in flight a task, repeated until the scheduler acknowledges that very one.
#include "test/standin/agent.hpp"

#include <algorithm>

namespace mysos::standin {

v1::TaskStatus AgentMachine::made_here(
    const TaskId& task, v1::TaskState state, v1::TaskStatus::Reason reason, std::string message)
{
    v1::TaskStatus status;
    status.mutable_task_id()->set_value(task);
    status.set_state(state);
    status.set_message(std::move(message));
    status.set_source(v1::TaskStatus::SOURCE_AGENT);
    status.set_reason(reason);
    *status.mutable_agent_id() = info_.id();
    status.set_timestamp(world_.wall_seconds());
    status.set_uuid(world_.uuid());
    return status;
}

/// Books an update, by an executor or made here, and sends it on when its turn comes.
void AgentMachine::take_update(
    const v1::FrameworkInfo& framework, Executor* executor, v1::TaskStatus status)
{
    if (is_draining_ && status.state() == v1::TASK_KILLED)
        status.set_reason(v1::TaskStatus::REASON_AGENT_DRAINING);
    const StreamId id{framework.id().value(), status.task_id().value()};
    UpdateStream& stream = updates_[id];
    stream.seen.insert(status.uuid());
    stream.latest = status.state();
    stream.terminal = stream.terminal || is_terminal(status.state());
    if (executor != nullptr) {
        const auto task = executor->tasks.find(id.second);
        if (task != executor->tasks.end()) {
            task->second.state = status.state();
            task->second.last = status;
            if (is_terminal(status.state()) && !executor->is_command_task)
                unlink_volumes(*executor, task->second.info.resources());
        }
        if (framework.checkpoint()) disk_.add_update(executor->run, status);
    }
    stream.pending.push_back(std::move(status));
    if (stream.pending.size() > 1) return;
    stream.interval = config_.update_retry_min;
    forward(id, stream);
}

void AgentMachine::forward(const StreamId& id, UpdateStream& stream)
{
    stream.retry_at = world_.now() + stream.interval;
    if (state_ != State::running) return;
    to_master::Update update{id.first, stream.pending.front(), stream.latest};
    port_.send(std::move(update));
}

void AgentMachine::on(to_agent::Acknowledge& message)
{
    const StreamId id{message.framework, message.task};
    const auto found = updates_.find(id);
    if (found == updates_.end() || found->second.pending.empty()) return;
    UpdateStream& stream = found->second;
    if (stream.pending.front().uuid() != message.uuid) return;
    const bool terminal = is_terminal(stream.pending.front().state());
    stream.pending.pop_front();

    const auto framework = frameworks_.find(message.framework);
    Executor* executor =
        framework == frameworks_.end() ? nullptr : holder_of(framework->second, message.task);
    if (executor != nullptr && framework->second.info.checkpoint())
        disk_.add_acknowledgement(executor->run, message.task, message.uuid);
    if (!terminal) {
        if (stream.pending.empty()) return;
        stream.interval = config_.update_retry_min;
        forward(id, stream);
        return;
    }
    updates_.erase(found);
    if (executor == nullptr) return;
    executor->tasks.erase(message.task);
    if (framework->second.info.checkpoint()) disk_.forget_task(executor->run, message.task);
    remove_if_done(message.framework, executor->run.executor);
}

void AgentMachine::resend(const FrameworkId* framework)
{
    for (auto& [id, stream] : updates_) {
        if (stream.pending.empty() || (framework != nullptr && id.first != *framework)) continue;
        stream.interval = config_.update_retry_min;
        forward(id, stream);
    }
}

void AgentMachine::retry_updates()
{
    for (auto& [id, stream] : updates_) {
        if (stream.pending.empty() || stream.retry_at > world_.now()) continue;
        stream.interval = std::min(stream.interval * 2, config_.update_retry_max);
        forward(id, stream);
    }
}

}  // namespace mysos::standin
