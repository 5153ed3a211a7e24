#pragma once

#include "common/base/ids.hpp"
#include "common/cluster/input.hpp"
#include "common/cluster/record.hpp"
#include "common/control/messages.hpp"
#include "common/mesos/call.hpp"
#include "common/publish/publish.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

/// What one cluster orders, strictly from left to right. `Save`, `Retire` and `Forget` are
/// barriers: durable before anything behind them starts.
namespace mysos::cluster {

struct Save {
    Record record;
    friend bool operator==(const Save&, const Save&) = default;
};
struct Retire {  ///< Volumes that nobody needs any more: into the framework's record.
    std::vector<mesos::PersistenceId> volumes;
    std::vector<mesos::AgentId> agents;  ///< Beside each volume, where it was.
    friend bool operator==(const Retire&, const Retire&) = default;
};
struct Forget {  ///< The cluster is gone: remove its record, then its name.
    friend bool operator==(const Forget&, const Forget&) = default;
};

/// What the executor must be told with its task, less the secret and what all tasks share (the
/// token, ZooKeeper's address, the installer): the shell writes all of it as JSON into the task's
/// `data`.
struct LaunchData {
    std::string cluster;
    std::string cluster_uuid;
    MemberId member{};
    mesos::TaskId task_id;
    std::string flavor;
    std::string host;
    std::string ip;
    std::uint16_t port = 0;
    std::uint16_t peer_port = 0;
    std::int64_t mem_mb = 0;
    std::int64_t disk_mb = 0;
    bool async = false;  ///< Commits wait for nobody.
    friend bool operator==(const LaunchData&, const LaunchData&) = default;
};
struct AcceptOffer {  ///< Sent at most once. Its last operation is a LAUNCH without `data`.
    mesos::Accept accept;
    LaunchData data;
    friend bool operator==(const AcceptOffer&, const AcceptOffer&) = default;
};
struct SendCall {
    mesos::Call call;
    friend bool operator==(const SendCall&, const SendCall&) = default;
};
struct Reconcile {  ///< Ask the master explicitly about this task, again and again until it
                    ///< answers.
    mesos::ReconcileTask task;
    friend bool operator==(const Reconcile&, const Reconcile&) = default;
};

struct AcceptStream {  ///< 200, and a Welcome (whose secrets the shell adds) as its first record.
    StreamId stream{};
    MemberId member{};
    mesos::TaskId task_id;
    control::Welcome welcome;
    friend bool operator==(const AcceptStream&, const AcceptStream&) = default;
};
struct RefuseStream {
    enum class Why {
        unknown_task,   ///< 401
        wrong_token,    ///< 401
        token_used_up,  ///< 401
        other_version,  ///< 400
        not_ready,      ///< 503: this scheduler has not read its state yet
    };
    StreamId stream{};
    Why why = Why::unknown_task;
    friend bool operator==(const RefuseStream&, const RefuseStream&) = default;
};
struct CloseStream {  ///< A newer one of the same member took over, or its task has ended.
    StreamId stream{};
    friend bool operator==(const CloseStream&, const CloseStream&) = default;
};
struct SendOrder {  ///< Accounts in it have a user and no password: the shell adds that.
    StreamId stream{};
    MemberId member{};
    control::ToMember order;
    friend bool operator==(const SendOrder&, const SendOrder&) = default;
};

struct RequestEnded {
    std::uint64_t request = 0;
    std::string why_not;  ///< Empty: it is done.
    friend bool operator==(const RequestEnded&, const RequestEnded&) = default;
};

struct Report {  ///< For the log and the cluster's list of events.
    enum class Level { info, warning, error };
    Level level = Level::info;
    MemberId member{};  ///< 0: the cluster as a whole.
    std::string text;
    friend bool operator==(const Report&, const Report&) = default;
};
struct Ignored {
    std::string why;
    friend bool operator==(const Ignored&, const Ignored&) = default;
};

using Effect = std::variant<
    Save,
    Retire,
    Forget,
    AcceptOffer,
    SendCall,
    Reconcile,
    AcceptStream,
    RefuseStream,
    CloseStream,
    SendOrder,
    publish::ReadTree,
    publish::Apply,
    RequestEnded,
    Report,
    Ignored>;
using Effects = std::vector<Effect>;

}  // namespace mysos::cluster
