#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <memory>

namespace mysos::test {

/// Stands between a client and a server on 127.0.0.1 and loses what the server says, when told to.
class LossyProxy {
  public:
    LossyProxy(boost::asio::io_context& io, std::uint16_t target);
    LossyProxy(const LossyProxy&) = delete;
    LossyProxy& operator=(const LossyProxy&) = delete;
    ~LossyProxy();

    [[nodiscard]] std::uint16_t port() const;
    /// From now on requests get through, and answers do not.
    void swallow_answers();
    /// Ends all connections; new ones are whole again.
    void cut();

  private:
    struct State;
    std::shared_ptr<State> state_;  ///< Shared with the coroutines that carry bytes.
};

}  // namespace mysos::test
