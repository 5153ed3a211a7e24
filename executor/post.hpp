#pragma once

#include "executor/decide/input.hpp"

#include <functional>

namespace mysos::executor {

/// How a shell says what has happened. To be called on the event loop's thread.
using Post = std::function<void(Input)>;

}  // namespace mysos::executor
