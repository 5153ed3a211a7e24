#pragma once

#include "common/io/offload.hpp"
#include "common/io/tasks.hpp"
#include "executor/control/server_control.hpp"
#include "executor/post.hpp"

#include <memory>
#include <string>

namespace mysos::executor {

struct ProbeTarget {
    std::shared_ptr<ServerControl> control;  ///< Nobody else's: one observation at a time.
    std::string cluster_uuid;
    std::string volume;  ///< Its free space is observed with the server.
};

/// Asks the server how it is, once, and posts Probed or ProbeFailed. A server that does not answer
/// within the time in which a primary counts as hung has not answered.
[[nodiscard]] io::Awaitable<void> probe(
    io::Offload& offload, RunId run, ProbeTarget target, Post post);

}  // namespace mysos::executor
