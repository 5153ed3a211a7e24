#include "test/sim/failover_scheduler.hpp"

#include <set>

// How the scheduler of the simulation judges its primary, and what follows from that.
namespace mysos::sim {

void Scheduler::disconnected(MemberId member)
{
    heard_[member].connected = false;
}

/// The open primary of the recorded epoch is judged by what is known of it.
void Scheduler::look(TimePoint now)
{
    const bool elects = !std::holds_alternative<election::Idle>(election_.phase);
    if (dead_ || elects || !record_.opened) return;
    diagnosis::View view;
    view.epoch = record_.epoch;
    view.primary = record_.last.member;
    view.electorate = record_.electorate;
    view.may_go_alone = goes_alone_;
    for (const auto& [id, heard] : heard_) {
        diagnosis::Member& member = view.members[id];
        member.connected = heard.connected;
        member.task_ended = heard.ended;
        member.heard_at = heard.at;
        if (heard.seen) member.observation = &*heard.seen;
    }
    diagnosis::remember(past_, view, diagnosis_config, now);
    const auto verdict = diagnosis::diagnose(view, past_, diagnosis_config, now);
    if (verdict == diagnosis::Verdict::replica_lost) leave_alone(now);
    const bool is_silent = now - heard_.at(view.primary).at >= diagnosis_config.lease;
    const bool silence_counts = broken_ == Broken::silence_counts && is_silent;
    if (!silence_counts && !diagnosis::calls_for_election(verdict)) return;
    said.push_back(std::string{"verdict: "} + diagnosis::to_text(verdict));
    called_for = verdict;
    call(record_.last, now);
}

void Scheduler::leave_alone(TimePoint now)
{
    for (const MemberId member : std::set<MemberId>{record_.electorate.members}) {
        if (member == record_.last.member) continue;
        tell(electorate::LeaveAsked{member, electorate::LeaveAsked::By::two_node_policy}, now);
    }
}

}  // namespace mysos::sim
