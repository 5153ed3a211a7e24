#pragma once

#include "common/cluster/record.hpp"
#include "scheduler/decide/effect.hpp"
#include "scheduler/decide/input.hpp"
#include "scheduler/decide/state.hpp"

#include <string>
#include <variant>

namespace mysos::scheduler {

/// What a form asks for, once every value was found good.
struct Asked {
    std::string cluster_user;
    std::uint32_t num_nodes = 1;
    cluster::Size size;
    std::string flavor;
    placement::Constraints constraints{};
    bool colocate = false;
    cluster::TwoNodePolicy two_node_policy = cluster::TwoNodePolicy::consistent;
    cluster::Durability durability = cluster::Durability::semisync;
    friend bool operator==(const Asked&, const Asked&) = default;
};

/// Judges the values of a form, Cotton's defaults filled in. A refusal names the field, what is
/// wrong and what would be right. Shape: size = JSON object, any of "cpus" (number), "mem" and
/// "disk" (text with a unit); constraints = see common/placement/constraint.hpp; colocate = "true"
/// or "false"; two_node_policy = "consistent" or "available"; durability = "semisync" or "async".
[[nodiscard]] std::variant<Asked, Refused> check(const CreateForm& form, const Config& config);

}  // namespace mysos::scheduler
