#pragma once

#include "common/base/ids.hpp"
#include "common/control/messages.hpp"
#include "common/mesos/event.hpp"
#include "common/publish/publish.hpp"

#include <cstdint>
#include <set>
#include <span>
#include <variant>

/// What can happen to one cluster.
namespace mysos::cluster {

/// One control stream; numbered by the shell, never reused within a process.
enum class StreamId : std::uint64_t {};

/// What the bearer token of a Hello proved to be, for the task that it names.
enum class Token {
    wrong,
    launch,     ///< The one-time token from TaskInfo.data.
    permanent,  ///< The one that a Welcome handed out.
};

struct Started {};  ///< Created just now, or read back after a restart.

struct OfferArrived {  ///< Taken by an `AcceptOffer` among the effects, else free for others.
    mesos::Offer offer;
    std::set<std::uint16_t> taken_ports{};   ///< At that address, by members on other agents.
    std::span<const mesos::Offer> beside{};  ///< Made with it and still free; for this step only.
    bool closing = false;                    ///< The agent is to rest: no place for a new member.
};
struct MaintenanceChanged {};  ///< `State::closing` is another.
struct StatusArrived {         ///< Of any task id that carries this cluster's name.
    MemberId member{};
    mesos::TaskStatus status;
};
struct DeleteOrdered {};
struct ScaleOrdered {  ///< To so many members.
    std::uint32_t num_nodes = 1;
};

struct SwitchoverOrdered {  ///< Answered by `RequestEnded`.
    std::uint64_t request = 0;
    MemberId to{};
};

/// The operator accepts the loss that the stuck election told. Answered by `RequestEnded`.
struct ForceOrdered {
    std::uint64_t request = 0;
    MemberId to{};
};

struct MemberConnected {
    StreamId stream{};
    Token token = Token::wrong;
    control::Hello hello;
};
struct MemberSaid {
    StreamId stream{};
    control::FromMember message;
};
struct MemberDisconnected {  ///< Closed, or silent for three heartbeats.
    StreamId stream{};
};
struct TreeAnswered {  ///< To `ReadTree` or `Apply`; or ZooKeeper is back after a lost session.
    std::variant<publish::TreeRead, publish::Applied, publish::Failed, publish::SessionRenewed>
        answer;
};
struct DeadlinePassed {};

using Input = std::variant<
    Started,
    OfferArrived,
    MaintenanceChanged,
    StatusArrived,
    DeleteOrdered,
    ScaleOrdered,
    SwitchoverOrdered,
    ForceOrdered,
    MemberConnected,
    MemberSaid,
    MemberDisconnected,
    TreeAnswered,
    DeadlinePassed>;

}  // namespace mysos::cluster
