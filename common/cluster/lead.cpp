#include "common/cluster/names.hpp"
#include "common/cluster/orders.hpp"
#include "common/cluster/stepping.hpp"
#include "common/diagnosis/diagnosis.hpp"
#include "common/electorate/electorate.hpp"

#include <algorithm>

// Who leads: the electorate, the election and the diagnosis, and what they order of members.
namespace mysos::cluster {
namespace {

using diagnosis::Verdict;

electorate::Electorate stored_electorate(const Record& record)
{
    return {record.electorate, record.acks};
}

electorate::Config electorate_config(const Stepping& step)
{
    const Record& record = step.state.record;
    return {
        .ask_again_after = step.config.order_again_after,
        .rebuild_pause_max = step.config.rebuild_pause_max,
        .acks_max = mysql::acks_max(flavor(record)),
        .members_min = goes_alone(record) ? 1 : electorate::members_min(record.num_nodes)};
}

/// A primary is there: everybody follows it, and those outside of E may prove themselves.
void admit(Stepping& step, Epoch epoch, MemberId primary, std::size_t acks_in_force, bool adopted)
{
    std::set<MemberId> members;
    for (const auto& [id, member] : step.record().members) members.insert(id);
    tell_electorate(
        step,
        electorate::Led{
            epoch, primary, stored_electorate(step.record()), acks_in_force, members, adopted});
    for (const MemberId id : members) {
        if (!step.record().electorate.contains(id)) {
            tell_electorate(step, electorate::JoinAsked{id});
        }
    }
    for (const auto& [id, seen] : step.state.members) {
        if (seen.stream && seen.understood) {
            tell_electorate(step, electorate::Observed{id, *seen.understood});
        }
    }
}

// What an election orders.

void lift(Stepping& step, const election::DismissPrimary&)
{
    depose(step);
}

void lift(Stepping& step, const election::SaveEpoch& effect)
{
    Record& record = step.record();
    record.epoch = effect.epoch;
    record.primary = effect.last.member;
    record.primary_position = effect.last.position.to_text();
    record.since = effect.since;
    record.candidate = MemberId{};
    record.opened = false;
    step.changed();
}

void lift(Stepping& step, const election::SaveForced& effect)
{
    lift(step, election::SaveEpoch{effect.epoch, effect.last, effect.since});
    step.record().electorate = effect.electorate.members;
    step.record().acks = static_cast<std::uint32_t>(effect.electorate.acks);
    step.state.high_water = effect.last.position;
    step.state.stuck.reset();
}

void lift(Stepping& step, const election::SendPrepare& effect)
{
    order(step, effect.member, control::Prepare{effect.epoch});
}

void lift(Stepping& step, const election::SaveCandidate& effect)
{
    Record& record = step.record();
    record.candidate = effect.candidate.member;
    record.serving = effect.candidate.member;  // Nobody else is, and it is told to let clients in.
    record.since = Epoch{};
    record.primary_position = effect.candidate.position.to_text();
    step.changed();
}

void lift(Stepping& step, const election::SendPromote& effect)
{
    order(
        step,
        effect.member,
        control::Promote{
            effect.epoch,
            effect.position.to_text(),
            static_cast<std::uint32_t>(effect.acks),
            accounts(step.record())});
}

void lift(Stepping& step, const election::SendFollow& effect)
{
    follow(
        step,
        {.epoch = effect.epoch,
         .member = effect.member,
         .primary = effect.primary,
         .acknowledge = true});
}

void lift(Stepping& step, const election::SendRebuild& effect)
{
    rebuild(
        step,
        {.epoch = effect.epoch,
         .member = effect.member,
         .primary = effect.candidate,
         .donor = effect.candidate});
}

void lift(Stepping& step, const election::AdmitFollowers& effect)
{
    admit(step, effect.epoch, effect.primary, step.record().acks, false);
}

void lift(Stepping& step, const election::SendOpen& effect)
{
    order(step, effect.member, control::Open{effect.epoch});
}

void lift(Stepping& step, const election::SaveOpened& effect)
{
    Record& record = step.record();
    record.primary = effect.primary;
    record.serving = effect.primary;
    record.candidate = MemberId{};
    record.opened = true;
    record.ever_opened = true;
    step.changed();
}

void lift(Stepping& step, const election::Publish& effect)
{
    step.state.published = effect.primary;
    step.state.stuck.reset();
    step.report(Report::Level::info, effect.primary, "is the primary, open to clients");
    serve(step);
}

void lift(Stepping& step, const election::ReportBegun& effect)
{
    step.state.stuck.reset();
    if (effect.why == election::ReportBegun::Why::alone) {
        const MemberId candidate = step.record().primary;
        step.report(Report::Level::warning, candidate, "goes on without the other member");
    }
    step.report(
        Report::Level::info,
        MemberId{},
        "election of epoch " + std::to_string(static_cast<std::uint64_t>(effect.epoch)));
}

void lift(Stepping& step, const election::ReportStuck& effect)
{
    std::string text = "election is stuck:";
    switch (effect.why) {
        case election::ReportStuck::Why::no_quorum: text += " no quorum"; break;
        case election::ReportStuck::Why::diverged: text += " the members have diverged"; break;
        case election::ReportStuck::Why::below_high_water:
            text += " what was acknowledged is on none of those that answered";
            break;
        case election::ReportStuck::Why::unacknowledged:
            text += " too few members are left to acknowledge the new primary's commits";
            break;
    }
    for (const MemberId id : effect.missing) text += "; member " + to_text(id) + " is missing";
    for (const MemberId id : effect.amnesiacs) {
        text += "; member " + to_text(id) + " may have forgotten what it acknowledged";
    }
    step.state.stuck = effect;
    step.report(Report::Level::error, MemberId{}, text);
}

void lift(Stepping& step, const election::Ignored& effect)
{
    step.ignore("election: " + std::to_string(static_cast<int>(effect.why)));
}

// What the electorate orders.

void lift(Stepping& step, const electorate::SaveElectorate& effect)
{
    step.record().electorate = effect.electorate.members;
    step.record().acks = static_cast<std::uint32_t>(effect.electorate.acks);
    step.changed();
    tell_election(step, election::ElectorateChanged{effect.electorate});
}

void lift(Stepping& step, const electorate::SendSetAcknowledgers& effect)
{
    control::SetAcknowledgers message{
        effect.epoch, static_cast<std::uint32_t>(effect.acks), {}, effect.serial};
    for (const MemberId id : effect.accounts) {
        message.accounts.push_back(
            account(control::AccountSpec::Kind::replication, replication_user(id)));
    }
    order(step, effect.primary, std::move(message));
}

void lift(Stepping& step, const electorate::SendLockAccount& effect)
{
    order(
        step,
        effect.primary,
        control::LockAccount{
            effect.epoch, replication_user(effect.member), effect.member, effect.serial});
}

void lift(Stepping& step, const electorate::SendFollow& effect)
{
    follow(step, effect);
}

void lift(Stepping& step, const electorate::SendRebuild& effect)
{
    rebuild(step, effect);
}

void lift(Stepping& step, const electorate::Ignored& effect)
{
    step.ignore("electorate: " + std::to_string(static_cast<int>(effect.why)));
}

// What comes to pass without a machine's order.

election::OpenRule open_rule(const Record& record)
{
    if (record.ever_opened) return {};
    const std::size_t members = electorate::members_min(record.num_nodes);
    return {members, electorate::acks_for(members, mysql::acks_max(flavor(record)))};
}

mysql::Position stored_position(const Record& record)
{
    const auto parsed = mysql::Position::parse(flavor(record), record.primary_position);
    return parsed.has_value() ? *parsed : mysql::Position{};
}

/// Ready, and of a new cluster: it holds nothing, and nobody ever gave it an order.
bool can_begin(const MemberState& seen)
{
    if (!seen.stream || !seen.understood || !seen.observation) return false;
    const mysql::Observation& now = *seen.understood;
    if (now.phase != control::Phase::fenced || !now.answers) return false;
    return seen.observation->empty || (now.position.empty() && now.epoch == Epoch{});
}

/// The first such member leads, of several the one with fewest primaries beside it; the others
/// follow and join.
void begin(Stepping& step)
{
    const auto beside = [&step](MemberId id) {
        const auto found = step.state.primaries_beside.find(id);
        return found == step.state.primaries_beside.end() ? 0 : found->second;
    };
    std::optional<MemberId> first;
    for (const auto& [id, seen] : step.state.members) {
        if (can_begin(seen) && (!first || beside(id) < beside(*first))) first = id;
    }
    if (!first) return;
    step.record().electorate = {*first};
    step.record().acks = 0;
    step.record().primary = *first;
    step.changed();
    call_election(step);
}

/// A primary that runs, open, in its epoch is left as it is, whoever made it so.
void adopt(Stepping& step)
{
    const MemberId primary = step.record().primary;
    if (step.state.electorate.leadership) return;
    const MemberState& seen = step.seen(primary);
    if (!seen.stream || !seen.understood || seen.understood->epoch != step.record().epoch ||
        seen.understood->phase != control::Phase::primary || !seen.understood->writable) {
        return;
    }
    step.report(Report::Level::info, primary, "is the primary still: adopted");
    step.state.published = primary;
    admit(step, step.record().epoch, primary, seen.understood->acks_required, true);
}

/// Clients were let in to this primary, and something has shut them out: a hand, or a disk that was
/// full. Not at once: what was observed before it was opened may come after.
void reopen(Stepping& step, bool is_shut)
{
    std::optional<TimePoint>& due = step.state.reopen_at;
    if (!is_shut) {
        due.reset();
        return;
    }
    if (!due) due = step.now + step.config.order_again_after;
    if (step.now < *due) return;
    due = step.now + step.config.order_again_after;
    order(step, step.record().primary, control::Open{step.record().epoch});
}

void act_on(Stepping& step, Verdict verdict)
{
    reopen(step, verdict == Verdict::primary_shut && !step.state.switchover);
    if (diagnosis::calls_for_election(verdict)) {
        call_election(step);
        static_cast<void>(diagnose(step));
        return;
    }
    adopt(step);
    if (verdict == Verdict::replica_lost) go_alone(step);
}

}  // namespace

void call_election(Stepping& step, std::map<MemberId, int> preference)
{
    const Record& record = step.record();
    step.state.reopen_at.reset();
    const bool has_candidate = record.candidate != MemberId{};
    const election::LastPrimary last{
        has_candidate ? record.candidate : record.primary, stored_position(record)};
    election::Called call;
    call.electorate = stored_electorate(record);
    call.last = last;
    call.since = record.since;
    call.high_water = step.state.high_water;
    call.preference = std::move(preference);
    call.primaries_beside = step.state.primaries_beside;
    for (const auto& [id, member] : record.members) {
        // Among equals, rather anybody else than one who has to move.
        if (is_closing(step.state, id)) call.primaries_beside[id] += 1'000'000;
    }
    call.open_rule = open_rule(record);
    if (goes_alone(record) && record.ever_opened) {
        call.alone_after = step.config.diagnosis.cut_timeout;
    }
    if (record.durability == Durability::async) await_fence(step, call);
    tell_election(step, call);
}

void tell_election(Stepping& step, const election::Input& input)
{
    const election::Config config{
        step.config.order_again_after,
        step.config.ask_last_after,
        step.config.election_timeout,
        step.config.candidate_silence_max};
    const election::Effects effects = election::step(step.state.election, config, input, step.now);
    for (const election::Effect& effect : effects) {
        std::visit([&step](const auto& one) { lift(step, one); }, effect);
    }
}

void tell_electorate(Stepping& step, const electorate::Input& input)
{
    const electorate::Effects effects =
        electorate::step(step.state.electorate, electorate_config(step), input, step.now);
    for (const electorate::Effect& effect : effects) {
        std::visit([&step](const auto& one) { lift(step, one); }, effect);
    }
}

void depose(Stepping& step)
{
    if (step.state.electorate.leadership) tell_electorate(step, electorate::Deposed{});
    step.state.published.reset();
}

void lead(Stepping& step)
{
    const Record& record = step.record();
    if (record.deleting) return;
    const bool elects = !std::holds_alternative<election::Idle>(step.state.election.phase);
    if (!elects && record.epoch == Epoch{}) {
        begin(step);
    } else if (!elects && !record.opened) {
        call_election(step);  // An election that a scheduler before us did not finish.
    } else {
        const Verdict verdict = diagnose(step);
        if (!elects) act_on(step, verdict);
    }
    serve(step);
}

}  // namespace mysos::cluster
