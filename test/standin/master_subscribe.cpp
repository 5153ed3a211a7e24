// How frameworks come, change, fail over and go.
#include "test/standin/master.hpp"

#include <algorithm>
#include <cstdio>

namespace mysos::standin {

namespace {

using Event = v1::scheduler::Event;

constexpr std::size_t completed_max = 50;

Event error(const std::string& message)
{
    Event event;
    event.set_type(Event::ERROR);
    event.mutable_error()->set_message(message);
    return event;
}

std::string numbered(std::uint64_t number)
{
    char text[32];
    std::snprintf(text, sizeof text, "%04llu", static_cast<unsigned long long>(number));
    return text;
}

}  // namespace

v1::MasterInfo Master::info_of(const MasterConfig& config)
{
    v1::MasterInfo info;
    info.set_id(config.id);
    std::uint32_t ip = 0;
    unsigned part[4] = {};
    if (std::sscanf(config.ip.c_str(), "%u.%u.%u.%u", &part[0], &part[1], &part[2], &part[3]) == 4)
        ip = part[0] | part[1] << 8U | part[2] << 16U | part[3] << 24U;
    info.set_ip(ip);
    info.set_port(config.port);
    info.set_pid("master@" + config.ip + ":" + std::to_string(config.port));
    info.set_hostname(config.hostname);
    info.set_version("1.12.0");
    info.mutable_address()->set_hostname(config.hostname);
    info.mutable_address()->set_ip(config.ip);
    info.mutable_address()->set_port(config.port);
    for (const auto capability :
         {v1::MasterInfo::Capability::AGENT_UPDATE,
          v1::MasterInfo::Capability::AGENT_DRAINING,
          v1::MasterInfo::Capability::QUOTA_V2})
        info.add_capabilities()->set_type(capability);
    if (config.domain) *info.mutable_domain() = *config.domain;
    return info;
}

Fault Master::refuse_subscription(const Call::Subscribe& subscribe, const FrameworkId& id) const
{
    const auto& info = subscribe.framework_info();
    if (auto fault = check_framework(info)) return fault;
    if (std::ranges::find(completed_, id) != completed_.end())
        return std::string{"Framework has been removed"};
    if (auto fault = check_suppressed(info, subscribe.suppressed_roles())) return fault;
    if (auto fault = check_constraints(info, subscribe.offer_constraints())) return fault;
    const auto known = frameworks_.find(id);
    if (known != frameworks_.end() && known->second.info.principal() != info.principal())
        return "Changing framework's principal is not allowed: from '" +
               known->second.info.principal() + "' to '" + info.principal() + "'";
    return {};
}

void Master::subscribe(
    Call call, const CallContext& context, StreamKey stream, std::string stream_id)
{
    auto& subscribe = *call.mutable_subscribe();
    auto& info = *subscribe.mutable_framework_info();
    if (context.principal && !info.has_principal()) info.set_principal(*context.principal);
    FrameworkId id = info.id().value();
    if (const Fault fault = refuse_subscription(subscribe, id)) {
        port_.send(stream, error(*fault));
        port_.end(stream);
        return;
    }
    if (id.empty()) id = config_.id + "-" + numbered(next_framework_++);
    info.mutable_id()->set_value(id);

    const auto [entry, fresh] = frameworks_.try_emplace(id);
    Framework& framework = entry->second;
    framework.id = id;
    if (fresh) {
        framework.info = info;
        framework.constraints = subscribe.offer_constraints();
        set_suppressed(framework, subscribe.suppressed_roles());
    } else {
        take_over(framework, subscribe);
    }
    connect(framework, stream, std::move(stream_id));
}

void Master::take_over(Framework& framework, const Call::Subscribe& subscribe)
{
    adopt(framework, subscribe.framework_info());
    framework.constraints = subscribe.offer_constraints();
    set_suppressed(framework, subscribe.suppressed_roles());
    if (framework.connected) {
        port_.send(framework.stream, error("Framework failed over"));
        port_.end(framework.stream);
    }
    take_back(framework.id);
}

void Master::adopt(Framework& framework, v1::FrameworkInfo info)
{
    info.set_user(framework.info.user());
    if (framework.info.has_checkpoint())
        info.set_checkpoint(framework.info.checkpoint());
    else
        info.clear_checkpoint();
    framework.info = std::move(info);
    const auto roles = roles_of(framework.info);
    rescind([&](const Offer& offer) {
        return offer.framework == framework.id && !roles.contains(offer.role);
    });
    to_agent::UpdateFramework order{framework.info};
    for (const auto& [id, agent] : agents_)
        if (agent.connected) port_.send(agent.slot, order);
}

void Master::set_suppressed(
    Framework& framework, const google::protobuf::RepeatedPtrField<std::string>& roles)
{
    const std::set<std::string> wanted{roles.begin(), roles.end()};
    std::set<std::string> freed;
    std::ranges::set_difference(framework.suppressed, wanted, std::inserter(freed, freed.end()));
    if (!freed.empty()) {
        clear_filters(framework.id, &freed);
        allocate_soon_ = true;
    }
    framework.suppressed = wanted;
}

void Master::connect(Framework& framework, StreamKey stream, std::string stream_id)
{
    const bool was_connected = framework.connected;
    framework.connected = true;
    framework.stream = stream;
    framework.stream_id = std::move(stream_id);
    framework.removal_at.reset();
    framework.heartbeat_at = world_.now() + config_.heartbeat_interval;
    if (!was_connected) allocate_soon_ = true;

    Event subscribed;
    subscribed.set_type(Event::SUBSCRIBED);
    subscribed.mutable_subscribed()->mutable_framework_id()->set_value(framework.id);
    subscribed.mutable_subscribed()->set_heartbeat_interval_seconds(
        std::chrono::duration<double>(config_.heartbeat_interval).count());
    *subscribed.mutable_subscribed()->mutable_master_info() = info();
    send(framework, subscribed);
    Event heartbeat;
    heartbeat.set_type(Event::HEARTBEAT);
    send(framework, heartbeat);
}

Answer Master::update_framework(Framework& framework, const Call::UpdateFramework& update)
{
    v1::FrameworkInfo info = update.framework_info();
    const auto refused = [](const std::string& why) { return Answer{400, why}; };
    if (auto fault = check_framework(info))
        return refused("Supplied FrameworkInfo is not valid: " + *fault);
    if (info.user() != framework.info.user())
        return refused(
            "Updating 'FrameworkInfo.user' is unsupported; attempted to update from '" +
            framework.info.user() + "' to '" + info.user() + "'");
    if (info.checkpoint() != framework.info.checkpoint())
        return refused("Updating 'FrameworkInfo.checkpoint' is unsupported");
    if (info.principal() != framework.info.principal())
        return refused("Changing framework's principal is not allowed");
    if (auto fault = check_suppressed(info, update.suppressed_roles())) return refused(*fault);
    if (auto fault = check_constraints(info, update.offer_constraints())) return refused(*fault);
    adopt(framework, std::move(info));
    framework.constraints = update.offer_constraints();
    set_suppressed(framework, update.suppressed_roles());
    return {200, ""};
}

void Master::stream_closed(StreamKey stream)
{
    for (auto& [id, framework] : frameworks_) {
        if (!framework.connected || framework.stream != stream) continue;
        framework.connected = false;
        take_back(id);
        clear_filters(id, nullptr);
        const double seconds = std::clamp(framework.info.failover_timeout(), 0.0, 9e9);
        framework.removal_at = world_.now() + std::chrono::duration_cast<Duration>(
                                                  std::chrono::duration<double>(seconds));
        break;
    }
    remove_overdue_frameworks();
}

void Master::remove_overdue_frameworks()
{
    std::vector<FrameworkId> overdue;
    for (const auto& [id, framework] : frameworks_)
        if (framework.removal_at && *framework.removal_at <= world_.now()) overdue.push_back(id);
    for (const auto& id : overdue) remove_framework(id);
}

void Master::remove_framework(const FrameworkId& id)
{
    const auto found = frameworks_.find(id);
    if (found->second.connected) port_.end(found->second.stream);
    take_back(id);
    clear_filters(id, nullptr);
    to_agent::ShutdownFramework order{id};
    for (auto& [agent_id, agent] : agents_) {
        std::erase_if(agent.executors, [&](const auto& entry) { return entry.first.first == id; });
        std::erase_if(agent.kills, [&](const auto& entry) { return entry.first.first == id; });
        if (agent.connected) port_.send(agent.slot, order);
    }
    std::erase_if(operations_, [&](const auto& entry) { return entry.first.first == id; });
    frameworks_.erase(found);
    completed_.push_back(id);
    if (completed_.size() > completed_max) completed_.pop_front();
}

}  // namespace mysos::standin
