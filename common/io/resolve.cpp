#include "common/io/resolve.hpp"

#include "common/io/errc.hpp"
#include "common/io/tasks.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <optional>

namespace mysos::io {

using asio::ip::tcp;

struct Resolver::Lookup {
    explicit Lookup(const asio::any_io_executor& executor) : resolver{executor}, answered{executor}
    {}

    tcp::resolver resolver;
    asio::steady_timer answered;  ///< Cancelled when there is an answer, or nobody wants it.
    bool cancelled = false;
    std::optional<Result<std::vector<tcp::endpoint>>> answer;
};

Awaitable<Result<std::vector<tcp::endpoint>>> Resolver::resolve(
    std::string host, std::uint16_t port, TimePoint deadline)
{
    ErrorCode ec;
    const asio::ip::address address = asio::ip::make_address(host, ec);
    if (!ec) co_return std::vector<tcp::endpoint>{tcp::endpoint{address, port}};

    const auto lookup = std::make_shared<Lookup>(executor_);
    lookup_ = lookup;
    lookup->resolver.async_resolve(
        host,
        std::to_string(port),
        [lookup](const ErrorCode& failure, const tcp::resolver::results_type& results) {
            std::vector<tcp::endpoint> endpoints;
            for (const auto& entry : results) endpoints.push_back(entry.endpoint());
            if (failure || endpoints.empty()) {
                lookup->answer = Errc::name_not_found;
            } else {
                lookup->answer = std::move(endpoints);
            }
            lookup->answered.cancel();
        });
    lookup->answered.expires_at(deadline);
    const auto [waited] = co_await lookup->answered.async_wait(asio::as_tuple(asio::use_awaitable));

    if (lookup->answer) co_return std::move(*lookup->answer);
    lookup->resolver.cancel();
    if (!waited && !lookup->cancelled) co_return Errc::timed_out;
    co_return aborted();
}

void Resolver::cancel()
{
    if (const std::shared_ptr<Lookup> lookup = lookup_.lock()) {
        lookup->cancelled = true;
        lookup->answered.cancel();
    }
}

}  // namespace mysos::io
