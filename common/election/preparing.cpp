#include "common/base/overload.hpp"
#include "common/election/choice.hpp"
#include "common/election/election.hpp"
#include "common/election/phases.hpp"

#include <algorithm>

namespace mysos::election::preparing {
namespace {

Preparing& phase_of(State& state)
{
    return std::get<Preparing>(state.phase);
}

bool is_asked(const Preparing& phase, MemberId member)
{
    if (member == phase.call.last.member) return phase.last_asked;
    return phase.call.electorate.members.contains(member);
}

Effects report(State& state, ReportStuck::Why why)
{
    Preparing& phase = phase_of(state);
    ReportStuck stuck = describe(state.epoch, why, phase.call, phase.answers);
    if (phase.reported == stuck) return {};
    phase.reported = stuck;
    return {std::move(stuck)};
}

/// Somebody would be chosen who is wanted less than one that has not answered yet.
bool awaits_preferred(const Preparing& phase, MemberId candidate, TimePoint now)
{
    if (now >= phase.ask_last_at) return false;
    const int wanted = preference_of(phase.call, candidate);
    return std::ranges::any_of(phase.call.electorate.members, [&](MemberId member) {
        return member != phase.call.last.member && !phase.answers.contains(member) &&
               preference_of(phase.call, member) > wanted;
    });
}

/// Promotes if it can be done, else says what is in the way once that is due.
Effects decide(State& state, const Config& config, TimePoint now)
{
    Preparing& phase = phase_of(state);
    return std::visit(
        Overload{
            [&](const LastPrimary& candidate) {
                if (awaits_preferred(phase, candidate.member, now)) return Effects{};
                return promoting::enter(state, config, candidate, now);
            },
            [&](ReportStuck::Why why) {
                const bool may_change_soon =
                    why == ReportStuck::Why::no_quorum && now < phase.stuck_at;
                return may_change_soon ? Effects{} : report(state, why);
            }},
        choose(phase.call, phase.answers));
}

/// Who led last is asked when the others cannot do it; before, it would only be fenced for nothing.
Effects ask_last(State& state, TimePoint now)
{
    Preparing& phase = phase_of(state);
    const bool due = now >= phase.ask_last_at || !votes_may_suffice(phase.call, phase.answers);
    if (phase.last_asked || !due) return {};
    phase.last_asked = true;
    return {SendPrepare{state.epoch, phase.call.last.member}};
}

}  // namespace

Effects on(State& state, const Config&, const Appeared& appeared, TimePoint)
{
    const Preparing& phase = phase_of(state);
    if (!is_asked(phase, appeared.member)) return {Ignored{Ignored::Why::not_a_voter}};
    if (phase.answers.contains(appeared.member)) return {Ignored{Ignored::Why::already_so}};
    return {SendPrepare{state.epoch, appeared.member}};
}

/// What an ended member said is true, but it can neither be promoted nor follow.
Effects on(State& state, const Config&, const Ended& ended, TimePoint)
{
    Called& call = phase_of(state).call;
    if (ended.surely && ended.member == call.serving) call.serving = MemberId{};
    const bool had_answered = phase_of(state).answers.erase(ended.member) != 0;
    if (!had_answered) return {Ignored{Ignored::Why::nothing_to_do}};
    return {};
}

Effects on(State& state, const Config&, const Observed& observed, TimePoint)
{
    Called& call = phase_of(state).call;
    if (observed.member != call.serving || !serves_no_more(observed.observation)) {
        return {Ignored{Ignored::Why::nothing_to_do}};
    }
    call.serving = MemberId{};
    return {};
}

Effects on(State& state, const Config& config, const Prepared& prepared, TimePoint now)
{
    Preparing& phase = phase_of(state);
    if (prepared.member == phase.call.serving) phase.call.serving = MemberId{};
    const bool counts = phase.call.electorate.members.contains(prepared.member) ||
                        prepared.member == phase.call.last.member;
    if (!counts) return {Ignored{Ignored::Why::not_a_voter}};
    if (prepared.marker >= state.epoch) {
        return begin(
            state, config, phase.call, ReportBegun::Why::epoch_behind, now, prepared.marker);
    }
    phase.answers.insert_or_assign(
        prepared.member,
        Answer{
            .position = prepared.position,
            .marker = prepared.marker,
            .amnesiac = prepared.amnesiac,
            .lags = prepared.lags});
    Effects effects = decide(state, config, now);
    if (!std::holds_alternative<Preparing>(state.phase)) return effects;
    const Effects asking = ask_last(state, now);
    effects.insert(effects.end(), asking.begin(), asking.end());
    return effects;
}

Effects on(State&, const Config&, const Promoted&, TimePoint)
{
    return {Ignored{Ignored::Why::not_the_candidate}};
}

Effects on(State&, const Config&, const Rebuilt&, TimePoint)
{
    return {Ignored{Ignored::Why::nothing_to_do}};
}

Effects on(State&, const Config&, const Followed&, TimePoint)
{
    return {Ignored{Ignored::Why::nothing_to_do}};
}

Effects on(State&, const Config&, const Opened&, TimePoint)
{
    return {Ignored{Ignored::Why::not_the_candidate}};
}

Effects on(State& state, const Config& config, const Refused& refused, TimePoint now)
{
    if (refused.reason != control::Refused::Reason::old_epoch) {
        return {Ignored{Ignored::Why::order_repeats}};
    }
    return begin(
        state, config, phase_of(state).call, ReportBegun::Why::epoch_behind, now, refused.epoch);
}

Effects on(State&, const Config&, const ElectorateChanged&, TimePoint)
{
    return {Ignored{Ignored::Why::not_leading}};
}

Effects on(State& state, const Config& config, const Forced& forced, TimePoint now)
{
    const Preparing& phase = phase_of(state);
    const auto best = best_of(phase.call, phase.answers);
    if (!phase.reported || !best || best->member != forced.member) {
        return {Ignored{Ignored::Why::not_stuck}};
    }
    return promoting::enter_forced(state, config, *best, now);
}

Effects on(State& state, const Config& config, const DeadlinePassed&, TimePoint now)
{
    Preparing& phase = phase_of(state);
    if (now < next_deadline(phase)) return {Ignored{Ignored::Why::too_early}};

    Effects effects = ask_last(state, now);
    const MemberId last = phase.call.last.member;
    if (now >= phase.ask_again_at) {
        phase.ask_again_at = now + config.ask_again_after;
        std::set<MemberId> asked = phase.call.electorate.members;
        asked.erase(last);
        if (phase.last_asked && effects.empty()) asked.insert(last);
        for (const MemberId member : asked) {
            if (phase.answers.contains(member)) continue;
            effects.emplace_back(SendPrepare{state.epoch, member});
        }
    }
    const Effects decided = decide(state, config, now);
    effects.insert(effects.end(), decided.begin(), decided.end());
    return effects;
}

TimePoint next_deadline(const Preparing& phase)
{
    TimePoint earliest = phase.ask_again_at;
    if (!phase.last_asked) earliest = std::min(earliest, phase.ask_last_at);
    if (!phase.reported) earliest = std::min(earliest, phase.stuck_at);
    return earliest;
}

}  // namespace mysos::election::preparing
