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

/// Nobody that leaves E can acknowledge for another primary: the quorum that chose the candidate
/// has fenced it. Nor for this one: some follow it already, so it begins again in an epoch of its
/// own, in which it lets in only whom it is told to. What is lost is the safety of more than one
/// copy.
Effects go_on_with(
    State& state, const Config& config, Electorate rest, ReportBegun::Why why, TimePoint now)
{
    const auto& phase = std::get<Promoting>(state.phase);
    Called call = call_again(phase);
    call.electorate = std::move(rest);
    call.last = phase.candidate;
    call.since = Epoch{};
    call.high_water = phase.candidate.position;
    Effects effects{SaveForced{state.epoch, call.last, call.since, call.electorate}};
    const Effects again = begin(state, config, std::move(call), why, now);
    effects.insert(effects.end(), again.begin(), again.end());
    return effects;
}

}  // namespace

bool is_left_alone(const Promoting& phase, TimePoint now)
{
    return phase.stage == Promoting::Stage::written && phase.alone_at && now >= *phase.alone_at;
}

Effects go_alone(State& state, const Config& config, TimePoint now)
{
    Electorate alone{.members = {std::get<Promoting>(state.phase).candidate.member}, .acks = 0};
    return go_on_with(state, config, std::move(alone), ReportBegun::Why::alone, now);
}

Effects report_stuck(State& state)
{
    auto& phase = std::get<Promoting>(state.phase);
    const Electorate rest = without_missing(phase);
    const bool can_serve = rest.members.size() >= phase.call.open_rule.members_min &&
                           rest.acks >= phase.call.open_rule.acks_min;
    const bool awaits_fence = phase.unfenced_until.has_value();
    if (phase.stage != Stage::written || !can_serve || awaits_fence) return {};
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

Effects on(State& state, const Config& config, const Forced& forced, TimePoint now)
{
    const auto& phase = std::get<Promoting>(state.phase);
    const bool was_offered =
        phase.stage == Stage::written && phase.reported && forced.member == phase.candidate.member;
    if (!was_offered) return {Ignored{Ignored::Why::not_stuck}};
    return go_on_with(state, config, without_missing(phase), ReportBegun::Why::forced, now);
}

}  // namespace mysos::election::promoting
