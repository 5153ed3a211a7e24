#include "test/support/lossy_proxy.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <exception>
#include <utility>
#include <vector>

namespace mysos::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

void end_program_on(std::exception_ptr error)
{
    if (error) std::rethrow_exception(error);
}

}  // namespace

struct LossyProxy::State {
    /// One client's two connections.
    struct Pair {
        explicit Pair(asio::io_context& io) : client{io}, server{io} {}
        void close()
        {
            boost::system::error_code ignored;
            client.close(ignored);
            server.close(ignored);
        }
        tcp::socket client;
        tcp::socket server;
        bool swallows = false;
    };

    State(asio::io_context& loop, std::uint16_t port)
        : io{loop},
          acceptor{loop, tcp::endpoint{asio::ip::address_v4::loopback(), 0}},
          target{asio::ip::address_v4::loopback(), port}
    {}

    static asio::awaitable<void> accept(std::shared_ptr<State> self)
    {
        for (;;) {
            auto pair = std::make_shared<Pair>(self->io);
            const auto [refused] = co_await self->acceptor.async_accept(pair->client, as_result);
            if (refused) co_return;
            const auto [failed] = co_await pair->server.async_connect(self->target, as_result);
            if (failed) continue;
            self->pairs.push_back(pair);
            asio::co_spawn(self->io, carry(pair, pair->client, pair->server), end_program_on);
            asio::co_spawn(self->io, carry(pair, pair->server, pair->client), end_program_on);
        }
    }

    static asio::awaitable<void> carry(
        std::shared_ptr<Pair> pair, tcp::socket& from, tcp::socket& into)
    {
        std::array<char, 4096> buffer{};
        for (;;) {
            const auto [ended, got] =
                co_await from.async_read_some(asio::buffer(buffer), as_result);
            if (ended) break;
            if (&from == &pair->server && pair->swallows) continue;
            const auto [failed, wrote] =
                co_await asio::async_write(into, asio::buffer(buffer.data(), got), as_result);
            if (failed || wrote != got) break;
        }
        pair->close();
    }

    asio::io_context& io;
    tcp::acceptor acceptor;
    tcp::endpoint target;
    std::vector<std::shared_ptr<Pair>> pairs;
};

LossyProxy::LossyProxy(asio::io_context& io, std::uint16_t target)
    : state_{std::make_shared<State>(io, target)}
{
    asio::co_spawn(io, State::accept(state_), end_program_on);
}

LossyProxy::~LossyProxy()
{
    boost::system::error_code ignored;
    state_->acceptor.close(ignored);
    cut();
}

std::uint16_t LossyProxy::port() const
{
    return state_->acceptor.local_endpoint().port();
}

void LossyProxy::swallow_answers()
{
    for (const std::shared_ptr<State::Pair>& pair : state_->pairs) pair->swallows = true;
}

void LossyProxy::cut()
{
    for (const std::shared_ptr<State::Pair>& pair : std::exchange(state_->pairs, {})) pair->close();
}

}  // namespace mysos::test
