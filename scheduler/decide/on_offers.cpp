#include "common/cluster/cluster.hpp"
#include "common/cluster/names.hpp"
#include "common/volume/volume.hpp"
#include "scheduler/decide/stepping.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <span>

namespace mysos::scheduler {
namespace {

using cluster::RetiredVolume;

/// Whether a member still stands for this id: then it is not given back, whatever else is recorded.
bool is_needed(const State& state, const mesos::PersistenceId& id)
{
    const auto name = cluster::parse_name(id.text);
    const auto found = name ? state.clusters.find(name->cluster) : state.clusters.end();
    if (found == state.clusters.end()) return false;
    return std::ranges::any_of(found->second.record.members, [&id](const auto& member) {
        return member.second.persistence_id == id;
    });
}

bool is_retired(const State& state, const mesos::PersistenceId& id)
{
    return std::ranges::count(
               state.framework.retired_volumes, id, &RetiredVolume::persistence_id) != 0;
}

/// Agents that share a machine may offer the same ports, each as if it had them alone.
std::set<std::uint16_t> taken_ports(const State& state, const mesos::Offer& offer)
{
    const std::string& address = offer.ip.empty() ? offer.hostname : offer.ip;
    std::set<std::uint16_t> taken;
    for (const auto& [name, cluster] : state.clusters) {
        for (const auto& [id, member] : cluster.record.members) {
            if (member.ip != address || member.agent_id == offer.agent_id) continue;
            taken.insert({member.port, member.peer_port});
        }
    }
    return taken;
}

/// `beside`: made with it, and free so far.
bool launch_on(Stepping& step, const mesos::Offer& offer, std::span<const mesos::Offer> beside)
{
    const std::vector<std::string> names = step.state.agenda.wanting();
    if (names.empty()) return false;
    const bool closing = offer.unavailable && is_near(step, *offer.unavailable);
    const cluster::OfferArrived arrived{offer, taken_ports(step.state, offer), beside, closing};
    for (const std::string& name : names) {
        const auto found = step.state.clusters.find(name);
        if (found == step.state.clusters.end()) continue;
        if (tell_cluster(step, name, arrived)) return true;
    }
    return false;
}

/// Forgets retired ids that this agent does not have any more, and those that it turned out to
/// never have had.
void forget_released(Stepping& step, const mesos::Offer& offer)
{
    State& state = step.state;
    const auto is_over = [&state, &offer](const RetiredVolume& volume) {
        const mesos::PersistenceId& id = volume.persistence_id;
        if (volume::trace(offer, id) != volume::Trace::none) return false;
        const auto released = state.released.find(id);
        if (released != state.released.end()) return released->second == offer.agent_id;
        return volume.agent_id == offer.agent_id && state.due.contains(id);
    };
    std::vector<RetiredVolume>& volumes = state.framework.retired_volumes;
    const std::size_t erased = std::erase_if(volumes, [&](const RetiredVolume& volume) {
        if (!is_over(volume)) return false;
        state.released.erase(volume.persistence_id);
        state.due.erase(volume.persistence_id);
        return true;
    });
    if (erased == 0) return;
    step.save_framework();
}

/// DESTROY and UNRESERVE of what is retired.
std::vector<mesos::Operation> release(Stepping& step, const mesos::Offer& offer)
{
    State& state = step.state;
    std::vector<mesos::Operation> operations;
    for (const RetiredVolume& volume : state.framework.retired_volumes) {
        const mesos::PersistenceId& id = volume.persistence_id;
        if (is_needed(state, id)) continue;
        const auto more = volume::release(offer, id, state.due.contains(id));
        if (more.empty()) continue;
        operations.insert(operations.end(), more.begin(), more.end());
        state.released.insert_or_assign(id, offer.agent_id);
        step.report(cluster::Report::Level::info, "gives back what was reserved for " + id.text);
    }
    return operations;
}

void report_strangers(Stepping& step, const mesos::Offer& offer)
{
    for (const mesos::PersistenceId& id : volume::ids(offer, step.config.framework.role)) {
        if (is_needed(step.state, id) || is_retired(step.state, id)) continue;
        if (!step.state.strangers.insert(id.text).second) continue;
        step.report(
            cluster::Report::Level::warning,
            "volume " + id.text + " on " + offer.hostname + " is no cluster's: left alone");
    }
}

/// Those of our role. Agents with few primaries come first: the member that is launched first is
/// likely to lead. An agent in no fault domain counts as near, as it does to the master.
std::vector<mesos::Offer> sort_out(
    Stepping& step, const mesos::OffersMade& made, mesos::Decline& decline)
{
    State& state = step.state;
    std::vector<mesos::Offer> offers;
    for (const mesos::Offer& offer : made.offers) {
        ++state.counters.resource_offers;
        if (offer.role != step.config.framework.role) {
            ++state.counters.offers_incompatible_role;
            decline.offers.push_back(offer.id);
            continue;
        }
        offers.push_back(offer);
        if (offer.region.empty()) offers.back().region = state.home_region;
    }
    std::ranges::stable_sort(offers, {}, [&state](const mesos::Offer& offer) {
        const auto found = state.primaries.find(offer.agent_id);
        return found == state.primaries.end() ? 0 : found->second;
    });
    return offers;
}

/// Those that nobody took.
std::vector<mesos::Offer> launch_on_each(Stepping& step, const std::vector<mesos::Offer>& offers)
{
    std::vector<mesos::Offer> unused;
    const std::span<const mesos::Offer> all{offers};
    for (std::size_t i = 0; i < all.size(); ++i) {
        report_strangers(step, all[i]);
        forget_released(step, all[i]);
        if (!launch_on(step, all[i], all.subspan(i + 1))) unused.push_back(all[i]);
    }
    if (unused.size() == offers.size()) return unused;
    // Somebody may have left one for the sake of another, which somebody else then took.
    std::erase_if(
        unused, [&step](const mesos::Offer& offer) { return launch_on(step, offer, {}); });
    return unused;
}

}  // namespace

void use_offers(Stepping& step, const mesos::OffersMade& made)
{
    State& state = step.state;
    mesos::Decline decline;
    const std::vector<mesos::Offer> offers = sort_out(step, made, decline);
    for (const mesos::Offer& offer : launch_on_each(step, offers)) {
        std::vector<mesos::Operation> operations = release(step, offer);
        if (!operations.empty()) {
            step.call(mesos::Accept{{offer.id}, std::move(operations), step.config.cluster.refuse});
            continue;
        }
        ++state.counters.offers_unused;
        decline.offers.push_back(offer.id);
    }
    if (decline.offers.empty()) return;
    settle(step);
    decline.refuse =
        state.agenda.is_anybody_wanting() ? step.config.refuse_wanted : step.config.refuse_idle;
    step.call(std::move(decline));
}

}  // namespace mysos::scheduler
