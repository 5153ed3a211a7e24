#include "executor/loop.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdint>
#include <random>
#include <utility>

namespace mysos::executor {

namespace asio = boost::asio;

namespace {

/// Of no run that an earlier task's executor told of.
RunId drawn_run()
{
    std::random_device random;
    return RunId{(std::uint64_t{random()} << 31U) | random()};
}

}  // namespace

Loop::Loop(asio::any_io_executor executor, Config config, Perform perform)
    : config_{config}, perform_{std::move(perform)}, wakeup_{executor}
{
    state_.server.run = drawn_run();
}

void Loop::post(Input input)
{
    inbox_.push_back(std::move(input));
    wakeup_.cancel();
}

asio::awaitable<void> Loop::run()
{
    while (!exit_) {
        while (!inbox_.empty() && !exit_) {
            const Input input = std::move(inbox_.front());
            inbox_.pop_front();
            Effects effects = step(state_, config_, input, Clock::now());
            co_await perform(std::move(effects));
        }
        if (exit_) break;

        // Nothing suspends between the check above and the wait below: no post() goes unseen.
        wakeup_.expires_at(next_deadline(state_, config_).value_or(TimePoint::max()));
        const auto [ec] = co_await wakeup_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (!ec) inbox_.emplace_back(DeadlinePassed{});
    }
}

asio::awaitable<void> Loop::perform(Effects effects)
{
    for (const Effect& effect : effects) {
        if (std::holds_alternative<Exit>(effect)) {
            exit_ = true;
            co_return;
        }
        const bool goes_on = co_await perform_(effect);
        if (!goes_on) co_return;
    }
}

}  // namespace mysos::executor
