#include "executor/decide/parts.hpp"

#include <algorithm>

/// How a primary goes that was told to: it serves until the scheduler has made another one.
namespace mysos::executor {

void leave(Step& step, mesos::TaskState terminal, std::string message, Duration grace)
{
    State& state = step.state;
    const TimePoint end_at = step.now + grace;
    const TimePoint by = end_at - std::min(step.config.stop_reserve, grace / 2);
    if (state.leaving) {  // Told again: the earlier end counts.
        state.leaving->by = std::min(state.leaving->by, by);
        state.leaving->end_at = std::min(state.leaving->end_at, end_at);
        return step.ignore("already leaving");
    }
    const auto* primary = in_phase<Primary>(state);
    const bool serves =
        primary != nullptr && primary->open && state.server.process == Server::Process::running;
    if (!serves || !state.fencing.stream_up) {  // Nothing to hand over, or nobody who could.
        return stop(step, terminal, std::move(message), grace);
    }
    state.leaving = Leaving{terminal, std::move(message), by, end_at};
    step.order(Report{
        Report::Level::info,
        "told to end, while it leads: waits for the scheduler to move the primary"});
}

void stop_leaving(Step& step)
{
    const Leaving leaving = *step.state.leaving;
    step.state.leaving.reset();
    const Duration rest = std::max(leaving.end_at - step.now, Duration::zero());
    stop(step, leaving.then, leaving.message, rest);
}

void go_on_leaving(Step& step)
{
    const State& state = step.state;
    if (!state.leaving) return;
    const bool has_server = state.server.process != Server::Process::down && !is_in<Crashed>(state);
    if (has_server && !is_in<Stopping>(state) && step.now < state.leaving->by) return;
    stop_leaving(step);
}

}  // namespace mysos::executor
