#pragma once

#include "common/control/messages.hpp"
#include "common/mesos/event.hpp"
#include "executor/decide/input.hpp"

#include <set>
#include <string>
#include <variant>
#include <vector>

/// What one member orders, strictly from left to right. The `Save…` and `Claim…` effects are
/// barriers: durable before anything behind them starts. All else is only started; its outcome
/// comes back as an input with the same id.
namespace mysos::executor {

struct StatusUpdate {
    UpdateId id{};
    mesos::TaskId task_id;
    mesos::TaskState state = mesos::TaskState::staging;
    std::string message;
    friend bool operator==(const StatusUpdate&, const StatusUpdate&) = default;
};

struct SendUpdate {
    StatusUpdate update;
    friend bool operator==(const SendUpdate&, const SendUpdate&) = default;
};
struct Exit {  ///< End of the program. Children die with it.
    friend bool operator==(const Exit&, const Exit&) = default;
};

struct ConnectStream {  ///< Find the leading scheduler and stay connected to it from now on.
    friend bool operator==(const ConnectStream&, const ConnectStream&) = default;
};
struct SendReport {
    control::FromMember message;
    friend bool operator==(const SendReport&, const SendReport&) = default;
};

struct InspectVolume {
    friend bool operator==(const InspectVolume&, const InspectVolume&) = default;
};
struct ClaimVolume {  ///< A barrier: the volume is this member's from now on.
    Identity identity;
    friend bool operator==(const ClaimVolume&, const ClaimVolume&) = default;
};
struct SaveEpoch {  ///< A barrier. Answered by EpochSaved or EpochNotSaved.
    EpochRecord record;
    friend bool operator==(const SaveEpoch&, const SaveEpoch&) = default;
};
struct UseToken {  ///< For every later Hello.
    std::string token;
    friend bool operator==(const UseToken&, const UseToken&) = default;
};
struct SaveToken {  ///< A barrier.
    std::string token;
    friend bool operator==(const SaveToken&, const SaveToken&) = default;
};

struct UsePeerToken {  ///< What members of the cluster show each other. In memory alone.
    std::string token;
    friend bool operator==(const UsePeerToken&, const UsePeerToken&) = default;
};

struct InstallServer {
    friend bool operator==(const InstallServer&, const InstallServer&) = default;
};
struct InitialiseData {
    friend bool operator==(const InitialiseData&, const InitialiseData&) = default;
};

/// Every start is read-only and follows nobody.
enum class StartMode {
    fenced,      ///< What the server holds stays untouched.
    as_replica,  ///< MariaDB cuts off the tail of its binlog that nobody acknowledged.
    recipient,   ///< MySQL: to clone into it; nobody can reach it.
};
struct StartServer {
    RunId run{};
    StartMode mode = StartMode::fenced;
    friend bool operator==(const StartServer&, const StartServer&) = default;
};
struct KillServer {  ///< SIGKILL: the only way down while commits may be waiting.
    RunId run{};
    friend bool operator==(const KillServer&, const KillServer&) = default;
};
struct StopServer {  ///< SIGTERM. Releases waiting commits as if acknowledged.
    RunId run{};
    friend bool operator==(const StopServer&, const StopServer&) = default;
};
struct ProbeServer {
    enum class Receivers {  ///< Of a primary, which of them count.
        as_counted,         ///< Those that the server counts.
        alive,   ///< Fewer, if fewer connections are alive: a server counts what was cut off.
        proven,  ///< And without as many as take nothing any more: rather too few than too many.
    };
    RunId run{};
    Receivers receivers = Receivers::as_counted;
    friend bool operator==(const ProbeServer&, const ProbeServer&) = default;
};

// Orders on the server. One at a time, and none while the server of an earlier one may live.

struct StopReceiver {
    OpId op{};
    friend bool operator==(const StopReceiver&, const StopReceiver&) = default;
};
struct PromoteServer {
    OpId op{};
    Epoch epoch{};
    std::string position;
    std::uint32_t acks = 0;
    std::set<std::string> replicas;  ///< Accounts of receivers that are let in, and no others.
    friend bool operator==(const PromoteServer&, const PromoteServer&) = default;
};
struct MakeAccounts {
    OpId op{};
    std::vector<control::AccountSpec> accounts;
    friend bool operator==(const MakeAccounts&, const MakeAccounts&) = default;
};
struct FollowPrimary {
    OpId op{};
    control::Follow follow;
    friend bool operator==(const FollowPrimary&, const FollowPrimary&) = default;
};
struct OpenServer {
    OpId op{};
    bool async = false;  ///< Commits wait for nobody from here on.
    friend bool operator==(const OpenServer&, const OpenServer&) = default;
};
struct ChangeAcknowledgers {  ///< Accounts first: they wait for the acknowledgements of before.
    OpId op{};
    std::uint32_t acks = 0;
    std::vector<control::AccountSpec> accounts;
    friend bool operator==(const ChangeAcknowledgers&, const ChangeAcknowledgers&) = default;
};
struct BarAccount {
    OpId op{};
    std::string user;
    friend bool operator==(const BarAccount&, const BarAccount&) = default;
};
/// Not an operation: it waits as long as any commit, and nothing waits for it.
struct PushCommits {
    friend bool operator==(const PushCommits&, const PushCommits&) = default;
};
struct AbandonOperation {  ///< A newer order waits: give up waiting, at the next step between two.
    OpId op{};
    friend bool operator==(const AbandonOperation&, const AbandonOperation&) = default;
};
// Of a rebuild: operations as well. The server is down for the first two.

struct SaveErrant {  ///< Once the donor has answered and the volume has room for its data.
    OpId op{};
    control::Rebuild order;
    friend bool operator==(const SaveErrant&, const SaveErrant&) = default;
};
struct ReplaceData {
    OpId op{};
    control::Rebuild order;
    friend bool operator==(const ReplaceData&, const ReplaceData&) = default;
};
struct CloneData {
    OpId op{};
    control::Rebuild order;
    friend bool operator==(const CloneData&, const CloneData&) = default;
};
struct FinishRebuild {
    OpId op{};
    control::Rebuild order;
    friend bool operator==(const FinishRebuild&, const FinishRebuild&) = default;
};
struct ShutServer {  ///< Hangs while commits wait: its failure says so.
    OpId op{};
    friend bool operator==(const ShutServer&, const ShutServer&) = default;
};

struct Report {  ///< For the log.
    enum class Level { info, warning, error };
    Level level = Level::info;
    std::string text;
    friend bool operator==(const Report&, const Report&) = default;
};
struct Ignored {
    std::string why;
    friend bool operator==(const Ignored&, const Ignored&) = default;
};

using Effect = std::variant<
    SendUpdate,
    Exit,
    ConnectStream,
    SendReport,
    InspectVolume,
    ClaimVolume,
    SaveEpoch,
    UseToken,
    SaveToken,
    UsePeerToken,
    InstallServer,
    InitialiseData,
    StartServer,
    KillServer,
    StopServer,
    ProbeServer,
    StopReceiver,
    PromoteServer,
    MakeAccounts,
    FollowPrimary,
    OpenServer,
    ChangeAcknowledgers,
    BarAccount,
    SaveErrant,
    ReplaceData,
    CloneData,
    FinishRebuild,
    ShutServer,
    AbandonOperation,
    PushCommits,
    Report,
    Ignored>;
using Effects = std::vector<Effect>;

}  // namespace mysos::executor
