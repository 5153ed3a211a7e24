#pragma once

#include "common/base/time.hpp"
#include "common/mesos/ids.hpp"
#include "common/mesos/resources.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What a master tells a framework, as plain values. Only the fields that a decision or a person
/// may want are here; common/wire/mesos.hpp makes them from the generated types.
namespace mysos::mesos {

enum class TaskState {
    staging,
    starting,
    running,
    killing,
    finished,
    failed,
    killed,
    error,
    lost,
    dropped,
    unreachable,  ///< Not terminal: the agent may come back with the task alive.
    gone,
    gone_by_operator,
    unknown,
};

/// Mesos' own word: the task ended, or never began. `unreachable` and `unknown` are not terminal.
[[nodiscard]] constexpr bool is_terminal(TaskState state)
{
    switch (state) {
        case TaskState::finished:
        case TaskState::failed:
        case TaskState::killed:
        case TaskState::error:
        case TaskState::lost:
        case TaskState::dropped:
        case TaskState::gone:
        case TaskState::gone_by_operator: return true;
        case TaskState::staging:
        case TaskState::starting:
        case TaskState::running:
        case TaskState::killing:
        case TaskState::unreachable:
        case TaskState::unknown: return false;
    }
    return false;
}

/// "TASK_RUNNING".
[[nodiscard]] const char* to_text(TaskState state);

struct TaskStatus {
    enum class Source { unknown, master, agent, executor };
    TaskId task_id;
    TaskState state = TaskState::staging;
    std::string message;
    Source source = Source::unknown;
    std::string reason;      ///< "REASON_RECONCILIATION"; empty when none was given.
    AgentId agent_id;        ///< Empty when not known.
    ExecutorId executor_id;  ///< Empty when not given.
    std::string uuid;        ///< 16 bytes. Not empty: must be acknowledged, is re-sent until then.
    friend bool operator==(const TaskStatus&, const TaskStatus&) = default;
};

struct Attribute {
    std::string name;
    std::string text;  ///< Scalars as "2.5", ranges as "[1-2,5-5]", sets as "{a,b}".
    friend bool operator==(const Attribute&, const Attribute&) = default;
};

/// When an agent is to rest, by an operator's plan.
struct Window {
    std::int64_t from_unix_ms = 0;
    std::optional<Duration> lasts{};  ///< None: for good, as far as is known.
    friend bool operator==(const Window&, const Window&) = default;
};

struct Offer {
    OfferId id;
    AgentId agent_id;
    std::string hostname;  ///< What applications are told.
    std::string ip;        ///< The agent's address, for replication. May be empty.
    std::uint16_t agent_port = 0;
    std::string role;  ///< allocation_info.role
    Resources resources;
    std::vector<Attribute> attributes;
    std::string region;  ///< Of the agent's fault domain; empty: it is in none.
    std::string zone;
    std::vector<ExecutorId> executor_ids;  ///< Ours, running there.
    std::optional<Window> unavailable;
    friend bool operator==(const Offer&, const Offer&) = default;
};

struct Subscribed {
    FrameworkId framework_id;
    Duration heartbeat_interval{};
    std::string master;    ///< "host:port (version)", for a person.
    std::string region{};  ///< Of the master's fault domain; empty: it is in none.
    friend bool operator==(const Subscribed&, const Subscribed&) = default;
};
struct OffersMade {
    std::vector<Offer> offers;
    friend bool operator==(const OffersMade&, const OffersMade&) = default;
};
struct OfferRescinded {
    OfferId offer_id;
    friend bool operator==(const OfferRescinded&, const OfferRescinded&) = default;
};
struct StatusUpdated {
    TaskStatus status;
    friend bool operator==(const StatusUpdated&, const StatusUpdated&) = default;
};
struct OperationUpdated {  ///< Only for operations with an id; acknowledged when `uuid` is set.
    std::string operation_id;
    std::string state;  ///< "OPERATION_FINISHED"
    std::string message;
    AgentId agent_id;
    std::string uuid;
    friend bool operator==(const OperationUpdated&, const OperationUpdated&) = default;
};
struct MessageReceived {
    AgentId agent_id;
    ExecutorId executor_id;
    std::string data;
    friend bool operator==(const MessageReceived&, const MessageReceived&) = default;
};
struct AgentFailed {  ///< FAILURE without an executor: the agent is removed or unreachable.
    AgentId agent_id;
    friend bool operator==(const AgentFailed&, const AgentFailed&) = default;
};
struct ExecutorFailed {
    AgentId agent_id;
    ExecutorId executor_id;
    std::optional<std::int32_t> wait_status;  ///< As waitpid gives it, or -1.
    friend bool operator==(const ExecutorFailed&, const ExecutorFailed&) = default;
};
struct Errored {  ///< The subscription is refused or taken over; the stream ends after it.
    std::string message;
    friend bool operator==(const Errored&, const Errored&) = default;
};
struct Heartbeat {
    friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};
struct InverseOffer {  ///< Asks to have the agent by then.
    OfferId id;
    AgentId agent_id;
    Window window;
    friend bool operator==(const InverseOffer&, const InverseOffer&) = default;
};
struct InverseOffersMade {
    std::vector<InverseOffer> offers;
    friend bool operator==(const InverseOffersMade&, const InverseOffersMade&) = default;
};
struct InverseOfferRescinded {
    OfferId offer_id;
    friend bool operator==(const InverseOfferRescinded&, const InverseOfferRescinded&) = default;
};
struct NotUnderstood {  ///< A type that this version does not know, or one that needs no answer.
    std::string type;
    friend bool operator==(const NotUnderstood&, const NotUnderstood&) = default;
};

using Event = std::variant<
    Subscribed,
    OffersMade,
    OfferRescinded,
    StatusUpdated,
    OperationUpdated,
    MessageReceived,
    AgentFailed,
    ExecutorFailed,
    Errored,
    Heartbeat,
    InverseOffersMade,
    InverseOfferRescinded,
    NotUnderstood>;

}  // namespace mysos::mesos
