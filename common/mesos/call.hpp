#pragma once

#include "common/base/time.hpp"
#include "common/mesos/ids.hpp"
#include "common/mesos/resources.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What our framework says to a master, as plain values; common/wire/mesos.hpp writes them out.
/// The framework id is not part of them: it is added where they are written.
namespace mysos::mesos {

struct FrameworkInfo {
    std::string user;
    std::string name;
    std::string role;
    std::optional<std::string> principal;
    Duration failover_timeout{};
    std::string hostname;
    std::string webui_url;
    friend bool operator==(const FrameworkInfo&, const FrameworkInfo&) = default;
};

/// Checkpointing, MULTI_ROLE, RESERVATION_REFINEMENT, PARTITION_AWARE and REGION_AWARE always.
struct Subscribe {
    FrameworkInfo framework;
    FrameworkId framework_id;  ///< Empty the first time.
    bool suppressed = false;   ///< Subscribe without wanting offers yet.
    friend bool operator==(const Subscribe&, const Subscribe&) = default;
};

struct Uri {
    std::string value;
    bool executable = false;
    bool extract = false;
    friend bool operator==(const Uri&, const Uri&) = default;
};
struct Variable {
    std::string name;
    std::string value;
    friend bool operator==(const Variable&, const Variable&) = default;
};
struct Command {
    std::string value;  ///< Run by /bin/sh -c.
    std::vector<Uri> uris;
    std::vector<Variable> environment;
    std::string user;  ///< Empty: the framework's.
    friend bool operator==(const Command&, const Command&) = default;
};
struct Executor {
    ExecutorId id;
    std::string name;
    std::string source;
    Command command;
    Resources resources;
    Labels labels;
    Duration shutdown_grace{};
    friend bool operator==(const Executor&, const Executor&) = default;
};
struct DiscoveryPort {
    std::uint16_t number = 0;
    std::string name;
    friend bool operator==(const DiscoveryPort&, const DiscoveryPort&) = default;
};
struct Discovery {  ///< For mesos-dns and the like. Visibility FRAMEWORK.
    std::string name;
    std::vector<DiscoveryPort> ports;
    Labels labels;
    friend bool operator==(const Discovery&, const Discovery&) = default;
};
struct Task {
    TaskId id;
    std::string name;
    AgentId agent_id;
    Resources resources;
    Executor executor;
    Labels labels;
    Discovery discovery;
    Duration kill_grace{};
    std::string data;  ///< Holds a one-time token: the shell fills it in, decisions leave it empty.
    friend bool operator==(const Task&, const Task&) = default;
};

struct Reserve {
    Resources resources;
    friend bool operator==(const Reserve&, const Reserve&) = default;
};
struct Unreserve {
    Resources resources;
    friend bool operator==(const Unreserve&, const Unreserve&) = default;
};
struct Create {
    Resources volumes;
    friend bool operator==(const Create&, const Create&) = default;
};
struct Destroy {
    Resources volumes;
    friend bool operator==(const Destroy&, const Destroy&) = default;
};
struct Launch {
    Task task;
    friend bool operator==(const Launch&, const Launch&) = default;
};
using Operation = std::variant<Reserve, Unreserve, Create, Destroy, Launch>;

struct Accept {  ///< Never to be sent twice: the second would be an invalid offer and a lost task.
    std::vector<OfferId> offers;
    std::vector<Operation> operations;  ///< Run in this order; a failed one does not stop the next.
    Duration refuse{};                  ///< How long the unused rest is not offered again.
    friend bool operator==(const Accept&, const Accept&) = default;
};
struct Decline {
    std::vector<OfferId> offers;
    Duration refuse{};
    friend bool operator==(const Decline&, const Decline&) = default;
};
struct AcceptInverse {  ///< The agents may go. Moves nothing by itself.
    std::vector<OfferId> offers;
    Duration refuse{};  ///< How long the same is not asked again.
    friend bool operator==(const AcceptInverse&, const AcceptInverse&) = default;
};
struct DeclineInverse {  ///< They may not, whatever was said before.
    std::vector<OfferId> offers;
    Duration refuse{};
    friend bool operator==(const DeclineInverse&, const DeclineInverse&) = default;
};
struct Revive {
    friend bool operator==(const Revive&, const Revive&) = default;
};
struct Suppress {
    friend bool operator==(const Suppress&, const Suppress&) = default;
};
struct Kill {
    TaskId task_id;
    AgentId agent_id;  ///< Empty: not known. A wrong one would make the master drop the call.
    std::optional<Duration> grace;
    friend bool operator==(const Kill&, const Kill&) = default;
};
struct Acknowledge {
    AgentId agent_id;
    TaskId task_id;
    std::string uuid;
    friend bool operator==(const Acknowledge&, const Acknowledge&) = default;
};
struct AcknowledgeOperation {
    AgentId agent_id;
    std::string uuid;
    std::string operation_id;
    friend bool operator==(const AcknowledgeOperation&, const AcknowledgeOperation&) = default;
};
struct ReconcileTask {
    TaskId task_id;
    AgentId agent_id;
    friend bool operator==(const ReconcileTask&, const ReconcileTask&) = default;
};
struct Reconcile {  ///< No tasks: implicit, all that the master tracks.
    std::vector<ReconcileTask> tasks;
    friend bool operator==(const Reconcile&, const Reconcile&) = default;
};

/// SUBSCRIBE is not among them: it opens the stream, see `Subscribe`.
using Call = std::variant<
    Accept,
    Decline,
    AcceptInverse,
    DeclineInverse,
    Revive,
    Suppress,
    Kill,
    Acknowledge,
    AcknowledgeOperation,
    Reconcile>;

}  // namespace mysos::mesos
