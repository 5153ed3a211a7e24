#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <random>
#include <stdexcept>

namespace mysos::test {

/// A port of this address that was free an instant ago, and is bound a moment later, perhaps again
/// and again. Below those that the kernel gives to outgoing connections, one of which would take
/// it.
[[nodiscard]] inline std::uint16_t free_port(
    const boost::asio::ip::address& address = boost::asio::ip::address_v4::loopback())
{
    std::random_device random;
    std::uniform_int_distribution<std::uint16_t> ports{12'000, 29'999};
    boost::asio::io_context context;
    for (int attempt = 0; attempt < 100; ++attempt) {
        const boost::asio::ip::tcp::endpoint where{address, ports(random)};
        boost::asio::ip::tcp::acceptor held{context, where.protocol()};
        boost::system::error_code taken;
        held.bind(where, taken);
        if (!taken) return where.port();
    }
    throw std::runtime_error("no free port");
}

}  // namespace mysos::test
