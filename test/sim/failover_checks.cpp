#include "test/sim/failover_world.hpp"

#include <algorithm>
#include <chrono>
#include <set>

// What must hold after every step, and that a cluster left alone comes to rest.
namespace mysos::sim {
namespace {

using namespace std::chrono_literals;

bool contains(const Log& log, std::uint32_t id)
{
    return std::ranges::any_of(log, [id](const Transaction& t) { return t.id == id; });
}

std::string name(MemberId id)
{
    return std::to_string(number(id));
}

}  // namespace

std::vector<MemberId> World::acknowledgers(const Member& primary) const
{
    std::vector<MemberId> ids;
    for (const auto& [id, member] : members_) {
        const bool acknowledges = member.role == Member::Role::replica && member.link &&
                                  !member.hung && !primary.hung && member.acknowledges &&
                                  member.source == primary.id && primary.let_in.contains(id);
        if (acknowledges) ids.push_back(id);
    }
    return ids;
}

void World::acknowledge()
{
    for (const auto& [id, primary] : members_) {
        const bool too_early = !primary.writable && broken_ != Broken::old_acks_count;
        if (primary.role != Member::Role::primary || too_early) continue;
        const auto ids = acknowledgers(primary);
        for (std::size_t i = 0; i < primary.log.size(); ++i) {
            const Transaction& transaction = primary.log[i];
            const bool its_own =
                transaction.epoch == primary.leads || broken_ == Broken::old_acks_count;
            if (transaction.is_marker || !its_own || acknowledged_.contains(transaction.id)) {
                continue;
            }
            std::set<MemberId> holders;
            for (const MemberId holder : ids) {
                const Log& log = members_.at(holder).log;
                if (log.size() > i && log[i] == transaction) holders.insert(holder);
            }
            if (holders.size() < primary.acks) continue;
            check_holders(primary, holders);
            std::string by = " by";
            for (const MemberId holder : ids) by += " " + name(holder);
            acknowledge(transaction, name(id) + by);
        }
    }
}

void World::acknowledge(const Transaction& transaction, const std::string& where)
{
    acknowledged_.insert(transaction.id);
    tell("ACKNOWLEDGED " + std::to_string(transaction.id) + " on " + where);
    for (const auto& [epoch, log] : promoted_) {
        if (epoch > transaction.epoch && !contains(log, transaction.id)) {
            fail("acknowledged after a newer primary began without it");
        }
    }
}

/// An election asks E, and counts on k of it.
void World::check_holders(const Member& primary, const std::set<MemberId>& holders)
{
    if (primary.leads != scheduler_.record().epoch) return;  // Fenced, or about to be.
    const electorate::Electorate& electorate = scheduler_.record().electorate;
    const auto of_electorate = std::ranges::count_if(
        holders, [&](MemberId holder) { return electorate.members.contains(holder); });
    if (static_cast<std::size_t>(of_electorate) < electorate.acks)
        fail("acknowledged from outside of E");
}

/// Semi-sync was switched off under clients that waited.
void World::release(const Log& log, Epoch epoch)
{
    for (const Transaction& transaction : log) {
        const bool waits = transaction.epoch == epoch && !transaction.is_marker &&
                           !acknowledged_.contains(transaction.id);
        if (waits) acknowledge(transaction, "whoever was fenced");
    }
}

void World::check_promotion(const Member& primary)
{
    ++promotions_;
    tell("PROMOTED " + name(primary.id) + " in epoch " + std::to_string(number(primary.leads)));
    if (!promoted_.emplace(primary.leads, primary.log).second) {
        fail("two primaries in one epoch");
    }
    if (forced_) return;
    for (const std::uint32_t id : acknowledged_) {
        if (!contains(primary.log, id)) {
            fail("acknowledged transaction " + std::to_string(id) + " is lost");
        }
    }
}

/// What a client can read there must not vanish: its marker is where an election finds it. That
/// asks by the k of the record; the primary may wait for more already, which is being raised.
void World::check_opening(const Member& primary)
{
    const std::size_t acks = std::min(primary.acks, scheduler_.record().electorate.acks);
    if (marked_[primary.leads].size() < acks) fail("opened before its marker was held");
}

void World::check_primaries()
{
    const auto able = std::ranges::count_if(members_, [this](const auto& entry) {
        const Member& member = entry.second;
        return member.writable && acknowledgers(member).size() >= member.acks;
    });
    if (able > 1 && !forced_) fail("two open primaries can commit");
    if (!async_) return;
    const auto open = std::ranges::count_if(
        members_, [](const auto& entry) { return entry.second.writable && !entry.second.hung; });
    if (open > 1) fail("two primaries let clients in");
}

void World::check_epoch()
{
    const Epoch epoch = scheduler_.record().epoch;
    if (epoch < epoch_before_) fail("the epoch went back");
    epoch_before_ = epoch;
}

void World::heal()
{
    scheduler_.heal();
    if (scheduler_.is_dead()) restart_scheduler(members_.begin()->second);
    for (auto& [id, member] : members_) {
        bring_back(member);
        resume(member);
        mend_stream(member);
        mend_link(member);
    }
    note_packets();
}

void World::settle_round()
{
    for (auto& [id, member] : members_) mend_link(member);
    live_round();
}

std::string World::unsettled()
{
    const auto primary = scheduler_.published();
    if (!primary) return scheduler_.is_stuck() ? "stuck" : "no primary";
    const Member& leader = members_.at(*primary);
    if (!leader.writable) return "the primary is not open";
    for (const MemberId id : scheduler_.wanted()) {
        const Member& member = members_.at(id);
        if (!scheduler_.record().electorate.members.contains(id)) return name(id) + " is not in E";
        if (id == *primary) continue;
        if (member.source != *primary || !member.acknowledges) {
            return name(id) + " does not acknowledge";
        }
        if (member.log.size() != leader.log.size()) return name(id) + " lags";
    }
    const auto& electorate = scheduler_.record().electorate;
    const std::size_t acks =
        electorate::acks_for(electorate.members.size(), mysql::acks_max(flavor_));
    const bool is_right = electorate.acks == acks && leader.acks == acks;
    // A wrong k is what that variant begins with; it is to lose something.
    if (!is_right && broken_ != Broken::leave_raises) return "k is not as it should be";
    return {};
}

std::string World::settle()
{
    heal();
    std::string why = unsettled();
    for (int round = 0; round < 400 && wrong_.empty(); ++round) {
        settle_round();
        why = unsettled();
        if (why.empty()) break;
        // Beyond what the protocol can mend by itself: an operator accepts the loss.
        if (why == "stuck" && round > 100) {
            forced_ = true;
            tell("the operator forces");
            scheduler_.force(now_);
        }
    }
    if (!wrong_.empty()) return wrong_;
    if (!why.empty() || forced_) return why;
    const Log& log = members_.at(*scheduler_.published()).log;
    const bool all =
        std::ranges::all_of(acknowledged_, [&log](std::uint32_t id) { return contains(log, id); });
    return all ? std::string{} : "an acknowledged transaction is lost in the end";
}

}  // namespace mysos::sim
