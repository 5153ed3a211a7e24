#include "test/standin/http_connection.hpp"

#include "test/support/free_port.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/rfc7230.hpp>

#include <cstdio>
#include <ctime>
#include <exception>

namespace mysos::standin {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t header_bytes_max = std::size_t{80} * 1024;
constexpr std::size_t split_bytes = 7;
constexpr std::chrono::milliseconds coalesce_time{50};

std::string date_now()
{
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    char text[64];
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    return text;
}

std::string head(unsigned code, const Headers& headers)
{
    std::string text = "HTTP/1.1 " + std::to_string(code) + " " +
                       std::string{http::obsolete_reason(http::int_to_status(code))} +
                       "\r\nDate: " + date_now() + "\r\n";
    for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
    return text;
}

std::string as_chunk(std::string_view bytes)
{
    char size[24];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    return size + std::string{bytes} + "\r\n";
}

void rethrow(const std::exception_ptr& failure)
{
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

HttpResponse text_response(unsigned code, std::string body, Headers headers)
{
    HttpResponse response{code, std::move(body), std::move(headers)};
    if (!response.body.empty())
        response.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
    return response;
}

HttpConnection::HttpConnection(
    asio::ip::tcp::socket socket, HttpHandler& handler, const WireMode& mode)
    : socket_{std::move(socket)},
      handler_{handler},
      mode_{mode},
      wake_{socket_.get_executor(), asio::steady_timer::time_point::max()},
      coalesce_{socket_.get_executor()}
{}

asio::awaitable<void> HttpConnection::run(std::shared_ptr<HttpConnection> self)
{
    asio::co_spawn(socket_.get_executor(), write_all(), [self](const std::exception_ptr& failure) {
        rethrow(failure);
    });
    co_await read_requests();
    if (close_when_written_)
        wake_.cancel();
    else
        close();
    if (stream_) handler_.on_stream_closed(*std::exchange(stream_, std::nullopt));
}

asio::awaitable<void> HttpConnection::read_requests()
{
    while (!closed_ && !close_when_written_) {
        http::request_parser<http::string_body> parser;
        parser.header_limit(header_bytes_max);
        parser.body_limit(boost::none);
        const auto [ec, size] = co_await http::async_read(socket_, buffer_, parser, as_values);
        if (ec) {
            // What was asked before the client closed its side is still answered.
            close_when_written_ = ec == http::error::end_of_stream && !stream_;
            co_return;
        }
        handler_.on_request(shared_from_this(), parser.release());
    }
}

asio::awaitable<void> HttpConnection::write_all()
{
    while (!closed_) {
        if (out_.empty()) {
            if (close_when_written_) break;
            (void)co_await wake_.async_wait(as_values);
            continue;
        }
        const std::string bytes = std::move(out_);
        out_.clear();
        const auto buffer = asio::buffer(bytes);
        const auto [ec, size] = co_await asio::async_write(socket_, buffer, as_values);
        if (ec) break;
    }
    close();
}

void HttpConnection::write(std::string bytes)
{
    out_ += bytes;
    wake_.cancel();
}

void HttpConnection::respond(const HttpRequest& request, const HttpResponse& response)
{
    if (muted_) return;
    Headers headers = response.headers;
    headers.emplace_back("Content-Length", std::to_string(response.body.size()));
    write(head(response.code, headers) + "\r\n" + response.body);
    if (!request.keep_alive() && !stream_) close_when_written_ = true;
}

void HttpConnection::begin_stream(
    const HttpRequest& request, StreamKey stream, const Headers& headers)
{
    muted_ = muted_ || buffer_.size() > 0;
    close_after_stream_ = !request.keep_alive();
    stream_ = stream;
    Headers all{{"Transfer-Encoding", "chunked"}};
    all.insert(all.end(), headers.begin(), headers.end());
    write(head(200, all) + "\r\n");
}

void HttpConnection::send_record(const std::string& record)
{
    std::string framed = std::to_string(record.size()) + "\n" + record;
    if (mode_.delay.count() == 0) {
        chunk(framed);
        return;
    }
    const auto timer = std::make_shared<asio::steady_timer>(socket_.get_executor(), mode_.delay);
    timer->async_wait([self = shared_from_this(), timer, framed](boost::system::error_code) {
        if (self->stream_) self->chunk(framed);
    });
}

void HttpConnection::chunk(const std::string& record)
{
    switch (mode_.chunks) {
        case WireMode::Chunks::whole: write(as_chunk(held_ + record)); break;
        case WireMode::Chunks::split: {
            const std::string all = held_ + record;
            for (std::size_t at = 0; at < all.size(); at += split_bytes)
                write(as_chunk(std::string_view{all}.substr(at, split_bytes)));
            break;
        }
        case WireMode::Chunks::coalesced:
            held_ += record;
            coalesce_.expires_after(coalesce_time);
            coalesce_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
                if (ec || self->held_.empty() || !self->stream_) return;
                self->write(as_chunk(std::exchange(self->held_, {})));
            });
            return;
    }
    held_.clear();
}

void HttpConnection::end_stream()
{
    if (!stream_) return;
    if (!held_.empty()) write(as_chunk(std::exchange(held_, {})));
    stream_.reset();
    if (close_after_stream_) close_when_written_ = true;
    write("0\r\n\r\n");
}

void HttpConnection::close()
{
    if (std::exchange(closed_, true)) return;
    boost::system::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
    wake_.cancel();
    coalesce_.cancel();
}

HttpListener::HttpListener(
    asio::any_io_executor executor, HttpHandler& handler, const WireMode& mode)
    : executor_{std::move(executor)}, handler_{handler}, mode_{mode}, acceptor_{executor_}
{}

void HttpListener::open(const std::string& ip, std::uint16_t port)
{
    const asio::ip::address address = asio::ip::make_address(ip);
    if (port_ == 0) port_ = port != 0 ? port : test::free_port(address);  // Bound again and again.
    const asio::ip::tcp::endpoint where{address, port_};
    acceptor_.open(where.protocol());
    acceptor_.set_option(asio::socket_base::reuse_address{true});
    acceptor_.bind(where);
    acceptor_.listen();
    asio::co_spawn(executor_, accept(), rethrow);
}

asio::awaitable<void> HttpListener::accept()
{
    for (;;) {
        auto [ec, socket] = co_await acceptor_.async_accept(as_values);
        if (ec) co_return;
        socket.set_option(asio::ip::tcp::no_delay{true}, ec);
        std::erase_if(connections_, [](const auto& one) { return one.expired(); });
        auto connection = std::make_shared<HttpConnection>(std::move(socket), handler_, mode_);
        connections_.insert(connection);
        auto running = connection->run(connection);
        asio::co_spawn(
            executor_, std::move(running), [connection](const std::exception_ptr& failure) {
                rethrow(failure);
            });
    }
}

void HttpListener::close()
{
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    drop_connections();
}

void HttpListener::drop_connections()
{
    const auto all = std::move(connections_);
    connections_.clear();
    for (const auto& one : all)
        if (const auto connection = one.lock()) connection->close();
}

}  // namespace mysos::standin
