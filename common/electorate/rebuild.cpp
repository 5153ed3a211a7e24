#include "common/electorate/follow.hpp"

#include <algorithm>

// Members whose data is of no use: errant, or half copied.
namespace mysos::electorate {
namespace {

/// Replicas first, as a copy slows its donor down. After a refusal the next in line.
MemberId choose_donor(Step& step, MemberId member, std::uint32_t refusals)
{
    std::vector<MemberId> donors;
    for (const auto& [id, follower] : step.leadership().followers) {
        const bool is_whole = follower.standing == Standing::acknowledging && follower.follows;
        if (id != member && is_whole) donors.push_back(id);
    }
    donors.push_back(step.leadership().primary);
    return donors[refusals % donors.size()];
}

void order_rebuild(Step& step, MemberId member, const Follower& follower)
{
    step.effects.emplace_back(SendRebuild{
        .epoch = step.leadership().epoch,
        .member = member,
        .primary = step.leadership().primary,
        .donor = follower.donor,
        .serial = follower.serial});
}

/// Not below the floor, and only where the leave can end at once.
bool may_leave(Step& step, MemberId member)
{
    const Electorate& electorate = step.state.electorate;
    if (!electorate.members.contains(member)) return false;
    const std::size_t rest = electorate.members.size() - 1;
    if (rest < step.config.members_min) return false;
    const std::size_t acks = std::min(electorate.acks, acks_for(rest, step.config.acks_max));
    return acknowledging(step, member) >= acks;
}

bool is_leaving(Step& step, MemberId member)
{
    const auto* leaving = std::get_if<Leaving>(&step.leadership().change);
    return leaving != nullptr && leaving->member == member;
}

}  // namespace

void begin_errant(Follower& follower)
{
    follower.standing = Standing::errant;
    follower.ask_again_at.reset();
}

void observe_unfit(Step& step, Follower& follower, const mysql::Observation& seen)
{
    const bool copies = seen.phase == control::Phase::clone;
    if (follower.standing == Standing::rebuilding && copies) {
        follower.ask_again_at.reset();
    } else if (!takes_orders(seen.phase)) {
        follower.standing = Standing::absent;
        follower.ask_again_at.reset();
    } else if (follower.standing == Standing::rebuilding && !follower.ask_again_at) {
        follower.ask_again_at = step.now;  // It has stopped, and its answer may be lost.
    }
}

void refuse_rebuild(Step& step, Follower& follower)
{
    Duration pause = step.config.ask_again_after;
    for (std::uint32_t i = 0; i < follower.refusals && pause < step.config.rebuild_pause_max; ++i) {
        pause *= 2;
    }
    follower.standing = Standing::errant;
    follower.ask_again_at = step.now + std::min(pause, step.config.rebuild_pause_max);
    ++follower.refusals;
}

void repeat_rebuild(Step& step, MemberId member, Follower& follower)
{
    follower.ask_again_at = step.now + step.config.ask_again_after;
    order_rebuild(step, member, follower);
}

void advance_rebuild(Step& step)
{
    auto& followers = step.leadership().followers;
    const bool one_is = std::ranges::any_of(
        followers, [](const auto& entry) { return entry.second.standing == Standing::rebuilding; });
    if (one_is) return;
    for (auto& [member, follower] : followers) {
        if (follower.standing != Standing::errant || follower.ask_again_at) continue;
        const auto& change = step.leadership().change;
        if (is_leaving(step, member) || std::holds_alternative<Aligning>(change)) continue;
        // A change that runs may itself wait for what only rebuilt members can hold.
        if (std::holds_alternative<Steady>(change) && may_leave(step, member)) {
            return begin_leave(step, member, true);
        }
        follower.standing = Standing::rebuilding;
        follower.donor = choose_donor(step, member, follower.refusals);
        follower.serial = ++step.state.serial;
        return repeat_rebuild(step, member, follower);
    }
}

}  // namespace mysos::electorate
