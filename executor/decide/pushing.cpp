#include "executor/decide/pushing.hpp"

#include <algorithm>

namespace mysos::executor::pushing {
namespace {

Effects on(State& state, const Config& config, const CommitsSeen& seen, TimePoint now)
{
    const bool can_go_on = seen.required > 0 && seen.clients >= seen.required;
    if (seen.waiting == 0 || !can_go_on) {
        state = {};
        return {};
    }
    if (!state.stuck || state.acknowledged != seen.acknowledged) {
        state = {
            .stuck = true,
            .since = now,
            .patience = config.patience,
            .acknowledged = seen.acknowledged};
        return {};
    }
    if (now < state.since + state.patience) return {};
    state.since = now;
    state.patience = std::min(2 * state.patience, config.patience_max);
    return {Push{}};
}

Effects on(State& state, const Config&, const NotPrimary&, TimePoint)
{
    state = {};
    return {};
}

}  // namespace

Effects step(State& state, const Config& config, const Input& input, TimePoint now)
{
    return std::visit([&](const auto& in) { return on(state, config, in, now); }, input);
}

}  // namespace mysos::executor::pushing
