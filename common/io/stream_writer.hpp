#pragma once

#include "common/io/connection.hpp"
#include "common/io/http_server.hpp"

#include <boost/asio/steady_timer.hpp>

#include <optional>
#include <string>

namespace mysos::io {

/// The inside of a StreamWriter: a bounded queue between the handler's owner, who never waits, and
/// the connection's coroutine, who sends. Internal to common/io.
struct StreamWriter::Impl {
    Impl(OnClosed closed, std::size_t max) : on_closed{std::move(closed)}, backlog_max{max} {}

    /// Sends `head` and what is written until the end, whoever causes it; tells the owner.
    [[nodiscard]] Awaitable<void> run(Connection& to, std::string head, Duration write_timeout);

    /// Ends without an end of the body.
    void cut(ErrorCode reason);
    void wake();
    void note_taken();

    OnClosed on_closed;  ///< Empty once told.
    std::size_t backlog_max;
    std::string queued{};     ///< Already framed as HTTP chunks.
    std::size_t sending = 0;  ///< Bytes taken from the queue and not yet taken by the system.
    bool is_open = true;
    ErrorCode why{};                              ///< Of cut().
    Connection* connection = nullptr;             ///< While run() runs.
    std::optional<asio::steady_timer> changed{};  ///< While run() runs; cancelled at each change.
    std::optional<asio::steady_timer> taken{};    ///< Of drained(); cancelled when there is less.

  private:
    [[nodiscard]] Awaitable<ErrorCode> pump(Duration write_timeout);
    [[nodiscard]] Awaitable<ErrorCode> watch() const;
};

}  // namespace mysos::io
