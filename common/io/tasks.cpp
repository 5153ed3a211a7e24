#include "common/io/tasks.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>

namespace mysos::io {

Awaitable<void> sleep_until(TimePoint when)
{
    asio::steady_timer timer{co_await asio::this_coro::executor, when};
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

Tasks::Tasks(asio::any_io_executor executor) : executor_{executor}, ended_{executor} {}

Tasks::~Tasks() = default;

void Tasks::spawn(Awaitable<void> task)
{
    const auto at = running_.insert(running_.end(), std::make_shared<asio::cancellation_signal>());
    auto ended = [this, at](const std::exception_ptr& failure) {
        if (failure) std::rethrow_exception(failure);
        asio::post(executor_, [last = std::move(*at)] {});
        running_.erase(at);
        ended_.cancel();
    };
    asio::co_spawn(
        executor_,
        cancelled_as_value(std::move(task)),
        asio::bind_cancellation_slot((*at)->slot(), std::move(ended)));
}

void Tasks::cancel()
{
    for (const Signal& signal : running_) signal->emit(asio::cancellation_type::terminal);
}

Awaitable<bool> Tasks::wait(TimePoint deadline)
{
    while (!running_.empty() && Clock::now() < deadline) {
        ended_.expires_at(deadline);
        co_await ended_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    co_return running_.empty();
}

}  // namespace mysos::io
