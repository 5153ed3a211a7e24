#pragma once

#include "common/io/http.hpp"
#include "executor/out/server_process.hpp"
#include "executor/post.hpp"

#include <memory>
#include <string>

namespace mysos::executor {

/// Waits for the server's end and posts it, with what the server's log says of the reason.
[[nodiscard]] io::Awaitable<void> watch_exit(
    std::shared_ptr<ServerProcess> process, RunId run, std::string log_path, Post post);

/// The last errors in a log's end, without the time before them; else its last line.
[[nodiscard]] std::string reason_in(const std::string& log_tail);

}  // namespace mysos::executor
