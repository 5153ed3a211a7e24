#include "common/diagnosis/rules.hpp"

#include <array>

// Situations of members, each by itself, and what their servers say.
namespace mysos::diagnosis {
namespace {

using control::Phase;
using control::ReceiverState;

bool is_weak(const Case& c, MemberId id, const Member& member)
{
    return c.is_primary(id) && has_led(c) && c.leads() &&
           member.observation->acks_required < c.view.electorate.acks;
}

const Member* source_of(const Case& c, const Member& member)
{
    if (!c.answers(member)) return nullptr;
    const auto source = c.view.members.find(member.observation->source);
    return source == c.view.members.end() ? nullptr : &source->second;
}

/// Who comes back to itself by going from source to source.
bool is_in_circle(const Case& c, MemberId, const Member& member)
{
    const Member* at = source_of(c, member);
    for (std::size_t steps = 0; at != nullptr && steps < c.view.members.size(); ++steps) {
        if (at == &member) return true;
        at = source_of(c, *at);
    }
    return false;
}

bool is_errant(const Case& c, MemberId id, const Member& member)
{
    return !c.is_primary(id) && c.is_errant(id, member);
}

bool is_rebuilding(const Case& c, MemberId, const Member& member)
{
    return c.heard(member) &&
           (member.observation->phase == Phase::clone || member.observation->needs_rebuild);
}

bool is_writable_replica(const Case& c, MemberId id, const Member& member)
{
    return !c.is_primary(id) && is_writable(c, id, member) &&
           member.observation->phase != Phase::primary;
}

/// By number where it has connected, else by address.
bool has_wrong_source(const Case& c, MemberId id, const Member& member)
{
    if (c.is_primary(id) || !c.replicates(member) || c.primary == nullptr) return false;
    const mysql::Observation& seen = *member.observation;
    if (seen.source != MemberId{} && seen.source != c.view.primary) return true;
    if (seen.source_host.empty() || c.primary->host.empty()) return false;
    return seen.source_host != c.primary->host || seen.source_port != c.primary->port;
}

bool is_broken(const Case& c, MemberId, const Member& member)
{
    return c.is_broken(member);
}

bool cannot_connect(const Case& c, MemberId id, const Member& member)
{
    return c.replicates(member) && !has_wrong_source(c, id, member) &&
           member.observation->receiver_state == ReceiverState::connecting;
}

bool is_stopped(const Case& c, MemberId, const Member& member)
{
    if (!c.replicates(member) || c.is_broken(member)) return false;
    return !member.observation->applier_running ||
           member.observation->receiver_state == ReceiverState::stopped;
}

bool lags(const Case& c, MemberId, const Member& member)
{
    return c.lags(member);
}

bool is_delayed(const Case& c, MemberId, const Member& member)
{
    return c.replicates(member) &&
           member.observation->delay.value_or(Duration::zero()) > Duration::zero();
}

bool is_hung_replica(const Case& c, MemberId id, const Member& member)
{
    return !c.is_primary(id) && c.hangs(member, c.config.hang_timeout);
}

bool is_dead_replica(const Case& c, MemberId id, const Member& member)
{
    return !c.is_primary(id) && c.is_down(member);
}

bool is_silent_member(const Case& c, MemberId id, const Member& member)
{
    return !c.is_primary(id) && !member.task_ended && !c.heard(member);
}

bool is_idle(const Case& c, MemberId id, const Member& member)
{
    return !c.is_primary(id) && has_led(c) && c.leads() && c.answers(member) &&
           member.observation->phase == Phase::fenced;
}

bool does_not_acknowledge(const Case& c, MemberId id, const Member& member)
{
    return is_replica_of_electorate(c, id) && c.link(member) == Link::receives &&
           !member.observation->acknowledges && !member.observation->amnesiac;
}

bool acknowledges_outside(const Case& c, MemberId id, const Member& member)
{
    return !c.in_electorate(id) && c.replicates(member) && member.observation->acknowledges;
}

bool is_outside(const Case& c, MemberId id, const Member& member)
{
    return has_led(c) && !c.in_electorate(id) && c.heard(member) && !c.is_down(member);
}

bool is_amnesiac(const Case& c, MemberId, const Member& member)
{
    return c.heard(member) && member.observation->amnesiac && !member.observation->quarantined;
}

bool is_quarantined(const Case& c, MemberId, const Member& member)
{
    return c.heard(member) && member.observation->quarantined;
}

bool is_of_newer_epoch(const Case& c, MemberId, const Member& member)
{
    return c.heard(member) && member.observation->epoch > c.view.epoch;
}

bool disk_is_full(const Case& c, MemberId, const Member& member)
{
    return c.disk_is_full(member);
}

// What the servers say themselves.

std::string applier_error(const Case&, MemberId, const Member& member)
{
    return member.observation->applier_error.value_or("");
}

std::string receiver_error(const Case&, MemberId, const Member& member)
{
    return member.observation->receiver_error.value_or("");
}

std::string seconds(Duration duration)
{
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) +
           " s";
}

std::string lag(const Case&, MemberId, const Member& member)
{
    return seconds(member.observation->lag.value_or(Duration::zero()));
}

std::string delay(const Case&, MemberId, const Member& member)
{
    return seconds(member.observation->delay.value_or(Duration::zero()));
}

std::string source(const Case&, MemberId, const Member& member)
{
    const mysql::Observation& seen = *member.observation;
    if (seen.source != MemberId{}) return "follows member " + std::to_string(number(seen.source));
    return "follows " + seen.source_host + ":" + std::to_string(seen.source_port);
}

std::string excess(const Case& c, MemberId, const Member& member)
{
    if (member.observation == nullptr || c.primary == nullptr) return {};
    if (c.primary->observation == nullptr) return {};
    const auto beyond = member.observation->position.beyond(c.primary->observation->position);
    return beyond && *beyond > 0 ? std::to_string(*beyond) + " transactions" : std::string{};
}

std::string free_space(const Case&, MemberId, const Member& member)
{
    return std::to_string(member.observation->disk_free_bytes >> 20U) + " MiB free";
}

constexpr std::array of_members{
    Each{Code::weak_primary, is_weak},
    Each{Code::circular_replication, is_in_circle},
    Each{Code::errant_replica, is_errant, excess},
    Each{Code::rebuilding_member, is_rebuilding},
    Each{Code::writable_replica, is_writable_replica},
    Each{Code::wrong_source, has_wrong_source, source},
    Each{Code::broken_replica, is_broken, applier_error},
    Each{Code::replica_cannot_connect, cannot_connect, receiver_error},
    Each{Code::replication_stopped, is_stopped},
    Each{Code::lagging_replica, lags, lag},
    Each{Code::delayed_replica, is_delayed, delay},
    Each{Code::hung_replica, is_hung_replica},
    Each{Code::dead_replica, is_dead_replica},
    Each{Code::silent_member, is_silent_member},
    Each{Code::idle_member, is_idle},
    Each{Code::unacknowledging_replica, does_not_acknowledge},
    Each{Code::acknowledges_outside_electorate, acknowledges_outside},
    Each{Code::outside_electorate, is_outside},
    Each{Code::amnesiac_member, is_amnesiac},
    Each{Code::quarantined_member, is_quarantined},
    Each{Code::member_of_newer_epoch, is_of_newer_epoch},
    Each{Code::disk_full, disk_is_full, free_space},
};

}  // namespace

std::span<const Each> rules_of_members()
{
    return of_members;
}

}  // namespace mysos::diagnosis
