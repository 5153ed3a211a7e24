#pragma once

#include "executor/decide/member.hpp"
#include "executor/post.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <functional>

namespace mysos::executor {

/// The member's one inbox: takes inputs in the order of their arrival, decides, carries out.
///
/// Lifetime: must outlive run(). Thread: the event loop's.
class Loop {
  public:
    /// Carries out one effect. A barrier is awaited in it. False: nothing behind it is done, and
    /// why has been posted as an input.
    using Perform = std::function<boost::asio::awaitable<bool>(const Effect&)>;

    Loop(boost::asio::any_io_executor executor, Config config, Perform perform);

    void post(Input input);

    /// Until an effect was `Exit`.
    [[nodiscard]] boost::asio::awaitable<void> run();

    [[nodiscard]] const State& state() const { return state_; }

  private:
    [[nodiscard]] boost::asio::awaitable<void> perform(Effects effects);

    Config config_;
    Perform perform_;
    State state_;
    std::deque<Input> inbox_;
    boost::asio::steady_timer wakeup_;
    bool exit_ = false;
};

}  // namespace mysos::executor
