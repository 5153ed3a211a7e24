#include "common/cluster/places.hpp"

#include "common/cluster/stepping.hpp"
#include "common/volume/volume.hpp"

#include <algorithm>

namespace mysos::cluster {
namespace {

using placement::Constraint;
using placement::Constraints;
using placement::Operator;
using placement::Places;

bool has_place(const Member& member)
{
    return !member.agent_id.empty() && (member.launched || member.volume_created);
}

/// Whether the agent that makes the offer holds another member already, or its volume (the agent
/// may have come back under another id).
bool is_taken(const Record& record, const mesos::Offer& offer, MemberId except)
{
    if (record.colocate) return false;
    if (occupied(record, except).contains(offer.agent_id)) return true;
    return std::ranges::any_of(record.members, [&offer, except](const auto& entry) {
        const auto& [id, member] = entry;
        return id != except && member.volume_created &&
               volume::trace(offer, member.persistence_id) != volume::Trace::none;
    });
}

/// The agents that offer at the same time what the member could take as well.
Places rivals(
    const State& state,
    const Config& config,
    MemberId id,
    const OfferArrived& in,
    const Constraints& constraints)
{
    Constraints but_even = constraints;
    std::erase_if(but_even, [](const Constraint& one) { return one.op == Operator::group_by; });
    Places result;
    if (but_even.size() == constraints.size()) return result;
    const Places others = places_of_others(state, id);
    for (const mesos::Offer& beside : in.beside) {
        const placement::Amounts amounts = available(beside, config.role, config.unreserved);
        if (!lacks(need(state.record), amounts).empty()) continue;
        if (is_taken(state.record, beside, id)) continue;
        placement::Place place = place_of(beside, constraints);
        if (allows(but_even, place, others)) result.push_back(std::move(place));
    }
    return result;
}

}  // namespace

std::set<mesos::AgentId> occupied(const Record& record, MemberId except)
{
    std::set<mesos::AgentId> agents;
    if (record.colocate) return agents;
    for (const auto& [id, member] : record.members) {
        if (id != except && has_place(member)) agents.insert(member.agent_id);
    }
    return agents;
}

Constraints constraints_in_force(const State& state)
{
    Constraints constraints = state.record.constraints;
    if (!state.home_region.empty() && !mentions(constraints, "@region")) {
        constraints.push_back({"@region", Operator::cluster, state.home_region});
    }
    return constraints;
}

Places places_of_others(const State& state, MemberId except)
{
    Places places;
    for (const auto& [id, member] : state.record.members) {
        const MemberState& seen = state.members.at(id);
        const bool goes = seen.overdue || seen.going || is_closing(state, id);
        if (id == except || !has_place(member) || goes) continue;
        places.push_back({member.hostname, member.region, member.zone, member.attributes});
    }
    return places;
}

bool suits(const State& state, const Config& config, MemberId id, const OfferArrived& in)
{
    if (is_taken(state.record, in.offer, id)) return false;
    const Constraints constraints = constraints_in_force(state);
    return allows(
        constraints,
        place_of(in.offer, constraints),
        places_of_others(state, id),
        rivals(state, config, id, in, constraints));
}

std::string explain_placement(const State& state, MemberId id)
{
    return placement::explain(
        need(state.record),
        state.offered,
        occupied(state.record, id),
        constraints_in_force(state),
        places_of_others(state, id));
}

}  // namespace mysos::cluster
