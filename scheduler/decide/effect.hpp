#pragma once

#include "common/cluster/effect.hpp"
#include "common/cluster/record.hpp"
#include "common/mesos/call.hpp"
#include "scheduler/decide/input.hpp"

#include <string>
#include <variant>
#include <vector>

/// What the scheduler orders, strictly from left to right. A barrier (`SaveFramework`,
/// `SaveCluster`, `RemoveCluster`) is awaited before what follows; one that fails ends the process,
/// which another may already have replaced. All else is only started, its outcome comes back as an
/// input.
namespace mysos::scheduler {

struct SaveFramework {
    cluster::FrameworkRecord record;
    friend bool operator==(const SaveFramework&, const SaveFramework&) = default;
};
struct SaveCluster {
    cluster::Record record;
    friend bool operator==(const SaveCluster&, const SaveCluster&) = default;
};
struct RemoveCluster {  ///< Its record.
    std::string name;
    friend bool operator==(const RemoveCluster&, const RemoveCluster&) = default;
};

struct SendCall {
    mesos::Call call;
    friend bool operator==(const SendCall&, const SendCall&) = default;
};
struct AcceptOffer {  ///< The shell fills the launched task's `data` from `data`, and sends once.
    mesos::Accept accept;
    cluster::LaunchData data;
    friend bool operator==(const AcceptOffer&, const AcceptOffer&) = default;
};

struct AcceptStream {
    std::string cluster;
    cluster::AcceptStream stream;
    friend bool operator==(const AcceptStream&, const AcceptStream&) = default;
};
struct RefuseStream {
    cluster::RefuseStream stream;
    friend bool operator==(const RefuseStream&, const RefuseStream&) = default;
};
struct CloseStream {
    cluster::StreamId stream{};
    friend bool operator==(const CloseStream&, const CloseStream&) = default;
};
struct SendOrder {
    std::string cluster;
    cluster::SendOrder order;
    friend bool operator==(const SendOrder&, const SendOrder&) = default;
};
struct ReadTree {  ///< All of <zk>/discover/<cluster>. Answered by `TreeAnswered`.
    std::string cluster;
    publish::ReadTree read;
    friend bool operator==(const ReadTree&, const ReadTree&) = default;
};
struct ApplyTree {  ///< In one multi. Answered by `TreeAnswered`.
    std::string cluster;
    publish::Apply apply;
    friend bool operator==(const ApplyTree&, const ApplyTree&) = default;
};

struct Created {
    std::string name;
    friend bool operator==(const Created&, const Created&) = default;
};
struct DeletionBegun {
    std::string name;
    friend bool operator==(const DeletionBegun&, const DeletionBegun&) = default;
};
struct ScalingBegun {
    std::string name;
    friend bool operator==(const ScalingBegun&, const ScalingBegun&) = default;
};
struct Done {
    std::string name;
    friend bool operator==(const Done&, const Done&) = default;
};
struct Refused {
    enum class Why {
        bad_value,       ///< 400
        wrong_password,  ///< 403
        not_found,       ///< 404
        exists,          ///< 409
        cannot,          ///< 409
        not_connected,   ///< 503
    };
    Why why = Why::bad_value;
    std::string message;
    friend bool operator==(const Refused&, const Refused&) = default;
};
using Answer = std::variant<Created, DeletionBegun, ScalingBegun, Done, Refused>;
struct Reply {
    RequestId request{};
    Answer answer;
    friend bool operator==(const Reply&, const Reply&) = default;
};

struct Report {
    std::string cluster;  ///< Empty: the framework as a whole.
    cluster::Report report;
    friend bool operator==(const Report&, const Report&) = default;
};
/// The subscription is refused for good: another instance took over, or the framework was removed.
/// The process ends with `why`.
struct Stop {
    std::string why;
    friend bool operator==(const Stop&, const Stop&) = default;
};
struct Ignored {
    std::string cluster;
    std::string why;
    friend bool operator==(const Ignored&, const Ignored&) = default;
};

using Effect = std::variant<
    SaveFramework,
    SaveCluster,
    RemoveCluster,
    SendCall,
    AcceptOffer,
    AcceptStream,
    RefuseStream,
    CloseStream,
    SendOrder,
    ReadTree,
    ApplyTree,
    Reply,
    Report,
    Stop,
    Ignored>;
using Effects = std::vector<Effect>;

}  // namespace mysos::scheduler
