#pragma once

#include "test/standin/forms.hpp"
#include "test/standin/messages.hpp"

#include <optional>
#include <set>
#include <string>

namespace mysos::standin {

/// What a master finds wrong with a call by itself, before it looks at its state: answered by 400.
/// `principal` is the authenticated one, none while authentication is off.
[[nodiscard]] Fault check_call(
    const v1::scheduler::Call& call, const std::optional<std::string>& principal);

/// The same at the agent's executor endpoint.
[[nodiscard]] Fault check_call(const v1::executor::Call& call);

/// What makes a subscription end with an ERROR event, and UPDATE_FRAMEWORK with 400.
[[nodiscard]] Fault check_framework(const v1::FrameworkInfo& info);
[[nodiscard]] Fault check_suppressed(
    const v1::FrameworkInfo& info, const google::protobuf::RepeatedPtrField<std::string>& roles);
[[nodiscard]] Fault check_constraints(
    const v1::FrameworkInfo& info, const v1::scheduler::OfferConstraints& constraints);

/// `roles` with MULTI_ROLE, the one `role` without.
[[nodiscard]] std::set<std::string> roles_of(const v1::FrameworkInfo& info);

}  // namespace mysos::standin
