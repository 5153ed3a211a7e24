#include "test/support/port_block.hpp"

#include <stdexcept>

namespace mysos::test {

namespace {

using boost::asio::ip::tcp;

constexpr std::uint16_t lowest = 20000;
constexpr std::uint16_t highest = 32400;
constexpr std::uint16_t step = 400;

bool listen(tcp::acceptor& acceptor, std::uint16_t port)
{
    const tcp::endpoint here{tcp::v4(), port};
    boost::system::error_code error;
    acceptor.open(here.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
    if (!error) acceptor.bind(here, error);
    if (!error) acceptor.listen(1, error);
    return !error;
}

}  // namespace

PortBlock::PortBlock()
{
    for (std::uint16_t first = lowest; first < highest; first += step)
        if (claim(first)) return;
    throw std::runtime_error{"no block of free ports on this machine"};
}

bool PortBlock::claim(std::uint16_t first)
{
    claim_ = tcp::acceptor{io_};
    if (!listen(claim_, static_cast<std::uint16_t>(first - 1))) return false;
    first_ = first;
    for (std::uint16_t port = first; port <= last(); ++port) {
        tcp::acceptor probe{io_};
        if (!listen(probe, port)) return false;
    }
    return true;
}

}  // namespace mysos::test
