#include "common/election/phases.hpp"

#include <utility>

// A candidate whose marker nobody is left to acknowledge.
namespace mysos::election::promoting {
namespace {

using Stage = Promoting::Stage;

/// E as it is once nobody is in it but the candidate and those that hold its marker.
Electorate without_missing(const Promoting& phase)
{
    Electorate rest = phase.call.electorate;
    std::erase_if(rest.members, [&phase](MemberId member) {
        return member != phase.candidate.member && !phase.marked.contains(member);
    });
    rest.acks = electorate::acks_for(rest.members.size(), rest.acks);
    return rest;
}

}  // namespace

Effects report_stuck(State& state)
{
    auto& phase = std::get<Promoting>(state.phase);
    const Electorate rest = without_missing(phase);
    const bool can_serve = rest.members.size() >= phase.call.open_rule.members_min &&
                           rest.acks >= phase.call.open_rule.acks_min;
    if (phase.stage != Stage::written || !can_serve) return {};
    ReportStuck stuck;
    stuck.epoch = state.epoch;
    stuck.why = ReportStuck::Why::unacknowledged;
    for (const MemberId member : phase.call.electorate.members) {
        if (!rest.members.contains(member)) stuck.missing.insert(member);
    }
    stuck.force = ForceOffer{.member = phase.candidate.member, .transactions_lost = 0};
    if (phase.reported == stuck) return {};
    phase.reported = stuck;
    return {std::move(stuck)};
}

/// Nobody that leaves E can acknowledge for another primary: the quorum that chose the candidate
/// has fenced it. What is lost is the safety of having more than one copy.
Effects on(State& state, const Config&, const Forced& forced, TimePoint)
{
    auto& phase = std::get<Promoting>(state.phase);
    const bool was_offered =
        phase.stage == Stage::written && phase.reported && forced.member == phase.candidate.member;
    if (!was_offered) return {Ignored{Ignored::Why::not_stuck}};
    const std::size_t in_force = phase.call.electorate.acks;
    phase.call.electorate = without_missing(phase);
    phase.call.since = Epoch{};
    phase.stage = Stage::leading;
    Effects effects{
        SaveForced{state.epoch, phase.candidate, phase.call.since, phase.call.electorate},
        AdmitFollowers{state.epoch, phase.candidate.member, in_force}};
    const Effects opening = advance(state);
    effects.insert(effects.end(), opening.begin(), opening.end());
    return effects;
}

}  // namespace mysos::election::promoting
