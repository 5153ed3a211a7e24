#pragma once

#include "common/base/zk_url.hpp"
#include "common/io/http.hpp"

#include <string>
#include <vector>

namespace mysos::scheduler {

/// This machine's address on the way to the first of `peers` that has one; nothing is sent to them.
/// Executors find us through the same ensemble, so where they reach it they also reach that
/// address: both are the loopback, or neither is.
/// Errors: the system's.
[[nodiscard]] io::Awaitable<Result<std::string>> address_towards(std::vector<HostPort> peers);

}  // namespace mysos::scheduler
