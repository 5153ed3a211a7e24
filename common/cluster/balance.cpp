#include "common/cluster/names.hpp"
#include "common/cluster/stepping.hpp"

#include <algorithm>
#include <set>

// How many members there are: new ones for those that are lost or asked for, and who goes.
namespace mysos::cluster {
namespace {

using mesos::TaskState;

/// It has data somewhere, and no server runs on it as far as Mesos knows.
bool is_lost(const Member& member, const MemberState& seen)
{
    return member.volume_created && (!member.launched || seen.task == TaskState::unreachable);
}

/// Its agent is gone for good, or it has failed too often where it is.
bool is_hopeless(const Stepping& step, const Member& member, const MemberState& seen)
{
    const bool is_gone = seen.task == TaskState::gone || seen.task == TaskState::gone_by_operator;
    return is_gone || member.failures >= step.config.replace_failures;
}

void note_lost(Stepping& step)
{
    for (auto& [id, seen] : step.state.members) {
        const Member& member = step.member(id);
        if (!is_lost(member, seen)) {
            seen.replace_at.reset();
            seen.overdue = false;
        } else if (!seen.overdue && is_hopeless(step, member, seen)) {
            seen.replace_at.reset();
            seen.overdue = true;
        } else if (!seen.overdue && !seen.replace_at) {
            seen.replace_at = step.now + step.config.replace_after;
        }
    }
}

void add_member(Stepping& step)
{
    Record& record = step.record();
    const MemberId id{record.next_server_id++};
    Member& member = record.members[id];
    member.to_copy = true;
    step.state.members[id].heard_at = step.now;
    step.changed();
    step.report(Report::Level::info, id, "is added");
    tell_electorate(step, electorate::MemberAdded{id});
}

/// Those who are neither lost nor on an agent that is to rest.
std::size_t present(const Stepping& step)
{
    return static_cast<std::size_t>(
        std::ranges::count_if(step.state.members, [&step](const auto& entry) {
            return !entry.second.overdue && !is_closing(step.state, entry.first);
        }));
}

/// Lowest first: who is on his way out, who is lost, who never was there, who has no vote. Whoever
/// waits for an offer in the place of one that is lost is not too many.
int worth(const Stepping& step, MemberId id)
{
    const Record& record = step.state.record;
    const Member& member = record.members.at(id);
    const MemberState& seen = step.state.members.at(id);
    if (seen.going) return 0;
    const bool too_many_are_there = present(step) > record.num_nodes;
    if (seen.overdue) return too_many_are_there ? 2 : 1;
    if (is_closing(step.state, id)) return 2;
    if (!member.launched && !member.volume_created) return too_many_are_there ? 1 : 3;
    return record.electorate.contains(id) ? 4 : 3;
}

/// Who has to move serves until all others are there.
bool may_go(const Stepping& step, MemberId id)
{
    const MemberState& seen = step.state.members.at(id);
    if (seen.going || seen.overdue) return true;
    if (is_closing(step.state, id)) return others_are_complete(step.state);
    return present(step) > step.state.record.num_nodes;
}

std::optional<MemberId> choose_surplus(const Stepping& step)
{
    std::optional<MemberId> chosen;
    for (const auto& [id, member] : step.state.record.members) {
        if (id == step.state.record.primary || !may_go(step, id)) continue;
        if (!chosen || worth(step, id) <= worth(step, *chosen)) chosen = id;
    }
    return chosen;
}

void remove(Stepping& step, MemberId id)
{
    const Member member = step.member(id);
    const std::optional<StreamId> stream = step.seen(id).stream;
    step.record().members.erase(id);
    step.state.members.erase(id);
    step.changed();
    tell_electorate(step, electorate::MemberRemoved{id});
    step.report(Report::Level::info, id, "is removed, its volume retired");
    if (stream) step.act(CloseStream{*stream});
    // Only now that the record no longer names it may it be given up.
    if (!member.persistence_id.empty()) {
        step.act(Retire{{member.persistence_id}, {member.agent_id}});
    }
}

/// After a restart it is not known at once who has to move: who copies in his place is not one too
/// many, and nor is anybody else because of it.
bool may_have_successor(const Stepping& step)
{
    const Record& record = step.state.record;
    return step.state.dismiss_held &&
           std::ranges::any_of(record.members, [&record](const auto& entry) {
               return entry.second.launched && !record.electorate.contains(entry.first);
           });
}

/// Whoever is new, and whoever was to go, has left E for it, and is needed after all.
void ask_in(Stepping& step, std::optional<MemberId> leaving)
{
    const std::set<MemberId>& asked = step.state.electorate.to_join;
    for (const auto& [id, seen] : step.state.members) {
        const bool is_in = step.state.record.electorate.contains(id);
        if (is_in || seen.going || id == leaving || asked.contains(id)) continue;
        tell_electorate(step, electorate::JoinAsked{id});
    }
}

/// Whoever is too many leaves E, then ends, then is forgotten.
void dismiss(Stepping& step, MemberId id)
{
    using By = electorate::LeaveAsked::By;
    MemberState& seen = step.seen(id);
    if (step.record().electorate.contains(id)) {
        const auto& leadership = step.state.electorate.leadership;
        if (!std::holds_alternative<electorate::Steady>(leadership->change)) return;
        tell_electorate(
            step, electorate::LeaveAsked{id, seen.overdue ? By::automatic : By::operators});
        return;
    }
    if (!seen.going) {
        seen.going = true;
        step.report(Report::Level::info, id, "is one too many, and ends");
    }
    const bool lives = step.member(id).launched && seen.task != TaskState::unreachable;
    if (!lives) return remove(step, id);
    if (!seen.kill_again_at) kill(step, id);
}

}  // namespace

void balance(Stepping& step)
{
    const Record& record = step.record();
    if (record.deleting) return;
    note_lost(step);
    // Without a primary there is nobody to copy from, and nothing changes in E.
    if (!record.opened || !step.state.electorate.leadership) return;
    for (std::size_t n = present(step); n < record.num_nodes; ++n) add_member(step);
    if (record.members.size() <= record.num_nodes) {
        for (auto& [id, seen] : step.state.members) seen.going = false;
        return ask_in(step, std::nullopt);
    }
    const auto surplus = may_have_successor(step) ? std::nullopt : choose_surplus(step);
    if (surplus) dismiss(step, *surplus);
    ask_in(step, surplus);
}

}  // namespace mysos::cluster
