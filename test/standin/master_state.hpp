#pragma once

#include "common/base/time.hpp"
#include "test/standin/messages.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mysos::standin {

/// One subscription's connection, named by the shell. Never reused.
enum class StreamKey : std::uint64_t {};

/// What a new master process finds in the registry.
struct Registry {
    std::set<AgentId> admitted;
    std::map<AgentId, v1::TimeInfo> unreachable;
    std::set<AgentId> gone;
};

struct MasterConfig {
    std::string id;  ///< UUID text; prefix of all ids it gives.
    std::string ip = "127.0.0.1";
    std::string hostname = "127.0.0.1";
    std::uint16_t port = 0;
    Duration allocation_interval = std::chrono::seconds{1};
    Duration heartbeat_interval = std::chrono::seconds{15};
    Duration agent_ping_timeout = std::chrono::seconds{15};
    int max_agent_ping_timeouts = 5;
    Duration agent_reregister_timeout = std::chrono::minutes{10};
    std::optional<v1::DomainInfo> domain;
};

struct Task {
    v1::TaskInfo info;
    v1::TaskState state = v1::TASK_STAGING;   ///< The latest that the agent told.
    std::optional<v1::TaskState> sent_state;  ///< Of the last update given to the framework.
    std::string sent_uuid;
    v1::TaskStatus last;          ///< That update.
    bool holds_resources = true;  ///< Until the agent says it is terminal.
};

struct Framework {
    FrameworkId id;
    v1::FrameworkInfo info;
    bool connected = false;
    StreamKey stream{};
    std::string stream_id;
    std::optional<TimePoint> removal_at;  ///< failover_timeout, while disconnected.
    TimePoint heartbeat_at;
    std::set<std::string> suppressed;
    v1::scheduler::OfferConstraints constraints;
    std::map<TaskId, Task> tasks;
    std::set<TaskId> unreachable_tasks;
};

struct Agent {
    AgentId id;
    AgentSlot slot{};
    v1::AgentInfo info;
    Resources total;
    std::string ip;
    bool connected = true;
    bool active = true;  ///< Else an operator drains it, or has: it is not offered.
    std::map<std::pair<FrameworkId, ExecutorId>, v1::ExecutorInfo> executors;
    std::map<std::pair<FrameworkId, TaskId>, std::optional<v1::KillPolicy>> kills;
    bool pinged = false;  ///< The last ping is unanswered.
    int misses = 0;
    TimePoint ping_at;
};
/// As offers name it. (master_offers.cpp)
v1::URL url_of(const Agent& agent);

struct Offer {
    FrameworkId framework;
    AgentId agent;
    std::string role;
    Resources resources;
};

/// Of an agent, and how each framework took it.
struct Maintenance {
    v1::Unavailability window;
    std::map<FrameworkId, std::string> outstanding;  ///< Ids of inverse offers.
    std::map<FrameworkId, TimePoint> refused_until;
    std::map<FrameworkId, std::string> answers;  ///< "ACCEPT", "DECLINE"; the last one.
};

struct OfferFilter {
    FrameworkId framework;
    AgentId agent;
    std::string role;
    Resources refused;  ///< Without allocation.
    TimePoint until;
};

/// An operation with an id, until its terminal status is acknowledged.
struct TrackedOperation {
    FrameworkId framework;
    AgentId agent;
    v1::OperationStatus latest;
};

}  // namespace mysos::standin
