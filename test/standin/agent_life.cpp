// An agent's recovery, registration, and what the master tells it about itself.
#include "test/standin/agent.hpp"

#include <algorithm>

namespace mysos::standin {

AgentMachine::AgentMachine(AgentConfig config, AgentDisk disk, World& world, AgentPort& port)
    : config_{std::move(config)},
      disk_{std::move(disk)},
      world_{world},
      port_{port},
      info_{config_.info},
      total_{config_.total}
{}

void AgentMachine::start()
{
    recover(disk_.load(config_.boot_id));
    bool waits = false;
    for (const auto& [framework_id, framework] : frameworks_)
        for (const auto& [id, executor] : framework.executors)
            waits = waits || executor.phase != Phase::terminated;
    if (!waits) {
        end_recovery();
        return;
    }
    containers_until_ = world_.now() + config_.containerizer_recovery;
    recovery_until_ = world_.now() + config_.executor_reregistration_timeout;
}

bool AgentMachine::recovers_containers() const
{
    return containers_until_ && world_.now() < *containers_until_;
}

void AgentMachine::recover(RecoveredAgent recovered)
{
    if (recovered.total) total_ = *recovered.total;
    if (recovered.info) *info_.mutable_id() = recovered.info->id();
    std::vector<std::string> dead;
    for (auto& framework : recovered.frameworks)
        for (auto& container : recover_framework(std::move(framework), recovered.rebooted))
            dead.push_back(std::move(container));
    for (const auto& container : dead) container_exited(container, -1);
}

/// Gives the containers that are known to be dead.
std::vector<std::string> AgentMachine::recover_framework(
    RecoveredFramework recovered, bool rebooted)
{
    const FrameworkId id = recovered.info.id().value();
    FrameworkEntry& framework = frameworks_[id];
    framework.info = recovered.info;
    std::vector<std::string> dead;
    for (auto& executor : recovered.executors) {
        const std::string container = executor.container;
        if (recover_executor(framework, std::move(executor), rebooted)) dead.push_back(container);
    }
    if (framework.executors.empty()) {
        disk_.forget_framework(info_.id().value(), id);
        frameworks_.erase(id);
    }
    return dead;
}

/// Whether its container is known to be dead.
bool AgentMachine::recover_executor(
    FrameworkEntry& framework, RecoveredExecutor recovered, bool rebooted)
{
    const ExecutorId id = recovered.info.executor_id().value();
    Executor& executor = framework.executors[id];
    executor.info = recovered.info;
    executor.run =
        RunPath{info_.id().value(), framework.info.id().value(), id, recovered.container};
    executor.pid = recovered.pid;
    executor.was_sent_a_task = true;
    executor.is_command_task = recovered.is_command_task;
    executor.heartbeat_at = world_.now() + config_.executor_heartbeat_interval;
    executor.phase = recovered.ended ? Phase::terminated : Phase::registering;
    for (auto& task : recovered.tasks) recover_task(executor, std::move(task));
    if (recovered.ended) {
        if (!executor.tasks.empty()) return false;
        disk_.forget_run(executor.run);
        framework.executors.erase(id);
        return false;
    }
    if (executor.is_command_task) executor.phase = Phase::running;
    if (rebooted || recovered.pid < 0) return true;
    port_.adopt(recovered.container, recovered.pid);
    return false;
}

void AgentMachine::recover_task(Executor& executor, RecoveredTask recovered)
{
    const TaskId id = recovered.info.task_id().value();
    TaskEntry task;
    task.info = recovered.info;
    task.delivered = true;
    UpdateStream stream;
    bool forgotten = false;
    for (const auto& status : recovered.updates) {
        stream.seen.insert(status.uuid());
        stream.latest = status.state();
        stream.terminal = stream.terminal || is_terminal(status.state());
        task.state = status.state();
        task.last = status;
        if (!recovered.acknowledged.contains(status.uuid()))
            stream.pending.push_back(status);
        else
            forgotten = is_terminal(status.state());
    }
    if (forgotten) return;
    updates_[{executor.run.framework, id}] = std::move(stream);
    executor.tasks[id] = std::move(task);
}

void AgentMachine::end_recovery()
{
    recovery_until_.reset();
    for (auto& [framework_id, framework] : frameworks_)
        for (auto& [id, executor] : framework.executors) {
            if (executor.phase != Phase::registering || executor.subscribed) continue;
            Ending ending;
            ending.state = lost_as(framework.info, v1::TASK_GONE);
            ending.reason = v1::TaskStatus::REASON_EXECUTOR_REREGISTRATION_TIMEOUT;
            ending.message = "Executor did not reregister within " +
                             duration_text(config_.executor_reregistration_timeout);
            destroy(executor, std::move(ending));
        }
    state_ = State::registering;
    register_now();
}

void AgentMachine::master_detected()
{
    if (state_ == State::recovering || state_ == State::stopped) return;
    state_ = State::registering;
    register_now();
}

TaskReport AgentMachine::report_of(const FrameworkId& framework, const TaskEntry& task) const
{
    TaskReport report;
    report.info = task.info;
    report.state = task.state;
    report.last_sent = task.last;
    const auto stream = updates_.find({framework, task.info.task_id().value()});
    if (stream != updates_.end() && !stream->second.pending.empty())
        report.last_sent = stream->second.pending.front();
    report.terminal_unacknowledged = is_terminal(task.state);
    return report;
}

void AgentMachine::register_now()
{
    // Repeated until the master answers; it may not have recovered yet.
    register_at_ = world_.now() + std::chrono::seconds{1};
    if (info_.id().value().empty()) {
        to_master::Register message{info_, total_, config_.ip};
        port_.send(std::move(message));
        return;
    }
    to_master::Reregister message;
    message.info = info_;
    message.total = total_;
    message.ip = config_.ip;
    for (const auto& [framework_id, framework] : frameworks_) {
        message.frameworks.push_back(framework.info);
        if (framework.terminating) continue;
        for (const auto& [id, executor] : framework.executors) {
            if (executor.phase != Phase::terminated && !executor.is_command_task)
                message.executors.push_back(executor.info);
            for (const auto& [task_id, task] : executor.tasks)
                message.tasks.emplace_back(framework_id, report_of(framework_id, task));
        }
    }
    port_.send(std::move(message));
}

void AgentMachine::receive(ToAgent message)
{
    if (state_ == State::stopped) return;
    std::visit([&](auto& one) { on(one); }, message);
}

void AgentMachine::on(to_agent::Registered& message)
{
    register_at_.reset();
    if (state_ == State::recovering) return;
    state_ = State::running;
    pinged_at_ = world_.now();
    info_.mutable_id()->set_value(message.id);
    disk_.save_agent(info_);
    disk_.save_resources(total_);
    resend(nullptr);
}

void AgentMachine::on(to_agent::Reregistered& message)
{
    register_at_.reset();
    if (state_ == State::recovering) return;
    state_ = State::running;
    pinged_at_ = world_.now();
    for (const auto& [framework_info, task] : message.reconcile) {
        const auto framework = frameworks_.find(framework_info.id().value());
        const bool known = framework != frameworks_.end() &&
                           holder_of(framework->second, task.task_id().value()) != nullptr;
        if (known) continue;
        drop_task(
            framework_info,
            task,
            v1::TaskStatus::REASON_RECONCILIATION,
            "Reconciliation: task unknown to the agent");
    }
    resend(nullptr);
}

void AgentMachine::on(to_agent::UpdateFramework& message)
{
    const FrameworkId id = message.info.id().value();
    const auto framework = frameworks_.find(id);
    if (framework == frameworks_.end()) return;
    framework->second.info = message.info;
    if (message.info.checkpoint()) disk_.save_framework(info_.id().value(), message.info);
    resend(&id);
}

void AgentMachine::on(to_agent::Ping& message)
{
    if (state_ == State::recovering) return;
    pinged_at_ = world_.now();
    port_.send(to_master::Pong{});
    if (!message.connected && state_ == State::running) master_detected();
}

void AgentMachine::on(to_agent::Shutdown& /*message*/)
{
    for (auto& [framework_id, framework] : frameworks_) {
        framework.terminating = true;
        for (auto& [id, executor] : framework.executors)
            if (executor.phase != Phase::terminated) port_.destroy(executor.run.container);
    }
    disk_.forget_agent();
    state_ = State::stopped;
    port_.stop("the master told it to shut down");
}

void AgentMachine::on(to_agent::Apply& message)
{
    using Operation = v1::Offer::Operation;
    const Conversion conversion = conversion_of(message.operation);
    total_.remove(conversion.consumed.allocated({}));
    total_.add(conversion.converted.allocated({}));
    disk_.save_resources(total_);
    if (message.operation.type() == Operation::CREATE)
        for (const auto& volume : message.operation.create().volumes())
            std::filesystem::create_directories(disk_.volume(volume));
    if (message.operation.type() == Operation::DESTROY)
        for (const auto& volume : message.operation.destroy().volumes())
            std::filesystem::remove_all(disk_.volume(volume));
    if (!message.operation.has_id()) return;
    PendingOperation pending;
    pending.update.framework = message.framework;
    auto& status = pending.update.status;
    *status.mutable_operation_id() = message.operation.id();
    status.set_state(v1::OPERATION_FINISHED);
    status.mutable_uuid()->set_value(world_.uuid());
    *status.mutable_agent_id() = info_.id();
    pending.interval = config_.update_retry_min;
    pending.retry_at = world_.now() + pending.interval;
    port_.send(pending.update);
    operations_[status.uuid().value()] = std::move(pending);
}

void AgentMachine::on(to_agent::AcknowledgeOperation& message)
{
    operations_.erase(message.uuid);
}

void AgentMachine::retry_operations()
{
    for (auto& [uuid, pending] : operations_) {
        if (pending.retry_at > world_.now()) continue;
        pending.interval = std::min(pending.interval * 2, config_.update_retry_max);
        pending.retry_at = world_.now() + pending.interval;
        if (state_ == State::running) port_.send(pending.update);
    }
}

}  // namespace mysos::standin
