#pragma once

#include "common/base/time.hpp"
#include "common/election/effect.hpp"
#include "common/election/input.hpp"
#include "common/election/state.hpp"

#include <optional>

/// Elects a primary so that no acknowledged transaction is lost, and sees it through until clients
/// are let in. The first primary of a fresh cluster is elected like any other: its electorate is
/// itself alone, k is 0, and it is its own last primary.
///
/// Opens a new epoch, asks every voter to stop receiving and to say what it holds, and promotes as
/// soon as so many have answered that the old primary can gather no more acknowledgements: among
/// them one holds everything ever acknowledged. Too few answers promote nobody, however long it
/// takes; but the recorded last primary, come back with its data, needs no vote but its own.
/// Clients are let in last, when k members have reported the new primary's marker. Whatever is
/// interrupted begins again in the epoch above.
///
/// Pure: no I/O, clock, randomness, logging or threads. Equal arguments give equal effects.
/// Why it is safe: docs/failover.md, "Election".
namespace mysos::election {

/// Takes one input. Never fails or throws: what does not apply comes back as `Ignored`.
[[nodiscard]] Effects step(State& state, const Config& config, const Input& input, TimePoint now);

/// Its server is down, or was taken down and starts shut out: clients are not let in to it again
/// without an order.
[[nodiscard]] bool serves_no_more(const mysql::Observation& seen);

/// When the shell must next send `DeadlinePassed`; none while no election runs.
[[nodiscard]] std::optional<TimePoint> next_deadline(const State& state);

}  // namespace mysos::election
