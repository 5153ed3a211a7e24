#include "common/electorate/follow.hpp"

#include <utility>

namespace mysos::electorate {
namespace {

bool is_due(const std::optional<TimePoint>& deadline, TimePoint now)
{
    return deadline && *deadline <= now;
}

bool is_in_electorate(const Step& step, MemberId member)
{
    return step.state.electorate.members.contains(member);
}

bool follows_as_wanted(const Step& step, MemberId member, const Follower& follower)
{
    return follower.follows && follower.acknowledges == is_in_electorate(step, member);
}

void order_follow(Step& step, MemberId member, Follower& follower)
{
    step.send_follow(member, follower.standing == Standing::proven);
    follower.ask_again_at = step.now + step.config.ask_again_after;
}

/// An absent or fallen member begins here; one that a predecessor had switched on is taken as it
/// is.
void begin_standing(Step& step, MemberId member, Follower& follower)
{
    if (is_in_electorate(step, member)) {
        if (follower.amnesiac || !follows_as_wanted(step, member, follower)) {
            return begin_reading(step, member, follower);
        }
        follower.standing = Standing::acknowledging;
        follower.ask_again_at.reset();
    } else {
        follower.standing = Standing::shedding;
        follower.serial = ++step.state.serial;
        follower.ask_again_at = step.now + step.config.ask_again_after;
        step.send_follow(member, false, follower.serial);
    }
}

/// What was read of the primary, or is about to be, says nothing of a later run of its server.
bool is_being_proven(Standing standing)
{
    return standing == Standing::reading || standing == Standing::catching_up ||
           standing == Standing::proven;
}

/// Whose account has to be there: an outsider's not before it has said that it does not
/// acknowledge.
bool is_let_in(const Step& step, MemberId member, const Follower& follower)
{
    return is_in_electorate(step, member) || is_being_proven(follower.standing);
}

}  // namespace

/// A server that is being installed, started or ended takes none. A crashed one does: Follow is
/// what brings it back.
bool takes_orders(control::Phase phase)
{
    using control::Phase;
    return phase == Phase::fenced || phase == Phase::replica || phase == Phase::primary ||
           phase == Phase::crashed;
}

/// One of E is to acknowledge meanwhile: commits may have nobody else to wait for, and what it
/// received without acknowledging is not sent to it again.
void begin_reading(Step& step, MemberId member, Follower& follower)
{
    follower.standing = Standing::reading;
    follower.must_hold = {};
    follower.serial = step.ask_primary(step.leadership().acks_in_force);
    follower.ask_again_at = step.now + step.config.ask_again_after;
    if (!follows_as_wanted(step, member, follower)) step.send_follow(member, false);
}

std::uint64_t Step::ask_primary(std::size_t acks)
{
    const std::uint64_t serial = ++state.serial;
    repeat_question(serial, acks);
    return serial;
}

void Step::repeat_question(std::uint64_t serial, std::size_t acks)
{
    SendSetAcknowledgers order{
        .epoch = leadership().epoch,
        .primary = leadership().primary,
        .acks = acks,
        .serial = serial,
        .accounts = {}};
    const auto* leaving = std::get_if<Leaving>(&leadership().change);
    for (const auto& [member, follower] : leadership().followers) {
        const bool leaves = leaving != nullptr && leaving->member == member;
        if (!leaves && is_let_in(*this, member, follower)) order.accounts.insert(member);
    }
    effects.emplace_back(std::move(order));
}

void Step::send_follow(MemberId member, bool caught_up, std::uint64_t serial)
{
    const bool acknowledge = is_in_electorate(*this, member);
    effects.emplace_back(SendFollow{
        .epoch = leadership().epoch,
        .member = member,
        .primary = leadership().primary,
        .acknowledge = acknowledge,
        .serial = serial,
        .caught_up = caught_up,
        .server_run = caught_up ? leadership().followers.at(member).server_run : 0});
}

namespace {

/// From where it stood by what is seen of it now. `ours`: it follows this primary in its epoch.
void stand_on(
    Step& step, MemberId member, Follower& follower, const mysql::Observation& seen, bool ours)
{
    switch (follower.standing) {
        case Standing::absent: begin_standing(step, member, follower); break;
        case Standing::shedding:
        case Standing::reading:
        case Standing::errant:
        case Standing::rebuilding: break;
        case Standing::catching_up:
            if (follower.follows && follower.holds.includes(follower.must_hold)) {
                follower.standing = Standing::proven;
                follower.ask_again_at.reset();
            } else if (!follows_as_wanted(step, member, follower) && !follower.ask_again_at) {
                order_follow(step, member, follower);
            }
            break;
        case Standing::proven:
            if (!ours) {
                begin_reading(step, member, follower);
            } else if (seen.acknowledges && !seen.amnesiac) {
                begin_standing(step, member, follower);
            }
            break;
        case Standing::acknowledging:
            if (!ours || seen.amnesiac || !seen.acknowledges) {
                begin_reading(step, member, follower);
            }
            break;
    }
}

}  // namespace

void observe_follower(Step& step, MemberId member, const mysql::Observation& seen)
{
    const Leadership& leadership = step.leadership();
    Follower& follower = step.leadership().followers.at(member);
    const bool ours = seen.phase == control::Phase::replica && seen.source == leadership.primary &&
                      seen.epoch == leadership.epoch;
    follower.follows = ours && seen.receiver_running;
    follower.acknowledges = seen.acknowledges;
    follower.amnesiac = seen.amnesiac;
    follower.holds = ours ? seen.position : mysql::Position{};
    const bool restarted = follower.server_run != seen.server_run;
    follower.server_run = seen.server_run;
    const bool is_unfit =
        follower.standing == Standing::errant || follower.standing == Standing::rebuilding;
    if (is_unfit) return observe_unfit(step, follower, seen);
    if (!takes_orders(seen.phase)) {
        follower.standing = Standing::absent;
        follower.ask_again_at.reset();
        return;
    }
    if (seen.needs_rebuild) return begin_errant(follower);
    if (restarted && is_being_proven(follower.standing)) {
        return begin_reading(step, member, follower);
    }
    stand_on(step, member, follower, seen, ours);
    const bool to_be_told = follower.standing == Standing::proven && !follower.ask_again_at &&
                            is_in_electorate(step, member);
    if (to_be_told) order_follow(step, member, follower);
}

/// Whoever began to wait before this question was asked has his answer.
void read_position(Step& step, std::uint64_t serial, const mysql::Position& position)
{
    for (auto& [member, follower] : step.leadership().followers) {
        if (follower.standing != Standing::reading || follower.serial > serial) continue;
        follower.standing = Standing::catching_up;
        follower.must_hold = position;
        follower.ask_again_at.reset();
        const bool has_been_told = !follows_as_wanted(step, member, follower);
        if (has_been_told) follower.ask_again_at = step.now + step.config.ask_again_after;
    }
}

void repeat_orders(Step& step)
{
    for (auto& [member, follower] : step.leadership().followers) {
        if (!is_due(follower.ask_again_at, step.now)) continue;
        follower.ask_again_at = step.now + step.config.ask_again_after;
        switch (follower.standing) {
            case Standing::shedding: step.send_follow(member, false, follower.serial); break;
            case Standing::reading:
                step.repeat_question(follower.serial, step.leadership().acks_in_force);
                if (!follows_as_wanted(step, member, follower)) step.send_follow(member, false);
                break;
            case Standing::catching_up:
                if (follows_as_wanted(step, member, follower)) {
                    follower.ask_again_at.reset();
                } else {
                    step.send_follow(member, false);
                }
                break;
            case Standing::proven: step.send_follow(member, true); break;
            case Standing::rebuilding: repeat_rebuild(step, member, follower); break;
            case Standing::absent:
            case Standing::acknowledging:
            case Standing::errant: follower.ask_again_at.reset(); break;
        }
    }
}

}  // namespace mysos::electorate
