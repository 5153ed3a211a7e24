#include "common/election/phases.hpp"

#include <algorithm>

// Who may follow a candidate before its marker is acknowledged: what a member holds beyond it is
// cut by that.
namespace mysos::election::promoting {

bool follows_at_once(const Promoting& phase, MemberId member)
{
    const auto found = phase.answers.find(member);
    const auto candidate = phase.answers.find(phase.candidate.member);
    if (found == phase.answers.end() || candidate == phase.answers.end()) return false;
    if (member == phase.candidate.member) return false;
    const bool may_have_tail = member == phase.call.last.member;
    if (may_have_tail && found->second.marker != candidate->second.marker) return false;
    return phase.candidate.position.includes(found->second.position);
}

bool has_lagged(const Promoting& phase)
{
    const auto candidate = phase.answers.find(phase.candidate.member);
    return candidate != phase.answers.end() && candidate->second.lags;
}

void begin_waiting(Promoting& phase, const Config& config, TimePoint now)
{
    phase.stage = Promoting::Stage::written;
    if (!has_lagged(phase)) return;
    phase.stuck_at = now + config.stuck_after;
    if (phase.alone_at) phase.alone_at = now + *phase.call.alone_after;
}

bool may_follow(const Promoting& phase, MemberId member)
{
    if (phase.stage == Promoting::Stage::asked && has_lagged(phase)) return false;
    return follows_at_once(phase, member) || tails_may_go(phase);
}

bool tails_may_go(const Promoting& phase)
{
    if (phase.stage != Promoting::Stage::written) return false;
    const auto can_acknowledge = std::ranges::count_if(
        phase.call.electorate.members,
        [&phase](MemberId member) { return follows_at_once(phase, member); });
    return phase.asked_again ||
           static_cast<std::size_t>(can_acknowledge) < phase.call.electorate.acks;
}

}  // namespace mysos::election::promoting
