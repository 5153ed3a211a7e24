#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>

namespace mysos::test {

/// Ports in a row for the servers that a test's agents run, below those that the kernel hands out.
/// The port before the first is held open, so that whoever else asks for a block, the quickstart
/// too, gets another one. Throws std::runtime_error where no block is free.
class PortBlock {
  public:
    static constexpr std::uint16_t size = 300;

    PortBlock();

    [[nodiscard]] std::uint16_t first() const { return first_; }
    [[nodiscard]] std::uint16_t last() const
    {
        return static_cast<std::uint16_t>(first_ + size - 1);
    }

  private:
    [[nodiscard]] bool claim(std::uint16_t first);

    boost::asio::io_context io_;
    boost::asio::ip::tcp::acceptor claim_{io_};
    std::uint16_t first_ = 0;
};

}  // namespace mysos::test
