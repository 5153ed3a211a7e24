#include "common/electorate/follow.hpp"

#include <algorithm>
#include <utility>

namespace mysos::electorate {
namespace {

/// How many replicas of E, `without` aside, hold this position of the primary.
std::size_t holders(Step& step, const mysql::Position& position, MemberId without)
{
    const Leadership& leadership = step.leadership();
    return static_cast<std::size_t>(
        std::ranges::count_if(leadership.followers, [&](const auto& entry) {
            const auto& [member, follower] = entry;
            return member != without && step.state.electorate.members.contains(member) &&
                   !follower.holds.empty() && follower.holds.includes(position);
        }));
}

void save(Step& step, Electorate electorate)
{
    step.state.electorate = electorate;
    step.effects.emplace_back(SaveElectorate{std::move(electorate)});
}

void finish_raise(Step& step, const Raising& raising)
{
    if (!raising.must_hold) return;
    if (holders(step, *raising.must_hold, MemberId{}) < raising.acks) return;
    Electorate electorate = step.state.electorate;
    electorate.acks = raising.acks;
    step.leadership().change = Steady{};  // Ends `raising`.
    save(step, std::move(electorate));
}

void finish_leave(Step& step, const Leaving& leaving)
{
    if (!leaving.must_hold) return;
    Electorate electorate = step.state.electorate;
    electorate.members.erase(leaving.member);
    // Never raised by a leave: those who stay have not proven that they hold what more would ask.
    electorate.acks =
        std::min(electorate.acks, acks_for(electorate.members.size(), step.config.acks_max));
    if (holders(step, *leaving.must_hold, leaving.member) < electorate.acks) return;

    const MemberId member = leaving.member;
    step.state.to_join.erase(member);
    if (leaving.comes_back) step.state.to_join.insert(member);
    Follower& follower = step.leadership().followers.at(member);
    if (follower.standing != Standing::errant) follower = Follower{};
    step.leadership().change = Steady{};  // Ends `leaving`.
    save(step, std::move(electorate));
}

/// What a leave ends with, also one whose scheduler died before it came to this.
bool begin_lower(Step& step)
{
    Leadership& leadership = step.leadership();
    const Electorate& electorate = step.state.electorate;
    const std::size_t acks = acks_for(electorate.members.size(), step.config.acks_max);
    if (leadership.acks_in_force <= electorate.acks || acks > electorate.acks) return false;
    leadership.acks_in_force = electorate.acks;
    align(step);
    return true;
}

/// Only with enough acknowledgers, as the primary's commits wait for them from then on.
bool begin_raise(Step& step)
{
    const Electorate& electorate = step.state.electorate;
    const std::size_t acks = acks_for(electorate.members.size(), step.config.acks_max);
    if (acks <= electorate.acks || acknowledging(step, MemberId{}) < acks) return false;
    step.leadership().acks_in_force = std::max(step.leadership().acks_in_force, acks);
    const std::uint64_t serial = step.ask_primary(step.leadership().acks_in_force);
    step.leadership().change = Raising{
        .acks = acks,
        .serial = serial,
        .must_hold = {},
        .ask_again_at = step.now + step.config.ask_again_after};
    return true;
}

/// A member of E that has been told to acknowledge and has not answered.
bool is_joining(Step& step)
{
    return std::ranges::any_of(step.leadership().followers, [&step](const auto& entry) {
        return entry.second.standing == Standing::proven &&
               step.state.electorate.members.contains(entry.first);
    });
}

void begin_join(Step& step)
{
    if (is_joining(step)) return;
    for (auto& [member, follower] : step.leadership().followers) {
        if (!step.state.to_join.contains(member)) continue;
        if (follower.standing != Standing::proven || !follower.follows) continue;
        step.state.to_join.erase(member);
        Electorate electorate = step.state.electorate;
        electorate.members.insert(member);
        save(step, std::move(electorate));
        step.send_follow(member, true);
        follower.ask_again_at = step.now + step.config.ask_again_after;
        return;
    }
}

}  // namespace

std::size_t acknowledging(Step& step, MemberId without)
{
    return static_cast<std::size_t>(
        std::ranges::count_if(step.leadership().followers, [without](const auto& entry) {
            return entry.first != without && entry.second.standing == Standing::acknowledging;
        }));
}

void advance_change(Step& step)
{
    auto& change = step.leadership().change;
    if (const auto* raising = std::get_if<Raising>(&change)) {
        finish_raise(step, *raising);
    } else if (const auto* leaving = std::get_if<Leaving>(&change)) {
        finish_leave(step, *leaving);
    }
    if (std::holds_alternative<Steady>(change) && !begin_lower(step) && !begin_raise(step)) {
        begin_join(step);
    }
    advance_rebuild(step);
}

void align(Step& step)
{
    const std::uint64_t serial = step.ask_primary(step.leadership().acks_in_force);
    step.leadership().change =
        Aligning{.serial = serial, .ask_again_at = step.now + step.config.ask_again_after};
}

void begin_leave(Step& step, MemberId member, bool comes_back)
{
    Leadership& leadership = step.leadership();
    const std::uint64_t serial = ++step.state.serial;
    leadership.change = Leaving{
        .member = member,
        .comes_back = comes_back,
        .serial = serial,
        .must_hold = {},
        .ask_again_at = step.now + step.config.ask_again_after};
    step.effects.emplace_back(
        SendLockAccount{leadership.epoch, leadership.primary, member, serial});
}

void repeat_change(Step& step)
{
    Leadership& leadership = step.leadership();
    const TimePoint again = step.now + step.config.ask_again_after;
    const auto is_due = [&step](const std::optional<TimePoint>& deadline) {
        return deadline && *deadline <= step.now;
    };
    if (auto* raising = std::get_if<Raising>(&leadership.change)) {
        if (!is_due(raising->ask_again_at)) return;
        raising->ask_again_at = again;
        step.repeat_question(raising->serial, leadership.acks_in_force);
    } else if (auto* aligning = std::get_if<Aligning>(&leadership.change)) {
        if (!is_due(aligning->ask_again_at)) return;
        aligning->ask_again_at = again;
        step.repeat_question(aligning->serial, leadership.acks_in_force);
    } else if (auto* leaving = std::get_if<Leaving>(&leadership.change)) {
        if (!is_due(leaving->ask_again_at)) return;
        leaving->ask_again_at = again;
        step.effects.emplace_back(SendLockAccount{
            leadership.epoch, leadership.primary, leaving->member, leaving->serial});
    }
}

}  // namespace mysos::electorate
