#include "test/sim/failover_scheduler.hpp"

#include "common/base/overload.hpp"

#include <algorithm>
#include <chrono>

namespace mysos::sim {
namespace {

using namespace std::chrono_literals;

}  // namespace

Scheduler::Scheduler(
    Prng& prng,
    Broken broken,
    mysql::Flavor flavor,
    std::set<MemberId> members,
    bool goes_alone,
    bool async)
    : prng_{prng},
      broken_{broken},
      members_{std::move(members)},
      election_config_{
          .ask_again_after = 1s,
          .ask_last_after = 2s,
          .stuck_after = 10s,
          .candidate_silence_max = 5s},
      goes_alone_{goes_alone && members_.size() == 2},
      async_{async},
      electorate_config_{
          .ask_again_after = 1s,
          .rebuild_pause_max = 4s,
          .acks_max = mysql::acks_max(flavor),
          .members_min = goes_alone_ ? 1 : electorate::members_min(members_.size())},
      acks_max_{mysql::acks_max(flavor)},
      impatient_{prng_.one_in(2)}
{
    // As k is raised as soon as it can be, a leave would hardly ever find it to be low.
    if (broken_ == Broken::leave_raises) electorate_config_.acks_max = 1;
    // An operator is needed for it, and would seldom be asked.
    if (broken_ == Broken::promotion_shuts_nobody_out) election_config_.stuck_after = 2s;
    const MemberId first = *members_.begin();
    const std::size_t floor = electorate::members_min(members_.size());
    for (const MemberId member : members_) {  // The others join while it is under way.
        if (wanted_.size() < floor || prng_.one_in(2)) wanted_.insert(member);
    }
    record_.last.member = first;
    record_.electorate.members = {first};
}

void Scheduler::heal()
{
    dies_once_in = 0;
    electorate_config_.acks_max = acks_max_;
}

void Scheduler::restart(TimePoint now)
{
    dead_ = false;
    stuck_ = false;
    lacks_acknowledgers_ = false;
    offered_.reset();
    published_.reset();
    held_.clear();
    high_water_ = {};
    election_ = election::State{.epoch = record_.epoch, .phase = election::Idle{}};
    changes_ = electorate::State{};
    changes_.serial = prng_.below(1U << 30U) << 20U;
    changes_.electorate = record_.electorate;
    looking_ = record_.opened;
    looked_since_ = now;
    past_ = {};
    heard_.clear();
    for (const MemberId member : members_) heard_[member].at = now;
    if (!looking_) call(record_.last, now);
}

bool Scheduler::dies()
{
    dead_ = dead_ || (dies_once_in != 0 && prng_.one_in(dies_once_in));
    return dead_;
}

void Scheduler::send(MemberId member, control::ToMember message)
{
    sent.emplace_back(member, Order{std::move(message), {}, {}});
}

std::string Scheduler::electorate_text() const
{
    std::string text = "E";
    for (const MemberId id : record_.electorate.members) text += " " + std::to_string(number(id));
    return text + ", k " + std::to_string(record_.electorate.acks);
}

void Scheduler::call(const election::LastPrimary& last, TimePoint now)
{
    said.push_back(
        "scheduler calls after " + std::to_string(number(last.member)) + ", " + electorate_text());
    ++elections_;
    looking_ = false;
    const std::size_t floor = electorate::members_min(members_.size());
    election::OpenRule open_rule;
    if (!record_.ever_opened) {
        open_rule = {
            .members_min = floor,
            .acks_min = electorate::acks_for(floor, electorate_config_.acks_max)};
    }
    election::Called called{
        .electorate = record_.electorate,
        .last = last,
        .since = record_.since,
        .high_water = knows_high_water ? high_water_ : mysql::Position{},
        .preference = {},
        .open_rule = open_rule};
    if (goes_alone_ && record_.ever_opened) called.alone_after = diagnosis_config.cut_timeout;
    if (async_) {
        called.serving = serving();
        called.high_water = {};
        if (broken_ != Broken::async_not_awaited) called.fenced_after = 10s;
    }
    const bool is_alone = record_.ever_opened && record_.electorate.acks == 0;
    if (broken_ == Broken::alone_unfenced && goes_alone_ && is_alone) {
        record_.electorate = {members_, 1};
        called.electorate = record_.electorate;
    }
    tell(called, now);
    if (broken_ == Broken::quorum_off_by_one) stuff_the_ballot(now);
}

/// To whom clients may be let in, for all that is known; 0: to nobody.
MemberId Scheduler::serving() const
{
    const auto heard = heard_.find(record_.serving);
    if (heard == heard_.end()) return record_.serving;
    const bool is_down = heard->second.connected && heard->second.seen &&
                         election::serves_no_more(*heard->second.seen);
    return is_down || heard->second.ended ? MemberId{} : record_.serving;
}

/// One vote that nobody gave.
void Scheduler::stuff_the_ballot(TimePoint now)
{
    std::set<MemberId> voters = record_.electorate.members;
    voters.erase(record_.last.member);
    if (voters.empty()) return;
    const auto at = static_cast<std::ptrdiff_t>(prng_.below(voters.size()));
    tell(election::Prepared{election_.epoch, *std::next(voters.begin(), at), {}, {}, false}, now);
}

/// Followers say that they hold the marker, though nobody asked them.
void Scheduler::invent_markers(Epoch epoch, MemberId candidate, TimePoint now)
{
    for (const MemberId member : record_.electorate.members) {
        if (member == candidate) continue;
        mysql::Observation invented;
        invented.epoch = epoch;
        invented.source = candidate;
        invented.marker = epoch;
        tell(election::Observed{member, invented}, now);
    }
}

void Scheduler::lead(std::size_t acks_in_force, bool adopted, TimePoint now)
{
    held_.clear();
    tell(
        electorate::Led{
            .epoch = record_.epoch,
            .primary = record_.last.member,
            .electorate = record_.electorate,
            .acks_in_force = acks_in_force,
            .members = members_,
            .adopted = adopted},
        now);
    for (const MemberId member : wanted_) {
        if (!record_.electorate.members.contains(member)) {
            tell(electorate::JoinAsked{member}, now);
        }
    }
}

void Scheduler::tell(const election::Input& input, TimePoint now)
{
    if (dead_) return;
    for (const auto& effect : step(election_, election_config_, input, now)) {
        if (dies()) return;
        perform(effect, now);
    }
}

void Scheduler::tell(const electorate::Input& input, TimePoint now)
{
    if (dead_) return;
    const auto effects = step(changes_, electorate_config_, input, now);
    for (const auto& effect : effects) {
        if (dies()) return;
        perform(effect, now);
    }
}

void Scheduler::note_high_water(MemberId member, const mysql::Observation& seen)
{
    if (!published_ || seen.epoch != record_.epoch || !record_.opened) return;
    if (!record_.electorate.members.contains(member)) return;
    if (member != published_ && seen.source != published_) return;
    held_[member] = seen.position;
    auto replicas = held_;
    replicas.erase(*published_);
    if (!held_.contains(*published_)) return;
    high_water_ = electorate::high_water(
        high_water_, held_.at(*published_), replicas, record_.electorate.acks);
}

void Scheduler::observed(MemberId member, const mysql::Observation& seen, TimePoint now)
{
    heard_[member] = {true, false, now, seen};
    const bool leads = seen.phase == control::Phase::primary && seen.epoch == record_.epoch;
    if (!looking_) {
        note_high_water(member, seen);
        tell(election::Observed{member, seen}, now);
        tell(electorate::Observed{member, seen}, now);
    } else if (member == record_.last.member && leads && seen.writable) {
        looking_ = false;
        published_ = member;
        lead(seen.acks_required, true, now);
    }
    look(now);
}

/// An answer is newer than the last observation.
void Scheduler::correct(MemberId member, const control::FromMember& answer, TimePoint now)
{
    Heard& heard = heard_[member];
    heard.connected = true;
    heard.at = now;
    if (!heard.seen) return;
    const auto set = [&heard](control::Phase phase, Epoch epoch, bool writable) {
        heard.seen->phase = phase;
        heard.seen->epoch = epoch;
        heard.seen->writable = writable;
    };
    using control::Phase;
    std::visit(
        Overload{
            [&](const control::Prepared& m) { set(Phase::fenced, m.epoch, false); },
            [&](const control::Promoted& m) { set(Phase::primary, m.epoch, false); },
            [&](const control::Opened& m) { set(Phase::primary, m.epoch, true); },
            [](const auto&) {}},
        answer);
}

void Scheduler::answered(MemberId member, const Answer& answer, TimePoint now)
{
    correct(member, answer.message, now);
    if (looking_) return;
    const auto refusal = [&](const control::Refused& refused) {
        using What = election::Refused::Order;
        if (refused.order == "follow" && refused.reason == control::Refused::Reason::errant) {
            tell(electorate::Errant{refused.epoch, member}, now);
        }
        if (refused.order == "rebuild") {
            return tell(electorate::RebuildRefused{refused.epoch, member}, now);
        }
        const What order = refused.order == "promote"  ? What::promote
                           : refused.order == "follow" ? What::follow
                           : refused.order == "open"   ? What::open
                                                       : What::prepare;
        tell(election::Refused{refused.epoch, member, order, refused.reason}, now);
    };
    std::visit(
        Overload{
            [&](const control::Prepared& m) {
                const election::Prepared prepared{
                    m.epoch, member, answer.position, m.marker, m.amnesiac, m.lags};
                tell(prepared, now);
            },
            [&](const control::Promoted& m) {
                tell(election::Promoted{m.epoch, member}, now);
                if (broken_ == Broken::commit_return_counts) invent_markers(m.epoch, member, now);
            },
            [&](const control::Followed& m) {
                tell(election::Followed{m.epoch, member}, now);
                tell(
                    electorate::Followed{
                        m.epoch, member, m.acknowledge, m.serial, m.caught_up, m.server_run},
                    now);
            },
            [&](const control::Opened& m) {
                tell(election::Opened{m.epoch, member}, now);
            },
            [&](const control::AcknowledgersSet& m) {
                const bool raises =
                    changes_.leadership &&
                    std::holds_alternative<electorate::Raising>(changes_.leadership->change);
                const bool lies = broken_ == Broken::raise_without_wait && raises;
                const auto position = lies ? mysql::Position{} : answer.position;
                tell(electorate::AcknowledgersSet{m.epoch, m.serial, position}, now);
            },
            [&](const control::AccountLocked& m) {
                const bool lies = broken_ == Broken::leave_without_wait;
                const auto position = lies ? mysql::Position{} : answer.position;
                tell(electorate::AccountLocked{m.epoch, m.serial, position}, now);
            },
            [&](const control::Rebuilt& m) {
                tell(election::Rebuilt{m.epoch, member}, now);
                tell(electorate::Rebuilt{m.epoch, member, m.serial}, now);
            },
            [&](const control::Refused& m) { refusal(m); },
            [](const auto&) {}},
        answer.message);
}

void Scheduler::appeared(MemberId member, TimePoint now)
{
    if (!looking_) tell(election::Appeared{member}, now);
}

void Scheduler::ended(MemberId member, TimePoint now)
{
    heard_[member].ended = true;
    heard_[member].connected = false;
    if (!looking_) tell(election::Ended{member, true}, now);
    look(now);
}

void Scheduler::suspect(TimePoint now)
{
    if (published_) call(record_.last, now);
}

void Scheduler::ask_leave(MemberId member, TimePoint now)
{
    if (!record_.ever_opened) return;  // It would never be.
    const auto before = changes_;
    tell(electorate::LeaveAsked{member, electorate::LeaveAsked::By::operators}, now);
    if (changes_ != before) wanted_.erase(member);
}

void Scheduler::ask_join(MemberId member, TimePoint now)
{
    wanted_.insert(member);
    tick(now);
}

void Scheduler::force(TimePoint now)
{
    if (offered_) tell(election::Forced{*offered_}, now);
}

void Scheduler::tick(TimePoint now)
{
    if (impatient_ && looking_ && now - looked_since_ > 4s) return call(record_.last, now);
    look(now);
    const auto due = [now](const std::optional<TimePoint>& at) { return at && *at <= now; };
    if (due(election::next_deadline(election_))) tell(election::DeadlinePassed{}, now);
    if (due(electorate::next_deadline(changes_))) tell(electorate::DeadlinePassed{}, now);
    for (const MemberId member : wanted_) {
        const bool is_in = changes_.electorate.members.contains(member);
        if (is_in || changes_.to_join.contains(member)) continue;
        tell(electorate::JoinAsked{member}, now);
    }
}

void Scheduler::save(const electorate::Electorate& electorate, TimePoint now)
{
    const bool is_leave = electorate.members.size() < record_.electorate.members.size();
    record_.electorate = electorate;
    if (is_leave && broken_ == Broken::leave_raises) {
        record_.electorate.acks = electorate::acks_for(electorate.members.size(), acks_max_);
        changes_.electorate = record_.electorate;
        const auto acks = static_cast<std::uint32_t>(record_.electorate.acks);
        send(record_.last.member, control::SetAcknowledgers{record_.epoch, acks, {}, 0});
    }
    said.push_back("scheduler saves " + electorate_text());
    tell(election::ElectorateChanged{record_.electorate}, now);
}

void Scheduler::perform(const election::Effect& effect, TimePoint now)
{
    using namespace election;
    std::visit(
        Overload{
            [&](const DismissPrimary&) {
                published_.reset();
                tell(electorate::Deposed{}, now);
            },
            [&](const SaveEpoch& e) {
                if (broken_ == Broken::epoch_not_persisted && prng_.one_in(3)) return;
                record_.epoch = e.epoch;
                record_.last = e.last;
                record_.since = e.since;
                record_.opened = false;
            },
            [&](const SaveForced& e) {
                record_.last = e.last;
                record_.since = e.since;
                high_water_ = e.last.position;
                if (broken_ == Broken::alone_not_saved) return;
                record_.electorate = e.electorate;
                said.push_back("scheduler saves " + electorate_text());
            },
            [&](const SendPrepare& e) { send(e.member, control::Prepare{e.epoch}); },
            [&](const SaveCandidate& e) {
                if (broken_ == Broken::candidate_not_persisted) return;
                record_.last = e.candidate;
                record_.since = {};
                if (broken_ != Broken::async_not_saved) record_.serving = e.candidate.member;
            },
            [&](const SendPromote& e) {
                const auto acks = static_cast<std::uint32_t>(e.acks);
                send(e.member, control::Promote{e.epoch, {}, acks, {}});
                sent.back().second.position = e.position;
                sent.back().second.accounts = record_.electorate.members;
            },
            [&](const election::SendFollow& e) {
                send(
                    e.member,
                    control::Follow{.epoch = e.epoch, .primary = e.primary, .acknowledge = true});
            },
            [&](const election::SendRebuild& e) {
                send(
                    e.member,
                    control::Rebuild{
                        .epoch = e.epoch, .primary = e.candidate, .donor = e.candidate});
            },
            [&](const AdmitFollowers&) { lead(record_.electorate.acks, false, now); },
            [&](const SendOpen& e) { send(e.member, control::Open{e.epoch}); },
            [&](const SaveOpened& e) {
                record_.opened = true;
                record_.ever_opened = true;
                if (broken_ == Broken::candidate_not_persisted) return;
                record_.last.member = e.primary;
                if (broken_ != Broken::async_not_saved) record_.serving = e.primary;
            },
            [&](const Publish& e) {
                published_ = e.primary;
                lacks_acknowledgers_ = false;
            },
            [&](const ReportBegun&) {
                stuck_ = false;
                lacks_acknowledgers_ = false;
                offered_.reset();
            },
            [&](const ReportStuck& e) {
                stuck_ = true;
                lacks_acknowledgers_ = e.why == ReportStuck::Why::unacknowledged;
                offered_.reset();
                if (e.force) offered_ = e.force->member;
            },
            [](const election::Ignored&) {}},
        effect);
}

void Scheduler::perform(const electorate::Effect& effect, TimePoint now)
{
    using namespace electorate;
    std::visit(
        Overload{
            [&](const SaveElectorate& e) { save(e.electorate, now); },
            [&](const SendSetAcknowledgers& e) {
                const auto acks = static_cast<std::uint32_t>(e.acks);
                send(e.primary, control::SetAcknowledgers{e.epoch, acks, {}, e.serial});
                sent.back().second.accounts = e.accounts;
            },
            [&](const SendLockAccount& e) {
                send(e.primary, control::LockAccount{e.epoch, {}, e.member, e.serial});
                if (broken_ != Broken::alone_before_saved) return;
                send(e.primary, control::SetAcknowledgers{e.epoch, 0, {}, e.serial});
            },
            [&](const electorate::SendFollow& e) {
                send(
                    e.member,
                    control::Follow{
                        .epoch = e.epoch,
                        .primary = e.primary,
                        .acknowledge = e.acknowledge,
                        .serial = e.serial,
                        .caught_up = e.caught_up,
                        .server_run = e.server_run});
            },
            [&](const electorate::SendRebuild& e) {
                send(
                    e.member,
                    control::Rebuild{
                        .epoch = e.epoch,
                        .primary = e.primary,
                        .donor = e.donor,
                        .serial = e.serial});
            },
            [](const electorate::Ignored&) {}},
        effect);
}

}  // namespace mysos::sim
