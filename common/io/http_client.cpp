#include "common/io/http_client.hpp"

#include "common/io/connection.hpp"
#include "common/io/errc.hpp"
#include "common/io/http_parser.hpp"
#include "common/io/http_request.hpp"
#include "common/io/tasks.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace mysos::io {
namespace {

bool is_redirect(unsigned status)
{
    return status == 307 || status == 308;
}

bool is_safe_to_repeat(std::string_view method)
{
    return method == "GET" || method == "HEAD";
}

}  // namespace

/// A place in the queue of requests. Lives in the coroutine that waits there.
class HttpClient::Turn {
  public:
    explicit Turn(HttpClient& client) : client_{client}, mine_{client.executor_}
    {
        client_.turns_.push_back(this);
    }
    ~Turn()
    {
        const bool was_first = client_.turns_.front() == this;
        std::erase(client_.turns_, this);
        if (was_first && !client_.turns_.empty()) client_.turns_.front()->mine_.cancel();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    [[nodiscard]] Awaitable<ErrorCode> wait(TimePoint deadline)
    {
        mine_.expires_at(deadline);
        while (client_.turns_.front() != this && !closed_) {
            const auto [early] = co_await mine_.async_wait(asio::as_tuple(asio::use_awaitable));
            if (!early) co_return Errc::timed_out;
            if (const ErrorCode ec = co_await cancellation()) co_return ec;
        }
        co_return closed_ ? aborted() : ErrorCode{};
    }

    void close()
    {
        closed_ = true;
        mine_.cancel();
    }

    [[nodiscard]] bool is_closed() const { return closed_; }

  private:
    HttpClient& client_;
    asio::steady_timer mine_;  ///< Cancelled when it is this one's turn.
    bool closed_ = false;
};

HttpClient::HttpClient(asio::any_io_executor executor, HttpClientConfig config)
    : executor_{std::move(executor)}, config_{std::move(config)}
{}

HttpClient::~HttpClient() = default;

void HttpClient::close()
{
    if (turns_.empty()) {
        connection_.reset();
        return;
    }
    for (Turn* turn : turns_) turn->close();
    if (connection_ != nullptr) connection_->close();
}

Awaitable<Result<Response>> HttpClient::request(Request request, Duration timeout)
{
    const TimePoint deadline = Clock::now() + timeout;
    Turn turn{*this};
    if (const ErrorCode ec = co_await turn.wait(deadline)) co_return ec;
    Result<Response> response = co_await follow(std::move(request), deadline);
    if (turn.is_closed()) {
        connection_.reset();
        co_return aborted();
    }
    co_return response;
}

Awaitable<Result<Response>> HttpClient::follow(Request request, TimePoint deadline)
{
    Endpoint to = config_.endpoint;
    for (unsigned redirects = 0;; ++redirects) {
        Result<Response> response = co_await attempt(request, to, deadline);
        if (response.has_error() || !is_redirect(response->status)) co_return response;
        if (redirects == config_.redirects_max) co_return Errc::redirected_too_often;

        Result<Redirect> next = redirected(to, response->headers.find("Location"));
        if (next.has_error()) co_return next.error();
        to = std::move(next->endpoint);
        request.target = std::move(next->target);
    }
}

Awaitable<Result<Response>> HttpClient::attempt(
    const Request& request, const Endpoint& to, TimePoint deadline)
{
    const std::string message = written(request, to, config_.authorization);
    if (connection_ != nullptr && connected_to_ == to && !connection_->is_stale()) {
        Result<Response> response = co_await exchange(request.method, message, deadline);
        // The peer may have closed the idle connection just as we wrote.
        const bool again = response.has_error() && is_safe_to_repeat(request.method) &&
                           response.error() == Errc::connection_lost &&
                           !turns_.front()->is_closed();
        if (!again) co_return response;
    }

    const Result<std::optional<Tls>> tls = tls_for(to, config_.tls);
    if (tls.has_error()) co_return tls.error();
    connection_ = Connection::make_client(executor_, to, *tls);
    connected_to_ = to;
    if (const ErrorCode ec = co_await connection_->open(deadline)) {
        connection_.reset();
        co_return ec;
    }
    co_return co_await exchange(request.method, message, deadline);
}

/// Leaves a connection behind only if it can serve another request.
Awaitable<Result<Response>> HttpClient::exchange(
    std::string_view method, std::string_view message, TimePoint deadline)
{
    const auto kind =
        method == "HEAD" ? HttpParser::Kind::response_to_head : HttpParser::Kind::response;
    const HttpParser::Limits limits{.body_max = config_.response_body_max};
    HttpParser parser{kind, limits};
    // A peer that refuses a long body may answer and close before it has read it all.
    ErrorCode ec = co_await connection_->write(message, deadline);
    if (ec == Errc::connection_lost) ec = {};

    std::array<char, 16384> bytes;
    while (!ec && !parser.is_done()) {
        const Result<std::size_t> size =
            co_await connection_->read_some(bytes.data(), bytes.size(), deadline);
        if (size.has_value()) {
            ec = parser.feed({bytes.data(), *size});
        } else if (size.error() == asio::error::eof) {
            ec = parser.feed_end();
        } else {
            ec = size.error();
        }
    }
    if (ec || !parser.keeps_alive() || !parser.take_rest().empty()) connection_.reset();
    if (ec) co_return ec;
    co_return Response{parser.status(), parser.headers(), parser.take_body()};
}

}  // namespace mysos::io
