#pragma once

#include "test/standin/agent_disk.hpp"
#include "test/standin/forms.hpp"
#include "test/standin/master.hpp"

#include <deque>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mysos::standin {

/// A process to start in its sandbox, in a session of its own.
struct ContainerSpec {
    std::string container;
    std::filesystem::path sandbox;
    v1::CommandInfo command;
    std::optional<std::string> user;  ///< To switch to, if the agent may.
    std::vector<std::pair<std::string, std::string>> environment;
    std::string network;  ///< Namespace of `ip netns` to run in; empty: the stand-in's own.
};

/// What an executor's token says that it is.
struct ExecutorClaims {
    FrameworkId framework;
    ExecutorId executor;
    std::string container;
    friend bool operator==(const ExecutorClaims&, const ExecutorClaims&) = default;
};

/// What an agent asks its shell to do. Nothing of it may call the agent back at once.
class AgentPort {
  public:
    AgentPort() = default;
    AgentPort(const AgentPort&) = delete;
    AgentPort& operator=(const AgentPort&) = delete;
    virtual ~AgentPort() = default;

    virtual void send(ToMaster message) = 0;
    virtual void send(StreamKey stream, const v1::executor::Event& event) = 0;
    virtual void end(StreamKey stream) = 0;
    virtual void launch(ContainerSpec spec) = 0;
    /// SIGKILL to everything in it. `container_exited` follows.
    virtual void destroy(const std::string& container) = 0;
    /// Takes over a container that an earlier run of this agent started; if it is dead,
    /// `container_exited` follows.
    virtual void adopt(const std::string& container, int pid) = 0;
    /// The agent's process ends by itself: the master told it to, or the real one would abort.
    virtual void stop(const std::string& why) = 0;
};

struct AgentConfig {
    v1::AgentInfo info;  ///< Without id and resources.
    Resources total;     ///< As the flags say.
    std::string ip = "127.0.0.1";
    std::string network;  ///< Namespace of `ip netns` that it and its executors live in.
    std::string boot_id;
    std::string jwt_key;  ///< Executor authentication is on if there is one.
    bool switch_user = true;
    Duration containerizer_recovery = std::chrono::milliseconds{300};
    Duration executor_registration_timeout = std::chrono::minutes{1};
    Duration executor_reregistration_timeout = std::chrono::seconds{2};
    Duration executor_shutdown_grace_period = std::chrono::seconds{5};
    Duration executor_heartbeat_interval = std::chrono::minutes{30};
    Duration recovery_timeout = std::chrono::minutes{15};
    Duration master_ping_timeout = std::chrono::seconds{75};  ///< Then it registers again.
    Duration update_retry_min = std::chrono::seconds{10};
    Duration update_retry_max = std::chrono::minutes{10};
};

/// A Mesos agent as its executors see it, and as the master hears of it: executors and their
/// sandboxes, delivery of tasks, status updates repeated until acknowledged, recovery.
///
/// Starts processes and answers requests by `AgentPort` only; writes what must survive the agent's
/// process by `AgentDisk`. Destroying the object is the crash of the agent: executors live on.
class AgentMachine {
  public:
    AgentMachine(AgentConfig config, AgentDisk disk, World& world, AgentPort& port);

    /// Reads the disk; then registers, at once or after the wait for recovered executors.
    void start();
    void receive(ToAgent message);
    /// The master is another or was restarted: registers with it again.
    void master_detected();

    /// Why a call that has passed `check_call` is refused; none if it may go on.
    [[nodiscard]] std::optional<Answer> refuse(
        const v1::executor::Call& call, const std::optional<ExecutorClaims>& claims) const;
    /// A call that was not refused. HEARTBEAT does nothing.
    void handle(const v1::executor::Call& call);
    void subscribe(const v1::executor::Call& call, StreamKey stream);
    void stream_closed(StreamKey stream);

    void container_started(const std::string& container, int pid);
    void container_failed(const std::string& container, const std::string& why, int status);
    void container_exited(const std::string& container, int status);

    void tick();
    [[nodiscard]] TimePoint next_deadline() const;
    [[nodiscard]] const std::string& id() const { return info_.id().value(); }
    /// For an instant after a start with executors to recover every request gets 503.
    [[nodiscard]] bool recovers_containers() const;
    [[nodiscard]] bool is_registered() const { return state_ == State::running; }
    /// Containers that some executor of this agent stands for.
    [[nodiscard]] std::set<std::string> containers() const;

