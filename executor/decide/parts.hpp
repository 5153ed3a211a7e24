#pragma once

#include "executor/decide/member.hpp"

#include <string>

/// What the handlers of a member share. For member.cpp and on_*.cpp only.
namespace mysos::executor {

/// One step under way.
struct Step {
    State& state;
    const Config& config;
    TimePoint now;
    Effects effects{};

    template <class E>
    void order(E effect)
    {
        effects.emplace_back(std::move(effect));
    }
    void ignore(std::string why) { order(Ignored{std::move(why)}); }
};

template <class P>
[[nodiscard]] P* in_phase(State& state)
{
    return std::get_if<P>(&state.phase);
}
template <class P>
[[nodiscard]] bool is_in(const State& state)
{
    return std::holds_alternative<P>(state.phase);
}

[[nodiscard]] const char* name_of(const control::ToMember& order);
/// Of orders that carry one.
[[nodiscard]] Epoch epoch_of(const control::ToMember& order);
/// On the volume, or on its way there.
[[nodiscard]] const EpochRecord& latest(const State& state);
[[nodiscard]] bool is_amnesiac(const State& state);
/// A restarted server of this role may not hold what it acknowledged (ha-protocol: Amnesiac).
[[nodiscard]] bool forgets(const State& state, Role role);
/// "mariadbd", "mysqld".
[[nodiscard]] const char* program_of(const State& state);

// To the agent.
void send_update(
    Step& step, const mesos::TaskId& task, mesos::TaskState state, std::string message);
/// The task's end, to be called once the server is down.
void end(Step& step, mesos::TaskState terminal, std::string message);
/// As `end`, but takes the server down first.
void fail(Step& step, std::string why);
/// Ends the server as politely as is safe, then the task.
void stop(Step& step, mesos::TaskState terminal, std::string message, Duration grace);
/// As `stop`; a primary lets another one lead first, if there is time. (leaving.cpp)
void leave(Step& step, mesos::TaskState terminal, std::string message, Duration grace);
/// Ends a member that is leaving, now. (leaving.cpp)
void stop_leaving(Step& step);
/// Ends a member that is leaving when it is time. (leaving.cpp)
void go_on_leaving(Step& step);

// To the scheduler.
void say(Step& step, control::FromMember message);
void refuse(
    Step& step, const control::ToMember& order, control::Refused::Reason reason, std::string why);

// The volume and the server.
void save(Step& step, const EpochRecord& record);
/// The server of a replica has ended, or will be ended: what that makes it forget.
void note_forgotten(Step& step);
/// The marker is in the binlog: from here on it holds all that was acknowledged.
void note_promoted(Step& step);
/// Into `Starting`. A server that runs is killed first.
void start_server(Step& step, StartMode mode);
/// Starts a process, which must not run.
void launch_server(Step& step, StartMode mode);
/// Starts it if that is due: the one before has ended, and so has the last operation on it.
void start_if_due(Step& step);
void kill_server(Step& step);
void probe_soon(Step& step);
[[nodiscard]] OpId begin(Step& step, control::ToMember order);
/// The operation that has ended, if it is the one under way.
[[nodiscard]] std::optional<Operation> finish(Step& step, OpId id);

// Orders.
/// Takes on an order, or says why not.
void take(Step& step, const control::ToMember& order);
/// Obeys the order that waits, if it is its turn.
void proceed(Step& step);
/// Of the kind that only a primary obeys. (obey.cpp)
[[nodiscard]] bool is_for_primary(const control::ToMember& order);

// Handlers, by file.
// on_agent.cpp
void on(Step& step, const Subscribed& in);
void on(Step& step, const AgentLost& in);
void on(Step& step, const Launched& in);
void on(Step& step, const LaunchUnreadable& in);
void on(Step& step, const KillOrdered& in);
void on(Step& step, const ShutdownOrdered& in);
void on(Step& step, const UpdateAcknowledged& in);
void on(Step& step, const UpdateNotSent& in);
// on_setup.cpp
void on(Step& step, const VolumeInspected& in);
void on(Step& step, const SetupFailed& in);
void on(Step& step, const InstallProgressed& in);
void on(Step& step, const Installed& in);
void on(Step& step, const DataInitialised& in);
// on_server.cpp
void on(Step& step, const ServerNotStarted& in);
void on(Step& step, const ServerExited& in);
void on(Step& step, const Probed& in);
void on(Step& step, const ProbeFailed& in);
// on_operation.cpp
void on(Step& step, const ReceiverStopped& in);
void on(Step& step, const PromotionBegun& in);
void on(Step& step, const ServerPromoted& in);
void on(Step& step, const AccountsMade& in);
void on(Step& step, const PrimaryFollowed& in);
void on(Step& step, const ServerOpened& in);
void on(Step& step, const AcknowledgersChanged& in);
void on(Step& step, const AccountBarred& in);
void on(Step& step, const ServerShut& in);
void on(Step& step, const OpFailed& in);
void on(Step& step, const PushFailed& in);
// rebuild.cpp
void on(Step& step, const ErrantSaved& in);
void on(Step& step, const DataReplaced& in);
void on(Step& step, const DataCloned& in);
void on(Step& step, const RebuildProgressed& in);
void on(Step& step, const RebuildFinished& in);
// on_order.cpp
void on(Step& step, const EpochSaved& in);
void on(Step& step, const EpochNotSaved& in);
void on(Step& step, const StreamOpened& in);
void on(Step& step, const StreamLost& in);
void on(Step& step, const OrderArrived& in);
// member.cpp
void on(Step& step, const DeadlinePassed& in);

/// A replica that does not do as ordered is told again. (mending.cpp)
void mend(Step& step);

/// Feeds the fencing machine and does what it orders.
void watch(Step& step, const fencing::Input& in);

}  // namespace mysos::executor
