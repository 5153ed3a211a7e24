#include "common/io/connection.hpp"

#include "common/io/errc.hpp"
#include "common/io/resolve.hpp"
#include "common/io/tasks.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/error.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <type_traits>
#include <utility>
#include <vector>

namespace mysos::io {
namespace {

namespace beast = boost::beast;
namespace ssl = boost::asio::ssl;

using Protocol = asio::generic::stream_protocol;  // TCP and unix sockets in one type.
using Plain = beast::basic_stream<Protocol>;
using Encrypted = ssl::stream<Plain>;

constexpr auto token = asio::as_tuple(asio::use_awaitable);

bool is_ssl_error(const ErrorCode& ec)
{
    return ec.category() == asio::error::get_ssl_category() ||
           ec.category() == ssl::error::get_stream_category();
}

ErrorCode read_error(const ErrorCode& ec)
{
    if (ec == beast::error::timeout) return Errc::timed_out;
    if (ec == ssl::error::stream_truncated || ec == asio::error::connection_reset) {
        return Errc::connection_lost;
    }
    if (is_ssl_error(ec)) return Errc::tls_failed;
    return ec;
}

ErrorCode write_error(const ErrorCode& ec)
{
    if (ec == beast::error::timeout) return Errc::timed_out;
    if (ec == asio::error::broken_pipe || ec == asio::error::connection_reset) {
        return Errc::connection_lost;
    }
    if (is_ssl_error(ec)) return Errc::tls_failed;
    return ec;
}

/// The verdict on the certificate is asked for, as OpenSSL's error may be any of what led to it.
ErrorCode handshake_error(const ErrorCode& ec, SSL* ssl)
{
    const bool verifies = SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE;
    if (verifies && SSL_get_verify_result(ssl) != X509_V_OK) return Errc::peer_not_verified;
    if (ec == asio::error::eof || is_ssl_error(ec)) return Errc::tls_failed;
    return read_error(ec);
}

bool is_address(const std::string& host)
{
    ErrorCode ec;
    asio::ip::make_address(host, ec);
    return !ec;
}

/// Whether a certificate bears one of the names that its owner goes by.
class AnyName {
  public:
    explicit AnyName(const std::vector<std::string>& names)
    {
        for (const std::string& name : names) names_.emplace_back(name);
    }

    bool operator()(bool is_chain_good, ssl::verify_context& context) const
    {
        return std::ranges::any_of(names_, [&](const ssl::host_name_verification& name) {
            return name(is_chain_good, context);
        });
    }

  private:
    std::vector<ssl::host_name_verification> names_;
};

template <class Stream>
class Over final : public Connection {
  public:
    static constexpr bool encrypted = std::is_same_v<Stream, Encrypted>;

    Over(Stream stream, std::optional<Tls> tls, std::optional<Endpoint> to)
        : stream_{std::move(stream)}, tls_{std::move(tls)}, to_{std::move(to)}
    {}

    Awaitable<ErrorCode> open(TimePoint deadline) override
    {
        if (to_) {
            if (const ErrorCode ec = co_await connect(deadline)) co_return ec;
            if (const ErrorCode ec = co_await cancellation()) co_return ec;
        }
        if constexpr (encrypted) {
            if (const ErrorCode ec = expect_name()) co_return ec;
            plain().expires_at(deadline);
            const auto side = to_ ? ssl::stream_base::client : ssl::stream_base::server;
            const auto [ec] = co_await stream_.async_handshake(side, token);
            if (ec) co_return handshake_error(ec, stream_.native_handle());
        }
        co_return ErrorCode{};
    }

    Awaitable<Result<std::size_t>> read_some(
        char* into, std::size_t size, TimePoint deadline) override
    {
        if (const ErrorCode ec = co_await cancellation()) co_return ec;
        plain().expires_at(deadline);
        const auto [ec, count] = co_await stream_.async_read_some(asio::buffer(into, size), token);
        if (ec) co_return read_error(ec);
        co_return count;
    }

    Awaitable<ErrorCode> write(std::string_view bytes, TimePoint deadline) override
    {
        if (const ErrorCode ec = co_await cancellation()) co_return ec;
        plain().expires_at(deadline);
        const auto buffer = asio::buffer(bytes.data(), bytes.size());
        const auto [ec, count] = co_await asio::async_write(stream_, buffer, token);
        if (ec) co_return write_error(ec);
        co_return ErrorCode{};
    }

