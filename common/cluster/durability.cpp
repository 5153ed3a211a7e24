#include "common/cluster/record.hpp"
#include "common/cluster/stepping.hpp"

// What commits wait for, and what that asks of an election.
namespace mysos::cluster {
namespace {

/// To whom clients may be let in, for all that is known; 0: to nobody.
MemberId serving(const Stepping& step)
{
    const MemberId id = step.state.record.serving;
    const auto found = step.state.members.find(id);
    if (found == step.state.members.end()) return id;
    const MemberState& seen = found->second;
    const bool is_shut = step.state.switchover && step.state.switchover->elects;
    const bool is_down =
        seen.stream && seen.understood && election::serves_no_more(*seen.understood);
    const bool has_ended =
        !step.state.record.members.at(id).launched && seen.task && has_surely_ended(*seen.task);
    return is_shut || is_down || has_ended ? MemberId{} : id;
}

}  // namespace

const char* to_text(Durability durability)
{
    return durability == Durability::async ? "async" : "semisync";
}

std::optional<Durability> durability_named(std::string_view name)
{
    for (const Durability durability : {Durability::semisync, Durability::async}) {
        if (name == to_text(durability)) return durability;
    }
    return std::nullopt;
}

void await_fence(const Stepping& step, election::Called& call)
{
    call.high_water = {};  // It may hold what no replica received.
    call.serving = serving(step);
    call.fenced_after = step.config.fenced_after;
}

}  // namespace mysos::cluster
