#pragma once

#include "common/base/time.hpp"
#include "common/io/http.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstddef>
#include <list>
#include <memory>
#include <utility>

namespace mysos::io {

/// What a wait that was given up gives.
[[nodiscard]] inline ErrorCode aborted()
{
    return asio::error::make_error_code(asio::error::operation_aborted);
}

/// Whether the coroutine that asks has been cancelled. Ask after each wait: a wait that ended just
/// before the cancellation tells nothing of it.
[[nodiscard]] inline Awaitable<bool> is_cancelled()
{
    const auto state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() != asio::cancellation_type::none;
}

/// The same as an error: `if (const ErrorCode ec = co_await cancellation()) co_return ec;`. A plain
/// co_await as a condition is miscompiled by g++ 12 in a coroutine whose outermost block declares
/// nothing (GCC 106188), so the house rules forbid it everywhere.
[[nodiscard]] inline Awaitable<ErrorCode> cancellation()
{
    const bool cancelled = co_await is_cancelled();
    co_return cancelled ? aborted() : ErrorCode{};
}

/// Makes cancellation a value in `inner`. By default the first co_await of a cancelled coroutine
/// throws, so that it could not put anything in order. Every coroutine of ours is spawned in this.
template <class T>
[[nodiscard]] Awaitable<T> cancelled_as_value(Awaitable<T> inner)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    co_return co_await std::move(inner);
}

/// Waits. Returns early when cancelled.
[[nodiscard]] Awaitable<void> sleep_until(TimePoint when);

/// Coroutines of one owner: started here, cancelled together, awaited together. An exception out of
/// one comes out of io_context::run() and so ends the program.
/// Lifetime: must outlive its coroutines, so wait() before the end. One thread: the executor's.
class Tasks {
  public:
    explicit Tasks(asio::any_io_executor executor);
    ~Tasks();
    Tasks(const Tasks&) = delete;
    Tasks& operator=(const Tasks&) = delete;

    /// Starts it, not before the caller waits.
    void spawn(Awaitable<void> task);
    /// Cancels all that run.
    void cancel();
    /// Until none is left, or the deadline. True: none is left.
    [[nodiscard]] Awaitable<bool> wait(TimePoint deadline = TimePoint::max());

    [[nodiscard]] std::size_t size() const { return running_.size(); }

  private:
    // Shared with what co_spawn posts when it is emitted, which may run after the coroutine's end.
    using Signal = std::shared_ptr<asio::cancellation_signal>;

    asio::any_io_executor executor_;
    asio::steady_timer ended_;   ///< Cancelled when one has ended.
    std::list<Signal> running_;  ///< One each.
};

}  // namespace mysos::io
