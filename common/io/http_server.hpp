#pragma once

#include "common/base/time.hpp"
#include "common/io/http.hpp"
#include "common/io/tls.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mysos::io {

/// The writing end of an endless response body. The handler makes it, puts it into its Reply and
/// keeps it; the connection has it too, therefore it is shared.
///
/// Units:  bytes. What the peer has not yet taken is kept up to `backlog_max`; a peer that does not
///         read is dropped, nobody ever waits for it.
/// Errors: one, told once through `on_closed`: success after close(), else why the connection
///         ended (peer gone, too slow, server stopping). Never called from within write() or
///         close().
class StreamWriter {
  public:
    using OnClosed = std::function<void(ErrorCode)>;

    [[nodiscard]] static std::shared_ptr<StreamWriter> make(
        OnClosed on_closed, std::size_t backlog_max = std::size_t{4} << 20U);

    /// Queues bytes, sent as one chunk. False: closed, or just dropped for being too slow.
    bool write(std::string_view bytes);
    /// The same, framed as a RecordIO record.
    bool write_record(std::string_view record);
    /// For an owner who can wait: until the peer has taken all but `backlog` bytes. False: closed.
    /// One waiter at a time, who keeps this alive.
    [[nodiscard]] Awaitable<bool> drained(std::size_t backlog);
    /// Ends the body in order, after what is queued.
    void close();
    /// Cuts the connection, without an end of the body.
    void abort();
    [[nodiscard]] bool is_open() const;

    struct Impl;
    explicit StreamWriter(std::unique_ptr<Impl> impl);  ///< For make().
    ~StreamWriter();
    StreamWriter(const StreamWriter&) = delete;
    StreamWriter& operator=(const StreamWriter&) = delete;
    [[nodiscard]] Impl& impl() { return *impl_; }  ///< For the server.

  private:
    std::unique_ptr<Impl> impl_;
};

struct Reply {
    unsigned status = 200;
    Headers
        headers{};  ///< Content-Length, Transfer-Encoding, Connection and Date are the server's.
    std::string body{};
    std::shared_ptr<StreamWriter> stream{};  ///< Set: the body follows through it, chunked.
};

struct HttpServerConfig {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0: any free one; see HttpServer::port().
    std::optional<Tls> tls{};
    std::size_t head_max = std::size_t{64} << 10U;        ///< Above: 431.
    std::size_t body_max = std::size_t{1} << 20U;         ///< Above: 413.
    Duration idle_timeout = std::chrono::minutes{2};      ///< Between requests. Then: closed.
    Duration request_timeout = std::chrono::seconds{20};  ///< First byte to last. Then: 408.
    Duration write_timeout = std::chrono::seconds{20};    ///< For one answer or chunk.
    std::size_t connections_max = 1000;                   ///< Above: closed at once.
};

/// Serves HTTP/1.1. Every connection is a coroutine of its own, so a slow one delays no other.
///
/// Shape:  each request, whole, goes to `handler`; routes, methods and 404 are its business. A
///         malformed request is answered 400, a slow one 408, and so on, as HttpServerConfig says;
///         then the connection is closed. `Expect: 100-continue` is honoured. While a stream runs
///         the peer must send nothing more on that connection, or is dropped.
/// Errors: listen() gives the system's. A handler must not throw; that ends run() with the
/// exception. Lifetime: must outlive run(). The handler may outlive neither. One thread: the
/// executor's.
class HttpServer {
  public:
    using Handler = std::function<Awaitable<Reply>(Request)>;

    HttpServer(asio::any_io_executor executor, HttpServerConfig config, Handler handler);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// Binds and listens. From here on clients can connect; they are served once run() runs.
    [[nodiscard]] ErrorCode listen();
    [[nodiscard]] std::uint16_t port() const;

    /// Serves until stop() or cancellation, then returns when the last connection is gone.
    [[nodiscard]] Awaitable<void> run();

    /// Accepts nothing more, ends streams, lets requests under way finish within `grace`.
    void stop(Duration grace = std::chrono::seconds{5});

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace mysos::io
