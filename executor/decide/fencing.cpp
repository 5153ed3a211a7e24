#include "executor/decide/fencing.hpp"

#include <algorithm>

namespace mysos::executor::fencing {
namespace {

void note_short(State& state, TimePoint now)
{
    if (!state.receivers_short_at) state.receivers_short_at = now;
}

void on(State& state, const StreamOpened&, TimePoint)
{
    state.stream_up = true;
}

void on(State& state, const StreamLost&, TimePoint now)
{
    if (state.stream_up) state.stream_lost_at = now;
    state.stream_up = false;
}

void on(State& state, const ReceiversSeen& seen, TimePoint now)
{
    const bool are_enough = seen.clients >= seen.required;
    if (seen.asked_at) {
        state.receivers_short_at.reset();
        if (seen.required == 0) return state.enough_at.reset();  // Alone: nobody can be elected.
        if (are_enough || !state.enough_at) state.enough_at = seen.asked_at;
        return;
    }
    if (!are_enough) return note_short(state, now);
    state.receivers_short_at.reset();
}

void on(State& state, const ServerSilent&, TimePoint now)
{
    note_short(state, now);
}

void on(State& state, const NotPrimary&, TimePoint)
{
    state.receivers_short_at.reset();
    state.enough_at.reset();
}

void on(State&, const DeadlinePassed&, TimePoint) {}

}  // namespace

std::optional<TimePoint> next_deadline(const State& state, const Config& config)
{
    if (state.stream_up) return std::nullopt;
    std::optional<TimePoint> deadline;
    const auto consider = [&](const std::optional<TimePoint>& since, Duration lease) {
        if (!since) return;
        const TimePoint at = std::max(state.stream_lost_at, *since) + lease;
        deadline = deadline ? std::min(*deadline, at) : at;
    };
    consider(state.receivers_short_at, config.lease);
    consider(state.enough_at, config.async_lease);
    return deadline;
}

Effects step(State& state, const Config& config, const Input& input, TimePoint now)
{
    std::visit([&](const auto& in) { on(state, in, now); }, input);
    const auto deadline = next_deadline(state, config);
    if (!deadline || now < *deadline) return {};
    state.receivers_short_at.reset();  // Once is enough.
    state.enough_at.reset();
    return {Fence{}};
}

}  // namespace mysos::executor::fencing
