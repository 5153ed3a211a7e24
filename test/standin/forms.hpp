#pragma once

#include "test/standin/resources.hpp"

#include <optional>
#include <string>

namespace mysos::standin {

/// Why something is refused, in the words of a master where they are known; none if it is fine.
using Fault = std::optional<std::string>;

/// One Resource as a framework may write it, in either form or the allowed mixture of both.
[[nodiscard]] Fault check_structure(const v1::Resource& resource);
[[nodiscard]] Fault check_structure(const Resources::List& resources);

/// To the form with `reservations[]` and neither `role` nor `reservation`. Only after the check.
void to_post_form(v1::Resource& resource);
void to_post_form(Resources::List& resources);

/// To the form with `role` and `reservation`, for a framework without RESERVATION_REFINEMENT.
/// Only for at most one reservation; more are never offered to such a framework.
void to_pre_form(v1::Resource& resource);

[[nodiscard]] Fault check_role(const std::string& role);
/// Task, executor, framework, agent and persistence ids become parts of a path.
[[nodiscard]] Fault check_id(const std::string& id);
/// 16 raw bytes of RFC 4122 with version 1 to 5.
[[nodiscard]] bool is_uuid_bytes(const std::string& bytes);

/// "cpus:4;mem:4096;ports:[31000-31099];disk(web):10" as the agent's --resources flag has it.
/// Gives the fault by `why` and an empty list.
[[nodiscard]] Resources::List parse_resources(const std::string& text, std::string& why);
/// "rack:r1;level:2" as the agent's --attributes flag has it.
[[nodiscard]] google::protobuf::RepeatedPtrField<v1::Attribute> parse_attributes(
    const std::string& text, std::string& why);

}  // namespace mysos::standin
