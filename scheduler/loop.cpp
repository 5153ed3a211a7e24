#include "scheduler/loop.hpp"

#include "scheduler/decide/scheduler.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace mysos::scheduler {

Loop::Loop(const asio::any_io_executor& executor, Config config, Ports& ports)
    : config_{std::move(config)}, ports_{ports}, wakeup_{executor}
{}

void Loop::post(Input input)
{
    inbox_.push_back(std::move(input));
    wakeup_.cancel();
}

io::Awaitable<ErrorCode> Loop::take(Input input)
{
    Effects effects = step(state_, config_, input, Clock::now());
    const ErrorCode ec = co_await perform(std::move(effects), ports_);
    if (!ec && observer_) observer_(state_);
    co_return ec;
}

io::Awaitable<ErrorCode> Loop::run()
{
    for (;;) {
        while (!inbox_.empty()) {
            Input input = std::move(inbox_.front());
            inbox_.pop_front();
            if (const ErrorCode ec = co_await take(std::move(input))) co_return ec;
        }

        // Nothing suspends between the check above and the wait below: no post() goes unseen.
        const std::optional<TimePoint> deadline = next_deadline(state_);
        wakeup_.expires_at(deadline.value_or(TimePoint::max()));
        const auto [ec] = co_await wakeup_.async_wait(asio::as_tuple(asio::use_awaitable));

        const auto cancellation = co_await asio::this_coro::cancellation_state;
        if (cancellation.cancelled() != asio::cancellation_type::none) {
            co_return asio::error::operation_aborted;
        }
        if (!ec) inbox_.emplace_back(DeadlinePassed{});
    }
}

}  // namespace mysos::scheduler