    Awaitable<void> finish(TimePoint deadline) override
    {
        if constexpr (encrypted) {
            plain().expires_at(deadline);
            co_await stream_.async_shutdown(token);
        }
        ErrorCode ignored;  // The peer may be gone, which is just as well.
        plain().socket().shutdown(asio::socket_base::shutdown_send, ignored);
        std::array<char, 4096> waste{};
        const auto buffer = asio::buffer(waste);
        for (;;) {
            plain().expires_at(deadline);
            const auto [ec, count] = co_await plain().async_read_some(buffer, token);
            if (ec) break;
        }
        close();
    }

    void close() override
    {
        closed_ = true;
        resolver_.cancel();
        plain().close();
    }

    bool is_stale() override
    {
        char byte = 0;
        const int socket = plain().socket().native_handle();
        return ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
    }

  private:
    Plain& plain()
    {
        if constexpr (encrypted) {
            return stream_.next_layer();
        } else {
            return stream_;
        }
    }

    Awaitable<ErrorCode> connect(TimePoint deadline)
    {
        std::vector<Protocol::endpoint> endpoints;
        if (to_->scheme == Endpoint::Scheme::unix_socket) {
            endpoints.emplace_back(asio::local::stream_protocol::endpoint{to_->host});
        } else {
            const auto found = co_await resolver_.resolve(to_->host, to_->port, deadline);
            if (found.has_error()) co_return found.error();
            endpoints.assign(found->begin(), found->end());
        }

        ErrorCode why = Errc::name_not_found;
        for (std::size_t i = 0; i < endpoints.size() && !closed_; ++i) {
            // A dead address must not use up the time of those behind it.
            const TimePoint now = Clock::now();
            const auto left = static_cast<Duration::rep>(endpoints.size() - i);
            plain().expires_at(left > 1 ? now + (deadline - now) / left : deadline);
            const auto [ec] = co_await plain().async_connect(endpoints[i], token);
            if (!ec) {
                if (to_->scheme != Endpoint::Scheme::unix_socket) send_at_once();
                co_return ErrorCode{};
            }
            why = ec == beast::error::timeout ? make_error_code(Errc::timed_out) : ec;
            if (ec == asio::error::operation_aborted) break;
        }
        co_return closed_ ? aborted() : why;
    }

    void send_at_once()
    {
        ErrorCode ignored;  // Only slower without it.
        plain().socket().set_option(asio::ip::tcp::no_delay{true}, ignored);
    }

    /// The name that the peer's certificate must bear, also for a host of many names.
    ErrorCode expect_name()
    {
        if (!to_) return {};
        std::vector<std::string> names = to_->certified_as;
        if (names.empty()) names.push_back(to_->host);
        // Asked for a callback's verdict, OpenSSL would also fail who is not to be verified.
        const bool verifies = SSL_get_verify_mode(stream_.native_handle()) != SSL_VERIFY_NONE;
        ErrorCode ec;
        if (verifies) stream_.set_verify_callback(AnyName{names}, ec);
        if (ec) return Errc::tls_failed;
        const auto name = std::ranges::find_if_not(names, is_address);
        if (name != names.end() && SSL_ctrl(
                                       stream_.native_handle(),
                                       SSL_CTRL_SET_TLSEXT_HOSTNAME,
                                       TLSEXT_NAMETYPE_host_name,
                                       name->data()) != 1) {
            return Errc::tls_failed;
        }
        return {};
    }

    Stream stream_;
    std::optional<Tls> tls_;      ///< Keeps the context that the stream refers to.
    std::optional<Endpoint> to_;  ///< Unset: we are the server.
    Resolver resolver_{plain().get_executor()};
    bool closed_ = false;
};

}  // namespace

std::unique_ptr<Connection> Connection::make_client(
    asio::any_io_executor executor, const Endpoint& to, const std::optional<Tls>& tls)
{
    Plain plain{executor};
    if (to.scheme != Endpoint::Scheme::https) {
        return std::make_unique<Over<Plain>>(std::move(plain), std::nullopt, to);
    }
    Encrypted encrypted{std::move(plain), tls.value().context()};
    return std::make_unique<Over<Encrypted>>(std::move(encrypted), tls, to);
}

std::unique_ptr<Connection> Connection::make_server(
    asio::ip::tcp::socket socket, const std::optional<Tls>& tls)
{
    ErrorCode ignored;  // Only slower without it.
    socket.set_option(asio::ip::tcp::no_delay{true}, ignored);
    Plain plain{Protocol::socket{std::move(socket)}};
    if (!tls) return std::make_unique<Over<Plain>>(std::move(plain), std::nullopt, std::nullopt);
    Encrypted encrypted{std::move(plain), tls->context()};
    return std::make_unique<Over<Encrypted>>(std::move(encrypted), tls, std::nullopt);
}

}  // namespace mysos::io
