#include "common/election/choice.hpp"

#include <algorithm>
#include <cstddef>

namespace mysos::election {
namespace {

std::size_t primaries_beside(const Called& call, MemberId member)
{
    const auto found = call.primaries_beside.find(member);
    return found == call.primaries_beside.end() ? 0 : found->second;
}

/// Of two that hold the same. One that has applied it can lead at once.
bool is_preferred(
    const Called& call, const Answers::value_type& one, const Answers::value_type& other)
{
    const int ours = preference_of(call, one.first);
    const int theirs = preference_of(call, other.first);
    if (ours != theirs) return ours > theirs;
    if (one.second.lags != other.second.lags) return other.second.lags;
    return primaries_beside(call, one.first) < primaries_beside(call, other.first);
}

bool is_voter(const Called& call, MemberId member)
{
    return member != call.last.member && call.electorate.members.contains(member);
}

/// Where nobody ever led, nothing was acknowledged that could have been forgotten.
bool has_forgotten(const Called& call, const Answer& answer)
{
    return answer.amnesiac && call.since != Epoch{1};
}

/// Those whose answer counts.
Answers votes_of(const Called& call, const Answers& answers)
{
    Answers votes;
    for (const auto& [member, answer] : answers) {
        if (is_voter(call, member) && !has_forgotten(call, answer)) votes.emplace(member, answer);
    }
    return votes;
}

/// Those that show the marker of an epoch begun since the last primary led: whoever wrote it held
/// everything that was ever acknowledged, and so do they.
Answers marked_since(const Called& call, const Answers& answers)
{
    Answers marked;
    for (const auto& [member, answer] : answers) {
        if (answer.marker >= call.since) marked.emplace(member, answer);
    }
    return marked;
}

Epoch highest_marker(const Answers& answers)
{
    Epoch highest{};
    for (const auto& [member, answer] : answers) highest = std::max(highest, answer.marker);
    return highest;
}

/// The last primary holds everything that was ever acknowledged, if it is that and has it still.
bool last_can_go_on(const Called& call, const Answers& answers)
{
    const auto found = answers.find(call.last.member);
    if (found == answers.end()) return false;
    const Answer& last = found->second;
    return !has_forgotten(call, last) && last.marker >= highest_marker(answers) &&
           last.position.includes(call.last.position);
}

/// Of those with the highest marker the one that includes the others; null if they diverged.
const Answers::value_type* most_advanced(const Called& call, const Answers& votes)
{
    const Epoch marker = highest_marker(votes);
    const auto includes_all = [&](const Answers::value_type& candidate) {
        return std::ranges::all_of(votes, [&](const auto& other) {
            const auto& theirs = other.second;
            return theirs.marker != marker ||
                   (candidate.second.position.includes(theirs.position) &&
                    !candidate.second.position.diverged_from(theirs.position));
        });
    };
    const Answers::value_type* best = nullptr;
    for (const auto& candidate : votes) {
        if (candidate.second.marker != marker || !includes_all(candidate)) continue;
        if (best == nullptr || is_preferred(call, candidate, *best)) best = &candidate;
    }
    return best;
}

}  // namespace

int preference_of(const Called& call, MemberId member)
{
    const auto found = call.preference.find(member);
    return found == call.preference.end() ? 0 : found->second;
}

bool votes_may_suffice(const Called& call, const Answers& answers)
{
    const auto lost = std::ranges::count_if(answers, [&call](const Answers::value_type& entry) {
        return is_voter(call, entry.first) && has_forgotten(call, entry.second);
    });
    const auto& members = call.electorate.members;
    const std::size_t voters = members.size() - members.count(call.last.member);
    return voters - static_cast<std::size_t>(lost) >=
           electorate::votes_needed(call.electorate, call.last.member);
}

std::variant<LastPrimary, ReportStuck::Why> choose(const Called& call, const Answers& answers)
{
    const Answers marked = marked_since(call, answers);
    const auto* sure = most_advanced(call, marked);
    if (sure != nullptr && sure->second.position.includes(call.high_water)) {
        return LastPrimary{sure->first, sure->second.position};
    }
    if (last_can_go_on(call, answers)) {
        const Answer& last = answers.at(call.last.member);
        if (last.position.includes(call.high_water)) {
            return LastPrimary{call.last.member, last.position};
        }
    }
    const Answers votes = votes_of(call, answers);
    if (votes.size() < electorate::votes_needed(call.electorate, call.last.member)) {
        return ReportStuck::Why::no_quorum;
    }
    const auto* best = most_advanced(call, votes);
    if (best == nullptr) return ReportStuck::Why::diverged;
    if (!best->second.position.includes(call.high_water)) {
        return ReportStuck::Why::below_high_water;
    }
    return LastPrimary{best->first, best->second.position};
}

std::optional<LastPrimary> best_of(const Called& call, const Answers& answers)
{
    const Answers::value_type* best = nullptr;
    for (const auto& candidate : answers) {
        const auto& [member, answer] = candidate;
        if (best == nullptr || answer.marker > best->second.marker) {
            best = &candidate;
        } else if (answer.marker == best->second.marker) {
            const bool ahead = answer.position.includes(best->second.position);
            const bool behind = best->second.position.includes(answer.position);
            if (ahead && (!behind || is_preferred(call, candidate, *best))) best = &candidate;
        }
    }
    if (best == nullptr) return std::nullopt;
    return LastPrimary{best->first, best->second.position};
}

ReportStuck describe(Epoch epoch, ReportStuck::Why why, const Called& call, const Answers& answers)
{
    ReportStuck report;
    report.epoch = epoch;
    report.why = why;
    for (const MemberId member : call.electorate.members) {
        const auto found = answers.find(member);
        if (found == answers.end()) {
            report.missing.insert(member);
        } else if (found->second.amnesiac) {
            report.amnesiacs.insert(member);
        }
    }
    const std::size_t needed = electorate::votes_needed(call.electorate, call.last.member);
    const std::size_t votes = votes_of(call, answers).size();
    report.votes_lacking = votes < needed ? needed - votes : 0;
    if (const auto best = best_of(call, answers)) {
        const auto known = call.high_water.unite(call.last.position);
        report.force =
            ForceOffer{.member = best->member, .transactions_lost = known.beyond(best->position)};
    }
    return report;
}

}  // namespace mysos::election
