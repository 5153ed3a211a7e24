#include "test/support/printing.hpp"

#include "common/base/overload.hpp"

#include <set>

namespace mysos::test {
namespace {

std::string text(MemberId member)
{
    return std::to_string(number(member));
}

std::string text(Epoch epoch)
{
    return " e" + std::to_string(number(epoch));
}

std::string text(const std::set<MemberId>& members)
{
    std::string list;
    for (const MemberId member : members) list += (list.empty() ? "" : ",") + text(member);
    return "{" + list + "}";
}

std::string text(const electorate::Electorate& electorate)
{
    return text(electorate.members) + " k=" + std::to_string(electorate.acks);
}

std::string text(const mysql::Position& position)
{
    return position.empty() ? "nothing" : position.to_text();
}

const char* text(election::ReportBegun::Why why)
{
    using Why = election::ReportBegun::Why;
    switch (why) {
        case Why::called: return "called";
        case Why::candidate_refused: return "candidate refused";
        case Why::candidate_failed: return "candidate failed";
        case Why::forced: return "forced";
        case Why::alone: return "alone";
        case Why::epoch_behind: return "epoch behind";
    }
    return "?";
}

const char* text(election::ReportStuck::Why why)
{
    using Why = election::ReportStuck::Why;
    switch (why) {
        case Why::no_quorum: return "no quorum";
        case Why::diverged: return "diverged";
        case Why::below_high_water: return "below high water";
        case Why::unacknowledged: return "unacknowledged";
    }
    return "?";
}

std::string text(const election::ReportStuck& stuck)
{
    std::string line = std::string{"stuck"} + text(stuck.epoch) + ": " + text(stuck.why) +
                       ", missing " + text(stuck.missing) + " amnesiac " + text(stuck.amnesiacs) +
                       " lacking " + std::to_string(stuck.votes_lacking);
    if (!stuck.force) return line;
    const auto& lost = stuck.force->transactions_lost;
    return line + ", force " + text(stuck.force->member) + " loses " +
           (lost ? std::to_string(*lost) : "unknown");
}

const char* text(election::Ignored::Why why)
{
    using Why = election::Ignored::Why;
    switch (why) {
        case Why::no_election: return "no election";
        case Why::other_epoch: return "other epoch";
        case Why::not_a_voter: return "not a voter";
        case Why::not_the_candidate: return "not the candidate";
        case Why::not_stuck: return "not stuck";
        case Why::nothing_to_do: return "nothing to do";
        case Why::already_so: return "already so";
        case Why::order_repeats: return "order repeats";
        case Why::not_leading: return "not leading";
        case Why::too_early: return "too early";
    }
    return "?";
}

const char* text(electorate::Ignored::Why why)
{
    using Why = electorate::Ignored::Why;
    switch (why) {
        case Why::no_primary: return "no primary";
        case Why::other_epoch: return "other epoch";
        case Why::not_asked: return "not asked";
        case Why::not_a_member: return "not a member";
        case Why::the_primary: return "the primary";
        case Why::below_floor: return "below floor";
        case Why::change_running: return "change running";
        case Why::already_so: return "already so";
        case Why::too_early: return "too early";
    }
    return "?";
}

std::string text(const election::Effect& effect)
{
    using namespace election;
    const auto follow = [](const auto& e) {
        return "follow " + text(e.primary) + ": " + text(e.member) + text(e.epoch);
    };
    return std::visit(
        Overload{
            [](const DismissPrimary&) { return std::string{"dismiss"}; },
            [](const SaveEpoch& e) {
                return "save" + text(e.epoch) + " after " + text(e.last.member);
            },
            [](const SaveForced& e) {
                return "save forced" + text(e.epoch) + " after " + text(e.last.member) + " " +
                       text(e.electorate);
            },
            [](const SendPrepare& e) { return "prepare " + text(e.member) + text(e.epoch); },
            [](const SaveCandidate& e) {
                return "save candidate " + text(e.candidate.member) + text(e.epoch) + " at " +
                       text(e.candidate.position);
            },
            [](const SendPromote& e) {
                return "promote " + text(e.member) + text(e.epoch) + " at " + text(e.position) +
                       " k=" + std::to_string(e.acks);
            },
            [&](const SendFollow& e) { return follow(e); },
            [](const SendRebuild& e) {
                return "rebuild " + text(e.member) + text(e.epoch) + " from " + text(e.candidate);
            },
            [](const AdmitFollowers& e) { return "admit " + text(e.primary) + text(e.epoch); },
            [](const SendOpen& e) { return "open " + text(e.member) + text(e.epoch); },
            [](const SaveOpened& e) { return "save opened " + text(e.primary) + text(e.epoch); },
            [](const Publish& e) { return "publish " + text(e.primary) + text(e.epoch); },
            [](const ReportBegun& e) { return "begun" + text(e.epoch) + ": " + text(e.why); },
            [](const ReportStuck& e) { return text(e); },
            [](const Ignored& e) { return std::string{"ignored: "} + text(e.why); }},
        effect);
}

std::string text(const electorate::Effect& effect)
{
    using namespace electorate;
    const auto serial = [](std::uint64_t number) { return " #" + std::to_string(number); };
    return std::visit(
        Overload{
            [](const SaveElectorate& e) { return "save " + text(e.electorate); },
            [&](const SendSetAcknowledgers& e) {
                return "set " + text(e.primary) + text(e.epoch) + " k=" + std::to_string(e.acks) +
                       " accounts " + text(e.accounts) + serial(e.serial);
            },
            [&](const SendLockAccount& e) {
                return "lock " + text(e.member) + " on " + text(e.primary) + text(e.epoch) +
                       serial(e.serial);
            },
            [&](const SendFollow& e) {
                return "follow " + text(e.primary) + ": " + text(e.member) + text(e.epoch) +
                       (e.acknowledge ? " acknowledging" : "") + (e.caught_up ? " caught up" : "") +
                       (e.server_run == 0 ? "" : " in run " + std::to_string(e.server_run)) +
                       (e.serial == 0 ? std::string{} : serial(e.serial));
            },
            [&](const SendRebuild& e) {
                return "rebuild " + text(e.member) + text(e.epoch) + " from " + text(e.donor) +
                       serial(e.serial);
            },
            [](const Ignored& e) { return std::string{"ignored: "} + text(e.why); }},
        effect);
}

template <class Effects>
std::string join(const Effects& effects)
{
    std::string all;
    for (const auto& effect : effects) all += (all.empty() ? "" : "; ") + text(effect);
    return all;
}

}  // namespace

std::string to_text(const election::Effects& effects)
{
    return join(effects);
}

std::string to_text(const electorate::Effects& effects)
{
    return join(effects);
}

}  // namespace mysos::test
