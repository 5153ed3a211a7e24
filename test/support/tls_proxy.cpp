#include "test/support/tls_proxy.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <exception>
#include <thread>
#include <utility>

namespace mysos::test {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::ip::tcp;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

void end_program_on(std::exception_ptr error)
{
    if (error) std::rethrow_exception(error);
}

struct Pair {
    Pair(tcp::socket accepted, ssl::context& context)
        : client{std::move(accepted), context}, server{client.get_executor()}
    {}
    void close()
    {
        boost::system::error_code ignored;
        client.next_layer().close(ignored);
        server.close(ignored);
    }
    ssl::stream<tcp::socket> client;
    tcp::socket server;
};

template <class From, class Into>
asio::awaitable<void> carry(std::shared_ptr<Pair> pair, From& from, Into& into)
{
    std::array<char, 4096> bytes{};
    const auto buffer = asio::buffer(bytes);
    for (;;) {
        const auto [ended, got] = co_await from.async_read_some(buffer, as_result);
        if (ended) break;
        const auto part = asio::buffer(bytes.data(), got);
        const auto [failed, wrote] = co_await asio::async_write(into, part, as_result);
        if (failed || wrote != got) break;
    }
    pair->close();
}

asio::awaitable<void> serve(std::shared_ptr<Pair> pair, tcp::endpoint target)
{
    const auto [refused] =
        co_await pair->client.async_handshake(ssl::stream_base::server, as_result);
    if (refused) co_return;
    const auto [failed] = co_await pair->server.async_connect(target, as_result);
    if (failed) co_return;
    const auto executor = pair->server.get_executor();
    asio::co_spawn(executor, carry(pair, pair->client, pair->server), end_program_on);
    asio::co_spawn(executor, carry(pair, pair->server, pair->client), end_program_on);
}

}  // namespace

struct TlsProxy::State {
    State(const std::string& certificate, const std::string& key, std::uint16_t port)
        : target{asio::ip::address_v4::loopback(), port}
    {
        context.use_certificate_chain_file(certificate);
        context.use_private_key_file(key, ssl::context::pem);
    }

    asio::awaitable<void> accept()
    {
        for (;;) {
            auto [refused, socket] = co_await acceptor.async_accept(as_result);
            if (refused) co_return;
            auto pair = std::make_shared<Pair>(std::move(socket), context);
            asio::co_spawn(io, serve(std::move(pair), target), end_program_on);
        }
    }

    ssl::context context{ssl::context::tls_server};
    asio::io_context io{1};
    tcp::acceptor acceptor{io, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
    tcp::endpoint target;
    std::thread thread;
};

TlsProxy::TlsProxy(const std::string& certificate, const std::string& key, std::uint16_t target)
    : state_{std::make_unique<State>(certificate, key, target)}
{
    asio::co_spawn(state_->io, state_->accept(), end_program_on);
    state_->thread = std::thread{[io = &state_->io] { io->run(); }};
}

TlsProxy::~TlsProxy()
{
    state_->io.stop();
    state_->thread.join();
}

std::uint16_t TlsProxy::port() const
{
    return state_->acceptor.local_endpoint().port();
}

}  // namespace mysos::test
