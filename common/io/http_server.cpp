#include "common/io/http_server.hpp"

#include "common/io/connection.hpp"
#include "common/io/errc.hpp"
#include "common/io/http_parser.hpp"
#include "common/io/stream_writer.hpp"
#include "common/io/tasks.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <ctime>
#include <set>
#include <utility>
#include <variant>

namespace mysos::io {
namespace {

using asio::ip::tcp;

constexpr auto token = asio::as_tuple(asio::use_awaitable);
constexpr Duration last_words_timeout = std::chrono::seconds{2};

std::string http_date()
{
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    std::array<char, 64> text{};
    const std::size_t size =
        std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    return std::string{text.data(), size};
}

std::string written_head(const Reply& reply, bool keeps_alive)
{
    std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " ";
    head.append(reason_phrase(reply.status)).append("\r\n");
    append_field(head, "Date", http_date());
    for (const auto& [name, value] : reply.headers) append_field(head, name, value);
    if (reply.stream != nullptr) {
        append_field(head, "Transfer-Encoding", "chunked");
    } else if (reply.status != 204 && reply.status != 304) {
        append_field(head, "Content-Length", std::to_string(reply.body.size()));
    }
    if (!keeps_alive) append_field(head, "Connection", "close");
    return head.append("\r\n");
}

Reply refusal(unsigned status)
{
    std::string text{reason_phrase(status)};
    return {
        .status = status,
        .headers = {{"Content-Type", "application/json"}},
        .body = R"({"error":")" + text + "\"}\n"};
}

/// What a connection brought: a request, a reason to answer and close, or neither: just close.
struct Incoming {
    std::optional<Request> request{};
    unsigned refusal = 0;
    bool keeps_alive = false;
};

}  // namespace

struct HttpServer::Impl {
    /// One connection.
    struct Session {
        std::unique_ptr<Connection> connection;
        std::string peer;
        std::string rest{};   ///< Came behind the last request.
        bool is_idle = true;  ///< Waits for a request's first byte.
        std::shared_ptr<StreamWriter> stream{};
    };

    Impl(asio::any_io_executor on, HttpServerConfig with, Handler to)
        : executor{on},
          config{std::move(with)},
          handler{std::move(to)},
          acceptor{on},
          connections{on}
    {}

    ErrorCode listen();
    Awaitable<void> run();
    void stop(Duration within);

    Awaitable<void> serve(tcp::socket socket);
    Awaitable<void> serve_all(Session& session) const;
    /// False: nothing more can come on this connection.
    Awaitable<bool> answer(Session& session, Reply reply, bool is_head, bool keeps_alive) const;
    Awaitable<Incoming> receive(Session& session) const;
    static Awaitable<Result<std::size_t>> read(
        Session& session, std::string& into, TimePoint deadline);
    static Awaitable<ErrorCode> invite_body(
        Session& session, const HttpParser& parser, TimePoint deadline);
    static Incoming take(Session& session, HttpParser& parser, ErrorCode ec);

    asio::any_io_executor executor;
    HttpServerConfig config;
    Handler handler;
    tcp::acceptor acceptor;
    Tasks connections;
    std::set<Session*> sessions{};
    bool is_stopping = false;
    Duration grace{};
};

ErrorCode HttpServer::Impl::listen()
{
    ErrorCode ec;
    const auto address = asio::ip::make_address(config.address, ec);
    if (ec) return Errc::address_malformed;
    const tcp::endpoint endpoint{address, config.port};
    acceptor.open(endpoint.protocol(), ec);
    if (!ec) acceptor.set_option(tcp::acceptor::reuse_address{true}, ec);
    if (!ec) acceptor.bind(endpoint, ec);
    if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
    return ec;
}

Awaitable<void> HttpServer::Impl::run()
{
    for (;;) {
        auto [ec, socket] = co_await acceptor.async_accept(token);
        const bool cancelled = co_await is_cancelled();
        if (is_stopping || cancelled) break;
        if (ec) {  // Mostly no more files: some connection will end.
            co_await sleep_until(Clock::now() + std::chrono::milliseconds{100});
        } else if (connections.size() < config.connections_max) {
            connections.spawn(serve(std::move(socket)));
        }
    }
    if (!is_stopping) stop(Duration::zero());
    const bool all_gone = co_await connections.wait(Clock::now() + grace);
    if (!all_gone) {
        connections.cancel();
        for (Session* session : sessions) session->connection->close();
        co_await connections.wait();
    }
}

void HttpServer::Impl::stop(Duration within)
{
    is_stopping = true;
    grace = within;
    ErrorCode ignored;  // It is over either way.
    acceptor.close(ignored);
    for (Session* session : sessions) {
        if (session->is_idle) session->connection->close();
        if (session->stream != nullptr) session->stream->close();
    }
}

Awaitable<void> HttpServer::Impl::serve(tcp::socket socket)
{
    ErrorCode ec;
    const tcp::endpoint peer = socket.remote_endpoint(ec);
    if (ec) co_return;
    Endpoint from{.host = peer.address().to_string(), .port = peer.port()};
    Session session{Connection::make_server(std::move(socket), config.tls), from.authority()};
    sessions.insert(&session);
    ec = co_await session.connection->open(Clock::now() + config.request_timeout);
    if (!ec) co_await serve_all(session);
    sessions.erase(&session);
    session.connection->close();
}

