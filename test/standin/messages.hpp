#pragma once

#include "test/standin/resources.hpp"

#include <chrono>
#include <cstddef>
#include <mesos/v1/executor.pb.h>
#include <mesos/v1/scheduler.pb.h>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// What master and agents say to each other. In a real Mesos these are messages between processes;
/// here they are values that the shell carries over later, never in the same call.
namespace mysos::standin {

using FrameworkId = std::string;
using TaskId = std::string;
using ExecutorId = std::string;
using AgentId = std::string;

/// Which of the stand-in's agents, whatever id it has.
enum class AgentSlot : std::size_t {};

/// What an agent tells about a task when it registers again.
struct TaskReport {
    v1::TaskInfo info;
    v1::TaskState state = v1::TASK_STAGING;  ///< The latest that the agent knows.
    v1::TaskStatus last_sent;                ///< The oldest unacknowledged, or the last.
    bool terminal_unacknowledged = false;
};

namespace to_agent {

struct Registered {
    AgentId id;
};
struct Reregistered {
    /// Tasks that the master tracks and the agent did not name.
    std::vector<std::pair<v1::FrameworkInfo, v1::TaskInfo>> reconcile;
};
struct Launch {
    v1::FrameworkInfo framework;
    v1::TaskInfo task;
    bool new_executor = false;
};
struct Kill {
    FrameworkId framework;
    TaskId task;
    std::optional<v1::KillPolicy> policy;
};
struct ShutdownExecutor {
    FrameworkId framework;
    ExecutorId executor;
};
struct ShutdownFramework {
    FrameworkId framework;
};
struct Message {
    FrameworkId framework;
    ExecutorId executor;
    std::string data;
};
struct Acknowledge {
    FrameworkId framework;
    TaskId task;
    std::string uuid;
};
struct UpdateFramework {
    v1::FrameworkInfo info;
};
/// RESERVE, UNRESERVE, CREATE or DESTROY, already applied at the master.
struct Apply {
    FrameworkId framework;
    v1::Offer::Operation operation;
};
struct AcknowledgeOperation {
    std::string uuid;
};
struct Drain {  ///< Every task is killed, with at most this grace.
    std::optional<v1::DurationInfo> max_grace;
};
struct Ping {
    bool connected;  ///< How the master sees the agent; one that is not must register again.
};
struct Shutdown {};

}  // namespace to_agent

using ToAgent = std::variant<
    to_agent::Registered,
    to_agent::Reregistered,
    to_agent::Launch,
    to_agent::Kill,
    to_agent::ShutdownExecutor,
    to_agent::ShutdownFramework,
    to_agent::Message,
    to_agent::Acknowledge,
    to_agent::UpdateFramework,
    to_agent::Apply,
    to_agent::AcknowledgeOperation,
    to_agent::Drain,
    to_agent::Ping,
    to_agent::Shutdown>;

namespace to_master {

struct Register {
    v1::AgentInfo info;  ///< Without id.
    Resources total;
    std::string ip;
};
struct Reregister {
    v1::AgentInfo info;
    Resources total;
    std::string ip;
    std::vector<v1::FrameworkInfo> frameworks;
    std::vector<std::pair<FrameworkId, TaskReport>> tasks;
    std::vector<v1::ExecutorInfo> executors;
};
struct Update {
    FrameworkId framework;
    v1::TaskStatus status;
    v1::TaskState latest = v1::TASK_STAGING;
};
struct Message {
    FrameworkId framework;
    ExecutorId executor;
    std::string data;
};
struct ExitedExecutor {
    FrameworkId framework;
    ExecutorId executor;
    int status;  ///< As waitpid gives it; -1 when unknown.
};
struct OperationUpdate {
    FrameworkId framework;
    v1::OperationStatus status;
};
struct Pong {};

}  // namespace to_master

using ToMaster = std::variant<
    to_master::Register,
    to_master::Reregister,
    to_master::Update,
    to_master::Message,
    to_master::ExitedExecutor,
    to_master::OperationUpdate,
    to_master::Pong>;

[[nodiscard]] bool is_terminal(v1::TaskState state);
[[nodiscard]] bool has_capability(
    const v1::FrameworkInfo& info, v1::FrameworkInfo::Capability::Type capability);
[[nodiscard]] inline bool is_partition_aware(const v1::FrameworkInfo& info)
{
    return has_capability(info, v1::FrameworkInfo::Capability::PARTITION_AWARE);
}
/// The state for partition aware frameworks, TASK_LOST for the others.
[[nodiscard]] v1::TaskState lost_as(const v1::FrameworkInfo& info, v1::TaskState aware);

/// `bytes` (16) as 8-4-4-4-12 lowercase.
[[nodiscard]] std::string uuid_text(const std::string& bytes);

}  // namespace mysos::standin
