#pragma once

#include "common/cluster/input.hpp"
#include "common/cluster/record.hpp"
#include "common/mesos/event.hpp"
#include "common/publish/publish.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What can happen to the scheduler as a whole. One inbox, one order: a run can be replayed.
namespace mysos::scheduler {

/// One REST request that waits for its answer; numbered by the shell.
enum class RequestId : std::uint64_t {};

/// First input: this process leads, and this is what was stored. Nothing else is taken before it.
struct Recovered {
    cluster::FrameworkRecord framework;
    std::vector<cluster::Record>
        clusters;  ///< Of the names in `framework` those that have a record.
    std::int64_t unix_now_ms = 0;
};

struct EventArrived {
    mesos::Event event;
};
struct MesosDisconnected {  ///< The event stream ended; the shell subscribes anew by itself.
    std::string why;
};

/// The form fields as they came; nothing is checked yet.
struct CreateForm {
    std::string name;
    std::optional<std::string> cluster_user;
    std::optional<std::string> num_nodes;
    std::optional<std::string> size;
    std::optional<std::string> backup_id;
    std::optional<std::string> flavor;
    std::optional<std::string> constraints;
    std::optional<std::string> colocate;
    std::optional<std::string> two_node_policy;
    std::optional<std::string> durability;
};
struct CreateRequested {
    RequestId request{};
    CreateForm form;
    std::string uuid;  ///< Drawn by the shell, random, 36 characters.
    std::string
        sealed_secrets;  ///< Drawn and sealed by the shell; the password asked for is inside.
};

/// The shell compares with the sealed password; of a cluster that does not exist it says `wrong`.
enum class Password { right, wrong, missing };
struct DeleteRequested {
    RequestId request{};
    std::string name;
    Password password = Password::missing;
};

struct ScaleRequested {
    RequestId request{};
    std::string name;
    std::uint32_t num_nodes = 0;
};

struct SwitchoverRequested {
    RequestId request{};
    std::string name;
    MemberId to{};
};

struct ForceRequested {
    RequestId request{};
    std::string name;
    MemberId to{};
};

struct StreamOpened {
    cluster::StreamId stream{};
    cluster::Token token = cluster::Token::wrong;
    control::Hello hello;
};
struct StreamSaid {
    cluster::StreamId stream{};
    control::FromMember message;
};
struct StreamClosed {
    cluster::StreamId stream{};
};

struct TreeAnswered {  ///< To `ReadTree` or `ApplyTree`, with its serial.
    std::string cluster;
    std::variant<publish::TreeRead, publish::Applied, publish::Failed> answer;
};
struct ZooKeeperRenewed {};  ///< A session was lost and is back: every tree is read anew.
struct DeadlinePassed {};    ///< `now` has reached `next_deadline()`.

using Input = std::variant<
    Recovered,
    EventArrived,
    MesosDisconnected,
    CreateRequested,
    DeleteRequested,
    ScaleRequested,
    SwitchoverRequested,
    ForceRequested,
    StreamOpened,
    StreamSaid,
    StreamClosed,
    TreeAnswered,
    ZooKeeperRenewed,
    DeadlinePassed>;

}  // namespace mysos::scheduler
