#pragma once

#include "common/io/http.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <string>
#include <string_view>
#include <utility>

/// The other side of a connection, played byte by byte: it can misbehave in every way.
namespace mysos::test {

class Peer {
  public:
    explicit Peer(io::asio::ip::tcp::socket socket) : socket_{std::move(socket)} {}

    /// All that comes until `end`, inclusive.
    [[nodiscard]] io::Awaitable<std::string> read_until(std::string end)
    {
        std::string text;
        while (!text.ends_with(end)) {
            char byte = 0;
            const auto [ec, size] = co_await socket_.async_read_some(
                io::asio::buffer(&byte, 1), io::asio::as_tuple(io::asio::use_awaitable));
            if (ec) co_return text + "<" + ec.message() + ">";
            text.push_back(byte);
        }
        co_return text;
    }

    /// All until the end of the connection.
    [[nodiscard]] io::Awaitable<std::string> read_all()
    {
        std::string text;
        for (;;) {
            std::array<char, 4096> bytes{};
            const auto [ec, size] = co_await socket_.async_read_some(
                io::asio::buffer(bytes), io::asio::as_tuple(io::asio::use_awaitable));
            if (ec) co_return text;
            text.append(bytes.data(), size);
        }
    }

    [[nodiscard]] io::Awaitable<bool> send(std::string text)
    {
        const auto [ec, size] = co_await io::asio::async_write(
            socket_, io::asio::buffer(text), io::asio::as_tuple(io::asio::use_awaitable));
        co_return !ec;
    }

    void close() { socket_.close(); }
    /// So that the other side sees a reset, not an end.
    void reset()
    {
        socket_.set_option(io::asio::socket_base::linger{true, 0});
        socket_.close();
    }
    [[nodiscard]] io::asio::ip::tcp::socket& socket() { return socket_; }

  private:
    io::asio::ip::tcp::socket socket_;
};

/// Waits for connections on a free port of 127.0.0.1.
class Listener {
  public:
    explicit Listener(const io::asio::any_io_executor& executor)
        : acceptor_{executor, {io::asio::ip::make_address("127.0.0.1"), 0}}
    {}

    [[nodiscard]] io::Endpoint endpoint() const
    {
        return {.host = "127.0.0.1", .port = acceptor_.local_endpoint().port()};
    }
    [[nodiscard]] io::Awaitable<Peer> accept()
    {
        co_return Peer{co_await acceptor_.async_accept(io::asio::use_awaitable)};
    }
    void close() { acceptor_.close(); }

  private:
    io::asio::ip::tcp::acceptor acceptor_;
};

/// Connects to a server under test.
[[nodiscard]] inline io::Awaitable<Peer> connect(std::uint16_t port)
{
    io::asio::ip::tcp::socket socket{co_await io::asio::this_coro::executor};
    const io::asio::ip::tcp::endpoint to{io::asio::ip::make_address("127.0.0.1"), port};
    co_await socket.async_connect(to, io::asio::use_awaitable);
    co_return Peer{std::move(socket)};
}

}  // namespace mysos::test
