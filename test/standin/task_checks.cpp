#include "test/standin/task_checks.hpp"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>

namespace mysos::standin {

namespace {

bool differs(const google::protobuf::Message& a, const google::protobuf::Message& b)
{
    return !google::protobuf::util::MessageDifferencer::Equals(a, b);
}

Fault check_environment(const v1::Environment& environment)
{
    using Variable = v1::Environment::Variable;
    for (const auto& variable : environment.variables()) {
        const std::string of = "Environment variable '" + variable.name() + "' ";
        if (variable.type() == Variable::UNKNOWN) return of + "of type 'UNKNOWN' is not allowed";
        if (variable.type() == Variable::VALUE) {
            if (!variable.has_value()) return of + "of type 'VALUE' must have a value set";
            if (variable.has_secret()) return of + "of type 'VALUE' must not have a secret set";
        } else {
            if (!variable.has_secret()) return of + "of type 'SECRET' must have a secret set";
            if (variable.has_value()) return of + "of type 'SECRET' must not have a value set";
        }
    }
    return {};
}

Fault check_health(const v1::HealthCheck& check)
{
    if (!check.has_type() || check.type() == v1::HealthCheck::UNKNOWN)
        return std::string{"HealthCheck must specify 'type'"};
    if (check.type() == v1::HealthCheck::COMMAND) {
        if (!check.has_command())
            return std::string{"Expecting 'command' to be set for COMMAND health check"};
        if (!check.command().has_value())
            return std::string{"Command health check must contain 'shell command'"};
        if (auto fault = check_environment(check.command().environment())) return fault;
    }
    if (check.type() == v1::HealthCheck::HTTP) {
        if (!check.has_http())
            return std::string{"Expecting 'http' to be set for HTTP health check"};
        const auto& http = check.http();
        if (http.has_scheme() && http.scheme() != "http" && http.scheme() != "https")
            return "Unsupported HTTP health check scheme: '" + http.scheme() + "'";
        if (http.has_path() && !http.path().starts_with('/'))
            return "The path '" + http.path() + "' of HTTP health check must start with '/'";
    }
    if (check.type() == v1::HealthCheck::TCP && !check.has_tcp())
        return std::string{"Expecting 'tcp' to be set for TCP health check"};
    if (check.delay_seconds() < 0 || check.grace_period_seconds() < 0 ||
        check.interval_seconds() < 0 || check.timeout_seconds() < 0)
        return std::string{"Expecting the times of a health check to be non-negative"};
    return {};
}

Fault check_check(const v1::CheckInfo& check)
{
    const bool known = (check.type() == v1::CheckInfo::COMMAND && check.has_command()) ||
                       (check.type() == v1::CheckInfo::HTTP && check.has_http()) ||
                       (check.type() == v1::CheckInfo::TCP && check.has_tcp());
    if (!check.has_type() || !known)
        return std::string{"CheckInfo must specify 'type' and its sub-message"};
    if (check.delay_seconds() < 0 || check.interval_seconds() < 0 || check.timeout_seconds() < 0)
        return std::string{"Expecting the times of a check to be non-negative"};
    return {};
}

Fault check_container(const v1::ContainerInfo& container)
{
    for (const auto& volume : container.volumes()) {
        const int sources = (volume.has_host_path() ? 1 : 0) + (volume.has_image() ? 1 : 0) +
                            (volume.has_source() ? 1 : 0);
        if (sources != 1)
            return std::string{"Only one of them should be set: 'host_path', 'image' and 'source'"};
    }
    if (container.type() == v1::ContainerInfo::DOCKER) {
        if (!container.has_docker())
            return std::string{"DockerInfo 'docker' is not set for DOCKER typed ContainerInfo"};
        for (const auto& parameter : container.docker().parameters())
            if (parameter.key() == "name")
                return std::string{"Parameter in DockerInfo must not be 'name'"};
    }
    return {};
}

Fault check_persistence_ids(const Resources& resources)
{
    std::set<std::pair<std::string, std::string>> seen;
    for (const auto& item : resources.items())
        if (is_volume(item) &&
            !seen.emplace(reservation_role(item), item.disk().persistence().id()).second)
            return "Persistence ID '" + item.disk().persistence().id() + "' is not unique";
    return {};
}

Fault check_revocable(const Resources& resources)
{
    std::map<std::string, bool> revocable;
    for (const auto& item : resources.items()) {
        const auto [known, fresh] = revocable.emplace(item.name(), item.has_revocable());
        if (!fresh && known->second != item.has_revocable())
            return "Cannot use both revocable and non-revocable '" + item.name() +
                   "' at the same time";
    }
    return {};
}

Fault check_used(const Resources::List& list)
{
    if (auto fault = check_structure(list)) return fault;
    if (auto fault = check_disks(list)) return fault;
    const Resources resources{list};
    if (auto fault = check_persistence_ids(resources)) return fault;
    if (resources.allocation_roles().size() > 1)
        return std::string{"The resources have multiple allocation roles"};
    return check_revocable(resources);
}

Fault check_limits(const v1::TaskInfo& task)
{
    const Resources requested{task.resources()};
    for (const auto& [name, limit] : task.limits()) {
        if (name != "cpus" && name != "mem")
            return "The resource limit of '" + name + "' is not supported";
        if (requested.scalar(name) == 0)
            return "When '" + name + "' limit is set, the request must be set too";
        if (limit.value() < static_cast<double>(requested.scalar(name)) / 1000.0)
            return "The '" + name + "' limit must not be less than its request";
    }
    return {};
}

/// Rules 1 to 11: the task by itself.
Fault check_alone(const v1::TaskInfo& task, const LaunchContext& context)
{
    if (auto fault = check_id(task.task_id().value())) return fault;
    if (context.id_in_use) return "Task has duplicate ID: " + task.task_id().value();
    if (task.agent_id().value() != context.agent)
        return "Task uses invalid agent " + task.agent_id().value() + " while agent " +
               context.agent + " is expected";
    if (task.kill_policy().grace_period().nanoseconds() < 0)
        return std::string{"Task's 'kill_policy.grace_period' must be non-negative"};
    if (task.max_completion_time().nanoseconds() < 0)
        return std::string{"Task's `max_completion_time` must be non-negative"};
    if (task.has_check())
        if (auto fault = check_check(task.check())) return "Task uses invalid check: " + *fault;
    if (task.has_health_check())
        if (auto fault = check_health(task.health_check()))
            return "Task uses invalid health check: " + *fault;
    if (task.resources().empty()) return std::string{"Task uses no resources"};
    if (auto fault = check_used(task.resources())) return "Task uses invalid resources: " + *fault;
    if (auto fault = check_environment(task.command().environment()))
        return "Task's `CommandInfo` is invalid: " + *fault;
    if (task.has_container())
        if (auto fault = check_container(task.container()))
            return "Task's `ContainerInfo` is invalid: " + *fault;
    return check_limits(task);
}

Fault check_executor(const v1::ExecutorInfo& executor, const LaunchContext& context)
{
    using Executor = v1::ExecutorInfo;
    if (executor.has_type() && executor.type() != Executor::CUSTOM)
        return std::string{"'ExecutorInfo.type' must be 'CUSTOM'"};
    if (!executor.has_command())
        return std::string{"'ExecutorInfo.command' must be set for 'CUSTOM' executor"};
    if (auto fault = check_id(executor.executor_id().value())) return fault;
    if (executor.framework_id().value() != context.framework)
        return "ExecutorInfo has an invalid FrameworkID (Actual: " +
               executor.framework_id().value() + " vs Expected: " + context.framework + ")";
    if (executor.shutdown_grace_period().nanoseconds() < 0)
        return std::string{"ExecutorInfo's 'shutdown_grace_period' must be non-negative"};
    if (auto fault = check_used(executor.resources()))
        return "Executor uses invalid resources: " + *fault;
    if (auto fault = check_environment(executor.command().environment()))
        return "Executor's `CommandInfo` is invalid: " + *fault;
    if (executor.has_container())
        if (auto fault = check_container(executor.container()))
            return "Executor's `ContainerInfo` is invalid: " + *fault;
    if (context.running != nullptr && !same_executor(executor, *context.running))
        return "ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID";
    return {};
}

/// Ports (or set items) listed by both task and executor.
Fault check_disjoint(const v1::TaskInfo& task)
{
    for (const auto& a : task.resources()) {
        for (const auto& b : task.executor().resources()) {
            if (a.name() != b.name() || a.type() != b.type()) continue;
            const auto ours = intervals_of(a.ranges());
            if (a.type() == v1::Value::RANGES && cut(ours, intervals_of(b.ranges())) != ours)
                return "There are conflicting " + a.name() + " resources between task and executor";
            const auto& taken = a.set().item();
            for (const auto& item : b.set().item())
                if (std::ranges::find(taken, item) != taken.end())
                    return "There are conflicting " + a.name() +
                           " resources between task and executor";
        }
    }
    return {};
}

}  // namespace

Fault check_task(const v1::TaskInfo& task, const LaunchContext& context)
{
    if (auto fault = check_alone(task, context)) return fault;
    if (task.has_executor() == task.has_command())
        return std::string{
            "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present"};
    if (task.has_executor()) {
        if (auto fault = check_executor(task.executor(), context)) return fault;
        if (auto fault = check_disjoint(task))
            return "Task and its executor use duplicate resources: " + *fault;
    }
    const Resources executor{task.executor().resources()};
    const Resources both = Resources{task.resources()} + executor;
    if (auto fault = check_persistence_ids(both))
        return "Task and its executor use duplicate persistence ID: " + *fault;
    if (auto fault = check_revocable(both))
        return "Task and its executor mix revocable and non-revocable resources: " + *fault;
    const Resources total = context.running == nullptr ? both : Resources{task.resources()};
    if (!context.pool->contains(total))
        return "Total resources " + to_text(total) +
               " required by task and its executor is more than available " +
               to_text(*context.pool);
    if (task.container().linux_info().has_share_cgroups() &&
        !task.container().linux_info().share_cgroups())
        return std::string{"Only tasks in a task group may have 'share_cgroups' set to 'false'"};
    return {};
}

bool same_executor(const v1::ExecutorInfo& a, const v1::ExecutorInfo& b)
{
    const auto comparable = [](v1::ExecutorInfo info) {
        info.clear_labels();
        info.clear_shutdown_grace_period();
        info.clear_resources();
        auto& uris = *info.mutable_command()->mutable_uris();
        for (auto& uri : uris) uri.clear_cache();
        std::sort(uris.begin(), uris.end(), [](const auto& x, const auto& y) {
            return x.SerializeAsString() < y.SerializeAsString();
        });
        return info;
    };
    const Resources x{a.resources()};
    const Resources y{b.resources()};
    return !differs(comparable(a), comparable(b)) && x.contains(y) && y.contains(x);
}

}  // namespace mysos::standin
