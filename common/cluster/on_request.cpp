#include "common/cluster/names.hpp"
#include "common/cluster/stepping.hpp"

#include <algorithm>

namespace mysos::cluster {

void kill(Stepping& step, MemberId id)
{
    const Member& member = step.member(id);
    MemberState& seen = step.seen(id);
    const Duration pause = seen.kill_pause;
    seen.kill_pause = pause == Duration::zero() ? step.config.kill_pause_min
                                                : std::min(pause * 2, step.config.kill_pause_max);
    seen.kill_again_at = step.now + seen.kill_pause;
    step.act(SendCall{mesos::Kill{member.task_id, member.agent_id, step.config.kill_grace}});
}

void go_on_deleting(Stepping& step)
{
    State& state = step.state;
    bool any_lives = false;
    for (const auto& [id, member] : state.record.members) {
        if (!member.launched) continue;
        any_lives = true;
        MemberState& seen = step.seen(id);
        if (seen.task == mesos::TaskState::unreachable && !seen.give_up_at) {
            seen.give_up_at = step.now + step.config.unreachable_max;
        }
        if (!step.seen(id).kill_again_at) kill(step, id);
    }
    if (any_lives || state.retired) return;

    state.retired = true;
    Retire retire;
    for (const auto& [id, member] : state.record.members) {
        if (member.persistence_id.empty()) continue;
        retire.volumes.push_back(member.persistence_id);
        retire.agents.push_back(member.agent_id);
    }
    if (!retire.volumes.empty()) step.act(std::move(retire));
    step.report(Report::Level::info, MemberId{}, "all tasks have ended, its volumes are retired");
    tell_publish(step, publish::RemovalWanted{});
}

void on(Stepping& step, const Started&)
{
    State& state = step.state;
    const Record& record = state.record;
    for (auto& [id, seen] : state.members) {
        seen.heard_at = step.now;
        const std::uint32_t failures = record.members.at(id).failures;
        if (!record.members.at(id).launched && failures > 0) {
            seen.launch_not_before = step.now + launch_pause(step.config, failures);
        }
    }
    if (record.deleting) {
        go_on_deleting(step);
        return;
    }
    if (record.ever_opened) {
        state.publish_held = step.now + step.config.publish_hold;
        state.dismiss_held = step.now + step.config.dismiss_hold;
    }
    lead(step);
}

void on(Stepping& step, const ScaleOrdered& in)
{
    Record& record = step.record();
    if (record.deleting || record.num_nodes == in.num_nodes) {
        step.ignore("nothing to scale");
        return;
    }
    step.report(
        Report::Level::info,
        MemberId{},
        "is to have " + std::to_string(in.num_nodes) + " members instead of " +
            std::to_string(record.num_nodes));
    record.num_nodes = in.num_nodes;
    step.changed();
    lead(step);
}

void on(Stepping& step, const DeleteOrdered&)
{
    if (step.record().deleting) {
        step.ignore("it is being deleted already");
        return;
    }
    step.record().deleting = true;
    step.changed();
    depose(step);
    step.state.publish_held.reset();
    step.state.offered.clear();
    for (auto& [id, seen] : step.state.members) seen.replace_at.reset();
    step.report(Report::Level::info, MemberId{}, "is being deleted");
    go_on_deleting(step);
    serve(step);
}

}  // namespace mysos::cluster
