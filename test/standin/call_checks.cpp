#include "test/standin/call_checks.hpp"

#include <boost/regex.hpp>

#include <cmath>

namespace mysos::standin {

namespace {

using Capability = v1::FrameworkInfo::Capability;
using Call = v1::scheduler::Call;

Fault missing(const char* field)
{
    return "Expecting '" + std::string{field} + "' to be present";
}

/// The sub-message that a call of this type must carry; null if it needs none.
const char* missing_part(const Call& call)
{
    switch (call.type()) {
        case Call::ACCEPT: return call.has_accept() ? nullptr : "accept";
        case Call::DECLINE: return call.has_decline() ? nullptr : "decline";
        case Call::ACCEPT_INVERSE_OFFERS:
            return call.has_accept_inverse_offers() ? nullptr : "accept_inverse_offers";
        case Call::DECLINE_INVERSE_OFFERS:
            return call.has_decline_inverse_offers() ? nullptr : "decline_inverse_offers";
        case Call::KILL: return call.has_kill() ? nullptr : "kill";
        case Call::SHUTDOWN: return call.has_shutdown() ? nullptr : "shutdown";
        case Call::ACKNOWLEDGE: return call.has_acknowledge() ? nullptr : "acknowledge";
        case Call::ACKNOWLEDGE_OPERATION_STATUS:
            return call.has_acknowledge_operation_status() ? nullptr
                                                           : "acknowledge_operation_status";
        case Call::RECONCILE: return call.has_reconcile() ? nullptr : "reconcile";
        case Call::RECONCILE_OPERATIONS:
            return call.has_reconcile_operations() ? nullptr : "reconcile_operations";
        case Call::MESSAGE: return call.has_message() ? nullptr : "message";
        case Call::REQUEST: return call.has_request() ? nullptr : "request";
        case Call::UPDATE_FRAMEWORK:
            return call.has_update_framework() ? nullptr : "update_framework";
        default: return nullptr;
    }
}

Fault check_subscribe(const Call& call, const std::optional<std::string>& principal)
{
    if (!call.has_subscribe()) return missing("subscribe");
    const auto& info = call.subscribe().framework_info();
    if (info.id().value() != call.framework_id().value())
        return std::string{"'framework_id' differs from 'subscribe.framework_info.id'"};
    if (principal && info.has_principal() && info.principal() != *principal)
        return "Authenticated principal '" + *principal + "' does not match principal '" +
               info.principal() + "' set in `FrameworkInfo`";
    return {};
}

Fault check_filters(const v1::FrameworkInfo& info)
{
    for (const auto& [role, filters] : info.offer_filters()) {
        for (const auto& one : filters.min_allocatable_resources().quantities()) {
            if (one.quantities().empty())
                return "Invalid 'offer_filters' for role '" + role +
                       "': resource quantities are empty";
            for (const auto& [name, amount] : one.quantities())
                if (!(std::isnormal(amount.value()) || amount.value() == 0) || amount.value() < 0)
                    return "Invalid 'offer_filters' for role '" + role + "': bad quantity of " +
                           name;
        }
    }
    return {};
}

Fault check_constraint(const v1::scheduler::AttributeConstraint& constraint)
{
    using Selector = v1::scheduler::AttributeConstraint::Selector;
    const auto& selector = constraint.selector();
    if (selector.selector_case() == Selector::SELECTOR_NOT_SET)
        return std::string{"Exactly one of 'AttributeConstraint::Selector::selector' must be set"};
    if (selector.has_pseudoattribute_type() && selector.pseudoattribute_type() == Selector::UNKNOWN)
        return std::string{"Unknown pseudoattribute type"};
    const auto& predicate = constraint.predicate();
    if (predicate.predicate_case() ==
        v1::scheduler::AttributeConstraint::Predicate::PREDICATE_NOT_SET)
        return std::string{"Unknown predicate type"};
    const std::string regex =
        predicate.text_matches().regex() + predicate.text_not_matches().regex();
    try {
        const boost::regex compiled{regex};
    } catch (const boost::regex_error&) {
        return "Failed to construct regex from pattern '" + regex + "'";
    }
    return {};
}

}  // namespace

Fault check_call(const Call& call, const std::optional<std::string>& principal)
{
    if (!call.has_type()) return missing("type");
    if (call.type() == Call::SUBSCRIBE) return check_subscribe(call, principal);
    if (!call.has_framework_id()) return missing("framework_id");
    if (const char* part = missing_part(call)) return missing(part);
    if (call.type() == Call::ACKNOWLEDGE && !is_uuid_bytes(call.acknowledge().uuid()))
        return std::string{"Not a valid UUID"};
    if (call.type() == Call::ACKNOWLEDGE_OPERATION_STATUS) {
        const auto& acknowledge = call.acknowledge_operation_status();
        if (!is_uuid_bytes(acknowledge.uuid())) return std::string{"Not a valid UUID"};
        if (!acknowledge.has_agent_id()) return missing("agent_id");
    }
    if (call.type() == Call::UPDATE_FRAMEWORK &&
        call.update_framework().framework_info().id().value() != call.framework_id().value())
        return std::string{"'framework_id' differs from 'update_framework.framework_info.id'"};
    return {};
}

Fault check_call(const v1::executor::Call& call)
{
    using ExecutorCall = v1::executor::Call;
    if (!call.has_type()) return missing("type");
    switch (call.type()) {
        case ExecutorCall::SUBSCRIBE: return call.has_subscribe() ? Fault{} : missing("subscribe");
        case ExecutorCall::MESSAGE: return call.has_message() ? Fault{} : missing("message");
        case ExecutorCall::UPDATE: break;
        default: return {};
    }
    if (!call.has_update()) return missing("update");
    const auto& status = call.update().status();
    if (!status.has_uuid()) return missing("uuid");
    if (!is_uuid_bytes(status.uuid())) return std::string{"Not a valid UUID"};
    if (status.has_executor_id() && status.executor_id().value() != call.executor_id().value())
        return "ExecutorID in Call: " + call.executor_id().value() +
               " does not match ExecutorID in TaskStatus: " + status.executor_id().value();
    if (status.source() != v1::TaskStatus::SOURCE_EXECUTOR)
        return "Received Call from executor " + call.executor_id().value() + " of framework " +
               call.framework_id().value() + " with invalid source, expecting 'SOURCE_EXECUTOR'";
    if (status.state() == v1::TASK_STAGING)
        return "Received TASK_STAGING from executor " + call.executor_id().value() +
               " of framework " + call.framework_id().value() + " which is not allowed";
    if (status.has_check_status()) {
        const auto& check = status.check_status();
        const bool matches = (check.type() == v1::CheckInfo::COMMAND && check.has_command()) ||
                             (check.type() == v1::CheckInfo::HTTP && check.has_http()) ||
                             (check.type() == v1::CheckInfo::TCP && check.has_tcp());
        if (!check.has_type() || !matches)
            return std::string{"Invalid 'check_status': 'type' and its sub-message do not match"};
    }
    return {};
}

Fault check_framework(const v1::FrameworkInfo& info)
{
    if (has_capability(info, Capability::MULTI_ROLE)) {
        if (info.has_role())
            return std::string{
                "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable"};
        std::set<std::string> seen;
        for (const auto& role : info.roles()) {
            if (!seen.insert(role).second)
                return "'FrameworkInfo.roles' contains duplicate items: " + role;
            if (auto fault = check_role(role))
                return "'FrameworkInfo.roles' contains invalid role: " + *fault;
        }
    } else {
        if (info.roles_size() > 0)
            return std::string{
                "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE "
                "capable"};
        if (auto fault = check_role(info.role()))
            return "'FrameworkInfo.role' is not a valid role: " + *fault;
    }
    if (!info.id().value().empty())
        if (auto fault = check_id(info.id().value())) return fault;
    if (auto fault = check_filters(info)) return fault;
    if (!(std::abs(info.failover_timeout()) < 9223372036.0))
        return "The framework failover_timeout (" + std::to_string(info.failover_timeout()) +
               ") is invalid: out of range";
    return {};
}

Fault check_suppressed(
    const v1::FrameworkInfo& info, const google::protobuf::RepeatedPtrField<std::string>& roles)
{
    const auto subscribed = roles_of(info);
    for (const auto& role : roles)
        if (!subscribed.contains(role))
            return "Suppressed role '" + role + "' is not contained in the set of roles";
    return {};
}

Fault check_constraints(
    const v1::FrameworkInfo& info, const v1::scheduler::OfferConstraints& constraints)
{
    const auto subscribed = roles_of(info);
    for (const auto& [role, of_role] : constraints.role_constraints()) {
        if (!subscribed.contains(role))
            return "Offer constraints specify a role '" + role +
                   "' not contained in the set of roles";
        if (of_role.groups_size() == 0)
            return std::string{"'RoleConstraints' must not have an empty 'groups' field"};
        for (const auto& group : of_role.groups()) {
            if (group.attribute_constraints_size() == 0)
                return std::string{"'Group' must not have an empty 'attribute_constraints' field"};
            for (const auto& constraint : group.attribute_constraints())
                if (auto fault = check_constraint(constraint)) return fault;
        }
    }
    return {};
}

std::set<std::string> roles_of(const v1::FrameworkInfo& info)
{
    if (has_capability(info, Capability::MULTI_ROLE))
        return {info.roles().begin(), info.roles().end()};
    return {info.role()};
}

}  // namespace mysos::standin
