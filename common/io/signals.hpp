#pragma once

#include "common/base/result.hpp"

#include <boost/asio/awaitable.hpp>

namespace boost::asio {
class io_context;
}

namespace mysos::io {

/// Runs `root` on `context` until it ends. SIGTERM or SIGINT cancels it, once: it is then expected
/// to put things in order and return. A second signal ends the process as if nobody had asked for
/// the first. Returns what `root` returned; an exception out of it is thrown on.
[[nodiscard]] ErrorCode run_until_signal(
    boost::asio::io_context& context, boost::asio::awaitable<ErrorCode> root);

}  // namespace mysos::io
