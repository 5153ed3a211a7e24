#include "common/cluster/stepping.hpp"
#include "common/mesos/event.hpp"

#include <algorithm>

namespace mysos::cluster {
namespace {

using mesos::TaskState;
using mesos::TaskStatus;

/// The master itself refused a launch, or lost sight of an agent. It says the same of a task id
/// that is in use already, while that very task lives on; so such a word is only a reason to ask.
bool is_doubtful(const TaskStatus& status)
{
    if (!status.uuid.empty() || status.source != TaskStatus::Source::master) return false;
    if (status.reason == "REASON_RECONCILIATION") return false;
    return status.state == TaskState::error || status.state == TaskState::dropped ||
           status.state == TaskState::lost;
}

void acknowledge(Stepping& step, const TaskStatus& status)
{
    if (status.uuid.empty()) return;
    step.act(SendCall{mesos::Acknowledge{status.agent_id, status.task_id, status.uuid}});
}

/// A task that was replaced by a later launch, which cannot be unless it had lost its volume.
void on_superseded(Stepping& step, const StatusArrived& in)
{
    const TaskStatus& status = in.status;
    acknowledge(step, status);
    if (is_terminal(status.state) || status.state == TaskState::unknown ||
        status.state == TaskState::unreachable) {
        step.ignore("status of a task that was replaced");
        return;
    }
    step.report(
        Report::Level::warning,
        in.member,
        "task " + status.task_id.text + " was replaced and still lives: killed");
    step.act(SendCall{mesos::Kill{status.task_id, status.agent_id, std::nullopt}});
}

/// Numbers are never used again: a member that is not in the record was removed from it.
void on_removed(Stepping& step, const StatusArrived& in)
{
    const TaskStatus& status = in.status;
    acknowledge(step, status);
    const bool was_ours = static_cast<std::uint32_t>(in.member) < step.record().next_server_id;
    if (!was_ours || is_terminal(status.state) || status.state == TaskState::unknown ||
        status.state == TaskState::unreachable) {
        step.ignore("status of a member that is not ours");
        return;
    }
    step.report(
        Report::Level::warning,
        in.member,
        "task " + status.task_id.text + " of a removed member still lives: killed");
    step.act(SendCall{mesos::Kill{status.task_id, status.agent_id, std::nullopt}});
}

void on_alive(Stepping& step, MemberId id, const TaskStatus& status)
{
    Member& member = step.member(id);
    MemberState& seen = step.seen(id);
    if (!member.launched) {  // Given up as lost, and yet it lives.
        member.launched = true;
        step.changed();
    }
    if (status.state == TaskState::running) {
        if (!seen.running_since) seen.running_since = step.now;
        if (!member.volume_created) {
            member.volume_created = true;
            step.changed();
        }
    }
    if (seen.task != status.state) {
        step.report(
            Report::Level::info, id, std::string{to_text(status.state)} + ' ' + status.message);
    }
    seen.task = status.state;
    seen.give_up_at.reset();
    if (status.reason != "REASON_RECONCILIATION") seen.task_message = status.message;
    seen.task_reason = status.reason;
    if (step.record().deleting && !seen.kill_again_at) kill(step, id);
}

void on_unreachable(Stepping& step, MemberId id, const TaskStatus& status)
{
    MemberState& seen = step.seen(id);
    if (seen.task != TaskState::unreachable) {
        step.report(Report::Level::warning, id, "its agent is unreachable: " + status.message);
    }
    seen.task = TaskState::unreachable;
    seen.task_message = status.message;
    seen.task_reason = status.reason;
    if (step.record().deleting && !seen.give_up_at) {
        seen.give_up_at = step.now + step.config.unreachable_max;
    }
}

void on_ended(Stepping& step, MemberId id, const TaskStatus& status)
{
    if (!step.member(id).launched) {
        step.ignore("the task was known to have ended");
        return;
    }
    // What reconciliation says of a lost launch is less than what the master said at first.
    const std::string told = step.seen(id).task_message;
    const bool says_more = status.reason != "REASON_RECONCILIATION" || told.empty();
    end_task(step, id, status.state, says_more ? status.message : told);
    step.seen(id).task_reason = status.reason;
}

}  // namespace

bool has_surely_ended(TaskState state)
{
    return state == TaskState::finished || state == TaskState::failed ||
           state == TaskState::killed || state == TaskState::error;
}

Duration launch_pause(const Config& config, std::uint32_t failures)
{
    if (failures == 0) return Duration::zero();
    Duration pause = config.launch_pause_min;
    for (std::uint32_t i = 1; i < failures && pause < config.launch_pause_max; ++i) pause *= 2;
    return std::min(pause, config.launch_pause_max);
}

void end_task(Stepping& step, MemberId id, TaskState state, const std::string& message)
{
    Member& member = step.member(id);
    MemberState& seen = step.seen(id);
    const bool was_stable =
        seen.running_since && step.now - *seen.running_since >= step.config.stable_after;
    member.launched = false;
    member.failures = was_stable ? 0 : member.failures + 1;
    step.changed();

    const std::optional<StreamId> stream = seen.stream;
    seen = {};
    seen.task = state;
    seen.task_message = message;
    seen.heard_at = step.now;
    if (member.failures > 0) {
        seen.launch_not_before = step.now + launch_pause(step.config, member.failures);
    }
    const bool is_asked_for = step.record().deleting;
    step.report(
        is_asked_for ? Report::Level::info : Report::Level::warning,
        id,
        std::string{to_text(state)} + ": " + message);
    if (stream) step.act(CloseStream{*stream});
    if (is_asked_for) {
        go_on_deleting(step);
        serve(step);
        return;
    }
    tell_election(step, election::Ended{id, has_surely_ended(state)});
    lead(step);
}

void on(Stepping& step, const StatusArrived& in)
{
    const auto member = step.record().members.find(in.member);
    if (member == step.record().members.end()) {
        on_removed(step, in);
        return;
    }
    if (member->second.task_id != in.status.task_id) {
        on_superseded(step, in);
        return;
    }
    if (is_doubtful(in.status)) {
        if (!member->second.launched) {
            step.ignore("the task was known to have ended");
            return;
        }
        step.seen(in.member).task_message = in.status.message;
        step.seen(in.member).task_reason = in.status.reason;
        step.act(Reconcile{{in.status.task_id, member->second.agent_id}});
        return;
    }
    if (in.status.state == TaskState::unreachable) {
        on_unreachable(step, in.member, in.status);
    } else if (is_terminal(in.status.state) || in.status.state == TaskState::unknown) {
        // Unknown to the master: even if it lives, only its own volume, offered, launches it anew.
        on_ended(step, in.member, in.status);
    } else {
        on_alive(step, in.member, in.status);
    }
    acknowledge(step, in.status);
}

}  // namespace mysos::cluster
