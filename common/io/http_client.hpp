#pragma once

#include "common/base/time.hpp"
#include "common/io/http.hpp"
#include "common/io/tls.hpp"

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mysos::io {

class Connection;

struct Response {
    unsigned status = 0;
    Headers headers{};
    std::string body{};
};

struct HttpClientConfig {
    Endpoint endpoint{};
    std::string authorization{};  ///< Value of the Authorization header; empty: none. See http.hpp.
    std::optional<Tls> tls{};     ///< For https. Unset: the system's authorities.
    std::size_t response_body_max = std::size_t{8} << 20U;
    unsigned redirects_max = 4;  ///< 307 and 308 are followed, with method, headers and body.
};

/// Sends requests to one place, one after the other in the order they were asked for, over one kept
/// connection that is made when first needed and again when the peer has closed it.
///
/// Shape:  HTTP/1.1 over TCP, TLS or a unix socket. A Location may be scheme-relative; a redirect
///         holds for that one request. Any status, also 4xx and 5xx, is an answer, not an error.
/// Units:  `timeout` covers waiting for earlier requests, names, connecting, redirects, the whole
///         answer.
/// Errors: those of Errc and of the system. A request is sent again by itself only when the kept
///         connection proves dead and the method is safe to repeat (GET, HEAD); for others
///         connection_lost leaves it to the caller.
/// Lifetime: must outlive its requests. One thread: the executor's.
class HttpClient {
  public:
    HttpClient(asio::any_io_executor executor, HttpClientConfig config);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    [[nodiscard]] Awaitable<Result<Response>> request(Request request, Duration timeout);

    /// Drops the kept connection; a request under way ends with operation_aborted.
    void close();

    [[nodiscard]] const Endpoint& endpoint() const { return config_.endpoint; }

  private:
    class Turn;

    [[nodiscard]] Awaitable<Result<Response>> follow(Request request, TimePoint deadline);
    [[nodiscard]] Awaitable<Result<Response>> attempt(
        const Request& request, const Endpoint& to, TimePoint deadline);
    [[nodiscard]] Awaitable<Result<Response>> exchange(
        std::string_view method, std::string_view message, TimePoint deadline);

    asio::any_io_executor executor_;
    HttpClientConfig config_;
    std::unique_ptr<Connection> connection_;  ///< Idle, or in use by the request whose turn it is.
    Endpoint connected_to_;
    std::deque<Turn*> turns_;  ///< Requests in the order they came; the first one is served.
};

}  // namespace mysos::io
