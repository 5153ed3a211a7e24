#pragma once

#include "common/base/time.hpp"
#include "common/mesos/call.hpp"
#include "common/mesos/ids.hpp"

#include <map>
#include <optional>
#include <variant>
#include <vector>

/// Which tasks to ask the master about, and when.
///
/// After every subscription, and from then on with growing pauses, all live tasks are asked for one
/// by one and then all that the master tracks at once, as the first tells of tasks that it lost and
/// the second of tasks that we lost. What is not answered is asked for again: a master that has
/// just taken over says nothing of an agent that is not back yet, for up to ten minutes.
///
/// Pure: no I/O, clock, randomness, logging or threads. Equal arguments give equal effects.
namespace mysos::mesos::reconcile {

struct Config {
    Duration repeat_min = std::chrono::seconds{5};  ///< A question without its answer; doubles.
    Duration repeat_max = std::chrono::minutes{1};
    Duration round_min = std::chrono::minutes{1};  ///< Between rounds; doubles.
    Duration round_max = std::chrono::minutes{15};
};

struct Connected {  ///< A subscription has begun. `tasks`: all that should be alive.
    std::vector<ReconcileTask> tasks;
};
struct Disconnected {};
struct Doubted {  ///< Of this task an answer is wanted now.
    ReconcileTask task;
};
struct Answered {  ///< Any status of the task has come, or it is not ours to ask for any more.
    TaskId task;
};
struct DeadlinePassed {
    std::vector<ReconcileTask> tasks;  ///< All that should be alive.
};

using Input = std::variant<Connected, Disconnected, Doubted, Answered, DeadlinePassed>;

struct Question {
    AgentId agent;
    TimePoint again_at{};
    Duration pause{};
    friend bool operator==(const Question&, const Question&) = default;
};
struct State {
    bool connected = false;
    std::map<TaskId, Question> open;
    TimePoint round_at{};
    Duration round{};
    friend bool operator==(const State&, const State&) = default;
};

/// The calls to send, in order. Never fails or throws; an input that changes nothing gives none.
[[nodiscard]] std::vector<Reconcile> step(
    State& state, const Config& config, const Input& input, TimePoint now);

/// When the shell must next send `DeadlinePassed`; none while not connected.
[[nodiscard]] std::optional<TimePoint> next_deadline(const State& state);

}  // namespace mysos::mesos::reconcile
