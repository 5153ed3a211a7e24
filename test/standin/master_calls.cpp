// The scheduler endpoint behind its HTTP layer: who may call, and the simple calls.
#include "test/standin/master.hpp"

#include <algorithm>

namespace mysos::standin {

Master::Master(MasterConfig config, Registry& registry, World& world, MasterPort& port)
    : config_{std::move(config)},
      registry_{registry},
      world_{world},
      port_{port},
      recovered_{registry.admitted},
      allocation_at_{world.now() + config_.allocation_interval},
      recovered_until_{world.now() + config_.agent_reregister_timeout}
{}

Answer Master::handle(Call call, const CallContext& context)
{
    const auto found = frameworks_.find(call.framework_id().value());
    if (found == frameworks_.end()) return {400, "Framework cannot be found"};
    Framework& framework = found->second;
    // The real master aborts here, as it counts the call before it looks at anything else.
    if (call.type() == Call::UNKNOWN) return {501, "Received 'UNKNOWN' call"};
    if (context.principal && framework.info.principal() != *context.principal)
        return {
            400,
            "Authenticated principal '" + *context.principal + "' does not match principal '" +
                framework.info.principal() + "' set in `FrameworkInfo`"};
    if (!framework.connected) return {403, "Framework is not subscribed"};
    if (!context.stream_id)
        return {400, "All non-subscribe calls should include the 'Mesos-Stream-Id' header"};
    if (*context.stream_id != framework.stream_id)
        return {
            400,
            "The stream ID '" + *context.stream_id +
                "' included in this request didn't match the stream ID currently "
                "associated with framework ID " +
                framework.id};
    return perform(call, framework);
}

Answer Master::perform(Call& call, Framework& framework)
{
    switch (call.type()) {
        case Call::TEARDOWN: remove_framework(FrameworkId{framework.id}); break;
        case Call::ACCEPT: accept(framework, *call.mutable_accept()); break;
        case Call::DECLINE: decline(call.decline()); break;
        case Call::REVIVE: revive(framework, call.revive()); break;
        case Call::SUPPRESS: suppress(framework, call.suppress()); break;
        case Call::KILL: kill(framework, call.kill()); break;
        case Call::ACKNOWLEDGE: acknowledge(framework, call.acknowledge()); break;
        case Call::ACKNOWLEDGE_OPERATION_STATUS:
            acknowledge_operation(call.acknowledge_operation_status());
            break;
        case Call::RECONCILE: reconcile(framework, call.reconcile()); break;
        case Call::RECONCILE_OPERATIONS:
            reconcile_operations(framework, call.reconcile_operations());
            break;
        case Call::UPDATE_FRAMEWORK: return update_framework(framework, call.update_framework());
        case Call::SHUTDOWN: {
            const Agent* agent = find_agent(call.shutdown().agent_id().value());
            if (agent == nullptr) break;
            to_agent::ShutdownExecutor order{framework.id, call.shutdown().executor_id().value()};
            port_.send(agent->slot, std::move(order));
            break;
        }
        case Call::MESSAGE: {
            const auto& message = call.message();
            const Agent* agent = find_agent(message.agent_id().value());
            if (agent == nullptr || !agent->connected) break;
            to_agent::Message order{framework.id, message.executor_id().value(), message.data()};
            port_.send(agent->slot, std::move(order));
            break;
        }
        case Call::ACCEPT_INVERSE_OFFERS: {
            const auto& accept = call.accept_inverse_offers();
            answer_inverse_offers(
                framework, accept.inverse_offer_ids(), accept.filters(), "ACCEPT");
            break;
        }
        case Call::DECLINE_INVERSE_OFFERS: {
            const auto& decline = call.decline_inverse_offers();
            answer_inverse_offers(
                framework, decline.inverse_offer_ids(), decline.filters(), "DECLINE");
            break;
        }
        default: break;  // REQUEST changes nothing here.
    }
    return {202, ""};
}

void Master::decline(const Call::Decline& decline)
{
    for (const auto& id : decline.offer_ids()) {
        const auto found = offers_.find(id.value());
        if (found == offers_.end()) continue;
        const Offer offer = found->second;
        offers_.erase(found);
        refuse(
            offer.framework,
            offer,
            offer.resources,
            decline.has_filters() ? &decline.filters() : nullptr);
    }
}

void Master::revive(Framework& framework, const Call::Revive& revive)
{
    const auto subscribed = roles_of(framework.info);
    std::set<std::string> roles{revive.roles().begin(), revive.roles().end()};
    if (!std::ranges::includes(subscribed, roles)) return;  // One stranger voids the whole call.
    if (roles.empty()) roles = subscribed;
    for (const auto& role : roles) framework.suppressed.erase(role);
    clear_filters(framework.id, &roles);
    for (auto& [agent, maintenance] : maintenance_) maintenance.refused_until.erase(framework.id);
    allocate_soon_ = true;
}

void Master::suppress(Framework& framework, const Call::Suppress& suppress)
{
    const auto subscribed = roles_of(framework.info);
    const std::set<std::string> roles{suppress.roles().begin(), suppress.roles().end()};
    if (!std::ranges::includes(subscribed, roles)) return;
    const auto& chosen = roles.empty() ? subscribed : roles;
    framework.suppressed.insert(chosen.begin(), chosen.end());
}

void Master::acknowledge(Framework& framework, const Call::Acknowledge& acknowledge)
{
    Agent* agent = find_agent(acknowledge.agent_id().value());
    if (agent == nullptr || !agent->connected) return;
    const auto task = framework.tasks.find(acknowledge.task_id().value());
    if (task != framework.tasks.end() && task->second.info.agent_id().value() == agent->id &&
        task->second.sent_uuid == acknowledge.uuid() && task->second.sent_state &&
        is_terminal(*task->second.sent_state)) {
        agent->kills.erase({framework.id, task->first});
        framework.tasks.erase(task);
    }
    to_agent::Acknowledge order{framework.id, acknowledge.task_id().value(), acknowledge.uuid()};
    port_.send(agent->slot, std::move(order));
}

void Master::acknowledge_operation(const Call::AcknowledgeOperationStatus& acknowledge)
{
    const Agent* agent = find_agent(acknowledge.agent_id().value());
    if (agent == nullptr || !agent->connected) return;
    const auto found = std::ranges::find_if(operations_, [&](const auto& entry) {
        return entry.first.second == acknowledge.operation_id().value() &&
               entry.second.latest.uuid().value() == acknowledge.uuid();
    });
    if (found == operations_.end() || found->second.agent != agent->id) return;
    operations_.erase(found);
    to_agent::AcknowledgeOperation order{acknowledge.uuid()};
    port_.send(agent->slot, std::move(order));
}

void Master::reconcile_operations(Framework& framework, const Call::ReconcileOperations& wanted)
{
    const auto answer = [&](v1::OperationStatus status) {
        Event event;
        event.set_type(Event::UPDATE_OPERATION_STATUS);
        status.clear_uuid();
        *event.mutable_update_operation_status()->mutable_status() = std::move(status);
        send(framework, event);
    };
    if (wanted.operations().empty())
        for (const auto& [key, operation] : operations_)
            if (key.first == framework.id) answer(operation.latest);
    for (const auto& one : wanted.operations()) {
        const auto known = operations_.find({framework.id, one.operation_id().value()});
        if (known != operations_.end()) {
            answer(known->second.latest);
            continue;
        }
        v1::OperationStatus status;
        *status.mutable_operation_id() = one.operation_id();
        if (one.has_agent_id()) *status.mutable_agent_id() = one.agent_id();
        const AgentId& agent = one.agent_id().value();
        v1::OperationState state = v1::OPERATION_UNKNOWN;
        if (recovered_.contains(agent)) state = v1::OPERATION_RECOVERING;
        if (registry_.unreachable.contains(agent)) state = v1::OPERATION_UNREACHABLE;
        if (registry_.gone.contains(agent)) state = v1::OPERATION_GONE_BY_OPERATOR;
        status.set_state(state);
        status.set_message("Reconciliation: Operation is unknown");
        answer(std::move(status));
    }
}

void Master::tick()
{
    const TimePoint now = world_.now();
    for (auto& [id, framework] : frameworks_) {
        if (!framework.connected || framework.heartbeat_at > now) continue;
        Event event;
        event.set_type(Event::HEARTBEAT);
        send(framework, event);
        framework.heartbeat_at = now + config_.heartbeat_interval;
    }
    remove_overdue_frameworks();
    ping_agents();
    give_up_recovered_agents();
    std::erase_if(filters_, [&](const OfferFilter& filter) { return filter.until <= now; });
    if (!allocate_soon_ && allocation_at_ > now) return;
    allocate_soon_ = false;
    if (allocation_at_ <= now) allocation_at_ = now + config_.allocation_interval;
    allocate();
}

TimePoint Master::next_deadline() const
{
    if (allocate_soon_) return world_.now();
    TimePoint next = allocation_at_;
    for (const auto& [id, framework] : frameworks_) {
        if (framework.connected) next = std::min(next, framework.heartbeat_at);
        if (framework.removal_at) next = std::min(next, *framework.removal_at);
    }
    for (const auto& [id, agent] : agents_) next = std::min(next, agent.ping_at);
    return next;
}

}  // namespace mysos::standin
