#pragma once

#include "common/base/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What scheduler and executor say to each other over the control stream, as plain values; the form
/// on the wire is proto/mysos/control.proto, whose comments say what each means. Positions are the
/// server's own text. Passwords are in `Account`s, which only shells fill in: a decision names the
/// account (its kind and whose it is) and never sees the secret.
namespace mysos::control {

enum class Flavor { mariadb, mysql };

enum class Phase {
    unknown,
    fetch,
    install,
    initialise,
    clone,
    start,
    fenced,
    replica,
    primary,
    crashed,
    stopping,
    failed,
};

[[nodiscard]] constexpr const char* to_text(Phase phase)
{
    switch (phase) {
        case Phase::unknown: return "unknown";
        case Phase::fetch: return "fetch";
        case Phase::install: return "install";
        case Phase::initialise: return "initialise";
        case Phase::clone: return "clone";
        case Phase::start: return "start";
        case Phase::fenced: return "fenced";
        case Phase::replica: return "replica";
        case Phase::primary: return "primary";
        case Phase::crashed: return "crashed";
        case Phase::stopping: return "stopping";
        case Phase::failed: return "failed";
    }
    return "unknown";
}

enum class ReceiverState { unknown, stopped, connecting, running };

[[nodiscard]] constexpr const char* to_text(ReceiverState state)
{
    switch (state) {
        case ReceiverState::unknown: return "unknown";
        case ReceiverState::stopped: return "stopped";
        case ReceiverState::connecting: return "connecting";
        case ReceiverState::running: return "running";
    }
    return "unknown";
}

struct Observation {
    Phase phase = Phase::unknown;
    std::string message;
    std::uint32_t progress_percent = 0;
    Flavor flavor = Flavor::mariadb;
    std::string server_version;
    Epoch epoch{};
    bool epoch_unreadable = false;
    bool amnesiac = false;
    bool answers = false;
    bool read_only = false;
    bool writable = false;
    std::string position;
    std::string applied;
    Epoch marker{};
    bool receiver_running = false;
    bool applier_running = false;
    std::string replication_error;
    MemberId source{};  ///< Whom it follows; 0: nobody.
    std::uint32_t semi_sync_clients = 0;
    std::uint32_t commits_waiting = 0;
    std::uint64_t commits_acknowledged = 0;
    std::uint64_t packet_age_ms = 0;
    std::optional<std::uint64_t> lag_seconds;
    std::uint64_t disk_free_bytes = 0;
    bool acknowledges = false;
    std::uint32_t acks_required = 0;
    std::string boot_id;
    std::string server_uuid;
    bool empty = false;
    std::uint64_t server_run = 0;  ///< Names this life of the server process; never used again.
    std::uint64_t errant_transactions = 0;  ///< Saved on its volume, in all.
    bool needs_rebuild = false;             ///< Has half a data directory, waits for Rebuild.
    // Absent: not known.
    std::optional<std::uint64_t> unanswered_ms;  ///< While `answers` is false; at least so long.
    ReceiverState receiver_state = ReceiverState::unknown;
    std::optional<std::string> receiver_error;
    std::optional<std::string> applier_error;
    std::string source_host;
    std::uint16_t source_port = 0;
    std::optional<std::uint64_t> delay_seconds;
    std::optional<bool> super_read_only;
    std::optional<std::uint64_t> disk_total_bytes;
    friend bool operator==(const Observation&, const Observation&) = default;
};

// Executor to scheduler.

struct Hello {
    std::uint32_t protocol_version = 1;
    std::string task_id;
    std::string cluster;
    MemberId member{};
    std::string executor_version;
    Observation observation;
    friend bool operator==(const Hello&, const Hello&) = default;
};
struct Prepared {
    Epoch epoch{};
    std::string position;
    Epoch marker{};
    bool amnesiac = false;
    friend bool operator==(const Prepared&, const Prepared&) = default;
};
struct Promoted {
    Epoch epoch{};
    std::string position;
    friend bool operator==(const Promoted&, const Promoted&) = default;
};
struct Followed {
    Epoch epoch{};
    bool acknowledge = false;
    std::uint64_t serial = 0;  ///< Of the order.
    bool caught_up = false;
    std::uint64_t server_run = 0;  ///< That it caught up in.
    friend bool operator==(const Followed&, const Followed&) = default;
};
struct Opened {
    Epoch epoch{};
    friend bool operator==(const Opened&, const Opened&) = default;
};
struct AcknowledgersSet {
    Epoch epoch{};
    std::uint32_t acks = 0;
    std::string position;      ///< Read after the change.
    std::uint64_t serial = 0;  ///< Of the order.
    friend bool operator==(const AcknowledgersSet&, const AcknowledgersSet&) = default;
};
struct AccountLocked {
    Epoch epoch{};
    MemberId member{};
    std::string position;      ///< Read after the member's dump thread had ended.
    std::uint64_t serial = 0;  ///< Of the order.
    friend bool operator==(const AccountLocked&, const AccountLocked&) = default;
};
struct Restarted {
    Epoch epoch{};
    std::string position;
    friend bool operator==(const Restarted&, const Restarted&) = default;
};
struct Rebuilt {
    Epoch epoch{};
    std::uint64_t serial = 0;  ///< Of the order.
    std::string position;
    std::uint64_t errant_saved = 0;  ///< Transactions, by this rebuild.
    friend bool operator==(const Rebuilt&, const Rebuilt&) = default;
};
struct Shut {
    Epoch epoch{};
    std::string position;      ///< Read afterwards: it will not grow.
    std::uint64_t serial = 0;  ///< Of the order.
    friend bool operator==(const Shut&, const Shut&) = default;
};
struct Refused {
    enum class Reason {
        unknown,
        old_epoch,
        lacks_position,
        errant,
        server_failed,
        not_primary,
        busy,
    };
    Reason reason = Reason::unknown;
    Epoch epoch{};
    std::string message;
    std::string order;  ///< "promote", "follow", …
    friend bool operator==(const Refused&, const Refused&) = default;
};

using FromMember = std::variant<
    Observation,
    Prepared,
    Promoted,
    Followed,
    Opened,
    AcknowledgersSet,
    Refused,
    Restarted,
    AccountLocked,
    Rebuilt,
    Shut>;

// Scheduler to executor.

struct Account {
    std::string user;
    std::string password;
    friend bool operator==(const Account&, const Account&) = default;
};
struct AccountSpec {
    enum class Kind { admin, application, monitor, clone, replication };
    Kind kind = Kind::admin;
    Account account;
    friend bool operator==(const AccountSpec&, const AccountSpec&) = default;
};

struct Welcome {
    std::string token;
    std::string cluster_uuid;
    Account admin;
    Epoch epoch{};
    std::string peer_token;  ///< Shared by the members of one cluster.
    friend bool operator==(const Welcome&, const Welcome&) = default;
};
struct Heartbeat {
    friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};
struct Prepare {
    Epoch epoch{};
    friend bool operator==(const Prepare&, const Prepare&) = default;
};
struct Promote {
    Epoch epoch{};
    std::string position;
    std::uint32_t acks = 0;
    std::vector<AccountSpec> accounts;
    friend bool operator==(const Promote&, const Promote&) = default;
};
struct Follow {
    Epoch epoch{};
    MemberId primary{};
    std::string host{};
    std::uint16_t port = 0;
    Account account{};
    bool acknowledge = false;
    std::uint64_t serial = 0;      ///< Comes back in the answer.
    bool caught_up = false;        ///< It was seen to hold all that it may have forgotten,
    std::uint64_t server_run = 0;  ///< in this run of its server: another may have forgotten again.
    std::string position{};        ///< The primary holds at least this; empty: not known.
    friend bool operator==(const Follow&, const Follow&) = default;
};
struct Open {
    Epoch epoch{};
    friend bool operator==(const Open&, const Open&) = default;
};
struct SetAcknowledgers {
    Epoch epoch{};
    std::uint32_t acks = 0;
    std::vector<AccountSpec> accounts;
    std::uint64_t serial = 0;  ///< Comes back in the answer.
    friend bool operator==(const SetAcknowledgers&, const SetAcknowledgers&) = default;
};
struct LockAccount {
    Epoch epoch{};
    std::string user;
    MemberId member{};
    std::uint64_t serial = 0;  ///< Comes back in the answer.
    friend bool operator==(const LockAccount&, const LockAccount&) = default;
};
struct Rebuild {
    Epoch epoch{};
    MemberId primary{};
    MemberId donor{};
    std::string donor_host{};
    std::uint16_t donor_port = 0;       ///< Of its server.
    std::uint16_t donor_peer_port = 0;  ///< Of its executor.
    Account account{};
    std::string position{};    ///< The primary holds at least this: what is beyond is errant.
    std::uint64_t serial = 0;  ///< Comes back in the answer.
    friend bool operator==(const Rebuild&, const Rebuild&) = default;
};
struct ShutOut {  ///< Of clients, on the primary.
    Epoch epoch{};
    std::uint64_t serial = 0;  ///< Comes back in the answer.
    friend bool operator==(const ShutOut&, const ShutOut&) = default;
};
struct Stop {
    friend bool operator==(const Stop&, const Stop&) = default;
};
struct Restart {
    Epoch epoch{};
    friend bool operator==(const Restart&, const Restart&) = default;
};

using ToMember = std::variant<
    Welcome,
    Heartbeat,
    Prepare,
    Promote,
    Follow,
    Open,
    SetAcknowledgers,
    LockAccount,
    Stop,
    Restart,
    Rebuild,
    ShutOut>;

}  // namespace mysos::control
