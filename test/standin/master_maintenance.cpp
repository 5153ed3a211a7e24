// What an operator does to an agent that is to rest: drains it, or plans maintenance and asks the
// frameworks on it by inverse offers.
#include "test/standin/master.hpp"

#include <algorithm>

namespace mysos::standin {

void Master::drain(AgentSlot slot, const std::optional<v1::DurationInfo>& max_grace)
{
    Agent* agent = agent_at(slot);
    if (agent == nullptr) return;
    agent->active = false;
    rescind([&](const Offer& offer) { return offer.agent == agent->id; });
    port_.send(slot, to_agent::Drain{max_grace});
}

void Master::reactivate(AgentSlot slot)
{
    Agent* agent = agent_at(slot);
    if (agent == nullptr) return;
    agent->active = true;
    allocate_soon_ = true;
}

void Master::plan_maintenance(AgentSlot slot, const std::optional<v1::Unavailability>& window)
{
    const Agent* agent = agent_at(slot);
    if (agent == nullptr) return;
    rescind([&](const Offer& offer) { return offer.agent == agent->id; });
    const auto old = maintenance_.find(agent->id);
    if (old != maintenance_.end()) {
        rescind_inverse_offers(old->second);
        maintenance_.erase(old);
    }
    if (window) maintenance_[agent->id].window = *window;
    allocate_soon_ = true;
}

/// Whether it would lose something with the agent.
bool Master::uses(const Framework& framework, const Agent& agent) const
{
    const bool runs = std::ranges::any_of(
        agent.executors, [&](const auto& entry) { return entry.first.first == framework.id; });
    return runs || std::ranges::any_of(offers_, [&](const auto& entry) {
               return entry.second.framework == framework.id && entry.second.agent == agent.id;
           });
}

void Master::make_inverse_offers()
{
    for (auto& [framework_id, framework] : frameworks_) {
        if (!framework.connected) continue;
        Event event;
        for (auto& [agent_id, maintenance] : maintenance_) {
            const Agent* agent = find_agent(agent_id);
            if (agent == nullptr || !agent->connected) continue;
            if (maintenance.outstanding.contains(framework_id)) continue;
            const auto refused = maintenance.refused_until.find(framework_id);
            if (refused != maintenance.refused_until.end() && world_.now() < refused->second)
                continue;
            if (uses(framework, *agent)) make_inverse_offer(framework, *agent, maintenance, event);
        }
        if (event.has_inverse_offers()) send(framework, event);
    }
}

void Master::make_inverse_offer(
    Framework& framework, const Agent& agent, Maintenance& maintenance, Event& event)
{
    const std::string id = config_.id + "-O" + std::to_string(next_offer_++);
    maintenance.outstanding[framework.id] = id;
    event.set_type(Event::INVERSE_OFFERS);
    auto& offer = *event.mutable_inverse_offers()->add_inverse_offers();
    offer.mutable_id()->set_value(id);
    offer.mutable_framework_id()->set_value(framework.id);
    offer.mutable_agent_id()->set_value(agent.id);
    *offer.mutable_url() = url_of(agent);
    *offer.mutable_unavailability() = maintenance.window;
}

void Master::answer_inverse_offers(
    const Framework& framework,
    const google::protobuf::RepeatedPtrField<v1::OfferID>& ids,
    const v1::Filters& filters,
    const std::string& answer)
{
    for (const auto& id : ids)
        for (auto& [agent, maintenance] : maintenance_) {
            const auto found = maintenance.outstanding.find(framework.id);
            if (found == maintenance.outstanding.end() || found->second != id.value()) continue;
            maintenance.outstanding.erase(found);
            maintenance.answers[framework.id] = answer;
            const double seconds = std::clamp(filters.refuse_seconds(), 0.0, 365.0 * 24 * 3600);
            maintenance.refused_until[framework.id] =
                world_.now() +
                std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
        }
}

void Master::rescind_inverse_offers(Maintenance& maintenance)
{
    for (const auto& [framework_id, id] : maintenance.outstanding) {
        Event event;
        event.set_type(Event::RESCIND_INVERSE_OFFER);
        event.mutable_rescind_inverse_offer()->mutable_inverse_offer_id()->set_value(id);
        const auto framework = frameworks_.find(framework_id);
        if (framework != frameworks_.end()) send(framework->second, event);
    }
    maintenance.outstanding.clear();
}

void Master::forget_inverse_offers(const FrameworkId& framework)
{
    for (auto& [agent, maintenance] : maintenance_) {
        maintenance.outstanding.erase(framework);
        maintenance.refused_until.erase(framework);
    }
}

}  // namespace mysos::standin
