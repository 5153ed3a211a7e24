#pragma once

#include "common/io/tasks.hpp"
#include "test/support/run.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

/// An event loop that a test drives by hand.
namespace mysos::test {

class Loop {
  public:
    ~Loop()
    {
        background_.cancel();
        run(context_, discarded(background_.wait()));
    }
    Loop() = default;
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    [[nodiscard]] io::asio::any_io_executor executor() { return context_.get_executor(); }

    /// Runs all there is until `what` has its value.
    template <class T>
    T await(io::Awaitable<T> what)
    {
        return run(context_, io::cancelled_as_value(std::move(what)));
    }

    /// Something that goes on beside the test, and its value once there is one.
    template <class T>
    class Started {
      public:
        [[nodiscard]] bool is_done() const { return value_->has_value(); }
        [[nodiscard]] T& get()
        {
            loop_.run_until([this] { return is_done(); });
            return **value_;
        }

      private:
        friend Loop;
        explicit Started(Loop& loop) : loop_{loop} {}
        Loop& loop_;
        std::shared_ptr<std::optional<T>> value_ = std::make_shared<std::optional<T>>();
    };
    template <class T>
    [[nodiscard]] Started<T> start(io::Awaitable<T> what)
    {
        Started<T> started{*this};
        background_.spawn(kept(std::move(what), started.value_));
        return started;
    }
    void start(io::Awaitable<void> what) { background_.spawn(std::move(what)); }

    /// Cancels all that was started; it has ended afterwards.
    void cancel()
    {
        background_.cancel();
        await(background_.wait());
    }

    /// Runs until `holds` does.
    template <class Condition>
    void run_until(Condition holds)
    {
        await(poll(std::move(holds)));
    }

  private:
    template <class T>
    static io::Awaitable<void> kept(io::Awaitable<T> what, std::shared_ptr<std::optional<T>> into)
    {
        into->emplace(co_await std::move(what));
    }

    static io::Awaitable<void> discarded(io::Awaitable<bool> what) { co_await std::move(what); }

    template <class Condition>
    static io::Awaitable<void> poll(Condition holds)
    {
        while (!holds()) co_await io::sleep_until(Clock::now() + std::chrono::milliseconds{1});
    }

    io::asio::io_context context_{1};
    io::Tasks background_{context_.get_executor()};
};

}  // namespace mysos::test
