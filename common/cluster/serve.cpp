#include "common/cluster/stepping.hpp"

#include <algorithm>
#include <array>

// What clients find in ZooKeeper.
namespace mysos::cluster {
namespace {

using control::Phase;

const publish::Wanted* wanted_now(const State& state)
{
    return std::get_if<publish::Wanted>(&state.publish.goal);
}

/// The newest word on what its server is doing: an answer may be newer than the last observation.
Phase phase(const MemberState& seen)
{
    if (seen.understood) return seen.understood->phase;
    return seen.observation ? seen.observation->phase : Phase::unknown;
}

bool is_fit(const MemberState& seen)
{
    if (!seen.observation || !seen.observation->answers) return false;
    return phase(seen) == Phase::replica || phase(seen) == Phase::primary;
}

/// Its server is down, so that there is nothing to be patient about.
bool is_down(const Member& member, const MemberState& seen)
{
    static constexpr std::array<Phase, 8> down{
        Phase::fetch,
        Phase::install,
        Phase::initialise,
        Phase::clone,
        Phase::start,
        Phase::crashed,
        Phase::stopping,
        Phase::failed};
    if (!member.launched || !seen.observation) return true;
    return std::ranges::count(down, phase(seen)) != 0;
}

/// A member that is fenced for an election, or silent for a while, stays where clients found it.
bool is_served(Stepping& step, MemberId id)
{
    const Member& member = step.member(id);
    MemberState& seen = step.seen(id);
    const publish::Wanted* wanted = wanted_now(step.state);
    const bool was_served = wanted != nullptr && wanted->members.contains(id);
    if (is_down(member, seen)) return false;
    if (is_fit(seen) && seen.stream) {
        seen.unfit_until.reset();
        return true;
    }
    if (!was_served) return false;
    if (!seen.stream) return true;  // Silence to us is no evidence that it does not serve.
    if (!seen.unfit_until) seen.unfit_until = step.now + step.config.unfit_max;
    return step.now < *seen.unfit_until;
}

/// After a restart nothing is taken out before its executors have had time to come back, and the
/// primary's entry not before it is known to have failed.
bool is_held(Stepping& step)
{
    State& state = step.state;
    if (!state.publish_held) return false;
    const bool elects = !std::holds_alternative<election::Idle>(state.election.phase);
    const bool all_heard = std::ranges::all_of(state.members, [&state](const auto& entry) {
        return !state.record.members.at(entry.first).launched || entry.second.stream;
    });
    const bool has_primary = state.published.has_value();
    if (elects || (has_primary && (all_heard || step.now >= *state.publish_held))) {
        state.publish_held.reset();
        return false;
    }
    return true;
}

void lift(Stepping& step, const publish::ReadTree& effect)
{
    step.act(effect);
}
void lift(Stepping& step, const publish::Apply& effect)
{
    step.act(effect);
}
void lift(Stepping& step, const publish::ReportPublished& effect)
{
    step.report(
        Report::Level::info,
        effect.master.value_or(MemberId{}),
        effect.master ? "published as the primary" : "published: there is no primary");
}
void lift(Stepping& step, const publish::ReportRemoved&)
{
    if (!step.record().deleting || !step.state.retired) return;
    step.act(Forget{});
}
void lift(Stepping& step, const publish::Ignored& effect)
{
    step.ignore("publish: " + std::to_string(static_cast<int>(effect.why)));
}

}  // namespace

void tell_publish(Stepping& step, const publish::Input& input)
{
    const publish::Config config{step.config.publish_retry_min, step.config.publish_retry_max};
    const publish::Effects effects = publish::step(step.state.publish, config, input, step.now);
    for (const publish::Effect& effect : effects) {
        std::visit([&step](const auto& one) { lift(step, one); }, effect);
    }
}

void serve(Stepping& step)
{
    if (step.state.retired || is_held(step)) return;
    publish::Wanted wanted;
    for (const auto& [id, member] : step.record().members) {
        if (is_served(step, id))
            wanted.members.emplace(id, publish::Endpoint{member.hostname, member.port});
    }
    if (step.state.published && wanted.members.contains(*step.state.published)) {
        wanted.master = step.state.published;
    }
    const publish::Wanted* before = wanted_now(step.state);
    if (before != nullptr && *before == wanted) return;
    // Of a new cluster nothing is published before its first primary is open.
    if (!step.record().ever_opened) return;
    tell_publish(step, publish::WantedChanged{wanted});
}

std::optional<TimePoint> serve_deadline(const State& state)
{
    if (state.retired) return std::nullopt;
    if (state.publish_held) return state.published ? state.publish_held : std::nullopt;
    const publish::Wanted* wanted = wanted_now(state);
    if (wanted == nullptr) return std::nullopt;
    std::optional<TimePoint> first;
    for (const auto& [id, endpoint] : wanted->members) {
        const auto seen = state.members.find(id);
        if (seen == state.members.end() || !seen->second.stream || !seen->second.unfit_until)
            continue;
        const TimePoint at = *seen->second.unfit_until;
        first = first ? std::min(*first, at) : at;
    }
    return first;
}

void on(Stepping& step, const TreeAnswered& in)
{
    std::visit([&step](const auto& answer) { tell_publish(step, answer); }, in.answer);
}

}  // namespace mysos::cluster
