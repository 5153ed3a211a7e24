#include "common/mesos/reconcile.hpp"

#include <algorithm>

namespace mysos::mesos::reconcile {
namespace {

using Calls = std::vector<Reconcile>;

/// Explicit for all that should be alive, then implicit.
Calls ask_all(
    State& state, const Config& config, const std::vector<ReconcileTask>& tasks, TimePoint now)
{
    Calls calls;
    if (!tasks.empty()) calls.push_back(Reconcile{tasks});
    calls.push_back(Reconcile{});
    for (const ReconcileTask& task : tasks) {
        state.open.insert_or_assign(
            task.task_id, Question{task.agent_id, now + config.repeat_min, config.repeat_min});
    }
    return calls;
}

Calls on(State& state, const Config& config, const Connected& in, TimePoint now)
{
    state.connected = true;
    state.open.clear();
    state.round = config.round_min;
    state.round_at = now + config.round_min;
    return ask_all(state, config, in.tasks, now);
}

Calls on(State& state, const Config&, const Disconnected&, TimePoint)
{
    state = {};
    return {};
}

Calls on(State& state, const Config& config, const Doubted& in, TimePoint now)
{
    if (!state.connected) return {};  // All are asked for upon the next subscription.
    state.open.insert_or_assign(
        in.task.task_id, Question{in.task.agent_id, now + config.repeat_min, config.repeat_min});
    return {Reconcile{{in.task}}};
}

Calls on(State& state, const Config&, const Answered& in, TimePoint)
{
    state.open.erase(in.task);
    return {};
}

Calls on(State& state, const Config& config, const DeadlinePassed& in, TimePoint now)
{
    if (!state.connected) return {};
    if (now >= state.round_at) {
        state.round = std::min(state.round * 2, config.round_max);
        state.round_at = now + state.round;
        state.open.clear();
        return ask_all(state, config, in.tasks, now);
    }
    Reconcile again;
    for (auto& [task, question] : state.open) {
        if (question.again_at > now) continue;
        question.pause = std::min(question.pause * 2, config.repeat_max);
        question.again_at = now + question.pause;
        again.tasks.push_back({task, question.agent});
    }
    if (again.tasks.empty()) return {};
    return {std::move(again)};
}

}  // namespace

std::vector<Reconcile> step(State& state, const Config& config, const Input& input, TimePoint now)
{
    return std::visit([&](const auto& in) { return on(state, config, in, now); }, input);
}

std::optional<TimePoint> next_deadline(const State& state)
{
    if (!state.connected) return std::nullopt;
    TimePoint first = state.round_at;
    for (const auto& [task, question] : state.open) first = std::min(first, question.again_at);
    return first;
}

}  // namespace mysos::mesos::reconcile
