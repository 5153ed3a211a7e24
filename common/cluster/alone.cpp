#include "common/cluster/stepping.hpp"

#include <set>

// Of two members, one that goes on without the other.
namespace mysos::cluster {

const char* to_text(TwoNodePolicy policy)
{
    return policy == TwoNodePolicy::available ? "available" : "consistent";
}

std::optional<TwoNodePolicy> two_node_policy_named(std::string_view name)
{
    for (const TwoNodePolicy policy : {TwoNodePolicy::consistent, TwoNodePolicy::available}) {
        if (name == to_text(policy)) return policy;
    }
    return std::nullopt;
}

bool goes_alone(const Record& record)
{
    // Where commits wait for nobody, waiting for the other one would protect nothing.
    const bool may = record.two_node_policy == TwoNodePolicy::available ||
                     record.durability == Durability::async;
    return may && record.num_nodes == 2;
}

void go_alone(Stepping& step)
{
    using electorate::LeaveAsked;
    const auto& leadership = step.state.electorate.leadership;
    if (!leadership || step.state.switchover) return;
    const bool is_busy = std::holds_alternative<electorate::Leaving>(leadership->change) ||
                         std::holds_alternative<electorate::Aligning>(leadership->change);
    if (is_busy) return;
    const std::set<MemberId> members = step.record().electorate;
    for (const MemberId id : members) {
        if (id == leadership->primary) continue;
        step.report(Report::Level::warning, id, "is lost to its primary, which goes on alone");
        tell_electorate(step, LeaveAsked{id, LeaveAsked::By::two_node_policy});
        return;
    }
}

}  // namespace mysos::cluster