Awaitable<void> HttpServer::Impl::serve_all(Session& session) const
{
    bool goes_on = true;
    while (goes_on && !is_stopping) {
        Incoming incoming = co_await receive(session);
        if (incoming.refusal != 0) {
            Reply reply = refusal(incoming.refusal);
            co_await answer(session, std::move(reply), false, false);
            co_await session.connection->finish(Clock::now() + last_words_timeout);
            co_return;
        }
        if (!incoming.request) co_return;
        const bool is_head = incoming.request->method == "HEAD";
        Reply reply = co_await handler(std::move(*incoming.request));
        goes_on = co_await answer(session, std::move(reply), is_head, incoming.keeps_alive);
    }
    const bool cancelled = co_await is_cancelled();
    if (!cancelled) co_await session.connection->finish(Clock::now() + last_words_timeout);
}

Awaitable<bool> HttpServer::Impl::answer(
    Session& session, Reply reply, bool is_head, bool keeps_alive) const
{
    keeps_alive = keeps_alive && !is_stopping;
    std::string message = written_head(reply, keeps_alive);
    if (reply.stream != nullptr) {
        session.stream = std::move(reply.stream);
        if (is_stopping) session.stream->close();
        co_await session.stream->impl().run(
            *session.connection, std::move(message), config.write_timeout);
        session.stream.reset();
        co_return false;
    }
    if (!is_head) message.append(reply.body);
    const TimePoint deadline = Clock::now() + config.write_timeout;
    const ErrorCode ec = co_await session.connection->write(message, deadline);
    co_return !ec && keeps_alive;
}

/// Reads some, and appends it. At the deadline the connection stays open, for a last answer.
Awaitable<Result<std::size_t>> HttpServer::Impl::read(
    Session& session, std::string& into, TimePoint deadline)
{
    using asio::experimental::awaitable_operators::operator||;
    if (const ErrorCode ec = co_await cancellation()) co_return ec;
    std::array<char, 16384> bytes;
    const auto first = co_await (
        session.connection->read_some(bytes.data(), bytes.size(), TimePoint::max()) ||
        sleep_until(deadline));
    if (first.index() == 1) {
        const bool cancelled = co_await is_cancelled();
        co_return cancelled ? aborted() : make_error_code(Errc::timed_out);
    }
    const Result<std::size_t>& size = std::get<0>(first);
    if (size.has_value()) into.assign(bytes.data(), *size);
    co_return size;
}

/// For a client that asks before it sends its body.
Awaitable<ErrorCode> HttpServer::Impl::invite_body(
    Session& session, const HttpParser& parser, TimePoint deadline)
{
    if (parser.headers().find("Expect") != "100-continue") co_return ErrorCode{};
    const ErrorCode ec =
        co_await session.connection->write("HTTP/1.1 100 Continue\r\n\r\n", deadline);
    co_return ec;
}

/// What the parser has, or why it has nothing.
Incoming HttpServer::Impl::take(Session& session, HttpParser& parser, ErrorCode ec)
{
    if (ec == Errc::response_too_long) {
        return Incoming{.refusal = parser.head_too_long() ? 431U : 413U};
    }
    if (ec) return Incoming{.refusal = 400};
    session.rest = parser.take_rest();
    Request request{
        .method = parser.method(),
        .target = parser.target(),
        .headers = parser.headers(),
        .body = parser.take_body(),
        .peer = session.peer};
    return Incoming{.request = std::move(request), .keeps_alive = parser.keeps_alive()};
}

Awaitable<Incoming> HttpServer::Impl::receive(Session& session) const
{
    const HttpParser::Limits limits{.head_max = config.head_max, .body_max = config.body_max};
    HttpParser parser{HttpParser::Kind::request, limits};
    TimePoint deadline = Clock::now() + config.idle_timeout;
    bool expects_continue = true;
    session.is_idle = true;
    ErrorCode ec = parser.feed(std::exchange(session.rest, {}));
    while (!ec && !parser.is_done()) {
        if (session.is_idle && parser.has_started()) {
            session.is_idle = false;
            deadline = Clock::now() + config.request_timeout;
        }
        if (expects_continue && parser.has_head()) {
            expects_continue = false;
            ec = co_await invite_body(session, parser, deadline);
            if (ec) co_return Incoming{};
        }
        std::string bytes;
        const Result<std::size_t> size = co_await read(session, bytes, deadline);
        if (size.has_error()) {
            const bool is_slow = size.error() == Errc::timed_out && !session.is_idle;
            co_return Incoming{.refusal = is_slow ? 408U : 0U};
        }
        ec = parser.feed(bytes);
    }
    session.is_idle = false;
    co_return take(session, parser, ec);
}

HttpServer::HttpServer(asio::any_io_executor executor, HttpServerConfig config, Handler handler)
    : impl_{std::make_unique<Impl>(executor, std::move(config), std::move(handler))}
{}

HttpServer::~HttpServer() = default;

ErrorCode HttpServer::listen()
{
    return impl_->listen();
}

std::uint16_t HttpServer::port() const
{
    ErrorCode ec;
    return impl_->acceptor.local_endpoint(ec).port();
}

Awaitable<void> HttpServer::run()
{
    return cancelled_as_value(impl_->run());
}

void HttpServer::stop(Duration grace)
{
    impl_->stop(grace);
}

}  // namespace mysos::io
