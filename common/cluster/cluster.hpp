#pragma once

#include "common/base/time.hpp"
#include "common/cluster/effect.hpp"
#include "common/cluster/input.hpp"
#include "common/cluster/state.hpp"

#include <optional>

/// One cluster from its creation to its end: which member to launch on which offer, what to do with
/// each status, who follows whom, when clients are let in, how a dead primary is replaced, and how
/// it all ends. It composes the smaller machines (placement, volumes, electorate, election,
/// publishing) and is itself composed by scheduler/decide.
///
/// Safe because what an effect relies on is saved before it (`Save` is a barrier), because a member
/// with data is launched on its own volume only, and because every order carries its epoch.
///
/// Pure: no I/O, clock, randomness, logging or threads. Equal arguments give equal effects.
namespace mysos::cluster {

/// Takes one input. Never fails or throws: what does not apply comes back as `Ignored`.
[[nodiscard]] Effects step(State& state, const Config& config, const Input& input, TimePoint now);

/// When the shell must next send `DeadlinePassed`; none while nothing is awaited.
[[nodiscard]] std::optional<TimePoint> next_deadline(const State& state);

/// A cluster as its record describes it, nothing else known yet. To be followed by `Started`.
[[nodiscard]] State restored(const Record& record);

}  // namespace mysos::cluster
