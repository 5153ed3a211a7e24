#include "common/election/election.hpp"
#include "common/election/phases.hpp"

#include <algorithm>
#include <utility>

namespace mysos::election::promoting {
namespace {

using Stage = Promoting::Stage;
using Why = ReportBegun::Why;

Promoting& phase_of(State& state)
{
    return std::get<Promoting>(state.phase);
}

SendFollow follow(const State& state, const Promoting& phase, MemberId member)
{
    return {.epoch = state.epoch, .member = member, .primary = phase.candidate.member};
}

SendPromote promotion(const State& state, const Promoting& phase)
{
    return {
        .epoch = state.epoch,
        .member = phase.candidate.member,
        .position = phase.candidate.position,
        .acks = phase.call.electorate.acks};
}

/// The order that this member has not answered yet, if any.
Effects order_for(const State& state, const Promoting& phase, MemberId member)
{
    if (member == phase.candidate.member) {
        if (phase.stage == Stage::asked) return {promotion(state, phase)};
        if (phase.stage == Stage::opening) return {SendOpen{state.epoch, member}};
        return {};
    }
    const bool others_care = phase.stage == Stage::leading || phase.stage == Stage::opening;
    if (others_care || phase.followed.contains(member)) return {};
    if (!phase.call.electorate.members.contains(member)) return {};
    if (phase.errant.contains(member)) {
        if (!tails_may_go(phase)) return {};
        return {SendRebuild{state.epoch, member, phase.candidate.member}};
    }
    if (may_follow(phase, member)) return {follow(state, phase, member)};
    if (!phase.answers.contains(member)) return {SendPrepare{state.epoch, member}};
    return {};
}

std::size_t marked_of(const Promoting& phase, const Electorate& electorate)
{
    return static_cast<std::size_t>(std::ranges::count_if(phase.marked, [&](MemberId member) {
        return electorate.members.contains(member) && member != phase.candidate.member;
    }));
}

/// As far as what is known now allows.
Effects advance(State& state)
{
    Promoting& phase = phase_of(state);
    const Electorate& electorate = phase.call.electorate;
    const bool acknowledged = marked_of(phase, electorate) >= electorate.acks;
    Effects effects;
    if (phase.stage == Stage::written && acknowledged && !phase.unfenced_until) {
        phase.stage = Stage::leading;
        effects.emplace_back(SaveCandidate{state.epoch, phase.candidate});
        effects.emplace_back(AdmitFollowers{state.epoch, phase.candidate.member});
    }
    const bool grown = electorate.members.size() >= phase.call.open_rule.members_min &&
                       electorate.acks >= phase.call.open_rule.acks_min;
    if (phase.stage == Stage::leading && acknowledged && grown) {
        phase.stage = Stage::opening;
        effects.emplace_back(SendOpen{state.epoch, phase.candidate.member});
    }
    return effects;
}

Effects orders_for_all(const State& state, const Promoting& phase)
{
    Effects effects;
    for (const MemberId member : phase.call.electorate.members) {
        const Effects orders = order_for(state, phase, member);
        effects.insert(effects.end(), orders.begin(), orders.end());
    }
    return effects;
}

/// The marker is written: what those with a tail wait for, unless enough others follow already, and
/// everybody where the candidate lagged.
Effects write_marker(State& state, const Config& config, TimePoint now)
{
    Promoting& phase = phase_of(state);
    begin_waiting(phase, config, now);
    Effects effects = advance(state);
    if (phase.stage == Stage::written && (tails_may_go(phase) || has_lagged(phase))) {
        const Effects orders = orders_for_all(state, phase);
        effects.insert(effects.end(), orders.begin(), orders.end());
    }
    return effects;
}

/// Who leads, open or not, may have acknowledged last. Before that a candidate has acknowledged
/// nothing, and who was last before it still is: it may be the only one left that can go on.
Effects begin_after_candidate(
    State& state, const Config& config, ReportBegun::Why why, TimePoint now, Epoch above = {})
{
    Promoting& phase = phase_of(state);
    const bool led = phase.stage == Stage::leading || phase.stage == Stage::opening;
    const bool is_last = phase.candidate.member == phase.call.last.member;
    Called call = call_again(phase);
    if (led) call.since = Epoch{};
    if (led || is_last) call.last = std::move(phase.candidate);
    return begin(state, config, std::move(call), why, now, above);
}

Effects opened(State& state)
{
    const MemberId primary = phase_of(state).candidate.member;
    state.phase = Idle{};
    return {SaveOpened{state.epoch, primary}, Publish{state.epoch, primary}};
}

/// Clients may still be let in to it.
bool is_awaited(const Promoting& phase, MemberId member)
{
    return phase.unfenced_until && member == phase.call.serving;
}

Effects note_fenced(State& state)
{
    phase_of(state).unfenced_until.reset();
    return advance(state);
}

bool has_failed(const Promoting& phase, const mysql::Observation& seen)
{
    using control::Phase;
    const auto answer = phase.answers.find(phase.candidate.member);
    const bool was_amnesiac = answer != phase.answers.end() && answer->second.amnesiac;
    if (seen.amnesiac && !was_amnesiac) return true;
    if (phase.stage != Stage::asked) return seen.phase != Phase::primary;
    return seen.phase != Phase::fenced && seen.phase != Phase::replica &&
           seen.phase != Phase::primary;
}

Effects on_candidate(
    State& state, const Config& config, const mysql::Observation& seen, TimePoint now)
{
    Promoting& phase = phase_of(state);
    if (seen.epoch > state.epoch) {
        return begin_after_candidate(state, config, Why::epoch_behind, now, seen.epoch);
    }
    if (has_failed(phase, seen)) {
        return begin_after_candidate(state, config, Why::candidate_failed, now);
    }
    phase.candidate_fails_at = now + config.candidate_silence_max;
    const bool leads = seen.phase == control::Phase::primary && seen.epoch == state.epoch &&
                       seen.marker == state.epoch;
    if (leads && phase.stage == Stage::opening && seen.writable) return opened(state);
    if (leads && phase.stage == Stage::asked) return write_marker(state, config, now);
    return advance(state);
}

}  // namespace

Effects enter(State& state, const Config& config, const LastPrimary& candidate, TimePoint now)
{
    auto& before = std::get<Preparing>(state.phase);
    Promoting phase{
        .call = std::move(before.call),
        .candidate = candidate,
        .answers = std::move(before.answers),
        .followed = {},
        .errant = {},
        .marked = {},
        .ask_again_at = now + config.ask_again_after,
        .candidate_fails_at = now + config.candidate_silence_max,
        .stuck_at = now + config.stuck_after,
        .reported = {}};
    const Called& call = phase.call;
    const bool may_serve = call.fenced_after != Duration::zero() && call.serving != MemberId{} &&
                           call.serving != candidate.member &&
                           !phase.answers.contains(call.serving);
    if (may_serve) phase.unfenced_until = now + call.fenced_after;
    const bool of_two = phase.call.electorate.members.size() == 2;
    if (of_two && phase.call.alone_after) phase.alone_at = now + *phase.call.alone_after;
    Effects effects{promotion(state, phase)};
    for (const MemberId member : phase.call.electorate.members) {
        if (!may_follow(phase, member)) continue;
        effects.emplace_back(follow(state, phase, member));
    }
    if (may_serve) effects.emplace_back(SendPrepare{state.epoch, call.serving});
    state.phase = std::move(phase);
    return effects;
}

Called call_again(const Promoting& phase)
{
    Called call = phase.call;
    if (!phase.unfenced_until) call.serving = MemberId{};
    if (phase.stage == Stage::opening) call.serving = phase.candidate.member;
    return call;
}

Effects enter_forced(
    State& state, const Config& config, const LastPrimary& candidate, TimePoint now)
{
    Called& call = std::get<Preparing>(state.phase).call;
    const Promoting before{
        .call = call,
        .candidate = candidate,
        .answers = std::get<Preparing>(state.phase).answers,
        .followed = {},
        .errant = {},
        .marked = {},
        .ask_again_at = now,
        .candidate_fails_at = now,
        .stuck_at = now,
        .reported = {}};
    std::erase_if(call.electorate.members, [&](MemberId member) {
        return member != candidate.member && !follows_at_once(before, member);
    });
    call.electorate.members.insert(candidate.member);
    call.electorate.acks =
        electorate::acks_for(call.electorate.members.size(), call.electorate.acks);
    call.last = candidate;
    call.since = state.epoch;
    call.high_water = candidate.position;
    Effects effects{SaveForced{state.epoch, candidate, call.since, call.electorate}};
    const Effects orders = enter(state, config, candidate, now);
    effects.insert(effects.end(), orders.begin(), orders.end());
    return effects;
}

Effects on(State& state, const Config&, const Appeared& appeared, TimePoint)
{
    Promoting& phase = phase_of(state);
    Effects orders = order_for(state, phase, appeared.member);
    if (orders.empty()) return {Ignored{Ignored::Why::nothing_to_do}};
    if (appeared.member == phase.candidate.member) phase.asked_again = true;
    return orders;
}

Effects on(State& state, const Config& config, const Ended& ended, TimePoint now)
{
    Promoting& phase = phase_of(state);
    if (ended.member == phase.candidate.member) {
        return begin_after_candidate(state, config, Why::candidate_failed, now);
    }
    const bool had_answered = phase.answers.erase(ended.member) != 0;
    const bool had_followed = phase.followed.erase(ended.member) != 0;
    if (ended.surely && is_awaited(phase, ended.member)) return note_fenced(state);
    if (!had_answered && !had_followed) return {Ignored{Ignored::Why::nothing_to_do}};
    return {};
}

Effects on(State& state, const Config& config, const Observed& observed, TimePoint now)
{
    Promoting& phase = phase_of(state);
    const mysql::Observation& seen = observed.observation;
    if (observed.member == phase.candidate.member) return on_candidate(state, config, seen, now);
    const bool follows = seen.epoch == state.epoch && seen.source == phase.candidate.member &&
                         !mysql::cannot_receive(seen);
    if (follows) {
        phase.followed.insert(observed.member);
    } else {
        phase.followed.erase(observed.member);  // Restarted or refused since: it is told again.
    }
    const auto answer = phase.answers.find(observed.member);
    if (answer != phase.answers.end() && seen.amnesiac) answer->second.amnesiac = true;
    if (seen.needs_rebuild) phase.errant.insert(observed.member);
    const bool is_fenced = is_awaited(phase, observed.member) && serves_no_more(seen);
    if (is_fenced) phase.unfenced_until.reset();
    if (seen.marker != state.epoch) return is_fenced ? advance(state) : Effects{};
    phase.marked.insert(observed.member);
    return advance(state);
}

/// Somebody who was silent while it was decided.
Effects on(State& state, const Config&, const Prepared& prepared, TimePoint)
{
    Promoting& phase = phase_of(state);
    Effects effects;
    if (is_awaited(phase, prepared.member)) effects = note_fenced(state);
    if (prepared.member == phase.candidate.member || phase.answers.contains(prepared.member)) {
        return {Ignored{Ignored::Why::already_so}};
    }
    phase.answers.emplace(
        prepared.member,
        Answer{
            .position = prepared.position,
            .marker = prepared.marker,
            .amnesiac = prepared.amnesiac,
            .lags = prepared.lags});
    const Effects orders = order_for(state, phase, prepared.member);
    effects.insert(effects.end(), orders.begin(), orders.end());
    return effects;
}

Effects on(State& state, const Config& config, const Promoted& promoted, TimePoint now)
{
    Promoting& phase = phase_of(state);
    if (promoted.member != phase.candidate.member) {
        return {Ignored{Ignored::Why::not_the_candidate}};
    }
    if (phase.stage != Stage::asked) return {Ignored{Ignored::Why::already_so}};
    return write_marker(state, config, now);
}

Effects on(State& state, const Config&, const Followed& followed, TimePoint)
{
    const bool is_new = phase_of(state).followed.insert(followed.member).second;
    if (!is_new) return {Ignored{Ignored::Why::already_so}};
    return {};
}

Effects on(State& state, const Config&, const Rebuilt& rebuilt, TimePoint)
{
    Promoting& phase = phase_of(state);
    if (phase.errant.erase(rebuilt.member) == 0) return {Ignored{Ignored::Why::already_so}};
    return order_for(state, phase, rebuilt.member);
}

Effects on(State& state, const Config&, const Opened& answer, TimePoint)
{
    const Promoting& phase = phase_of(state);
    if (answer.member != phase.candidate.member || phase.stage != Stage::opening) {
        return {Ignored{Ignored::Why::not_the_candidate}};
    }
    return opened(state);
}

Effects on(State& state, const Config& config, const Refused& refused, TimePoint now)
{
    using Reason = control::Refused::Reason;
    Promoting& phase = phase_of(state);
    const bool by_candidate = refused.member == phase.candidate.member;
    if (refused.reason == Reason::old_epoch) {
        return begin_after_candidate(state, config, Why::epoch_behind, now, refused.epoch);
    }
    if (by_candidate && refused.reason == Reason::lacks_position) {
        return begin_after_candidate(state, config, Why::candidate_refused, now);
    }
    const bool candidate_failed = by_candidate && (refused.reason == Reason::server_failed ||
                                                   refused.reason == Reason::not_primary);
    if (candidate_failed) return begin_after_candidate(state, config, Why::candidate_failed, now);
    if (refused.order == Refused::Order::follow && refused.reason == Reason::errant) {
        phase.errant.insert(refused.member);
        return order_for(state, phase, refused.member);
    }
    return {Ignored{Ignored::Why::order_repeats}};
}

Effects on(State& state, const Config&, const ElectorateChanged& changed, TimePoint)
{
    Promoting& phase = phase_of(state);
    if (phase.stage != Stage::leading && phase.stage != Stage::opening) {
        return {Ignored{Ignored::Why::not_leading}};
    }
    phase.call.electorate = changed.electorate;
    return advance(state);
}

Effects on(State& state, const Config& config, const DeadlinePassed&, TimePoint now)
{
    Promoting& phase = phase_of(state);
    if (now < next_deadline(phase)) return {Ignored{Ignored::Why::too_early}};
    if (now >= phase.candidate_fails_at) {
        return begin_after_candidate(state, config, Why::candidate_failed, now);
    }
    if (is_left_alone(phase, now)) return go_alone(state, config, now);
    if (phase.unfenced_until && now >= *phase.unfenced_until) return note_fenced(state);
    if (now < phase.ask_again_at) return {Ignored{Ignored::Why::too_early}};

    phase.ask_again_at = now + config.ask_again_after;
    phase.asked_again = true;
    Effects effects = orders_for_all(state, phase);
    const bool asks_it = phase.call.electorate.members.contains(phase.call.serving);
    if (phase.unfenced_until && !asks_it) {
        effects.emplace_back(SendPrepare{state.epoch, phase.call.serving});
    }
    if (now >= phase.stuck_at) {
        const Effects report = report_stuck(state);
        effects.insert(effects.end(), report.begin(), report.end());
    }
    return effects;
}

TimePoint next_deadline(const Promoting& phase)
{
    TimePoint next = std::min(phase.ask_again_at, phase.candidate_fails_at);
    if (phase.unfenced_until) next = std::min(next, *phase.unfenced_until);
    const bool may_be_left = phase.stage == Stage::written && phase.alone_at;
    return may_be_left ? std::min(next, *phase.alone_at) : next;
}

}  // namespace mysos::election::promoting
