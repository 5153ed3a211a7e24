#include "common/cluster/names.hpp"
#include "common/cluster/orders.hpp"
#include "common/cluster/stepping.hpp"

#include <algorithm>

// A planned change of primary: clients are shut out, the successor has received everything, and an
// election that prefers it follows.
namespace mysos::cluster {
namespace {

using electorate::Standing;

void answer(Stepping& step, std::string why_not)
{
    const Switchover done = *step.state.switchover;
    step.state.switchover.reset();
    if (!why_not.empty()) {
        step.report(Report::Level::warning, done.to, "did not become the primary: " + why_not);
    }
    if (done.request == 0) return note_hand_over(step, why_not.empty());
    step.act(RequestEnded{done.request, std::move(why_not)});
}

void undo(Stepping& step, std::string why)
{
    order(step, step.record().primary, control::Open{step.record().epoch});
    answer(step, std::move(why) + "; the old primary is open again");
}

/// Whether enough would answer an election at once.
bool has_votes(const State& state)
{
    const electorate::Electorate electorate{state.record.electorate, state.record.acks};
    const auto votes =
        std::ranges::count_if(state.electorate.leadership->followers, [&state](const auto& entry) {
            const auto& [id, follower] = entry;
            return state.record.electorate.contains(id) &&
                   follower.standing == Standing::acknowledging && state.members.at(id).stream;
        });
    return static_cast<std::size_t>(votes) >=
           electorate::votes_needed(electorate, state.record.primary);
}

bool holds_all(const Stepping& step, const Switchover& switchover)
{
    const MemberState& seen = step.state.members.at(switchover.to);
    return switchover.must_hold && seen.stream && seen.understood &&
           seen.understood->position.includes(*switchover.must_hold);
}

void conclude(Stepping& step)
{
    const MemberId primary = step.record().primary;
    const bool is_it = primary == step.state.switchover->to;
    answer(step, is_it ? std::string{} : "member " + to_text(primary) + " did instead");
}

}  // namespace

bool is_led(const Stepping& step)
{
    return step.state.record.opened && step.state.electorate.leadership &&
           std::holds_alternative<election::Idle>(step.state.election.phase);
}

std::string objection(const Stepping& step, MemberId to)
{
    const State& state = step.state;
    if (!state.record.members.contains(to)) return "there is no member " + to_text(to);
    if (state.record.deleting) return "the cluster is being deleted";
    if (state.switchover) return "another switchover is under way";
    if (!is_led(step)) return "the cluster has no primary now";
    if (state.record.primary == to) return "member " + to_text(to) + " is the primary already";
    const MemberState& seen = state.members.at(to);
    const auto& followers = state.electorate.leadership->followers;
    const auto follower = followers.find(to);
    const bool votes = state.record.electorate.contains(to) && follower != followers.end() &&
                       follower->second.standing == Standing::acknowledging;
    if (!seen.stream || !seen.observation || !votes) {
        return "member " + to_text(to) + " does not acknowledge the primary's commits now";
    }
    if (!has_votes(state)) return "too few other members are there to elect it at once";
    const auto lag = seen.observation->lag_seconds.value_or(0);
    const auto lag_max =
        std::chrono::duration_cast<std::chrono::seconds>(step.config.switchover_lag_max).count();
    if (lag > static_cast<std::uint64_t>(lag_max)) {
        return "member " + to_text(to) + " is " + std::to_string(lag) + " s behind";
    }
    return {};
}

void begin_switchover(Stepping& step, std::uint64_t request, MemberId to)
{
    const std::uint64_t serial = ++step.state.electorate.serial;
    step.state.switchover = Switchover{
        .request = request,
        .to = to,
        .serial = serial,
        .must_hold = {},
        .elects = false,
        .give_up_at = step.now + step.config.switchover_timeout};
    order(step, step.record().primary, control::ShutOut{step.record().epoch, serial});
}

void on(Stepping& step, const SwitchoverOrdered& in)
{
    if (std::string why = objection(step, in.to); !why.empty()) {
        step.act(RequestEnded{in.request, std::move(why)});
        return;
    }
    step.report(Report::Level::info, in.to, "is to become the primary, as asked");
    begin_switchover(step, in.request, in.to);
}

void heard_shut(Stepping& step, const control::Shut& message, mysql::Position position)
{
    auto& switchover = step.state.switchover;
    if (!switchover || switchover->serial != message.serial || switchover->must_hold) {
        step.ignore("nobody asked to shut clients out");
        return;
    }
    // Whatever was acknowledged is in it, and nothing more will be.
    step.state.high_water = step.state.high_water.unite(position);
    switchover->must_hold = std::move(position);
}

void heard_not_shut(Stepping& step, const std::string& why)
{
    if (step.state.switchover && !step.state.switchover->must_hold) {
        undo(step, "clients could not be shut out: " + why);
    }
}

void go_on_with_switchover(Stepping& step)
{
    if (!step.state.switchover) return;
    Switchover& switchover = *step.state.switchover;
    const bool is_late = step.now >= switchover.give_up_at;
    if (step.record().deleting) return answer(step, "the cluster is being deleted");
    if (switchover.elects) {
        if (is_led(step)) return conclude(step);
        if (is_late) answer(step, "the election takes long; the cluster's state says how it goes");
        return;
    }
    if (!is_led(step)) return answer(step, "the primary failed meanwhile");
    if (holds_all(step, switchover)) {
        switchover.elects = true;
        return call_election(step, {{switchover.to, 1}});
    }
    if (!step.seen(switchover.to).stream) return undo(step, "its executor was lost");
    if (!is_late) return;
    undo(
        step,
        switchover.must_hold ? "it did not receive everything in time"
                             : "the primary did not shut clients out in time");
}

}  // namespace mysos::cluster
