#pragma once

#include "common/base/time.hpp"
#include "common/io/http.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mysos::io {

/// Finds the addresses of a host name. Asio asks the system on a thread of its own and cannot
/// interrupt it, so an answer that comes too late is left to itself: nobody waits for it.
///
/// Errors: name_not_found, timed_out, operation_aborted.
class Resolver {
  public:
    explicit Resolver(asio::any_io_executor executor) : executor_{std::move(executor)} {}
    ~Resolver() { cancel(); }
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    /// An address given as text needs no asking. Never empty.
    [[nodiscard]] Awaitable<Result<std::vector<asio::ip::tcp::endpoint>>> resolve(
        std::string host, std::uint16_t port, TimePoint deadline);

    void cancel();

  private:
    struct Lookup;

    asio::any_io_executor executor_;
    std::weak_ptr<Lookup> lookup_;  ///< Of the question under way; its answer owns it too.
};

}  // namespace mysos::io
