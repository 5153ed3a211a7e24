// The master's orders about tasks and executors.
#include "test/standin/agent.hpp"
#include "test/standin/token.hpp"

#include <algorithm>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>

namespace mysos::standin {

namespace {

namespace fs = std::filesystem;

/// Only a single path component is linked; the real isolators log and skip the rest.
bool is_linkable(const v1::Resource& resource)
{
    return is_volume(resource) &&
           resource.disk().volume().container_path().find('/') == std::string::npos;
}

/// To the owner of the sandbox, unless that is root. Only the top directory, as the real one.
void give_to_owner_of(const fs::path& sandbox, const fs::path& volume)
{
    struct stat owner = {};
    if (geteuid() != 0 || stat(sandbox.c_str(), &owner) != 0 || owner.st_uid == 0) return;
    if (chown(volume.c_str(), owner.st_uid, owner.st_gid) != 0)
        throw fs::filesystem_error{
            "chown", volume, std::error_code{errno, std::generic_category()}};
}

}  // namespace

void AgentMachine::drop_task(
    const v1::FrameworkInfo& framework,
    const v1::TaskInfo& task,
    v1::TaskStatus::Reason reason,
    const std::string& message)
{
    v1::TaskStatus status =
        made_here(task.task_id().value(), lost_as(framework, v1::TASK_DROPPED), reason, message);
    if (task.has_executor()) *status.mutable_executor_id() = task.executor().executor_id();
    take_update(framework, nullptr, std::move(status));
}

void AgentMachine::on(to_agent::Launch& message)
{
    const FrameworkId id = message.framework.id().value();
    const auto known = frameworks_.find(id);
    if (state_ != State::running || (known != frameworks_.end() && known->second.terminating))
        return;
    FrameworkEntry& framework = frameworks_[id];
    framework.info = message.framework;
    const v1::TaskInfo& task = message.task;
    const ExecutorId executor_id =
        task.has_executor() ? task.executor().executor_id().value() : task.task_id().value();
    const auto found = framework.executors.find(executor_id);
    const bool absent = found == framework.executors.end();
    const bool usable =
        !absent && task.has_executor() && !message.new_executor &&
        (found->second.phase == Phase::registering || found->second.phase == Phase::running);
    if (absent && (message.new_executor || !task.has_executor())) {
        Executor& executor = create_executor(framework, task);
        queue_task(framework, executor, task);
        const Fault fault = link_volumes(executor, task.resources());
        if (!fault)
            start_container(framework, executor);
        else
            container_failed(executor.run.container, *fault, -1);
        return;
    }
    if (!usable) {
        drop_task(
            framework.info,
            task,
            v1::TaskStatus::REASON_EXECUTOR_TERMINATED,
            "Executor '" + executor_id + "' is " +
                (absent ? "unknown" : "terminating or terminated"));
        if (message.new_executor) port_.send(to_master::ExitedExecutor{id, executor_id, -1});
        if (framework.executors.empty()) remove_framework(id);
        return;
    }
    queue_task(framework, found->second, task);
    if (found->second.phase == Phase::running) deliver_queue(framework, found->second);
}

AgentMachine::Executor& AgentMachine::create_executor(
    FrameworkEntry& framework, const v1::TaskInfo& task)
{
    const FrameworkId& framework_id = framework.info.id().value();
    const ExecutorId id =
        task.has_executor() ? task.executor().executor_id().value() : task.task_id().value();
    Executor& executor = framework.executors[id];
    executor.info = task.executor();
    executor.is_command_task = !task.has_executor();
    if (executor.is_command_task) {
        executor.info.mutable_executor_id()->set_value(id);
        executor.info.mutable_framework_id()->set_value(framework_id);
        *executor.info.mutable_command() = task.command();
        executor.phase = Phase::running;
    } else {
        executor.registration_until = world_.now() + config_.executor_registration_timeout;
    }
    executor.run = RunPath{info_.id().value(), framework_id, id, uuid_text(world_.uuid())};
    executor.heartbeat_at = world_.now() + config_.executor_heartbeat_interval;
    disk_.make_sandbox(executor.run, user_of(framework, executor));
    if (framework.info.checkpoint()) {
        disk_.save_framework(info_.id().value(), framework.info);
        disk_.save_executor(executor.run, executor.info, executor.is_command_task);
    }
    return executor;
}

void AgentMachine::queue_task(
    FrameworkEntry& framework, Executor& executor, const v1::TaskInfo& task)
{
    const TaskId id = task.task_id().value();
    executor.tasks[id].info = task;
    executor.queue.push_back(id);
    if (framework.info.checkpoint()) disk_.save_task(executor.run, task);
}

void AgentMachine::start_container(const FrameworkEntry& framework, Executor& executor)
{
    if (const Fault fault = link_volumes(executor, executor.info.resources())) {
        container_failed(executor.run.container, *fault, -1);
        return;
    }
    ContainerSpec spec;
    spec.container = executor.run.container;
    spec.sandbox = disk_.sandbox(executor.run);
    spec.command = executor.info.command();
    spec.user = user_of(framework, executor);
    spec.environment = environment_of(framework, executor);
    spec.network = config_.network;
    port_.launch(std::move(spec));
}

std::optional<std::string> AgentMachine::user_of(
    const FrameworkEntry& framework, const Executor& executor) const
{
    if (!config_.switch_user) return {};
    if (executor.info.command().has_user()) return executor.info.command().user();
    if (framework.info.user().empty()) return {};
    return framework.info.user();
}

std::vector<std::pair<std::string, std::string>> AgentMachine::environment_of(
    const FrameworkEntry& framework, const Executor& executor) const
{
    const std::string endpoint = config_.ip + ":" + std::to_string(info_.port());
    const std::string sandbox = disk_.sandbox(executor.run).string();
    const bool checkpoint = framework.info.checkpoint();
    const std::chrono::nanoseconds grace =
        executor.info.has_shutdown_grace_period()
            ? std::chrono::nanoseconds{executor.info.shutdown_grace_period().nanoseconds()}
            : std::chrono::nanoseconds{config_.executor_shutdown_grace_period};
    std::map<std::string, std::string> all{
        {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        {"LIBPROCESS_PORT", "0"},
        {"MESOS_FRAMEWORK_ID", executor.run.framework},
        {"MESOS_EXECUTOR_ID", executor.run.executor},
        {"MESOS_SLAVE_ID", executor.run.agent},
        {"MESOS_SLAVE_PID", "slave(1)@" + endpoint},
        {"MESOS_AGENT_ENDPOINT", endpoint},
        {"MESOS_DIRECTORY", sandbox},
        {"MESOS_SANDBOX", sandbox},
        {"MESOS_CHECKPOINT", checkpoint ? "1" : "0"},
        {"MESOS_HTTP_COMMAND_EXECUTOR", "0"},
        {"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", duration_text(grace)},
    };
    if (checkpoint) {
        all["MESOS_RECOVERY_TIMEOUT"] = duration_text(config_.recovery_timeout);
        all["MESOS_SUBSCRIPTION_BACKOFF_MAX"] =
            duration_text(config_.executor_reregistration_timeout);
    }
    if (!config_.jwt_key.empty()) {
        const ExecutorClaims claims{
            executor.run.framework, executor.run.executor, executor.run.container};
        all["MESOS_EXECUTOR_AUTHENTICATION_TOKEN"] = sign_token(claims, config_.jwt_key);
    }
    for (const auto& variable : executor.info.command().environment().variables())
        all[variable.name()] =
            variable.has_secret() ? variable.secret().value().data() : variable.value();
    return {all.begin(), all.end()};
}

void AgentMachine::on(to_agent::Kill& message)
{
    const auto found = frameworks_.find(message.framework);
    if (found == frameworks_.end() || state_ == State::recovering || found->second.terminating)
        return;
    FrameworkEntry& framework = found->second;
    Executor* executor = holder_of(framework, message.task);
    if (executor == nullptr) {
        v1::TaskStatus status = made_here(
            message.task,
            lost_as(framework.info, v1::TASK_DROPPED),
            v1::TaskStatus::REASON_EXECUTOR_TERMINATED,
            "Unable to find executor for killed task");
        take_update(framework.info, nullptr, std::move(status));
        return;
    }
    if (std::erase(executor->queue, message.task) > 0) {
        v1::TaskStatus status = made_here(
            message.task,
            v1::TASK_KILLED,
            v1::TaskStatus::REASON_TASK_KILLED_DURING_LAUNCH,
            "Killed before delivery to the executor");
        *status.mutable_executor_id() = executor->info.executor_id();
        take_update(framework.info, executor, std::move(status));
        if (executor->is_command_task) port_.destroy(executor->run.container);
        return;
    }
    if (executor->phase != Phase::running) return;
    if (executor->is_command_task) {
        destroy(
            *executor,
            {v1::TASK_KILLED, v1::TaskStatus::REASON_EXECUTOR_TERMINATED, "Command terminated"});
        return;
    }
    Event event;
    event.set_type(Event::KILL);
    event.mutable_kill()->mutable_task_id()->set_value(message.task);
    if (message.policy) *event.mutable_kill()->mutable_kill_policy() = *message.policy;
    emit(*executor, event);
}

void AgentMachine::on(to_agent::Drain& message)
{
    if (state_ == State::recovering) return;
    std::vector<to_agent::Kill> kills;
    for (const auto& [framework_id, framework] : frameworks_)
        for (const auto& [executor_id, executor] : framework.executors)
            for (const auto& [task_id, task] : executor.tasks) {
                if (is_terminal(task.state)) continue;
                kills.push_back({framework_id, task_id, std::nullopt});
                to_agent::Kill& kill = kills.back();
                const std::int64_t own = task.info.has_kill_policy()
                                             ? task.info.kill_policy().grace_period().nanoseconds()
                                             : std::numeric_limits<std::int64_t>::max();
                // An upper bound: a task that asks for less gets no word of it.
                if (!message.max_grace || message.max_grace->nanoseconds() >= own) continue;
                *kill.policy.emplace().mutable_grace_period() = *message.max_grace;
            }
    is_draining_ = !kills.empty();
    for (auto& kill : kills) on(kill);
}

void AgentMachine::on(to_agent::Message& message)
{
    const Executor* executor = find(message.framework, message.executor);
    if (executor == nullptr || executor->phase != Phase::running) return;
    Event event;
    event.set_type(Event::MESSAGE);
    event.mutable_message()->set_data(message.data);
    emit(*executor, event);
}

void AgentMachine::on(to_agent::ShutdownExecutor& message)
{
    Executor* executor = find(message.framework, message.executor);
    if (executor != nullptr && state_ != State::recovering) shut_down(*executor);
}

void AgentMachine::on(to_agent::ShutdownFramework& message)
{
    const auto found = frameworks_.find(message.framework);
    if (found == frameworks_.end() || state_ == State::recovering) return;
    found->second.terminating = true;
    std::erase_if(
        updates_, [&](const auto& entry) { return entry.first.first == message.framework; });
    std::vector<ExecutorId> done;
    for (auto& [id, executor] : found->second.executors) {
        executor.tasks.clear();
        executor.queue.clear();
        shut_down(executor);
        if (executor.phase == Phase::terminated) done.push_back(id);
    }
    for (const auto& id : done) remove_if_done(message.framework, id);
    if (frameworks_.contains(message.framework) &&
        frameworks_.at(message.framework).executors.empty())
        remove_framework(message.framework);
}

void AgentMachine::shut_down(Executor& executor)
{
    if (executor.phase == Phase::terminating || executor.phase == Phase::terminated) return;
    executor.phase = Phase::terminating;
    Event event;
    event.set_type(Event::SHUTDOWN);
    emit(executor, event);
    const Duration grace = executor.info.has_shutdown_grace_period()
                               ? std::chrono::duration_cast<Duration>(std::chrono::nanoseconds{
                                     executor.info.shutdown_grace_period().nanoseconds()})
                               : config_.executor_shutdown_grace_period;
    executor.kill_at = world_.now() + grace;
}

void AgentMachine::destroy(Executor& executor, Ending ending)
{
    executor.phase = Phase::terminating;
    executor.registration_until.reset();
    executor.kill_at.reset();
    executor.ending = std::move(ending);
    port_.destroy(executor.run.container);
}

Fault AgentMachine::link_volumes(const Executor& executor, const Resources::List& resources) const
{
    const fs::path sandbox = disk_.sandbox(executor.run);
    for (const auto& resource : resources) {
        if (!is_linkable(resource)) continue;
        const fs::path target = disk_.volume(resource);
        const fs::path link = sandbox / resource.disk().volume().container_path();
        if (fs::is_symlink(link) && fs::read_symlink(link) == target) continue;
        if (fs::exists(fs::symlink_status(link)))
            return "Failed to link persistent volume at '" + link.string() + "': it exists already";
        fs::create_directories(target);
        give_to_owner_of(sandbox, target);
        fs::create_directory_symlink(target, link);
    }
    return {};
}

void AgentMachine::unlink_volumes(const Executor& executor, const Resources::List& resources) const
{
    for (const auto& resource : resources) {
        if (!is_linkable(resource)) continue;
        const fs::path link =
            disk_.sandbox(executor.run) / resource.disk().volume().container_path();
        if (fs::is_symlink(link)) fs::remove(link);
    }
}

}  // namespace mysos::standin
