#pragma once

#include "common/base/time.hpp"
#include "common/io/http.hpp"
#include "common/io/http_client.hpp"
#include "common/io/tls.hpp"

#include <memory>
#include <optional>
#include <string>

namespace mysos::io {

class Connection;
class HttpParser;

struct ResponseStreamConfig {
    Endpoint endpoint{};
    std::string authorization{};  ///< As of HttpClientConfig.
    std::optional<Tls> tls{};
};

/// One request whose answer is too long to be held: its body is taken piece by piece, no faster
/// than its owner asks for it.
///
/// Shape:  HTTP/1.1. The body of an answer that is not 200 comes whole, up to 1 MB. Redirects are
/// not
///         followed.
/// Errors: those of Errc and of the system. connection_lost: the body did not come to its own end;
///         what came of it is to be thrown away. A body that only the connection's end would end is
///         refused: response_malformed.
/// Lifetime: must outlive its operations. One thread: the executor's.
class ResponseStream {
  public:
    ResponseStream(asio::any_io_executor executor, ResponseStreamConfig config);
    ~ResponseStream();
    ResponseStream(const ResponseStream&) = delete;
    ResponseStream& operator=(const ResponseStream&) = delete;

    /// Once. After 200 the body is `next`'s.
    [[nodiscard]] Awaitable<Result<Response>> open(Request request, TimePoint deadline);
    /// At least one byte; empty: the end, in order.
    [[nodiscard]] Awaitable<Result<std::string>> next(TimePoint deadline);
    /// At once; what is under way ends with operation_aborted.
    void close();

  private:
    [[nodiscard]] Awaitable<ErrorCode> receive(TimePoint deadline);

    asio::any_io_executor executor_;
    ResponseStreamConfig config_;
    std::unique_ptr<Connection> connection_;
    std::unique_ptr<HttpParser> parser_;
};

}  // namespace mysos::io
