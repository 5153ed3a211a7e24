#pragma once

#include "common/io/offload.hpp"
#include "common/io/tasks.hpp"
#include "executor/control/server_control.hpp"
#include "executor/decide/effect.hpp"
#include "executor/post.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace mysos::executor {

struct ProbeTarget {
    std::shared_ptr<ServerControl> control;  ///< Nobody else's: one observation at a time.
    std::string cluster_uuid;
    std::string volume;      ///< Its free space is observed with the server.
    std::uint16_t port = 0;  ///< The server's.
    ProbeServer::Receivers receivers = ProbeServer::Receivers::as_counted;
};

/// Asks the server how it is, once, and posts Probed or ProbeFailed. One that is late with its
/// answers is asked whether it lives at all before it counts as silent, so that a machine that
/// stood still, the executor with it, does not pass for a server that hangs.
///
/// Units: 1 s for the answers, then 0.75 s for a sign of life: with the 0.25 s between probes what
///        --hang_timeout is by default.
[[nodiscard]] io::Awaitable<void> probe(
    io::Offload& offload, RunId run, ProbeTarget target, Post post);

}  // namespace mysos::executor
