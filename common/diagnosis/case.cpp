#include "common/diagnosis/case.hpp"

#include <algorithm>

namespace mysos::diagnosis {
namespace {

using control::Phase;

template <class Predicate>
std::size_t count_replicas(const Case& c, const Predicate& holds)
{
    std::size_t count = 0;
    for (const auto& [id, member] : c.view.members) {
        if (!c.is_primary(id) && c.in_electorate(id) && holds(member)) ++count;
    }
    return count;
}

}  // namespace

Case::Case(const View& view_, const Past& past_, const Config& config_, TimePoint now_)
    : view{view_}, past{past_}, config{config_}, now{now_}
{
    const auto found = view.members.find(view.primary);
    if (found != view.members.end()) primary = &found->second;
}

bool Case::in_electorate(MemberId id) const
{
    return view.electorate.members.contains(id);
}

bool Case::heard(const Member& member) const
{
    return member.connected && member.observation != nullptr &&
           now - member.heard_at < config.lease;
}

bool Case::answers(const Member& member) const
{
    return heard(member) && member.observation->answers;
}

bool Case::is_down(const Member& member) const
{
    if (member.task_ended) return true;
    if (!heard(member)) return false;
    switch (member.observation->phase) {
        case Phase::start:
        case Phase::crashed:
        case Phase::stopping:
        case Phase::failed: return true;
        default: return false;
    }
}

bool Case::hangs(const Member& member, Duration least) const
{
    if (!heard(member) || is_down(member) || member.observation->answers) return false;
    return member.observation->unanswered && *member.observation->unanswered >= least;
}

bool Case::never_was_one() const
{
    return view.primary == MemberId{};
}

bool Case::has_ended() const
{
    if (primary == nullptr || primary->task_ended) return true;
    if (!primary->connected || primary->observation == nullptr) return false;
    const mysql::Observation& seen = *primary->observation;
    if (seen.phase == Phase::stopping) return false;
    return seen.phase != Phase::primary || seen.epoch != view.epoch;
}

bool Case::silent() const
{
    return primary != nullptr && now - primary->heard_at >= config.lease;
}

bool Case::lost_to_all() const
{
    return silent() &&
           replicas(Link::lost) >= electorate::votes_needed(view.electorate, view.primary);
}

bool Case::lost_to_us_only() const
{
    return silent() && replicas(Link::receives) > 0;
}

bool Case::leads() const
{
    return primary != nullptr && answers(*primary) && !primary->task_ended &&
           primary->observation->phase == Phase::primary &&
           primary->observation->epoch == view.epoch;
}

bool Case::commits_wait() const
{
    return leads() && primary->observation->commits_waiting > 0;
}

std::size_t Case::acks_awaited() const
{
    const std::size_t recorded = view.electorate.acks;
    return leads() ? std::max<std::size_t>(recorded, primary->observation->acks_required)
                   : recorded;
}

/// A replica that is gone without a word leaves its connection behind at the primary for a long
/// time, so that what the primary counts is not all.
bool Case::short_of_replicas() const
{
    const std::size_t counted = leads() ? primary->observation->semi_sync_clients : 0;
    return leads() && std::min(counted, receivers_max()) < acks_awaited();
}

Link Case::link(const Member& member) const
{
    if (is_down(member)) return Link::absent;
    if (!answers(member)) return Link::unknown;
    const mysql::Observation& seen = *member.observation;
    if (seen.phase != Phase::replica) return Link::absent;
    const bool receives =
        seen.receiver_running && seen.source == view.primary && seen.packet_age <= config.lease;
    return receives ? Link::receives : Link::lost;
}

std::size_t Case::replicas() const
{
    return count_replicas(*this, [](const Member&) { return true; });
}

std::size_t Case::replicas(Link of) const
{
    return count_replicas(*this, [&](const Member& member) { return link(member) == of; });
}

std::size_t Case::receivers_max() const
{
    return count_replicas(*this, [this](const Member& member) {
        const Link known = link(member);
        return known == Link::unknown ||
               (known == Link::receives && member.observation->acknowledges);
    });
}

std::size_t Case::holders(const mysql::Position& position) const
{
    return count_replicas(*this, [&](const Member& member) {
        return link(member) == Link::receives && member.observation->acknowledges &&
               member.observation->position.includes(position);
    });
}

std::size_t Case::voters() const
{
    return count_replicas(*this, [this](const Member& member) {
        return answers(member) && !member.observation->amnesiac &&
               (member.observation->phase == Phase::replica ||
                member.observation->phase == Phase::fenced);
    });
}

bool Case::can_take_over() const
{
    return voters() >= electorate::votes_needed(view.electorate, view.primary);
}

bool Case::can_do_without_primary() const
{
    return can_take_over() && voters() > view.electorate.acks;
}

/// By what the primary's server waits for, as k may be in force before it is saved.
const Member* Case::only_replica() const
{
    const bool is_one_of_two = view.electorate.members.size() == 2 && in_electorate(view.primary);
    if (!view.may_go_alone || !is_one_of_two || !leads()) return nullptr;
    if (primary->observation->acks_required == 0) return nullptr;
    for (const auto& [id, member] : view.members) {
        if (!is_primary(id) && in_electorate(id)) return &member;
    }
    return nullptr;
}

bool Case::does_without_replica() const
{
    const Member* replica = only_replica();
    if (replica == nullptr) return false;
    const mysql::Observation& seen = *primary->observation;
    if (seen.semi_sync_clients == 0) return true;
    if (seen.commits_waiting == 0) return false;
    // A large transaction may be on its way to it.
    const bool is_receiving = link(*replica) == Link::receives &&
                              replica->observation->acknowledges &&
                              !replica->observation->position.includes(seen.position);
    return !is_receiving;
}

bool Case::replicates(const Member& member) const
{
    return answers(member) && member.observation->phase == Phase::replica;
}

bool Case::is_broken(const Member& member) const
{
    return replicates(member) && mysql::cannot_apply(*member.observation);
}

bool Case::lags(const Member& member) const
{
    if (!replicates(member) || !member.observation->lag) return false;
    return *member.observation->lag >
           config.lag_max + member.observation->delay.value_or(Duration::zero());
}

bool Case::is_errant(MemberId id, const Member& member) const
{
    if (member.refuses_as_errant) return true;
    const auto found = past.excess.find(id);
    return found != past.excess.end() && now - found->second.since >= config.errant_after;
}

bool Case::disk_is_full(const Member& member) const
{
    if (!heard(member) || !member.observation->disk_total_bytes) return false;
    const std::uint64_t some = *member.observation->disk_total_bytes / 50;
    return member.observation->disk_free_bytes < std::min(some, config.disk_free_min);
}

}  // namespace mysos::diagnosis
