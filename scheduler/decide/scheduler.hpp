#pragma once

#include "common/base/time.hpp"
#include "common/mesos/call.hpp"
#include "scheduler/decide/effect.hpp"
#include "scheduler/decide/input.hpp"
#include "scheduler/decide/state.hpp"

#include <optional>

/// The framework over all clusters: owns what was stored, routes each input to the cluster that it
/// concerns, uses every offer at most once and declines the rest, keeps the framework's own record,
/// answers requests.
///
/// Pure: no I/O, clock, randomness, logging or threads. Equal arguments give equal effects.
namespace mysos::scheduler {

/// Takes one input. Never fails or throws: what does not apply comes back as `Ignored`.
[[nodiscard]] Effects step(State& state, const Config& config, const Input& input, TimePoint now);

/// When the shell must next send `DeadlinePassed`; none while nothing is awaited.
[[nodiscard]] std::optional<TimePoint> next_deadline(const State& state);

/// What to subscribe with; asked each time that the stream is opened, after `Recovered`.
[[nodiscard]] mesos::Subscribe subscription(const State& state, const Config& config);

}  // namespace mysos::scheduler
