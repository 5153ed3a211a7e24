// The allocator: who is offered what, and what is held back by a filter.
#include "test/standin/master.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace mysos::standin {

namespace {

using Capability = v1::FrameworkInfo::Capability;

constexpr double year_seconds = 365.0 * 24 * 3600;

/// Negative and unrepresentable count as the default; nothing lasts over a year.
double refuse_seconds(const v1::Filters* filters)
{
    if (filters == nullptr) return 5;
    const double wanted = filters->refuse_seconds();
    if (std::isnan(wanted) || wanted < 0) return 5;
    return std::min(wanted, year_seconds);
}

/// At least 0.01 cpus or 32 MB, unless the framework says otherwise for the role.
bool is_allocatable(
    const Resources& resources, const v1::FrameworkInfo& info, const std::string& role)
{
    const auto own = info.offer_filters().find(role);
    if (own == info.offer_filters().end() || !own->second.has_min_allocatable_resources())
        return resources.scalar("cpus") >= 10 || resources.scalar("mem") >= 32'000;
    const auto& any_of = own->second.min_allocatable_resources().quantities();
    return any_of.empty() || std::ranges::any_of(any_of, [&](const auto& all_of) {
               return std::ranges::all_of(all_of.quantities(), [&](const auto& quantity) {
                   return resources.scalar(quantity.first) >= to_milli(quantity.second.value());
               });
           });
}

/// Without the parts that a framework of these capabilities is never shown.
Resources shown_to(const v1::FrameworkInfo& info, const Resources& resources)
{
    return resources.filter([&](const v1::Resource& item) {
        if (item.has_revocable() && !has_capability(info, Capability::REVOCABLE_RESOURCES))
            return false;
        if (item.has_shared() && !has_capability(info, Capability::SHARED_RESOURCES)) return false;
        return item.reservations_size() < 2 ||
               has_capability(info, Capability::RESERVATION_REFINEMENT);
    });
}

const v1::Attribute* attribute_named(const v1::AgentInfo& info, const std::string& name)
{
    for (const auto& attribute : info.attributes())
        if (attribute.name() == name) return &attribute;
    return nullptr;
}

/// The predicates the framework may use; regular expressions are left out of the stand-in.
bool satisfies(const v1::AgentInfo& info, const v1::scheduler::AttributeConstraint& constraint)
{
    std::optional<std::string> text;
    bool exists = false;
    if (constraint.selector().has_pseudoattribute_type()) {
        exists = constraint.selector().pseudoattribute_type() ==
                 v1::scheduler::AttributeConstraint::Selector::HOSTNAME;
        if (exists) text = info.hostname();
    } else if (const auto* found = attribute_named(info, constraint.selector().attribute_name())) {
        exists = true;
        if (found->has_text()) text = found->text().value();
    }
    const auto& predicate = constraint.predicate();
    if (predicate.has_exists()) return exists;
    if (predicate.has_not_exists()) return !exists;
    if (predicate.has_text_equals())
        return !text ? exists : *text == predicate.text_equals().value();
    if (predicate.has_text_not_equals())
        return !text || *text != predicate.text_not_equals().value();
    return true;
}

/// Agents of other regions are only for those who know that there are any.
bool is_near(
    const std::optional<v1::DomainInfo>& master,
    const v1::AgentInfo& agent,
    const v1::FrameworkInfo& framework)
{
    if (!master || !agent.has_domain()) return true;
    if (has_capability(framework, Capability::REGION_AWARE)) return true;
    return agent.domain().fault_domain().region().name() == master->fault_domain().region().name();
}

bool admits(
    const v1::scheduler::OfferConstraints& constraints,
    const std::string& role,
    const v1::AgentInfo& info)
{
    const auto of_role = constraints.role_constraints().find(role);
    if (of_role == constraints.role_constraints().end()) return true;
    return std::ranges::any_of(of_role->second.groups(), [&](const auto& group) {
        return std::ranges::all_of(group.attribute_constraints(), [&](const auto& constraint) {
            return satisfies(info, constraint);
        });
    });
}

}  // namespace

v1::URL url_of(const Agent& agent)
{
    v1::URL url;
    url.set_scheme("http");
    url.mutable_address()->set_hostname(agent.info.hostname());
    url.mutable_address()->set_ip(agent.ip);
    url.mutable_address()->set_port(agent.info.port());
    url.set_path("/slave(1)");
    return url;
}

Resources Master::free_of(const Agent& agent) const
{
    Resources free = agent.total;
    for (const auto& [framework_id, framework] : frameworks_)
        for (const auto& [task_id, task] : framework.tasks)
            if (task.holds_resources && task.info.agent_id().value() == agent.id)
                free.remove(Resources{task.info.resources()}.allocated({}));
    for (const auto& [key, executor] : agent.executors)
        free.remove(Resources{executor.resources()}.allocated({}));
    for (const auto& [id, offer] : offers_)
        if (offer.agent == agent.id) free.remove(offer.resources.allocated({}));
    return free;
}

