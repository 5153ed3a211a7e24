// The executors' side of an agent: subscription, delivery, their updates and their end.
#include "test/standin/agent.hpp"

#include <algorithm>

namespace mysos::standin {

AgentMachine::Executor* AgentMachine::find(const FrameworkId& framework, const ExecutorId& executor)
{
    const auto entry = frameworks_.find(framework);
    if (entry == frameworks_.end()) return nullptr;
    const auto found = entry->second.executors.find(executor);
    return found == entry->second.executors.end() ? nullptr : &found->second;
}

const AgentMachine::Executor* AgentMachine::find(
    const FrameworkId& framework, const ExecutorId& executor) const
{
    const auto entry = frameworks_.find(framework);
    if (entry == frameworks_.end()) return nullptr;
    const auto found = entry->second.executors.find(executor);
    return found == entry->second.executors.end() ? nullptr : &found->second;
}

AgentMachine::Executor* AgentMachine::holder_of(FrameworkEntry& framework, const TaskId& task)
{
    for (auto& [id, executor] : framework.executors)
        if (executor.tasks.contains(task)) return &executor;
    return nullptr;
}

std::pair<AgentMachine::FrameworkEntry*, AgentMachine::Executor*> AgentMachine::by_container(
    const std::string& container)
{
    for (auto& [framework_id, framework] : frameworks_)
        for (auto& [id, executor] : framework.executors)
            if (executor.run.container == container) return {&framework, &executor};
    return {nullptr, nullptr};
}

std::set<std::string> AgentMachine::containers() const
{
    std::set<std::string> all;
    for (const auto& [framework_id, framework] : frameworks_)
        for (const auto& [id, executor] : framework.executors) all.insert(executor.run.container);
    return all;
}

void AgentMachine::emit(const Executor& executor, const Event& event)
{
    if (executor.stream) port_.send(*executor.stream, event);
}

std::optional<Answer> AgentMachine::refuse(
    const Call& call, const std::optional<ExecutorClaims>& claims) const
{
    if (call.type() == Call::HEARTBEAT) return {};
    if (call.type() != Call::SUBSCRIBE && state_ == State::recovering)
        return Answer{503, "Agent has not finished recovery"};
    if (!frameworks_.contains(call.framework_id().value()))
        return Answer{400, "Framework cannot be found"};
    const Executor* executor = find(call.framework_id().value(), call.executor_id().value());
    if (executor == nullptr || executor->is_command_task)
        return Answer{400, "Executor cannot be found"};
    if (claims) {
        const ExecutorClaims expected{
            executor->run.framework, executor->run.executor, executor->run.container};
        if (*claims != expected)
            return Answer{403, "Authenticated principal's claims do not match the executor"};
    }
    if (call.type() == Call::SUBSCRIBE) return {};
    if (!executor->subscribed && executor->phase == Phase::registering)
        return Answer{403, "Executor is not subscribed"};
    if (call.type() == Call::UNKNOWN) return Answer{501, "Received 'UNKNOWN' call"};
    return {};
}

void AgentMachine::handle(const Call& call)
{
    if (call.type() == Call::UPDATE) update_from(call);
    if (call.type() != Call::MESSAGE || state_ != State::running) return;
    to_master::Message message{
        call.framework_id().value(), call.executor_id().value(), call.message().data()};
    port_.send(std::move(message));
}

void AgentMachine::subscribe(const Call& call, StreamKey stream)
{
    FrameworkEntry& framework = frameworks_.at(call.framework_id().value());
    Executor& executor = *find(call.framework_id().value(), call.executor_id().value());
    Event shutdown;
    shutdown.set_type(Event::SHUTDOWN);
    if (state_ == State::stopped || framework.terminating || executor.phase == Phase::terminating ||
        executor.phase == Phase::terminated) {
        port_.send(stream, shutdown);
        port_.end(stream);
        return;
    }
    if (executor.stream) port_.end(*executor.stream);
    executor.stream = stream;
    executor.subscribed = true;
    executor.phase = Phase::running;
    executor.registration_until.reset();
    executor.heartbeat_at = world_.now() + config_.executor_heartbeat_interval;

    // Copies: an entry of the list may end a task, and so the executor's own list of them.
    for (const auto& update : call.subscribe().unacknowledged_updates())
        take_from(framework, executor, update.status());
    drop_unseen_tasks(framework, executor, call.subscribe());
    if (!executor.was_sent_a_task && executor.queue.empty()) {
        shut_down(executor);
        return;
    }
    Event event;
    event.set_type(Event::SUBSCRIBED);
    auto& subscribed = *event.mutable_subscribed();
    *subscribed.mutable_executor_info() = executor.info;
    *subscribed.mutable_framework_info() = framework.info;
    *subscribed.mutable_agent_info() = info_;
    for (const auto& item : config_.total.items())
        *subscribed.mutable_agent_info()->add_resources() = item;
    subscribed.mutable_container_id()->set_value(executor.run.container);
    emit(executor, event);
    deliver_queue(framework, executor);
}

/// What was delivered on a stream that broke before the executor read it never arrived.
void AgentMachine::drop_unseen_tasks(
    FrameworkEntry& framework, Executor& executor, const Call::Subscribe& subscribe)
{
    std::set<TaskId> seen;
    for (const auto& task : subscribe.unacknowledged_tasks()) seen.insert(task.task_id().value());
    for (auto& [id, task] : executor.tasks) {
        if (!task.delivered || task.state != v1::TASK_STAGING || seen.contains(id)) continue;
        v1::TaskStatus status = made_here(
            id,
            lost_as(framework.info, v1::TASK_DROPPED),
            v1::TaskStatus::REASON_AGENT_RESTARTED,
            "Task launched during agent restart");
        *status.mutable_executor_id() = executor.info.executor_id();
        take_update(framework.info, &executor, std::move(status));
    }
}

void AgentMachine::deliver_queue(FrameworkEntry& framework, Executor& executor)
{
    const std::vector<TaskId> queue = std::move(executor.queue);
    executor.queue.clear();
    for (const auto& id : queue) {
        TaskEntry& task = executor.tasks.at(id);
        if (const Fault fault = link_volumes(executor, task.info.resources())) {
            destroy(
                executor,
                {lost_as(framework.info, v1::TASK_GONE),
                 v1::TaskStatus::REASON_CONTAINER_UPDATE_FAILED,
                 "Failed to update resources for container: " + *fault});
            return;
        }
        task.delivered = true;
        executor.was_sent_a_task = true;
        Event event;
        event.set_type(Event::LAUNCH);
        *event.mutable_launch()->mutable_task() = task.info;
        emit(executor, event);
    }
}

void AgentMachine::stream_closed(StreamKey stream)
{
    for (auto& [framework_id, framework] : frameworks_)
        for (auto& [id, executor] : framework.executors)
            if (executor.stream == stream) executor.stream.reset();
}

void AgentMachine::update_from(const Call& call)
{
    FrameworkEntry& framework = frameworks_.at(call.framework_id().value());
    Executor& executor = *find(call.framework_id().value(), call.executor_id().value());
    take_from(framework, executor, call.update().status());
}

void AgentMachine::take_from(FrameworkEntry& framework, Executor& caller, v1::TaskStatus status)
{
    if (framework.terminating) return;
    if (status.has_agent_id() && status.agent_id().value() != info_.id().value()) return;
    const TaskId id = status.task_id().value();
    Executor* holder = holder_of(framework, id);
    if (holder != nullptr && !holder->tasks.at(id).delivered && !holder->is_command_task &&
        !is_terminal(holder->tasks.at(id).state) && !is_terminal(status.state())) {
        port_.stop(
            "a non-terminal update for task '" + id + "' that was not delivered yet: aborts");
        return;
    }
    status.set_source(v1::TaskStatus::SOURCE_EXECUTOR);
    *status.mutable_agent_id() = info_.id();
    if (!status.has_timestamp()) status.set_timestamp(world_.wall_seconds());
    const Executor& container = holder == nullptr ? caller : *holder;
    auto& where = *status.mutable_container_status();
    where.mutable_container_id()->set_value(container.run.container);
    if (container.pid >= 0) where.set_executor_pid(static_cast<std::uint32_t>(container.pid));
    if (where.network_infos().empty()) {
        auto& address = *where.add_network_infos()->add_ip_addresses();
        address.set_protocol(v1::NetworkInfo::IPv4);
        address.set_ip_address(config_.ip);
    }
    const auto stream = updates_.find({framework.info.id().value(), id});
    const bool repeated = stream != updates_.end() &&
                          (stream->second.terminal || stream->second.seen.contains(status.uuid()));
    Event event;
    event.set_type(Event::ACKNOWLEDGED);
    *event.mutable_acknowledged()->mutable_task_id() = status.task_id();
    event.mutable_acknowledged()->set_uuid(status.uuid());
    if (!repeated) take_update(framework.info, holder, std::move(status));
    if (holder != nullptr) emit(*holder, event);
}

void AgentMachine::container_started(const std::string& container, int pid)
{
    const auto [framework, executor] = by_container(container);
    if (executor == nullptr) return;
    executor->pid = pid;
    if (framework->info.checkpoint()) disk_.save_pid(executor->run, pid);
    if (!executor->is_command_task) return;
    executor->queue.clear();
    for (const auto state : {v1::TASK_STARTING, v1::TASK_RUNNING})
        for (const auto& [id, task] : executor->tasks) {
            v1::TaskStatus status;
            *status.mutable_task_id() = task.info.task_id();
            status.set_state(state);
            status.set_uuid(world_.uuid());
            take_from(*framework, *executor, std::move(status));
        }
}

void AgentMachine::container_failed(
    const std::string& container, const std::string& why, int status)
{
    const auto [framework, executor] = by_container(container);
    if (executor == nullptr) return;
    if (executor->phase != Phase::terminating)
        executor->ending = {
            v1::TASK_FAILED,
            v1::TaskStatus::REASON_CONTAINER_LAUNCH_FAILED,
            "Failed to launch container: " + why};
    ended(*framework, *executor, status);
}

void AgentMachine::container_exited(const std::string& container, int status)
{
    const auto [framework, executor] = by_container(container);
    if (executor != nullptr) ended(*framework, *executor, status);
}

void AgentMachine::ended(FrameworkEntry& framework, Executor& executor, int status)
{
    if (executor.phase == Phase::terminated) return;
    const bool was_killed = executor.phase == Phase::terminating;
    executor.phase = Phase::terminated;
    executor.registration_until.reset();
    executor.kill_at.reset();
    if (executor.stream) port_.end(*executor.stream);
    executor.stream.reset();
    executor.queue.clear();
    if (framework.info.checkpoint()) disk_.mark_ended(executor.run);
    const FrameworkId framework_id = framework.info.id().value();
    const ExecutorId executor_id = executor.run.executor;
    if (framework.terminating) {
        executor.tasks.clear();
    } else {
        if (state_ == State::running && !executor.is_command_task)
            port_.send(to_master::ExitedExecutor{framework_id, executor_id, status});
        for (auto& [id, task] : executor.tasks) {
            if (is_terminal(task.state)) continue;
            v1::TaskStatus update = made_here(
                id, executor.ending.state, executor.ending.reason, executor.ending.message);
            if (executor.is_command_task && !was_killed &&
                executor.ending.reason == v1::TaskStatus::REASON_EXECUTOR_TERMINATED) {
                update.set_state(status == 0 ? v1::TASK_FINISHED : v1::TASK_FAILED);
                update.set_message("Command exited with wait status " + std::to_string(status));
                update.set_source(v1::TaskStatus::SOURCE_EXECUTOR);
                update.clear_reason();
            }
            *update.mutable_executor_id() = executor.info.executor_id();
            take_update(framework.info, &executor, std::move(update));
        }
    }
    remove_if_done(framework_id, executor_id);
}

void AgentMachine::remove_if_done(const FrameworkId& framework_id, const ExecutorId& executor_id)
{
    const Executor* executor = find(framework_id, executor_id);
    if (executor == nullptr || executor->phase != Phase::terminated || !executor->tasks.empty())
        return;
    FrameworkEntry& framework = frameworks_.at(framework_id);
    if (framework.info.checkpoint()) disk_.forget_run(executor->run);
    framework.executors.erase(ExecutorId{executor_id});
    if (framework.executors.empty()) remove_framework(framework_id);
    if (frameworks_.empty()) is_draining_ = false;
}

void AgentMachine::remove_framework(const FrameworkId& framework)
{
    const FrameworkId id = framework;
    disk_.forget_framework(info_.id().value(), id);
    frameworks_.erase(id);
}

}  // namespace mysos::standin
