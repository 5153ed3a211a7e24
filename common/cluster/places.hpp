#pragma once

#include "common/cluster/input.hpp"
#include "common/cluster/state.hpp"
#include "common/placement/constraint.hpp"

#include <set>
#include <string>

/// Where a member may be placed: never beside another one unless that is allowed, and as the
/// cluster's constraints say. Nothing outside of this folder includes it.
namespace mysos::cluster {

/// Agents that hold another member, or its data; none where members may share one.
[[nodiscard]] std::set<mesos::AgentId> occupied(const Record& record, MemberId except);

/// The record's, and that agents of other regions than the master's are for those who ask for them.
[[nodiscard]] placement::Constraints constraints_in_force(const State& state);

/// Where the other members are, less those in whose place this one may come.
[[nodiscard]] placement::Places places_of_others(const State& state, MemberId except);

/// Whether the member, which has no data yet, may be placed on the agent that makes the offer.
[[nodiscard]] bool suits(
    const State& state, const Config& config, MemberId id, const OfferArrived& in);

/// Why no agent that made an offer will do for the member; empty: one would.
[[nodiscard]] std::string explain_placement(const State& state, MemberId id);

}  // namespace mysos::cluster
