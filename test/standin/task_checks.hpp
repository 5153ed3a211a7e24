#pragma once

#include "test/standin/call_checks.hpp"

#include <map>
#include <string>

namespace mysos::standin {

/// What a task is held against when it is launched.
struct LaunchContext {
    FrameworkId framework;
    AgentId agent;                              ///< Of the accepted offers.
    bool id_in_use = false;                     ///< Tracked or unreachable task of the same id.
    const v1::ExecutorInfo* running = nullptr;  ///< Executor of the wanted id, if there is one.
    const Resources* pool = nullptr;            ///< What the operations before have left.
};

/// The rules for a task of a LAUNCH, in the order in which a master applies them. Resources must be
/// in post form with their allocation filled in.
[[nodiscard]] Fault check_task(const v1::TaskInfo& task, const LaunchContext& context);

/// Equal as the master compares them for the same executor id: all but labels and grace period.
[[nodiscard]] bool same_executor(const v1::ExecutorInfo& a, const v1::ExecutorInfo& b);

/// What an operation other than LAUNCH is held against.
struct OperationContext {
    const v1::FrameworkInfo* framework = nullptr;
    std::optional<std::string> principal;
    const Resources* pool = nullptr;
    Resources agent_total;  ///< For the uniqueness of persistence ids.
};

[[nodiscard]] Fault check_reserve(
    const Resources::List& resources, const OperationContext& context);
[[nodiscard]] Fault check_unreserve(const Resources::List& resources);
[[nodiscard]] Fault check_create(const Resources::List& volumes, const OperationContext& context);
[[nodiscard]] Fault check_destroy(const Resources::List& volumes, const OperationContext& context);

/// What RESERVE, UNRESERVE, CREATE and DESTROY take from the pool and give to it.
struct Conversion {
    Resources consumed;
    Resources converted;
};
[[nodiscard]] Conversion conversion_of(const v1::Offer::Operation& operation);

/// All that concerns `disk`, for any use of resources in an operation or a task.
[[nodiscard]] Fault check_disks(const Resources::List& resources);

}  // namespace mysos::standin
