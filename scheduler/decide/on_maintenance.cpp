#include "common/cluster/cluster.hpp"
#include "scheduler/decide/stepping.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

// Agents that an operator plans to take away: the master asks by inverse offers, members move, and
// what is left of an agent is given back.
namespace mysos::scheduler {
namespace {

/// Tells the clusters that have a member there.
void tell_concerned(Stepping& step, const mesos::AgentId& agent)
{
    step.state.to_judge.insert(agent);
    std::vector<std::string> concerned;
    for (const auto& [name, one] : step.state.clusters) {
        const bool is_there = std::ranges::any_of(one.record.members, [&agent](const auto& entry) {
            return entry.second.agent_id == agent;
        });
        if (is_there) concerned.push_back(name);
    }
    for (const std::string& name : concerned) {
        tell_cluster(step, name, cluster::MaintenanceChanged{});
    }
}

TimePoint begins(const Stepping& step, const mesos::Window& window)
{
    return step.at_unix_ms(window.from_unix_ms) - step.config.maintenance_ahead;
}

TimePoint ends(const Stepping& step, const mesos::Window& window)
{
    constexpr Duration for_good = std::chrono::hours{24} * 3650;
    if (!window.lasts || *window.lasts > for_good) return TimePoint::max();
    return step.at_unix_ms(window.from_unix_ms) + *window.lasts;
}

std::string duration_text(Duration duration)
{
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(duration).count();
    if (seconds < 120) return std::to_string(seconds) + " s";
    if (seconds < 7200) return std::to_string(seconds / 60) + " min";
    return std::to_string(seconds / 3600) + " h";
}

std::string text(const Stepping& step, const mesos::Window& window)
{
    const TimePoint from = step.at_unix_ms(window.from_unix_ms);
    std::string text = from > step.now ? "in " + duration_text(from - step.now)
                                       : "since " + duration_text(step.now - from);
    if (window.lasts) text += ", for " + duration_text(*window.lasts);
    return text;
}

/// Whether members move, and when to look again.
void look(const Stepping& step, Maintenance& planned)
{
    planned.closing = is_near(step, planned.window);
    planned.look_at.reset();
    const TimePoint first = begins(step, planned.window);
    const TimePoint last = ends(step, planned.window);
    if (step.now < first) {
        planned.look_at = first;
    } else if (step.now < last && last != TimePoint::max()) {
        planned.look_at = last;
    }
}

void plan(Stepping& step, const mesos::InverseOffer& offer)
{
    auto& maintenance = step.state.maintenance;
    if (offer.agent_id.empty()) return step.ignore("an inverse offer for no agent in particular");
    const auto known = maintenance.find(offer.agent_id);
    if (known == maintenance.end() || known->second.window != offer.window) {
        step.report(
            cluster::Report::Level::warning,
            "maintenance is planned for agent " + offer.agent_id.text + ' ' +
                text(step, offer.window));
    }
    Maintenance& planned = maintenance[offer.agent_id];
    const bool was_closing = planned.closing;
    planned.window = offer.window;
    planned.asked = offer.id;
    planned.forget_at.reset();
    look(step, planned);
    step.state.to_judge.insert(offer.agent_id);
    if (planned.closing != was_closing) tell_concerned(step, offer.agent_id);
}

/// The master keeps the last answer: one that is not true any more is taken back.
void answer(Stepping& step, const mesos::AgentId& agent, Maintenance& planned, bool is_free)
{
    const std::vector<mesos::OfferId> asked{*planned.asked};
    const Duration again = step.config.maintenance_again;
    if (is_free) {
        step.call(mesos::AcceptInverse{asked, again});
    } else {
        step.call(mesos::DeclineInverse{asked, again});
    }
    if (is_free != planned.accepted) {
        step.report(
            is_free ? cluster::Report::Level::info : cluster::Report::Level::warning,
            "agent " + agent.text +
                (is_free ? " may go: its inverse offer is accepted"
                         : " may not go any more: its inverse offer is declined"));
    }
    planned.accepted = is_free;
    planned.asked.reset();
    planned.forget_at = step.now + again + step.config.maintenance_forget;
}

}  // namespace

bool is_near(const Stepping& step, const mesos::Window& window)
{
    return begins(step, window) <= step.now && step.now < ends(step, window);
}

void plan(Stepping& step, const mesos::InverseOffersMade& made)
{
    for (const mesos::InverseOffer& offer : made.offers) plan(step, offer);
}

void plan(Stepping& step, const mesos::InverseOfferRescinded& rescinded)
{
    for (auto& [agent, planned] : step.state.maintenance) {
        if (planned.asked != rescinded.offer_id) continue;
        planned.asked.reset();
        // Taken back before it began it is called off, or another window; after that its agent
        // went.
        planned.forget_at = step.now + step.config.maintenance_forget;
        const bool has_begun = step.at_unix_ms(planned.window.from_unix_ms) <= step.now;
        const TimePoint last = ends(step, planned.window);
        if (has_begun && last != TimePoint::max()) {
            planned.forget_at = std::max(*planned.forget_at, last);
        }
        return;
    }
    step.ignore("an inverse offer that is not known");
}

void forget_asked(Stepping& step)
{
    for (auto& [agent, planned] : step.state.maintenance) {
        planned.asked.reset();
        planned.forget_at = step.now + step.config.maintenance_forget;
    }
}

void go_on_with_maintenance(Stepping& step)
{
    std::vector<mesos::AgentId> changed;
    for (auto& [agent, planned] : step.state.maintenance) {
        const bool was_closing = planned.closing;
        const bool is_over = planned.forget_at && *planned.forget_at <= step.now;
        if (planned.look_at && *planned.look_at <= step.now) look(step, planned);
        if (is_over || planned.closing != was_closing) changed.push_back(agent);
    }
    std::erase_if(step.state.maintenance, [&step](const auto& entry) {
        return entry.second.forget_at && *entry.second.forget_at <= step.now;
    });
    for (const mesos::AgentId& agent : changed) {
        if (!step.state.maintenance.contains(agent)) {
            step.report(
                cluster::Report::Level::info,
                "maintenance of agent " + agent.text + " is over or called off");
        }
        tell_concerned(step, agent);
    }
}

std::optional<TimePoint> maintenance_deadline(const State& state)
{
    std::optional<TimePoint> first;
    const auto consider = [&first](const std::optional<TimePoint>& at) {
        if (at) first = first ? std::min(*first, *at) : *at;
    };
    for (const auto& [agent, planned] : state.maintenance) {
        consider(planned.forget_at);
        consider(planned.look_at);
    }
    return first;
}

void release_agents(Stepping& step)
{
    State& state = step.state;
    for (const mesos::AgentId& agent : std::exchange(state.to_judge, {})) {
        const auto planned = state.maintenance.find(agent);
        if (planned == state.maintenance.end()) continue;
        if (!planned->second.asked || !planned->second.closing) continue;
        const bool is_free = std::ranges::all_of(state.clusters, [&agent](const auto& entry) {
            return cluster::can_spare(entry.second, agent);
        });
        if (is_free || planned->second.accepted) answer(step, agent, planned->second, is_free);
    }
}

}  // namespace mysos::scheduler