  private:
    enum class State { recovering, registering, running, stopped };
    enum class Phase { registering, running, terminating, terminated };
    struct TaskEntry {
        v1::TaskInfo info;
        v1::TaskState state = v1::TASK_STAGING;
        bool delivered = false;
        v1::TaskStatus last;
    };
    struct Ending {
        v1::TaskState state = v1::TASK_FAILED;
        v1::TaskStatus::Reason reason = v1::TaskStatus::REASON_EXECUTOR_TERMINATED;
        std::string message = "Executor terminated";
    };
    struct Executor {
        v1::ExecutorInfo info;
        RunPath run;
        Phase phase = Phase::registering;
        bool is_command_task = false;
        bool subscribed = false;  ///< In this run of the agent.
        bool was_sent_a_task = false;
        int pid = -1;
        std::optional<StreamKey> stream;
        std::vector<TaskId> queue;  ///< Not yet delivered, in order.
        std::map<TaskId, TaskEntry> tasks;
        Ending ending;
        std::optional<TimePoint> registration_until;
        std::optional<TimePoint> kill_at;
        TimePoint heartbeat_at;
    };
    struct FrameworkEntry {
        v1::FrameworkInfo info;
        bool terminating = false;
        std::map<ExecutorId, Executor> executors;
    };
    struct UpdateStream {
        std::deque<v1::TaskStatus> pending;
        std::set<std::string> seen;
        v1::TaskState latest = v1::TASK_STAGING;
        bool terminal = false;  ///< A terminal update was taken.
        TimePoint retry_at;
        Duration interval{};
    };
    struct PendingOperation {
        to_master::OperationUpdate update;
        TimePoint retry_at;
        Duration interval;
    };
    using StreamId = std::pair<FrameworkId, TaskId>;
    using Event = v1::executor::Event;
    using Call = v1::executor::Call;

    // agent_life.cpp
    void recover(RecoveredAgent recovered);
    std::vector<std::string> recover_framework(RecoveredFramework recovered, bool rebooted);
    bool recover_executor(FrameworkEntry& framework, RecoveredExecutor recovered, bool rebooted);
    void recover_task(Executor& executor, RecoveredTask recovered);
    void end_recovery();
    void register_now();
    void on(to_agent::Registered& message);
    void on(to_agent::Reregistered& message);
    void on(to_agent::UpdateFramework& message);
    void on(to_agent::Ping& message);
    void on(to_agent::Shutdown& message);
    void on(to_agent::Apply& message);
    void on(to_agent::AcknowledgeOperation& message);
    void retry_operations();
    TaskReport report_of(const FrameworkId& framework, const TaskEntry& task) const;

    // agent_launch.cpp
    void on(to_agent::Launch& message);
    void on(to_agent::Kill& message);
    void on(to_agent::Drain& message);
    void on(to_agent::ShutdownExecutor& message);
    void on(to_agent::ShutdownFramework& message);
    void on(to_agent::Message& message);
    Executor& create_executor(FrameworkEntry& framework, const v1::TaskInfo& task);
    void start_container(const FrameworkEntry& framework, Executor& executor);
    void queue_task(FrameworkEntry& framework, Executor& executor, const v1::TaskInfo& task);
    std::vector<std::pair<std::string, std::string>> environment_of(
        const FrameworkEntry& framework, const Executor& executor) const;
    std::optional<std::string> user_of(
        const FrameworkEntry& framework, const Executor& executor) const;
    void drop_task(
        const v1::FrameworkInfo& framework,
        const v1::TaskInfo& task,
        v1::TaskStatus::Reason reason,
        const std::string& message);
    void shut_down(Executor& executor);
    void destroy(Executor& executor, Ending ending);
    Fault link_volumes(const Executor& executor, const Resources::List& resources) const;
    void unlink_volumes(const Executor& executor, const Resources::List& resources) const;

    // agent_executors.cpp
    void update_from(const Call& call);
    void deliver_queue(FrameworkEntry& framework, Executor& executor);
    void take_from(FrameworkEntry& framework, Executor& caller, v1::TaskStatus status);
    void drop_unseen_tasks(
        FrameworkEntry& framework, Executor& executor, const Call::Subscribe& subscribe);
    void ended(FrameworkEntry& framework, Executor& executor, int status);
    void remove_if_done(const FrameworkId& framework, const ExecutorId& executor);
    void remove_framework(const FrameworkId& framework);
    Executor* find(const FrameworkId& framework, const ExecutorId& executor);
    const Executor* find(const FrameworkId& framework, const ExecutorId& executor) const;
    Executor* holder_of(FrameworkEntry& framework, const TaskId& task);
    std::pair<FrameworkEntry*, Executor*> by_container(const std::string& container);
    void emit(const Executor& executor, const Event& event);

    // agent_updates.cpp
    v1::TaskStatus made_here(
        const TaskId& task,
        v1::TaskState state,
        v1::TaskStatus::Reason reason,
        std::string message);
    void take_update(const v1::FrameworkInfo& framework, Executor* executor, v1::TaskStatus status);
    void forward(const StreamId& id, UpdateStream& stream);
    void on(to_agent::Acknowledge& message);
    void resend(const FrameworkId* framework);
    void retry_updates();

    AgentConfig config_;
    AgentDisk disk_;
    World& world_;
    AgentPort& port_;
    State state_ = State::recovering;
    v1::AgentInfo info_;
    Resources total_;
    std::map<FrameworkId, FrameworkEntry> frameworks_;
    std::map<StreamId, UpdateStream> updates_;
    std::map<std::string, PendingOperation> operations_;  ///< By uuid.
    bool is_draining_ = false;                            ///< Until nothing runs any more.
    std::optional<TimePoint> recovery_until_;
    std::optional<TimePoint> containers_until_;
    std::optional<TimePoint> register_at_;
    TimePoint pinged_at_;
};

/// `5secs`, `15mins`, `2500ms`: the largest unit that divides the time.
[[nodiscard]] std::string duration_text(std::chrono::nanoseconds duration);

}  // namespace mysos::standin
