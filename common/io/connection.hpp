#pragma once

#include "common/base/time.hpp"
#include "common/io/http.hpp"
#include "common/io/tls.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace mysos::io {

/// A byte stream to one peer, over TCP, TLS or a unix socket; what HTTP is spoken over. Internal to
/// common/io.
///
/// Errors: timed_out: the deadline passed, the stream is then closed. operation_aborted: close() or
///         cancellation. read_some() gives asio's eof at an orderly end, connection_lost at any
///         other.
/// Lifetime: outlives its operations; at most one read and one write at a time.
class Connection {
  public:
    virtual ~Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Not yet open.
    [[nodiscard]] static std::unique_ptr<Connection> make_client(
        asio::any_io_executor executor, const Endpoint& to, const std::optional<Tls>& tls);
    /// Open, apart from the TLS handshake that open() makes.
    [[nodiscard]] static std::unique_ptr<Connection> make_server(
        asio::ip::tcp::socket socket, const std::optional<Tls>& tls);

    /// Finds the address, connects, shakes hands.
    [[nodiscard]] virtual Awaitable<ErrorCode> open(TimePoint deadline) = 0;
    /// At least one byte.
    [[nodiscard]] virtual Awaitable<Result<std::size_t>> read_some(
        char* into, std::size_t size, TimePoint deadline) = 0;
    /// All of it. `bytes` must stay until the end.
    [[nodiscard]] virtual Awaitable<ErrorCode> write(
        std::string_view bytes, TimePoint deadline) = 0;
    /// Tells the peer that nothing more comes and reads until it ends too, so that it can take what
    /// we said last: closing with unread input would cut that off.
    [[nodiscard]] virtual Awaitable<void> finish(TimePoint deadline) = 0;
    /// At once; what is under way ends with operation_aborted.
    virtual void close() = 0;
    /// Whether an idle connection has ended, or holds input that nobody asked for.
    [[nodiscard]] virtual bool is_stale() = 0;

  protected:
    Connection() = default;
};

}  // namespace mysos::io
