#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <utility>

namespace mysos::test {

namespace detail {

/// co_spawn wants results that can be default-constructed, which a Result of much is not.
template <class T>
boost::asio::awaitable<void> store(boost::asio::awaitable<T> what, std::optional<T>& value)
{
    value.emplace(co_await std::move(what));
}

}  // namespace detail

/// Runs the loop until the awaitable is done. The limit only ends a test that hangs.
inline void run(
    boost::asio::io_context& io,
    boost::asio::awaitable<void> what,
    std::chrono::seconds limit = std::chrono::seconds{100})
{
    std::exception_ptr failure;
    bool done = false;
    boost::asio::co_spawn(io, std::move(what), [&](std::exception_ptr error) {
        failure = error;
        done = true;
    });
    const auto deadline = std::chrono::steady_clock::now() + limit;
    io.restart();
    while (!done && std::chrono::steady_clock::now() < deadline && !io.stopped())
        io.run_one_until(deadline);
    if (!done) {
        // Its coroutine refers to what is ours: let nobody run it.
        std::fputs("a test hangs: what it awaits did not end\n", stderr);
        std::abort();
    }
    if (failure) std::rethrow_exception(failure);
}

template <class T>
T run(
    boost::asio::io_context& io,
    boost::asio::awaitable<T> what,
    std::chrono::seconds limit = std::chrono::seconds{100})
{
    std::optional<T> value;
    run(io, detail::store(std::move(what), value), limit);
    return std::move(*value);
}

}  // namespace mysos::test
