#pragma once

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/control/messages.hpp"
#include "common/mesos/ids.hpp"
#include "common/wire/task_data.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

/// What can happen to one member.
namespace mysos::executor {

enum class UpdateId : std::uint64_t {};  ///< One status update; the shell gives it its uuid.
enum class RunId : std::uint64_t {};     ///< One life of the server process.
enum class OpId : std::uint64_t {};      ///< One order carried out on the server.

/// What a member's last part in its cluster was; on the volume beside the epoch.
enum class Role {
    none,        ///< Never followed anybody.
    replica,     ///< May have acknowledged what its server had not applied.
    candidate,   ///< Being promoted: its marker may not be written yet.
    primary,     ///< Holds everything that was acknowledged up to its last epoch.
    rebuilding,  ///< Its data directory is being replaced: what is there may not be whole.
};

/// What must survive a crash of everything, so that no promise is forgotten.
struct EpochRecord {
    Epoch epoch{};  ///< The highest one promised or followed. Nothing older is obeyed.
    Role role = Role::none;
    bool amnesiac = false;  ///< May have forgotten what it acknowledged.
    std::string boot_id;    ///< Of the machine that wrote this.
    friend bool operator==(const EpochRecord&, const EpochRecord&) = default;
};

/// Whose volume it is.
struct Identity {
    std::string cluster;
    std::string cluster_uuid;
    MemberId member{};
    friend bool operator==(const Identity&, const Identity&) = default;
};

struct Volume {
    std::optional<Identity> identity;  ///< None on a new volume.
    bool has_data = false;             ///< A whole data directory.
    bool epoch_file_corrupt = false;
    std::optional<EpochRecord> record;  ///< None: no epoch file, or a corrupt one.
    std::string boot_id;                ///< Of this machine, now.
    std::uint64_t errant = 0;           ///< Transactions saved on it before it was rebuilt.
    friend bool operator==(const Volume&, const Volume&) = default;
};

// From the agent.

struct Subscribed {
    UpdateId included{};  ///< Updates up to this one went with the SUBSCRIBE: 0, none.
};
struct AgentLost {};
struct Launched {
    mesos::TaskId task_id;
    wire::TaskData data;
};
struct LaunchUnreadable {
    mesos::TaskId task_id;
    std::string why;
};
struct KillOrdered {
    mesos::TaskId task_id;
    std::optional<Duration> grace;
};
struct ShutdownOrdered {
    std::string why = "the agent shut the executor down";
};
struct UpdateAcknowledged {
    UpdateId update{};
};
struct UpdateNotSent {  ///< The agent did not take it: refused, or the connection broke.
    UpdateId update{};
};

// From the volume, the installer, the server's process.

struct VolumeInspected {
    Volume volume;
};
struct SetupFailed {  ///< Volume, installer or initialisation: this task cannot go on.
    std::string why;
};
struct InstallProgressed {
    enum class Step { fetching, unpacking };
    Step step = Step::fetching;
    std::uint32_t percent = 0;
};
struct Installed {
    std::string server_version;
};
struct DataInitialised {};

struct ServerNotStarted {
    RunId run{};
    std::string why;
};
struct ServerExited {
    RunId run{};
    std::string how;  ///< "was killed by signal 9", and the end of its log when it said something.
};
struct Probed {  ///< Only what the server itself knows is filled in.
    RunId run{};
    control::Observation seen;
};
struct ProbeFailed {
    enum class Sign {
        none,    ///< It did not even let a client in.
        late,    ///< It lets clients in, and did not answer all questions in time.
        refused  ///< It answered with an error, and lives.
    };
    RunId run{};
    std::string why;
    Sign sign = Sign::none;
};

// Outcomes of orders on the server.

struct ReceiverStopped {
    OpId op{};
    std::string position;
    Epoch marker{};
    bool lags = false;          ///< Has not applied all of `position`.
    bool neither_runs = false;  ///< Not the applier either: it has failed.
};
struct PromotionBegun {  ///< All that was received is applied: from here on the server changes.
    OpId op{};
};
struct ServerPromoted {  ///< The marker is in the binlog; its commit may still wait.
    OpId op{};
    std::string position;
};
struct AccountsMade {
    OpId op{};
};
struct PrimaryFollowed {
    OpId op{};
};
struct ServerOpened {
    OpId op{};
};
struct AcknowledgersChanged {
    OpId op{};
    std::string position;
};
struct AccountBarred {
    OpId op{};
    std::string position;
};
struct ServerShut {  ///< Read-only for everyone, so no commit waits.
    OpId op{};
    std::string position{};  ///< Read afterwards: it will not grow.
};
struct PushFailed {
    std::string why;
};
// Of a rebuild.
struct ErrantSaved {  ///< What it alone holds is in a file on its volume, for good.
    OpId op{};
    std::uint64_t transactions = 0;
    std::string file;  ///< None where there is nothing to save.
};
struct DataReplaced {  ///< MySQL: by an empty data directory that is to clone.
    OpId op{};
};
struct DataCloned {  ///< The server that has cloned them ends by itself.
    OpId op{};
};
struct RebuildProgressed {
    OpId op{};
    std::uint32_t percent = 0;
    std::string text;  ///< "120 of 450 MB"
};
struct RebuildFinished {  ///< The server follows nobody and knows what it holds.
    OpId op{};
    std::string position;
};
struct OpFailed {
    OpId op{};
    control::Refused::Reason reason = control::Refused::Reason::server_failed;
    std::string why;
};

// From the volume again.

struct EpochSaved {
    EpochRecord record;
};
struct EpochNotSaved {
    EpochRecord record;
    std::string why;
};

// From the control stream.

struct StreamOpened {};  ///< The Hello was accepted.
struct StreamLost {};
struct OrderArrived {
    control::ToMember order;
};

struct DeadlinePassed {};  ///< `now` has reached `next_deadline()`.

using Input = std::variant<
    Subscribed,
    AgentLost,
    Launched,
    LaunchUnreadable,
    KillOrdered,
    ShutdownOrdered,
    UpdateAcknowledged,
    UpdateNotSent,
    VolumeInspected,
    SetupFailed,
    InstallProgressed,
    Installed,
    DataInitialised,
    ServerNotStarted,
    ServerExited,
    Probed,
    ProbeFailed,
    ReceiverStopped,
    PromotionBegun,
    ServerPromoted,
    AccountsMade,
    PrimaryFollowed,
    ServerOpened,
    AcknowledgersChanged,
    AccountBarred,
    ServerShut,
    ErrantSaved,
    DataReplaced,
    DataCloned,
    RebuildProgressed,
    RebuildFinished,
    OpFailed,
    PushFailed,
    EpochSaved,
    EpochNotSaved,
    StreamOpened,
    StreamLost,
    OrderArrived,
    DeadlinePassed>;

}  // namespace mysos::executor
