#include "common/io/log.hpp"
#include "common/io/zookeeper_impl.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <utility>

// Which session there is, from one to the next.

namespace mysos::zookeeper {
namespace {

namespace asio = boost::asio;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr Duration resolve_again_after = std::chrono::seconds{2};
constexpr Duration auth_again_after = std::chrono::seconds{2};
constexpr Duration patience_first = std::chrono::seconds{5};
constexpr Duration patience_later = std::chrono::seconds{30};

void end_program_on(std::exception_ptr error)
{
    if (error) std::rethrow_exception(error);
}

void on_auth_answer(int /*code*/, const void* /*data*/)
{
    // The session event says it when it was refused.
}

}  // namespace

Client::Impl::Impl(asio::any_io_executor executor, Config config)
    : executor_{std::move(executor)},
      config_{std::move(config)},
      absence_{executor_},
      retry_{executor_}
{}

void Client::Impl::start()
{
    expect_connection_within(patience_first);
    spawn_open(Duration{});
}

void Client::Impl::spawn_open(Duration delay)
{
    asio::co_spawn(executor_, open_session(shared_from_this(), delay), end_program_on);
}

asio::awaitable<void> Client::Impl::open_session(std::shared_ptr<Impl> self, Duration delay)
{
    for (Duration wait = delay;; wait = resolve_again_after) {
        self->retry_.expires_after(wait);
        co_await self->retry_.async_wait(as_result);
        if (self->closed_) co_return;
        const std::string servers = co_await resolve(self);
        if (self->closed_) co_return;
        if (servers.empty()) continue;

        const unsigned serial = ++self->handle_serial_;
        const std::weak_ptr<Impl> weak = self;
        Handle::Callbacks callbacks;
        callbacks.session = [weak, serial](int state) {
            const std::shared_ptr<Impl> impl = weak.lock();
            if (impl && impl->handle_serial_ == serial) impl->on_session(state);
        };
        callbacks.node = [weak, serial](int type, const std::string& path) {
            const std::shared_ptr<Impl> impl = weak.lock();
            if (impl && impl->handle_serial_ == serial) impl->on_node(type, path);
        };
        self->handle_ = Handle::open(
            self->executor_,
            servers,
            std::chrono::duration_cast<std::chrono::milliseconds>(self->config_.session_timeout),
            std::exchange(self->config_.resume, std::nullopt),
            std::move(callbacks));
        if (!self->handle_) {
            log::logger("zookeeper")->warn("no handle servers={}", servers);
            continue;
        }
        if (const ZkUrl& url = self->config_.url; !url.user.empty()) {
            const std::string credentials = url.user + ":" + url.password;
            zoo_add_auth(
                self->handle_->library(),
                "digest",
                credentials.data(),
                static_cast<int>(credentials.size()),
                on_auth_answer,
                nullptr);
        }
        self->handle_->pump();
        co_return;
    }
}

asio::awaitable<std::string> Client::Impl::resolve(std::shared_ptr<Impl> self)
{
    std::string out;
    const auto add = [&out](const std::string& address, std::uint16_t port) {
        // The library splits at the last colon and wants IPv6 without brackets.
        out += (out.empty() ? "" : ",") + address + ":" + std::to_string(port);
    };
    asio::ip::tcp::resolver resolver{self->executor_};
    for (const HostPort& server : self->config_.url.servers) {
        ErrorCode not_numeric;
        const asio::ip::address address = asio::ip::make_address(server.host, not_numeric);
        if (!not_numeric) {
            add(address.to_string(), server.port);
            continue;
        }
        const std::string port = std::to_string(server.port);
        const auto [error, found] = co_await resolver.async_resolve(server.host, port, as_result);
        if (error)
            log::logger("zookeeper")
                ->warn("no address host={} error={}", server.host, error.message());
        for (const auto& entry : found) add(entry.endpoint().address().to_string(), server.port);
    }
    co_return out;
}

void Client::Impl::close()
{
    if (closed_) return;
    closed_ = true;
    connected_ = false;
    ++handle_serial_;
    handle_.reset();
    absence_.cancel();
    retry_.cancel();
    for (const std::shared_ptr<Request>& request : std::exchange(pending_, {}))
        request->finish(Errc::closed);
    fire_all_watches(WatchEvent::closed);
    publish(SessionEvent::Kind::closed);
}

std::optional<SessionKey> Client::Impl::session() const
{
    if (!handle_ || session_id_ == 0) return std::nullopt;
    return handle_->session();
}

// ---- What the library tells. These run inside its calls: they must not drop the handle.

void Client::Impl::on_session(int state)
{
    if (state == ZOO_CONNECTED_STATE)
        on_connected();
    else if (state == ZOO_EXPIRED_SESSION_STATE)
        lose_session(SessionEvent::Kind::expired, Errc::session_expired);
    else if (state == ZOO_AUTH_FAILED_STATE)
        lose_session(SessionEvent::Kind::auth_failed, Errc::auth_failed);
    else if (connected_)
        on_disconnected();
}

void Client::Impl::on_connected()
{
    connected_ = true;
    absence_.cancel();
    session_id_ = handle_->session().id;
    session_timeout_ = handle_->session_timeout();
    log::logger("zookeeper")
        ->info(
            "connected servers={} session={:#x}",
            print(config_.url.servers),
            static_cast<std::uint64_t>(session_id_));
    for (const std::shared_ptr<Request>& request : pending_) {
        request->woken = true;
        request->timer.cancel();
    }
    publish(SessionEvent::Kind::connected);
}

void Client::Impl::on_disconnected()
{
    connected_ = false;
    log::logger("zookeeper")
        ->warn("disconnected session={:#x}", static_cast<std::uint64_t>(session_id_));
    for (const std::shared_ptr<Request>& request : pending_)
        if (request->sent) request->finish(Errc::connection_lost);
    publish(SessionEvent::Kind::disconnected);
    expect_connection_within(session_timeout_);
}

void Client::Impl::lose_session(SessionEvent::Kind kind, Errc verdict)
{
    log::logger("zookeeper")
        ->warn(
            "session lost session={:#x} why={}",
            static_cast<std::uint64_t>(session_id_),
            make_error_code(verdict).message());
    connected_ = false;
    ++handle_serial_;
    // Not here: a call of the handle may be what brought us.
    asio::post(executor_, [handle = std::move(handle_)] { static_cast<void>(handle); });
    handle_.reset();
    for (const std::shared_ptr<Request>& request : pending_) request->finish(verdict);
    fire_all_watches(WatchEvent::session_expired);
    publish(kind);
    session_id_ = 0;
    expect_connection_within(patience_first);
    spawn_open(kind == SessionEvent::Kind::auth_failed ? auth_again_after : Duration{});
}

void Client::Impl::expect_connection_within(Duration patience)
{
    absence_.expires_after(patience);
    absence_.async_wait([weak = weak_from_this()](const ErrorCode& error) {
        const std::shared_ptr<Impl> self = weak.lock();
        if (!self || error || self->connected_ || self->closed_) return;
        if (self->session_id_ != 0) {
            // The ensemble may have given our nodes away by now; it cannot tell us.
            self->lose_session(SessionEvent::Kind::expired, Errc::session_expired);
            return;
        }
        log::logger("zookeeper")
            ->warn("still not connected servers={}", print(self->config_.url.servers));
        self->expect_connection_within(patience_later);
    });
}

}  // namespace mysos::zookeeper
