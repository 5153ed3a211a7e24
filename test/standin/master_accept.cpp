// ACCEPT: the offers become one pool, the operations run on it in their order.
#include "test/standin/master.hpp"

#include <algorithm>

namespace mysos::standin {

namespace {

using Operation = v1::Offer::Operation;

void fill_allocation(Resources::List& resources, const std::string& role)
{
    for (auto& resource : resources)
        if (!resource.has_allocation_info()) resource.mutable_allocation_info()->set_role(role);
}

/// The Resource lists of an operation, for checks and normalisation.
std::vector<Resources::List*> lists_of(Operation& operation)
{
    switch (operation.type()) {
        case Operation::RESERVE: return {operation.mutable_reserve()->mutable_resources()};
        case Operation::UNRESERVE: return {operation.mutable_unreserve()->mutable_resources()};
        case Operation::CREATE: return {operation.mutable_create()->mutable_volumes()};
        case Operation::DESTROY: return {operation.mutable_destroy()->mutable_volumes()};
        case Operation::LAUNCH: {
            std::vector<Resources::List*> lists;
            for (auto& task : *operation.mutable_launch()->mutable_task_infos()) {
                lists.push_back(task.mutable_resources());
                if (task.has_executor())
                    lists.push_back(task.mutable_executor()->mutable_resources());
            }
            return lists;
        }
        default: return {};
    }
}

bool has_part(const Operation& operation)
{
    switch (operation.type()) {
        case Operation::RESERVE: return operation.has_reserve();
        case Operation::UNRESERVE: return operation.has_unreserve();
        case Operation::CREATE: return operation.has_create();
        case Operation::DESTROY: return operation.has_destroy();
        case Operation::LAUNCH: return operation.has_launch();
        case Operation::LAUNCH_GROUP: return operation.has_launch_group();
        default: return true;
    }
}

std::vector<const v1::TaskInfo*> tasks_of(const Operation& operation)
{
    std::vector<const v1::TaskInfo*> tasks;
    if (operation.type() == Operation::LAUNCH)
        for (const auto& task : operation.launch().task_infos()) tasks.push_back(&task);
    if (operation.type() == Operation::LAUNCH_GROUP)
        for (const auto& task : operation.launch_group().task_group().tasks())
            tasks.push_back(&task);
    return tasks;
}

void normalise(Operation& operation, const std::string& role, const FrameworkId& framework)
{
    for (auto* list : lists_of(operation)) {
        to_post_form(*list);
        fill_allocation(*list, role);
    }
    if (operation.type() != Operation::LAUNCH) return;
    for (auto& task : *operation.mutable_launch()->mutable_task_infos()) {
        if (task.has_executor() && !task.executor().has_framework_id())
            task.mutable_executor()->mutable_framework_id()->set_value(framework);
        if (!task.has_health_check() || task.health_check().has_type()) continue;
        auto& check = *task.mutable_health_check();
        if (check.has_command() && !check.has_http()) check.set_type(v1::HealthCheck::COMMAND);
        if (check.has_http() && !check.has_command()) check.set_type(v1::HealthCheck::HTTP);
    }
}

}  // namespace

/// One ACCEPT under way.
struct Master::Deal {
    Framework& framework;
    Agent& agent;
    Offer offers;    ///< All of them, summed.
    Resources pool;  ///< What the operations have left so far.
};

Fault Master::check_offers(const Framework& framework, const Call::Accept& accept) const
{
    if (accept.offer_ids().empty()) return std::string{"No offers specified"};
    std::set<std::string> seen;
    for (const auto& id : accept.offer_ids())
        if (!seen.insert(id.value()).second)
            return "Duplicate offer " + id.value() + " in offer list";
    for (const auto& id : accept.offer_ids())
        if (!offers_.contains(id.value())) return "Offer " + id.value() + " is no longer valid";
    const Offer& first = offers_.at(accept.offer_ids(0).value());
    for (const auto& id : accept.offer_ids()) {
        const Offer& offer = offers_.at(id.value());
        if (offer.framework != framework.id)
            return "Offer " + id.value() + " has invalid framework " + offer.framework +
                   " while framework " + framework.id + " is expected";
    }
    for (const auto& id : accept.offer_ids()) {
        const Offer& offer = offers_.at(id.value());
        if (offer.role != first.role)
            return "Aggregated offers must be allocated to the same role. Offer " + id.value() +
                   " uses role '" + offer.role + "' but another is using role '" + first.role + "'";
    }
    for (const auto& id : accept.offer_ids()) {
        const Offer& offer = offers_.at(id.value());
        if (offer.agent != first.agent)
            return "Aggregated offers must belong to one single agent. Offer " + id.value() +
                   " uses agent " + offer.agent + " and agent " + first.agent;
    }
    return {};
}

void Master::refuse_operation(
    Framework& framework, const Operation& operation, const std::string& why)
{
    if (!operation.has_id()) return;
    Event event;
    event.set_type(Event::UPDATE_OPERATION_STATUS);
    auto& status = *event.mutable_update_operation_status()->mutable_status();
    *status.mutable_operation_id() = operation.id();
    status.set_state(v1::OPERATION_ERROR);
    status.set_message(why);
    send(framework, event);
}

void Master::refuse_accept(Framework& framework, const Call::Accept& accept, const std::string& why)
{
    for (const auto& id : accept.offer_ids()) {
        const auto offer = offers_.find(id.value());
        if (offer != offers_.end() && offer->second.framework == framework.id) offers_.erase(offer);
    }
    for (const auto& operation : accept.operations()) {
        for (const auto* task : tasks_of(operation)) {
            v1::TaskStatus status = made_here(
                task->task_id().value(),
                lost_as(framework.info, v1::TASK_DROPPED),
                v1::TaskStatus::REASON_INVALID_OFFERS,
                "Task launched with invalid offers: " + why);
            *status.mutable_agent_id() = task->agent_id();
            send_update(framework, std::move(status));
        }
        if (tasks_of(operation).empty())
            refuse_operation(
                framework, operation, "Operation attempted with invalid offers: " + why);
    }
}

void Master::accept(Framework& framework, Call::Accept& accept)
{
    if (const Fault fault = check_offers(framework, accept)) {
        refuse_accept(framework, accept, *fault);
        return;
    }
    Offer whole = offers_.at(accept.offer_ids(0).value());
    whole.resources = {};
    for (const auto& id : accept.offer_ids()) {
        const auto offer = offers_.find(id.value());
        whole.resources.add(offer->second.resources);
        offers_.erase(offer);
    }
    Deal deal{framework, agents_.at(whole.agent), whole, whole.resources};
    std::vector<Operation*> sound;
    for (auto& operation : *accept.mutable_operations())
        if (prepare(deal, operation)) sound.push_back(&operation);
    for (auto* operation : sound) {
        if (operation->type() == Operation::LAUNCH)
            launch(deal, *operation);
        else
            apply(deal, *operation);
    }
    // What was freshly reserved or created comes back at once, only the untouched rest is declined.
    const Resources converted = deal.pool - whole.resources;
    refuse(
        framework.id,
        whole,
        deal.pool - converted,
        accept.has_filters() ? &accept.filters() : nullptr);
}

/// The pass over all operations before any is applied: shape and structure.
bool Master::prepare(Deal& deal, Operation& operation)
{
    if (operation.type() == Operation::UNKNOWN) return false;
    Fault fault;
    if (!has_part(operation)) fault = "Operation's sub-message is missing";
    for (const auto* list : lists_of(operation))
        if (!fault) fault = check_structure(*list);
    if (!fault && operation.reserve().source_size() > 0)
        fault = "'reserve.source' is not supported for frameworks";
    const bool group = operation.type() == Operation::LAUNCH_GROUP;
    const bool starts = group || operation.type() == Operation::LAUNCH;
    if (!fault && starts && operation.has_id())
        fault = "The `id` field cannot be set in LAUNCH or LAUNCH_GROUP operations";
    if (!fault && group) fault = "Task groups are left out of this stand-in";
    if (!fault) {
        normalise(operation, deal.offers.role, deal.framework.id);
        return true;
    }
    for (const auto* task : tasks_of(operation)) {
        v1::TaskStatus status = made_here(
            task->task_id().value(),
            v1::TASK_ERROR,
            group ? v1::TaskStatus::REASON_TASK_GROUP_INVALID : v1::TaskStatus::REASON_TASK_INVALID,
            *fault);
        *status.mutable_agent_id() = task->agent_id();
        send_update(deal.framework, std::move(status));
    }
    if (!starts) refuse_operation(deal.framework, operation, *fault);
    return false;
}

Fault Master::judge(Deal& deal, const Operation& operation) const
{
    OperationContext context;
    context.framework = &deal.framework.info;
    if (deal.framework.info.has_principal()) context.principal = deal.framework.info.principal();
    context.pool = &deal.pool;
    context.agent_total = deal.agent.total;
    switch (operation.type()) {
        case Operation::RESERVE: return check_reserve(operation.reserve().resources(), context);
        case Operation::UNRESERVE: return check_unreserve(operation.unreserve().resources());
        case Operation::CREATE: return check_create(operation.create().volumes(), context);
        case Operation::DESTROY: return check_destroy(operation.destroy().volumes(), context);
        default: return Operation::Type_Name(operation.type()) + " is left out of this stand-in";
    }
}

void Master::apply(Deal& deal, Operation& operation)
{
    Fault fault = judge(deal, operation);
    const Conversion conversion = fault ? Conversion{} : conversion_of(operation);
    Resources left = deal.pool;
    for (const auto& item : conversion.consumed.items()) {
        if (!fault && !left.contains(item))
            fault = to_text(left) + " does not contain " + to_text(item);
        left.remove(item);
    }
    if (!fault && !deal.agent.connected) fault = "Agent is disconnected";
    if (fault) {
        refuse_operation(deal.framework, operation, *fault);
        return;
    }
    deal.pool.remove(conversion.consumed);
    deal.pool.add(conversion.converted);
    deal.agent.total.remove(conversion.consumed.allocated({}));
    deal.agent.total.add(conversion.converted.allocated({}));
    to_agent::Apply order{deal.framework.id, operation};
    port_.send(deal.agent.slot, std::move(order));
}

void Master::launch(Deal& deal, Operation& operation)
{
    for (auto& task : *operation.mutable_launch()->mutable_task_infos()) launch_one(deal, task);
}

void Master::launch_one(Deal& deal, v1::TaskInfo& task)
{
    Framework& framework = deal.framework;
    const TaskId id = task.task_id().value();
    const auto running =
        deal.agent.executors.find({framework.id, task.executor().executor_id().value()});
    const bool has_executor = task.has_executor() && running != deal.agent.executors.end();
    LaunchContext context;
    context.framework = framework.id;
    context.agent = deal.agent.id;
    context.id_in_use = framework.tasks.contains(id) || framework.unreachable_tasks.contains(id);
    context.running = has_executor ? &running->second : nullptr;
    context.pool = &deal.pool;

    if (const Fault fault = check_task(task, context)) {
        v1::TaskStatus status =
            made_here(id, v1::TASK_ERROR, v1::TaskStatus::REASON_TASK_INVALID, *fault);
        *status.mutable_agent_id() = task.agent_id();
        send_update(framework, std::move(status));
        return;
    }
    deal.pool.remove(Resources{task.resources()});
    const bool new_executor = task.has_executor() && !has_executor;
    if (new_executor) {
        deal.pool.remove(Resources{task.executor().resources()});
        deal.agent.executors[{framework.id, task.executor().executor_id().value()}] =
            task.executor();
    }
    framework.tasks[id].info = task;
    to_agent::Launch order{framework.info, task, new_executor};
    port_.send(deal.agent.slot, std::move(order));
}

}  // namespace mysos::standin
