#pragma once

#include "common/wire/recordio.hpp"

#include <boost/beast/http.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

/// A blocking HTTP/1.1 client that can also do what a decent client does not: send raw bytes, send
/// a second request behind a stream, cut a connection. Every wait has a deadline; what goes wrong
/// is thrown as `Failed`.
namespace mysos::conformance {

/// The check does not hold, or could not be made. Caught by the runner, printed as one line.
class Failed : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

using Deadline = std::chrono::steady_clock::time_point;
[[nodiscard]] Deadline in(std::chrono::milliseconds wait);

struct Address {
    std::string host;
    std::uint16_t port = 0;
    [[nodiscard]] std::string text() const { return host + ":" + std::to_string(port); }
};

struct Request {
    std::string method = "POST";
    std::string path;
    std::multimap<std::string, std::string> headers;  ///< Host and Content-Length are added.
    std::string body;
};

struct Response {
    int status = 0;
    std::map<std::string, std::string> headers;  ///< Names in lower case.
    std::string body;

    [[nodiscard]] std::string header(const std::string& name) const;
    [[nodiscard]] bool has(const std::string& name) const { return headers.contains(name); }
};

/// One TCP connection.
class Connection {
  public:
    explicit Connection(const Address& address);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void send(std::string_view bytes) const;
    void send(const Request& request) const;
    /// The next whole response. `Failed` when the peer closes before its end, or at the deadline.
    [[nodiscard]] Response read(Deadline deadline);
    /// Only the head of a response whose body may never end; the body comes from `read_body`.
    [[nodiscard]] Response read_head(Deadline deadline);
    /// Decoded bytes of that body as they come; empty at the deadline; nullopt at its end.
    [[nodiscard]] std::optional<std::string> read_body(Deadline deadline);
    /// Bytes as they come, not parsed; empty at the deadline; nullopt when the peer closed.
    [[nodiscard]] std::optional<std::string> read_raw(Deadline deadline);
    void close();

  private:
    using Parser = boost::beast::http::response_parser<boost::beast::http::string_body>;
    enum class Got { bytes, nothing, end };
    Got receive(Deadline deadline);
    Got advance(Deadline deadline);

    Address address_;
    int socket_ = -1;
    std::string buffer_;  ///< Received, not parsed.
    std::optional<Parser> parser_;
};

/// One request on a connection of its own.
[[nodiscard]] Response fetch(const Address& address, const Request& request);

/// A subscription: the head, then records.
class RecordStream {
  public:
    RecordStream(const Address& address, const Request& request);

    [[nodiscard]] const Response& head() const { return head_; }
    /// The next record; nullopt at the deadline. `ended()` tells whether more can come.
    [[nodiscard]] std::optional<std::string> next(Deadline deadline);
    [[nodiscard]] bool ended() const { return ended_; }
    [[nodiscard]] Connection& connection() { return connection_; }

  private:
    Connection connection_;
    Response head_;
    wire::RecordDecoder decoder_{std::size_t{64} * 1024 * 1024};
    std::deque<std::string> records_;
    bool ended_ = false;
};

}  // namespace mysos::conformance
