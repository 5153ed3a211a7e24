#include "common/cluster/names.hpp"
#include "common/cluster/stepping.hpp"

// What an operator may do where waiting could go on for good.
namespace mysos::cluster {
namespace {

/// Why an operator cannot have this member promoted regardless; empty: it is what was offered.
std::string no_need_to_force(const State& state, MemberId to)
{
    if (state.record.deleting) return "the cluster is being deleted";
    if (!state.stuck) {
        return "no election is stuck: forcing would lose what need not be lost";
    }
    if (!state.stuck->force) return "no member has answered: there is nobody to promote";
    const MemberId offered = state.stuck->force->member;
    if (offered != to) {
        return "of those that answer, member " + to_text(offered) +
               " holds most: only it can be promoted";
    }
    return {};
}

}  // namespace

void on(Stepping& step, const ForceOrdered& in)
{
    std::string why_not = no_need_to_force(step.state, in.to);
    if (why_not.empty()) {
        tell_election(step, election::Forced{in.to});
        if (step.state.stuck) {
            why_not = "the members' answers have changed: look again at who can be promoted";
        } else {
            step.report(
                Report::Level::warning,
                in.to,
                "is promoted by an operator, without the members that do not answer");
        }
    }
    step.act(RequestEnded{in.request, std::move(why_not)});
}

}  // namespace mysos::cluster
