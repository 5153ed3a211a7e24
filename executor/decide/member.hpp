#pragma once

#include "executor/decide/effect.hpp"
#include "executor/decide/input.hpp"
#include "executor/decide/state.hpp"

#include <optional>
#include <vector>

/// One member of a cluster: from the agent's LAUNCH to the task's end.
///
/// It installs and starts a server, which always starts shut out, and from then on does what the
/// leading scheduler orders, epoch by epoch. An order of a higher epoch is obeyed only after that
/// epoch is on the volume; one of a lower epoch never. A primary whose server ended stays down
/// until ordered, since the end of its binlog may hold what nobody acknowledged; and a primary is
/// only ever ended with SIGKILL unless it is certain that no commit waits.
///
/// Pure: no I/O, clock, randomness, logging or threads. Equal arguments give equal effects.
/// Why it is safe: docs/failover.md.
namespace mysos::executor {

/// Takes one input. Never fails or throws: what does not apply comes back as `Ignored`.
[[nodiscard]] Effects step(State& state, const Config& config, const Input& input, TimePoint now);

/// When the shell must next send `DeadlinePassed`.
[[nodiscard]] std::optional<TimePoint> next_deadline(const State& state, const Config& config);

/// How things stand, for a Hello and for every report.
[[nodiscard]] control::Observation observation(const State& state);

/// A primary of an asynchronous cluster that lets clients in: semi-sync is off.
[[nodiscard]] bool waits_for_nobody(const State& state);

/// What a SUBSCRIBE must carry: updates in their order, and the task until its first update was
/// acknowledged.
[[nodiscard]] std::vector<StatusUpdate> unacknowledged_updates(const State& state);
[[nodiscard]] bool task_unacknowledged(const State& state);

}  // namespace mysos::executor
