#pragma once

#include "common/base/zk_url.hpp"
#include "common/mesos/call.hpp"
#include "scheduler/decide/effect.hpp"
#include "scheduler/options.hpp"
#include "scheduler/secrets.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace mysos::scheduler {

/// How the agent starts an executor: its URI, command and environment. Pure.
[[nodiscard]] mesos::Command executor_command(const Options& options);

/// The ACCEPT with its task's `data` written: where ZooKeeper is (without credentials), a token
/// that is good for one first Hello, and what the decision says of the member. Pure.
[[nodiscard]] mesos::Accept with_task_data(
    AcceptOffer effect, const Secrets& secrets, const ZkUrl& zk, const nlohmann::json& installer);

}  // namespace mysos::scheduler
