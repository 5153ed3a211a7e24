#pragma once

#include "scheduler/options.hpp"

#include <string>

namespace mysos::scheduler {

/// The key that seals the state: the one given by --scheduler_keypath, else scheduler.key in the
/// work directory, which is made (0600, durable) when there is none. Throws FlagError.
[[nodiscard]] std::string load_or_make_key(const Options& options);

}  // namespace mysos::scheduler
