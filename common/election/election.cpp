#include "common/election/election.hpp"

#include "common/election/choice.hpp"
#include "common/election/phases.hpp"

#include <algorithm>
#include <utility>

namespace mysos::election {
namespace {

/// Answers carry the epoch of their order; a refusal for an old epoch carries the member's own.
template <class Answered>
bool is_of_epoch(const Answered& input, Epoch epoch)
{
    return input.epoch == epoch;
}
bool is_of_epoch(const Refused& refused, Epoch epoch)
{
    if (refused.reason == control::Refused::Reason::old_epoch) return refused.epoch > epoch;
    return refused.epoch == epoch;
}

template <class AnyInput>
Effects on(State& state, const Config& config, const AnyInput& input, TimePoint now)
{
    if constexpr (requires { input.epoch; }) {
        if (std::holds_alternative<Idle>(state.phase)) {
            return {Ignored{Ignored::Why::no_election}};
        }
        if (!is_of_epoch(input, state.epoch)) return {Ignored{Ignored::Why::other_epoch}};
    }
    if (std::holds_alternative<Preparing>(state.phase)) {
        return preparing::on(state, config, input, now);
    }
    if (std::holds_alternative<Promoting>(state.phase)) {
        return promoting::on(state, config, input, now);
    }
    return {Ignored{Ignored::Why::no_election}};
}

Effects on(State& state, const Config& config, const Called& called, TimePoint now)
{
    return begin(state, config, called, ReportBegun::Why::called, now);
}

}  // namespace

Effects begin(
    State& state,
    const Config& config,
    Called call,
    ReportBegun::Why why,
    TimePoint now,
    Epoch above)
{
    state.epoch = next(std::max(state.epoch, above));
    if (above != Epoch{} || call.since == Epoch{}) call.since = state.epoch;
    Effects effects{
        DismissPrimary{},
        SaveEpoch{state.epoch, call.last, call.since},
        ReportBegun{state.epoch, why}};
    for (const MemberId member : call.electorate.members) {
        if (member != call.last.member) effects.emplace_back(SendPrepare{state.epoch, member});
    }
    const bool only_last_can = !votes_may_suffice(call, {});
    if (only_last_can) effects.emplace_back(SendPrepare{state.epoch, call.last.member});
    state.phase = Preparing{
        .call = std::move(call),
        .answers = {},
        .last_asked = only_last_can,
        .ask_again_at = now + config.ask_again_after,
        .ask_last_at = now + config.ask_last_after,
        .stuck_at = now + config.stuck_after,
        .reported = {}};
    return effects;
}

bool serves_no_more(const mysql::Observation& seen)
{
    using control::Phase;
    return seen.phase == Phase::crashed || seen.phase == Phase::start ||
           seen.phase == Phase::fenced || seen.phase == Phase::replica ||
           seen.phase == Phase::clone || seen.phase == Phase::failed;
}

Effects step(State& state, const Config& config, const Input& input, TimePoint now)
{
    return std::visit([&](const auto& in) { return on(state, config, in, now); }, input);
}

std::optional<TimePoint> next_deadline(const State& state)
{
    if (const auto* phase = std::get_if<Preparing>(&state.phase)) {
        return preparing::next_deadline(*phase);
    }
    if (const auto* phase = std::get_if<Promoting>(&state.phase)) {
        return promoting::next_deadline(*phase);
    }
    return std::nullopt;
}

}  // namespace mysos::election
