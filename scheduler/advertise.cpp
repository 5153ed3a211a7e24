#include "scheduler/advertise.hpp"

#include "common/io/resolve.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/this_coro.hpp>

#include <utility>

namespace mysos::scheduler {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;

constexpr Duration resolve_max = std::chrono::seconds{5};

/// A datagram socket that is connected sends nothing, but knows the way.
Result<std::string> address_towards(
    const asio::any_io_executor& executor, const udp::endpoint& peer)
{
    udp::socket socket{executor};
    ErrorCode ec;
    socket.connect(peer, ec);
    if (ec) return ec;
    const udp::endpoint own = socket.local_endpoint(ec);
    if (ec) return ec;
    return own.address().to_string();
}

}  // namespace

io::Awaitable<Result<std::string>> address_towards(std::vector<HostPort> peers)
{
    const auto executor = co_await asio::this_coro::executor;
    io::Resolver resolver{executor};
    ErrorCode last = asio::error::host_not_found;
    for (const HostPort& peer : peers) {
        const auto found =
            co_await resolver.resolve(peer.host, peer.port, Clock::now() + resolve_max);
        if (!found) {
            last = found.error();
            continue;
        }
        for (const asio::ip::tcp::endpoint& candidate : *found) {
            const udp::endpoint way{candidate.address(), candidate.port()};
            Result<std::string> own = address_towards(executor, way);
            if (own) co_return own;
            last = own.error();
        }
    }
    co_return last;
}

}  // namespace mysos::scheduler
