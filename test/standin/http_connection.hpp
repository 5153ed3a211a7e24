#pragma once

#include "test/standin/master_state.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mysos::standin {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;
using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpResponse {
    unsigned code = 200;
    std::string body;
    Headers headers;  ///< Beside Date and Content-Length.
};

/// Plain text, as all refusals are.
[[nodiscard]] HttpResponse text_response(unsigned code, std::string body, Headers headers = {});

/// How records become chunks; changed at run time by a fault switch.
struct WireMode {
    enum class Chunks { whole, split, coalesced };
    Chunks chunks = Chunks::whole;
    std::chrono::milliseconds delay{0};  ///< Of every record.
};

class HttpConnection;

/// Who answers. Called on the one thread; may answer later, in the order of the requests.
class HttpHandler {
  public:
    HttpHandler() = default;
    HttpHandler(const HttpHandler&) = delete;
    HttpHandler& operator=(const HttpHandler&) = delete;
    virtual ~HttpHandler() = default;

    virtual void on_request(std::shared_ptr<HttpConnection> connection, HttpRequest request) = 0;
    virtual void on_stream_closed(StreamKey stream) = 0;
};

/// One TCP connection of a client, with the odd ways of a libprocess server: requests beside an
/// endless response are processed and answered raw between two of its chunks; those pipelined
/// before it began are processed and never answered.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
  public:
    HttpConnection(boost::asio::ip::tcp::socket socket, HttpHandler& handler, const WireMode& mode);

    [[nodiscard]] boost::asio::awaitable<void> run(std::shared_ptr<HttpConnection> self);
    void respond(const HttpRequest& request, const HttpResponse& response);
    void begin_stream(const HttpRequest& request, StreamKey stream, const Headers& headers);
    void send_record(const std::string& record);
    void end_stream();
    void close();
    [[nodiscard]] bool is_streaming() const { return stream_.has_value(); }

  private:
    [[nodiscard]] boost::asio::awaitable<void> read_requests();
    [[nodiscard]] boost::asio::awaitable<void> write_all();
    void write(std::string bytes);
    void chunk(const std::string& record);

    boost::asio::ip::tcp::socket socket_;
    HttpHandler& handler_;
    const WireMode& mode_;
    boost::beast::flat_buffer buffer_;
    boost::asio::steady_timer wake_;  ///< The writer sleeps on it.
    boost::asio::steady_timer coalesce_;
    std::string out_;
    std::string held_;  ///< Records waiting to share a chunk.
    std::optional<StreamKey> stream_;
    bool muted_ = false;  ///< Later requests are never answered.
    bool close_when_written_ = false;
    bool close_after_stream_ = false;
    bool closed_ = false;
};

/// Accepts connections on one port; can go away and come back, as a process that restarts.
class HttpListener {
  public:
    HttpListener(boost::asio::any_io_executor executor, HttpHandler& handler, const WireMode& mode);
    /// Port 0 picks a free one; afterwards the same one is used again. Throws system_error.
    void open(const std::string& ip, std::uint16_t port);
    /// Refuses connections from now on and breaks those that exist.
    void close();
    void drop_connections();
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] bool is_open() const { return acceptor_.is_open(); }

  private:
    [[nodiscard]] boost::asio::awaitable<void> accept();

    boost::asio::any_io_executor executor_;
    HttpHandler& handler_;
    const WireMode& mode_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::uint16_t port_ = 0;
    std::set<std::weak_ptr<HttpConnection>, std::owner_less<>> connections_;
};

}  // namespace mysos::standin
