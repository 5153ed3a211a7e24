#pragma once

#include "common/base/ids.hpp"
#include "common/control/observation.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

/// What scheduler and executor say to each other over the control stream, as plain values; the form
/// on the wire is proto/mysos/control.proto, whose comments say what each means. Positions are the
/// server's own text. Passwords are in `Account`s, which only shells fill in: a decision names the
/// account (its kind and whose it is) and never sees the secret.
namespace mysos::control {

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
    bool lags = false;  ///< Has not applied all of `position`.
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
