#include "test/sim/fake_maintenance.hpp"

#include <string>
#include <utility>

namespace mysos::sim {

void FakeMaintenance::plan(const mesos::AgentId& agent, std::int64_t from_unix_ms)
{
    planned_.emplace(agent, Planned{{from_unix_ms, std::nullopt}});
}

bool FakeMaintenance::is_planned(const mesos::AgentId& agent) const
{
    return planned_.contains(agent);
}

std::optional<mesos::Window> FakeMaintenance::window(const mesos::AgentId& agent) const
{
    const auto found = planned_.find(agent);
    if (found == planned_.end()) return std::nullopt;
    return found->second.window;
}

std::optional<mesos::Event> FakeMaintenance::end(const mesos::AgentId& agent)
{
    const auto found = planned_.find(agent);
    if (found == planned_.end()) return std::nullopt;
    const std::optional<mesos::OfferId> asked = found->second.asked;
    planned_.erase(found);
    if (!asked) return std::nullopt;
    return mesos::InverseOfferRescinded{*asked};
}

std::optional<mesos::Event> FakeMaintenance::ask(
    const std::set<mesos::AgentId>& used, TimePoint now, std::uint64_t& serial)
{
    mesos::InverseOffersMade made;
    for (auto& [agent, planned] : planned_) {
        if (planned.asked || now < planned.not_before || !used.contains(agent)) continue;
        planned.asked = mesos::OfferId{"inverse-" + std::to_string(++serial)};
        made.offers.push_back({*planned.asked, agent, planned.window});
    }
    if (made.offers.empty()) return std::nullopt;
    return made;
}

std::vector<mesos::AgentId> FakeMaintenance::accept(
    const mesos::AcceptInverse& accept, TimePoint now)
{
    std::vector<mesos::AgentId> agents;
    for (const mesos::OfferId& id : accept.offers) {
        for (auto& [agent, planned] : planned_) {
            if (planned.asked != id) continue;
            planned.asked.reset();
            planned.not_before = now + accept.refuse;
            agents.push_back(agent);
        }
    }
    return agents;
}

void FakeMaintenance::resubscribed()
{
    for (auto& [agent, planned] : planned_) planned.asked.reset();
}

}  // namespace mysos::sim
