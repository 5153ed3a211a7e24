#include "common/cluster/cluster.hpp"

#include "common/cluster/stepping.hpp"

#include <algorithm>
#include <array>

namespace mysos::cluster {

void Stepping::act(Effect effect)
{
    save();
    effects_.push_back(std::move(effect));
}

void Stepping::report(Report::Level level, MemberId member, std::string text)
{
    effects_.emplace_back(Report{level, member, std::move(text)});
}

void Stepping::ignore(std::string why)
{
    effects_.emplace_back(Ignored{std::move(why)});
}

Effects Stepping::finish()
{
    save();
    return std::move(effects_);
}

void Stepping::save()
{
    if (!unsaved_) return;
    unsaved_ = false;
    effects_.emplace_back(Save{state.record});
}

namespace {

/// Should the task come back, it is known by its retired volume, and killed.
void give_up(Stepping& step)
{
    for (const auto& [id, member] : step.record().members) {
        const std::optional<TimePoint> give_up_at = step.seen(id).give_up_at;
        if (!give_up_at || *give_up_at > step.now) continue;
        step.seen(id).give_up_at.reset();
        if (member.launched) {
            end_task(step, id, mesos::TaskState::unreachable, "given up, its agent is not back");
        }
    }
}

void pass_deadlines(Stepping& step, MemberId id, MemberState& seen)
{
    // Past ones would be asked for again and again.
    if (seen.launch_not_before && *seen.launch_not_before <= step.now) {
        seen.launch_not_before.reset();
    }
    if (seen.replace_at && *seen.replace_at <= step.now) {
        seen.replace_at.reset();
        seen.overdue = true;
        step.report(Report::Level::warning, id, "has not come back in time");
    }
    if (seen.patient_until && *seen.patient_until <= step.now) seen.patient_until.reset();
    if (!seen.kill_again_at || *seen.kill_again_at > step.now) return;
    const bool is_to_end = step.record().deleting || seen.going;
    if (is_to_end && step.member(id).launched) {
        kill(step, id);
    } else {
        seen.kill_again_at.reset();
    }
}

void lead_on(Stepping& step)
{
    const auto election_at = election::next_deadline(step.state.election);
    if (election_at && *election_at <= step.now) {
        tell_election(step, election::DeadlinePassed{});
    }
    const auto electorate_at = electorate::next_deadline(step.state.electorate);
    if (electorate_at && *electorate_at <= step.now) {
        tell_electorate(step, electorate::DeadlinePassed{});
    }
    lead(step);
}

}  // namespace

void on(Stepping& step, const DeadlinePassed&)
{
    auto& held = step.state.dismiss_held;
    if (held && *held <= step.now) held.reset();
    give_up(step);
    for (auto& [id, seen] : step.state.members) pass_deadlines(step, id, seen);
    if (!step.record().deleting) {
        lead_on(step);
    } else if (!step.state.retired) {
        serve(step);
    }
    const auto publish_at = publish::next_deadline(step.state.publish);
    if (publish_at && *publish_at <= step.now) tell_publish(step, publish::DeadlinePassed{});
}

Effects step(State& state, const Config& config, const Input& input, TimePoint now)
{
    Stepping stepping{state, config, now};
    std::visit([&stepping](const auto& in) { on(stepping, in); }, input);
    go_on_with_switchover(stepping);
    note_closing(stepping);
    hand_over(stepping);
    balance(stepping);  // It may remove members.
    if (wanting_offers(state, now).empty()) state.offered.clear();
    return stepping.finish();
}

std::optional<TimePoint> next_deadline(const State& state)
{
    std::optional<TimePoint> first;
    const auto consider = [&first](const std::optional<TimePoint>& at) {
        if (at) first = first ? std::min(*first, *at) : *at;
    };
    consider(publish::next_deadline(state.publish));
    consider(serve_deadline(state));
    if (state.switchover) consider(state.switchover->give_up_at);
    consider(state.hand_over_at);
    consider(state.dismiss_held);
    if (!state.record.deleting) {
        consider(election::next_deadline(state.election));
        consider(electorate::next_deadline(state.electorate));
        consider(state.look_again_at);
        consider(state.reopen_at);
    }
    for (const auto& [id, seen] : state.members) {
        consider(seen.launch_not_before);
        consider(seen.kill_again_at);
        consider(seen.replace_at);
        consider(seen.give_up_at);
        consider(seen.patient_until);
    }
    return first;
}

State restored(const Record& record)
{
    State state;
    state.record = record;
    for (const auto& [id, member] : record.members) state.members.emplace(id, MemberState{});
    state.election.epoch = record.epoch;
    state.electorate.electorate = {record.electorate, record.acks};
    return state;
}

mysql::Flavor flavor(const Record& record)
{
    return record.flavor == "mysql" ? mysql::Flavor::mysql : mysql::Flavor::mariadb;
}

Uuid uuid(const Record& record)
{
    return parse_uuid(record.uuid).value_or(Uuid{});
}

}  // namespace mysos::cluster