std::vector<std::pair<std::string, FrameworkId>> Master::by_share() const
{
    Resources total;
    for (const auto& [id, agent] : agents_) total.add(agent.total);
    const auto share = [&](const Resources& resources) {
        double largest = 0;
        for (const char* name : {"cpus", "mem", "disk"})
            if (total.scalar(name) > 0)
                largest = std::max(
                    largest,
                    static_cast<double>(resources.scalar(name)) /
                        static_cast<double>(total.scalar(name)));
        return largest;
    };
    std::map<std::string, Resources> by_role;
    std::map<std::pair<std::string, FrameworkId>, Resources> held;
    for (const auto& [id, framework] : frameworks_)
        for (const auto& role : roles_of(framework.info)) {
            if (!framework.connected || framework.suppressed.contains(role)) continue;
            auto& mine = held[{role, id}];
            for (const auto& [task_id, task] : framework.tasks)
                if (task.holds_resources)
                    mine.add(Resources{task.info.resources()}.filter(
                        [&](const auto& item) { return item.allocation_info().role() == role; }));
            for (const auto& [offer_id, offer] : offers_)
                if (offer.framework == id && offer.role == role) mine.add(offer.resources);
            by_role[role].add(mine);
        }
    std::vector<std::pair<std::string, FrameworkId>> order;
    for (const auto& [key, resources] : held) order.push_back(key);
    std::ranges::stable_sort(order, std::less{}, [&](const auto& key) {
        return std::make_tuple(share(by_role[key.first]), key.first, share(held[key]));
    });
    return order;
}

bool Master::is_offerable(
    const Framework& framework,
    const std::string& role,
    const Agent& agent,
    const Resources& resources) const
{
    if (!is_allocatable(resources, framework.info, role)) return false;
    return std::ranges::none_of(filters_, [&](const OfferFilter& filter) {
        return filter.framework == framework.id && filter.role == role &&
               filter.agent == agent.id && filter.refused.contains(resources);
    });
}

void Master::allocate()
{
    std::map<FrameworkId, Event> events;
    for (auto& [agent_id, agent] : agents_) {
        if (!agent.connected || !agent.active) continue;
        Resources free = free_of(agent);
        for (const auto& [role, framework_id] : by_share()) {
            if (free.empty()) break;
            Framework& framework = frameworks_.at(framework_id);
            if (!admits(framework.constraints, role, agent.info)) continue;
            if (!is_near(config_.domain, agent.info, framework.info)) continue;
            const Resources offered =
                shown_to(framework.info, free.filter([&, &wanted = role](const v1::Resource& item) {
                    return allocatable_to(item, wanted);
                }));
            if (!is_offerable(framework, role, agent, offered)) continue;
            offer(framework, role, agent, offered, events[framework_id]);
            free.remove(offered);
        }
    }
    for (auto& [id, event] : events) send(frameworks_.at(id), event);
    make_inverse_offers();
}

void Master::offer(
    Framework& framework, const std::string& role, Agent& agent, Resources resources, Event& event)
{
    const std::string id = config_.id + "-O" + std::to_string(next_offer_++);
    const Resources allocated = resources.allocated(role);
    offers_[id] = Offer{framework.id, agent.id, role, allocated};

    event.set_type(Event::OFFERS);
    auto& offer = *event.mutable_offers()->add_offers();
    offer.mutable_id()->set_value(id);
    offer.mutable_framework_id()->set_value(framework.id);
    offer.mutable_agent_id()->set_value(agent.id);
    offer.set_hostname(agent.info.hostname());
    *offer.mutable_url() = url_of(agent);
    *offer.mutable_attributes() = agent.info.attributes();
    if (agent.info.has_domain()) *offer.mutable_domain() = agent.info.domain();
    const auto maintenance = maintenance_.find(agent.id);
    if (maintenance != maintenance_.end())
        *offer.mutable_unavailability() = maintenance->second.window;
    for (const auto& [key, executor] : agent.executors)
        if (key.first == framework.id) offer.add_executor_ids()->set_value(key.second);

    const bool multi_role = has_capability(framework.info, Capability::MULTI_ROLE);
    const bool refined = has_capability(framework.info, Capability::RESERVATION_REFINEMENT);
    if (multi_role) offer.mutable_allocation_info()->set_role(role);
    for (const auto& item : allocated.items()) {
        auto& resource = *offer.add_resources();
        resource = item;
        if (!multi_role) resource.clear_allocation_info();
        if (!refined) to_pre_form(resource);
    }
}

void Master::refuse(
    const FrameworkId& framework,
    const Offer& offer,
    const Resources& resources,
    const v1::Filters* filters)
{
    const double seconds = refuse_seconds(filters);
    if (seconds == 0 || resources.empty()) return;
    const auto span = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
    const TimePoint until = world_.now() + std::max(span, config_.allocation_interval);
    OfferFilter filter{framework, offer.agent, offer.role, resources.allocated({}), until};
    filters_.push_back(std::move(filter));
}

void Master::take_back(const FrameworkId& framework)
{
    std::erase_if(offers_, [&](const auto& entry) { return entry.second.framework == framework; });
    forget_inverse_offers(framework);
}

void Master::rescind(const std::function<bool(const Offer&)>& which)
{
    for (auto offer = offers_.begin(); offer != offers_.end();) {
        if (!which(offer->second)) {
            ++offer;
            continue;
        }
        Event event;
        event.set_type(Event::RESCIND);
        event.mutable_rescind()->mutable_offer_id()->set_value(offer->first);
        const auto framework = frameworks_.find(offer->second.framework);
        offer = offers_.erase(offer);
        if (framework != frameworks_.end()) send(framework->second, event);
    }
}

void Master::clear_filters(const FrameworkId& framework, const std::set<std::string>* roles)
{
    std::erase_if(filters_, [&](const OfferFilter& filter) {
        return filter.framework == framework && (roles == nullptr || roles->contains(filter.role));
    });
}

}  // namespace mysos::standin
