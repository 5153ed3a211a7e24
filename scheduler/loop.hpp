#pragma once

#include "common/base/time.hpp"
#include "common/io/http.hpp"
#include "scheduler/decide/input.hpp"
#include "scheduler/decide/state.hpp"
#include "scheduler/out/perform.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <functional>

namespace mysos::scheduler {

namespace asio = boost::asio;

/// One inbox, one step at a time: owns the state, feeds it inputs in order, carries effects out.
///
/// Use on the thread of `executor` only. `ports` must outlive the coroutine of `run`.
class Loop {
  public:
    Loop(const asio::any_io_executor& executor, Config config, Ports& ports);

    void post(Input input);

    /// Runs until cancelled (operation_aborted) or an effect ends this process (its error).
    [[nodiscard]] io::Awaitable<ErrorCode> run();

    /// Called after the effects of each step, with what is decided by then.
    void on_step(std::function<void(const State&)> observer) { observer_ = std::move(observer); }

    [[nodiscard]] const State& state() const { return state_; }
    [[nodiscard]] const Config& config() const { return config_; }

  private:
    [[nodiscard]] io::Awaitable<ErrorCode> take(Input input);

    Config config_;
    State state_;
    Ports& ports_;
    std::function<void(const State&)> observer_;
    asio::steady_timer wakeup_;  ///< Expires at the next deadline; `post` cancels it.
    std::deque<Input> inbox_;
};

}  // namespace mysos::scheduler
