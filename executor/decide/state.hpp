#pragma once

#include "common/base/time.hpp"
#include "common/control/messages.hpp"
#include "common/wire/task_data.hpp"
#include "executor/decide/effect.hpp"
#include "executor/decide/fencing.hpp"
#include "executor/decide/input.hpp"
#include "executor/decide/pushing.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>

namespace mysos::executor {

/// What an agent and an operator have set, and how patient a member is.
struct Config {
    bool checkpoint = false;  ///< Without it, losing the agent is the end.
    Duration shutdown_grace = std::chrono::seconds{5};
    Duration grace_margin = std::chrono::seconds{1};  ///< What is kept back of any grace.
    Duration last_words = std::chrono::seconds{10};   ///< For the last update's acknowledgement.
    Duration resend_update = std::chrono::seconds{1};
    Duration observe_every = std::chrono::seconds{1};
    Duration probe_every = std::chrono::milliseconds{250};
    Duration probe_every_soon = std::chrono::milliseconds{50};  ///< Around orders and starts.
    Duration soon = std::chrono::seconds{5};                    ///< How long that lasts.
    Duration restart_pause = std::chrono::seconds{1};           ///< Times the crashes in a row.
    Duration steady = std::chrono::seconds{60};  ///< Up for so long: earlier crashes are forgotten.
    /// Let in for so long without an answer: a server may be waiting for itself for good. A busy
    /// machine delays one for seconds.
    Duration late_max = std::chrono::seconds{15};
    Duration mend_after = std::chrono::seconds{1};  ///< A hand has changed replication.
    std::uint32_t starts_max = 3;  ///< In a row without an answer; then the task fails.
    Duration stop_reserve = std::chrono::seconds{10};  ///< Of a grace, kept for the server's end.
    fencing::Config fencing;
    pushing::Config pushing;
};

// Phases. Before `Starting` there is no server process.

struct Waiting {  ///< For LAUNCH.
    friend bool operator==(const Waiting&, const Waiting&) = default;
};
struct Inspecting {
    friend bool operator==(const Inspecting&, const Inspecting&) = default;
};
struct Installing {
    InstallProgressed::Step step = InstallProgressed::Step::fetching;
    std::uint32_t percent = 0;
    friend bool operator==(const Installing&, const Installing&) = default;
};
struct Initialising {
    friend bool operator==(const Initialising&, const Initialising&) = default;
};
/// Its server is to answer: a process runs, or will as soon as the one before has ended.
struct Starting {
    StartMode mode = StartMode::fenced;
    std::optional<TimePoint> not_before;  ///< After crashes in a row.
    friend bool operator==(const Starting&, const Starting&) = default;
};
struct Fenced {
    friend bool operator==(const Fenced&, const Fenced&) = default;
};
struct Replica {
    control::Follow follow;              ///< As carried out.
    std::optional<TimePoint> mend_at{};  ///< The server does otherwise, and is told again then.
    friend bool operator==(const Replica&, const Replica&) = default;
};
struct Primary {
    Epoch epoch{};
    std::uint32_t acks = 0;
    bool begun = false;      ///< What was received is applied, and the server is changed.
    bool promoted = false;   ///< The marker is in the binlog.
    bool open = false;       ///< Clients are let in.
    std::string position{};  ///< With the marker.
    bool relaxed = false;    ///< They were to be, and commits wait for nobody since.
    friend bool operator==(const Primary&, const Primary&) = default;
};
/// The server is down, or on its way down, and stays so until ordered: what it holds is untouched.
struct Crashed {
    std::string why;
    friend bool operator==(const Crashed&, const Crashed&) = default;
};
/// Its data directory is replaced by another member's, or waits for that.
struct Rebuilding {
    enum class Stage {
        stopping,   ///< The server ends, and what is under way on it or on the volume.
        saving,     ///< What it alone holds.
        marking,    ///< "rebuilding", on the volume: from here on the data are as good as gone.
        replacing,  ///< The data directory.
        recipient,  ///< MySQL: the server that is to clone starts,
        cloning,    ///< clones,
        cloned,     ///< and ends by itself.
        starting,   ///< The server on the clone.
        finishing,  ///< It forgets whom the donor followed.
        recording,  ///< "replica", on the volume.
        waiting,    ///< For a Rebuild: nothing is under way.
    };
    control::Rebuild order;  ///< The last one; none yet if it waits since its task was launched.
    Stage stage = Stage::waiting;
    bool saved = false;  ///< What it alone holds is: it is not saved twice.
    std::uint64_t errant = 0;
    std::uint32_t percent = 0;
    std::string progress;
    std::string why;  ///< The last one failed.
    friend bool operator==(const Rebuilding&, const Rebuilding&) = default;
};
struct Stopping {
    mesos::TaskState then = mesos::TaskState::killed;
    std::string message;  ///< Of the last update.
    TimePoint kill_at{};
    bool killed = false;
    friend bool operator==(const Stopping&, const Stopping&) = default;
};
struct Ended {  ///< The task has its terminal state; nothing is left but to hand it over.
    bool failed = false;
    std::string message;
    std::optional<TimePoint> exit_at;  ///< None while there is no agent to tell.
    friend bool operator==(const Ended&, const Ended&) = default;
};

using Phase = std::variant<
    Waiting,
    Inspecting,
    Installing,
    Initialising,
    Starting,
    Fenced,
    Replica,
    Primary,
    Crashed,
    Rebuilding,
    Stopping,
    Ended>;

struct AgentLink {
    struct Pending {
        StatusUpdate update;
        bool sent = false;  ///< Or on its way with a SUBSCRIBE.
        friend bool operator==(const Pending&, const Pending&) = default;
    };
    bool subscribed = false;
    bool task_acknowledged = false;      ///< Its first update was: it leaves later SUBSCRIBEs.
    std::deque<Pending> unacknowledged;  ///< Oldest first.
    UpdateId last_update{};
    std::optional<TimePoint> resend_at;
    friend bool operator==(const AgentLink&, const AgentLink&) = default;
};

struct Task {
    mesos::TaskId id;
    wire::TaskData data;
    friend bool operator==(const Task&, const Task&) = default;
};

struct Server {
    enum class Process { down, running, ending };
    Process process = Process::down;
    RunId run{};  ///< The shell draws the first: an earlier task's had other numbers.
    bool answers = false;
    bool probing = false;   ///< A probe is under way, perhaps of an earlier run.
    TimePoint probed_at{};  ///< When the last probe began.
    std::optional<TimePoint> probe_at;
    TimePoint probe_soon_until{};
    std::uint32_t starts = 0;   ///< Since it last answered.
    std::uint32_t crashes = 0;  ///< In a row; see Config::steady.
    TimePoint up_since{};
    control::Observation seen;  ///< By the last probe that was answered.
    TimePoint answered_at{};    ///< Or started.
    TimePoint alive_at{};       ///< Its last sign of life, or its start.
    Duration unanswered{};      ///< Since then, as of the last probe that failed.
    friend bool operator==(const Server&, const Server&) = default;
};

/// An order that the member has taken on. It is obeyed when its epoch is on the volume, the server
/// answers (or is down, as the order may need), and nothing else is under way there.
struct Order {
    control::ToMember order;
    Epoch epoch{};
    EpochRecord record;  ///< Must be on the volume first.
    bool saved = false;
    bool restarted = false;  ///< Restart: the start has been ordered.
    friend bool operator==(const Order&, const Order&) = default;
};

/// Carried out on the server right now.
struct Operation {
    OpId id{};
    control::ToMember order;     ///< Stop for a server being shut before its end.
    bool accounts_last = false;  ///< A promotion's second half: `Promoted` has been said.
    friend bool operator==(const Operation&, const Operation&) = default;
};

/// Told to end while it leads: it serves on until another does, for as long as the grace allows.
struct Leaving {
    mesos::TaskState then = mesos::TaskState::killed;
    std::string message;  ///< Of the last update.
    TimePoint by{};       ///< Then it ends, whoever leads.
    TimePoint end_at{};   ///< Of the grace.
    friend bool operator==(const Leaving&, const Leaving&) = default;
};

struct State {
    AgentLink agent;
    std::optional<Task> task;
    Phase phase;
    std::optional<Leaving> leaving;
    Server server;

    bool owns_volume = false;           ///< Else nothing is written there.
    std::optional<std::string> token;   ///< Secret. To be written there once it is ours.
    EpochRecord record;                 ///< On the volume.
    std::optional<EpochRecord> saving;  ///< On its way there.
    bool forgot = false;                ///< Amnesiac, perhaps not yet on the volume.
    bool epoch_unreadable = false;
    bool has_data = false;
    bool made_data = false;  ///< By this task.
    std::string boot_id;
    std::uint64_t errant = 0;                 ///< Transactions saved on the volume.
    std::optional<control::Rebuilt> rebuilt;  ///< The last: its order may come once more.

    std::optional<Order> order;
    std::optional<Operation> operation;
    OpId last_op{};

    fencing::State fencing;
    pushing::State pushing;
    control::Observation last_said;
    std::optional<TimePoint> observe_at;  ///< While the stream is up.

    bool ever_answered = false;
    control::Phase last_reported = control::Phase::unknown;  ///< By a status update.

    friend bool operator==(const State&, const State&) = default;
};

}  // namespace mysos::executor
