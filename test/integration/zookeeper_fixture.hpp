#pragma once

#include "common/io/zookeeper.hpp"
#include "test/support/run.hpp"
#include "test/support/zookeeper_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace mysos::test {

/// The one server that the tests of a binary share; each works below a path of its own.
inline ZookeeperServer& shared_zookeeper()
{
    static ZookeeperServer server;
    return server;
}

/// The event with which a session begins, ends or pauses; earlier ones are passed over.
inline boost::asio::awaitable<zookeeper::SessionEvent> next_of_kind(
    zookeeper::SessionEvents events, zookeeper::SessionEvent::Kind kind)
{
    for (;;) {
        const auto event = co_await events.next();
        if (event.value().kind == kind) co_return event.value();
    }
}

/// A loop and a client on the shared server.
struct ZookeeperFixture {
    explicit ZookeeperFixture(ZookeeperServer& to = shared_zookeeper()) : server{to} {}

    [[nodiscard]] zookeeper::Config config() const
    {
        zookeeper::Config out;
        out.url = parse_zk_url(server.url("/test")).value();
        out.session_timeout = std::chrono::seconds{30};
        out.operation_timeout = std::chrono::seconds{60};
        return out;
    }

    template <class T>
    T run(boost::asio::awaitable<T> what)
    {
        return test::run(io, std::move(what));
    }

    /// Starts it now; run() the result to wait for its end.
    template <class T>
    boost::asio::awaitable<T> start(boost::asio::awaitable<T> what)
    {
        auto shared = std::make_shared<Started<T>>(io);
        boost::asio::co_spawn(io, fulfil<T>(shared, std::move(what)), [](std::exception_ptr error) {
            if (error) std::rethrow_exception(error);
        });
        return finish<T>(shared);
    }

    /// Ends a client's session on the server, as an expiry does. The client keeps taking its
    /// session back, so a close may come over a connection that is no longer the session's: until
    /// it holds.
    void expire(const zookeeper::Client& victim)
    {
        const auto key = victim.session();
        for (;;) {
            zookeeper::Config thief_config = config();
            thief_config.resume = key;
            zookeeper::Client thief{io.get_executor(), thief_config};
            static_cast<void>(run(thief.exists("/zookeeper")));
            if (thief.session() != key) return;
        }
    }

    std::string fresh_path()
    {
        static int count = 0;
        return "/test" + std::to_string(++count);
    }

    ZookeeperServer& server;
    boost::asio::io_context io{1};
    zookeeper::Client client{io.get_executor(), config()};

  private:
    template <class T>
    struct Started {
        explicit Started(boost::asio::io_context& io)
            : never{io, std::chrono::steady_clock::time_point::max()}
        {}
        boost::asio::steady_timer never;
        std::optional<T> value;
    };

    template <class T>
    static boost::asio::awaitable<void> fulfil(
        std::shared_ptr<Started<T>> shared, boost::asio::awaitable<T> what)
    {
        shared->value.emplace(co_await std::move(what));
        shared->never.cancel();
    }

    template <class T>
    static boost::asio::awaitable<T> finish(std::shared_ptr<Started<T>> shared)
    {
        constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable);
        while (!shared->value) co_await shared->never.async_wait(as_result);
        co_return std::move(*shared->value);
    }
};

}  // namespace mysos::test
