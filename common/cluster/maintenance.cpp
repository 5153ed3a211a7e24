#include "common/cluster/stepping.hpp"
#include "common/electorate/electorate.hpp"

#include <algorithm>

// Agents that an operator is about to take away: what that asks of their members, and when they may
// go.
namespace mysos::cluster {
namespace {

/// Leads, or is in E and acknowledges.
bool serves(const State& state, MemberId id)
{
    const auto& leadership = state.electorate.leadership;
    if (!leadership || !state.record.electorate.contains(id)) return false;
    if (!state.members.at(id).stream) return false;
    if (leadership->primary == id) return true;
    const auto follower = leadership->followers.find(id);
    return follower != leadership->followers.end() &&
           follower->second.standing == electorate::Standing::acknowledging;
}

std::size_t staying_and_serving(const State& state)
{
    return static_cast<std::size_t>(
        std::ranges::count_if(state.record.members, [&state](const auto& entry) {
            return !is_closing(state, entry.first) && serves(state, entry.first);
        }));
}

/// A successor that no agent has taken yet.
bool lacks_place(const Record& record)
{
    return std::ranges::any_of(record.members, [](const auto& entry) {
        return !entry.second.launched && !entry.second.volume_created;
    });
}

/// Commits go on without those that are to rest, and most of E stays.
bool can_do_without(const State& state)
{
    const std::size_t staying = staying_and_serving(state);
    return state.record.opened && staying > state.record.acks &&
           staying > state.record.electorate.size() / 2;
}

}  // namespace

bool is_closing(const State& state, MemberId id)
{
    const Member& member = state.record.members.at(id);
    return (member.launched || member.volume_created) && state.closing.contains(member.agent_id);
}

bool others_are_complete(const State& state)
{
    return staying_and_serving(state) >= state.record.num_nodes;
}

void on(Stepping&, const MaintenanceChanged&)
{
    // What follows every input does all that there is to do.
}

void note_closing(Stepping& step)
{
    for (auto& [id, seen] : step.state.members) {
        const bool moves = is_closing(step.state, id);
        if (!moves) seen.patient_until.reset();
        if (moves && !seen.moving) {
            seen.patient_until = step.now + step.config.move_patience;
            step.report(
                Report::Level::info,
                id,
                "is to move: maintenance is planned for its agent " +
                    step.member(id).agent_id.text);
        }
        seen.moving = moves;
    }
}

bool can_spare(const State& state, const mesos::AgentId& agent)
{
    return std::ranges::all_of(state.record.members, [&](const auto& entry) {
        const auto& [id, member] = entry;
        if (member.agent_id != agent || (!member.launched && !member.volume_created)) return true;
        const MemberState& seen = state.members.at(id);
        if (state.record.deleting) return !member.launched;
        if (state.record.primary == id || state.record.candidate == id) return false;
        const bool is_impatient = seen.moving && !seen.patient_until;
        return is_impatient && lacks_place(state.record) && can_do_without(state);
    });
}

}  // namespace mysos::cluster
