#include "common/electorate/changes.hpp"

#include "common/electorate/follow.hpp"

#include <algorithm>

namespace mysos::electorate {
namespace {

using Why = Ignored::Why;

Effects ignored(Why why)
{
    return {Ignored{why}};
}

/// Whether an answer is to an order of the primary that leads now.
std::optional<Why> reason_to_ignore(const State& state, Epoch epoch)
{
    if (!state.leadership) return Why::no_primary;
    if (state.leadership->epoch != epoch) return Why::other_epoch;
    return std::nullopt;
}

/// Of what a member says: it is a follower, and speaks of this epoch.
std::optional<Why> reason_to_ignore(const State& state, Epoch epoch, MemberId member)
{
    if (const auto why = reason_to_ignore(state, epoch)) return why;
    if (!state.leadership->followers.contains(member)) return Why::not_a_member;
    return std::nullopt;
}

Effects on(State& state, const Config& config, const Led& led, TimePoint now)
{
    Leadership leadership{
        .epoch = led.epoch,
        .primary = led.primary,
        .acks_in_force = std::max(led.acks_in_force, led.electorate.acks),
        .followers = {},
        .change = Steady{}};
    for (const MemberId member : led.members) {
        if (member != led.primary) leadership.followers.emplace(member, Follower{});
    }
    state.electorate = led.electorate;
    state.leadership = std::move(leadership);
    if (!led.adopted) return {};
    Step step{state, config, now, {}};
    align(step);
    return step.effects;
}

Effects on(State& state, const Config&, const Deposed&, TimePoint)
{
    if (!state.leadership) return ignored(Why::no_primary);
    state.leadership.reset();
    return {};
}

Effects on(State& state, const Config& config, const Observed& observed, TimePoint now)
{
    if (!state.leadership) return ignored(Why::no_primary);
    if (observed.member == state.leadership->primary) return ignored(Why::the_primary);
    if (!state.leadership->followers.contains(observed.member)) return ignored(Why::not_a_member);
    Step step{state, config, now, {}};
    observe_follower(step, observed.member, observed.observation);
    advance_change(step);
    return step.effects;
}

Effects on(State& state, const Config&, const MemberAdded& added, TimePoint)
{
    if (!state.leadership) return ignored(Why::no_primary);
    if (added.member == state.leadership->primary) return ignored(Why::the_primary);
    const bool is_new = state.leadership->followers.emplace(added.member, Follower{}).second;
    if (!is_new) return ignored(Why::already_so);
    return {};
}

Effects on(State& state, const Config&, const MemberRemoved& removed, TimePoint)
{
    if (state.electorate.members.contains(removed.member)) return ignored(Why::already_so);
    state.to_join.erase(removed.member);
    if (state.leadership) state.leadership->followers.erase(removed.member);
    return {};
}

Effects on(State& state, const Config& config, const Errant& errant, TimePoint now)
{
    if (const auto why = reason_to_ignore(state, errant.epoch, errant.member)) return ignored(*why);
    Follower& follower = state.leadership->followers.at(errant.member);
    begin_errant(follower);
    Step step{state, config, now, {}};
    advance_change(step);
    return step.effects;
}

Effects on(State& state, const Config& config, const Rebuilt& rebuilt, TimePoint now)
{
    if (const auto why = reason_to_ignore(state, rebuilt.epoch, rebuilt.member))
        return ignored(*why);
    Follower& follower = state.leadership->followers.at(rebuilt.member);
    const bool awaited =
        follower.standing == Standing::rebuilding && follower.serial == rebuilt.serial;
    if (!awaited) return ignored(Why::not_asked);
    follower = Follower{};
    Step step{state, config, now, {}};
    advance_change(step);
    return step.effects;
}

Effects on(State& state, const Config& config, const RebuildRefused& refused, TimePoint now)
{
    if (const auto why = reason_to_ignore(state, refused.epoch, refused.member))
        return ignored(*why);
    Follower& follower = state.leadership->followers.at(refused.member);
    if (follower.standing != Standing::rebuilding) return ignored(Why::not_asked);
    Step step{state, config, now, {}};
    refuse_rebuild(step, follower);
    advance_change(step);
    return step.effects;
}

Effects on(State& state, const Config& config, const JoinAsked& asked, TimePoint now)
{
    if (state.electorate.members.contains(asked.member)) return ignored(Why::already_so);
    const bool is_new = state.to_join.insert(asked.member).second;
    if (!state.leadership) return {};
    const bool is_follower = !state.leadership->followers.emplace(asked.member, Follower{}).second;
    if (!is_new && is_follower) return ignored(Why::already_so);
    Step step{state, config, now, {}};
    advance_change(step);
    return step.effects;
}

Effects on(State& state, const Config& config, const LeaveAsked& asked, TimePoint now)
{
    if (!state.leadership) return ignored(Why::no_primary);
    if (asked.member == state.leadership->primary) return ignored(Why::the_primary);
    const auto& members = state.electorate.members;
    if (!members.contains(asked.member)) return ignored(Why::not_a_member);
    const bool below_floor = members.size() - 1 < config.members_min;
    if (below_floor && asked.by == LeaveAsked::By::automatic) return ignored(Why::below_floor);
    const bool by_policy = asked.by == LeaveAsked::By::two_node_policy;
    const auto& change = state.leadership->change;
    // A raise would wait for whom the primary has lost. What is in force stays above what is saved.
    const bool gives_way = by_policy && std::holds_alternative<Raising>(change);
    if (!std::holds_alternative<Steady>(change) && !gives_way) return ignored(Why::change_running);
    Step step{state, config, now, {}};
    begin_leave(step, asked.member, by_policy);
    return step.effects;
}

Effects on(State& state, const Config& config, const Followed& followed, TimePoint now)
{
    if (const auto why = reason_to_ignore(state, followed.epoch, followed.member))
        return ignored(*why);
    Follower& follower = state.leadership->followers.at(followed.member);
    const bool has_shed = follower.standing == Standing::shedding && !followed.acknowledge &&
                          follower.serial == followed.serial;
    if (has_shed) {
        follower.follows = true;
        follower.acknowledges = false;
        Step step{state, config, now, {}};
        begin_reading(step, followed.member, follower);
        return step.effects;
    }
    const bool awaited =
        follower.standing == Standing::proven && state.electorate.members.contains(followed.member);
    const bool caught_up = followed.caught_up && followed.server_run == follower.server_run;
    if (!awaited || !followed.acknowledge || !caught_up) return ignored(Why::not_asked);
    follower.standing = Standing::acknowledging;
    follower.acknowledges = true;
    follower.amnesiac = false;
    follower.ask_again_at.reset();
    Step step{state, config, now, {}};
    advance_change(step);
    return step.effects;
}

Effects on(State& state, const Config& config, const AcknowledgersSet& set, TimePoint now)
{
    if (const auto why = reason_to_ignore(state, set.epoch)) return ignored(*why);
    if (set.serial > state.serial) return ignored(Why::not_asked);
    Step step{state, config, now, {}};
    read_position(step, set.serial, set.position);
    auto& change = state.leadership->change;
    auto* raising = std::get_if<Raising>(&change);
    if (raising != nullptr && raising->serial == set.serial && !raising->must_hold) {
        raising->must_hold = set.position;
        raising->ask_again_at.reset();
    }
    const auto* aligning = std::get_if<Aligning>(&change);
    if (aligning != nullptr && aligning->serial == set.serial) change = Steady{};
    advance_change(step);
    return step.effects;
}

Effects on(State& state, const Config& config, const AccountLocked& locked, TimePoint now)
{
    if (const auto why = reason_to_ignore(state, locked.epoch)) return ignored(*why);
    auto* leaving = std::get_if<Leaving>(&state.leadership->change);
    if (leaving == nullptr || leaving->serial != locked.serial || leaving->must_hold) {
        return ignored(Why::not_asked);
    }
    leaving->must_hold = locked.position;
    leaving->ask_again_at.reset();
    Step step{state, config, now, {}};
    advance_change(step);
    return step.effects;
}

Effects on(State& state, const Config& config, const DeadlinePassed&, TimePoint now)
{
    if (!state.leadership) return ignored(Why::no_primary);
    const auto due = next_deadline(state);
    if (!due || now < *due) return ignored(Why::too_early);
    Step step{state, config, now, {}};
    repeat_orders(step);
    repeat_change(step);
    advance_change(step);  // Whoever has waited out his pause.
    return step.effects;
}

}  // namespace

Effects step(State& state, const Config& config, const Input& input, TimePoint now)
{
    return std::visit([&](const auto& in) { return on(state, config, in, now); }, input);
}

std::optional<TimePoint> next_deadline(const State& state)
{
    if (!state.leadership) return std::nullopt;
    std::optional<TimePoint> earliest;
    const auto consider = [&earliest](const std::optional<TimePoint>& deadline) {
        if (deadline && (!earliest || *deadline < *earliest)) earliest = deadline;
    };
    for (const auto& [member, follower] : state.leadership->followers) {
        consider(follower.ask_again_at);
    }
    std::visit(
        [&](const auto& change) {
            if constexpr (requires { change.ask_again_at; }) consider(change.ask_again_at);
        },
        state.leadership->change);
    return earliest;
}

}  // namespace mysos::electorate
