#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace mysos::io {

/// Runs blocking functions on a few threads of its own and awaits their values. The one place with
/// threads: a function gets values, gives a value, and touches nothing that the event loop owns.
///
/// Errors: an exception thrown by the function is thrown on where its value is awaited.
/// Lifetime: must outlive its runs. Cancellation does not interrupt a function that has started, so
///         the function bounds itself (connect and read timeouts).
class Offload {
  public:
    explicit Offload(std::size_t threads) : pool_{threads} {}
    ~Offload() { pool_.join(); }
    Offload(const Offload&) = delete;
    Offload& operator=(const Offload&) = delete;

    /// `function` takes nothing and gives a movable value that is not void.
    template <class Function>
    [[nodiscard]] boost::asio::awaitable<std::invoke_result_t<Function>> run(Function function)
    {
        using Value = std::invoke_result_t<Function>;
        using Outcome = std::optional<Value>;
        auto initiate = [this](auto handler, Function f) {
            auto home = boost::asio::prefer(
                boost::asio::get_associated_executor(handler),
                boost::asio::execution::outstanding_work_t::tracked);
            boost::asio::post(
                pool_,
                [home = std::move(home), handler = std::move(handler), f = std::move(f)]() mutable {
                    Outcome value;
                    std::exception_ptr failure;
                    try {
                        value.emplace(f());
                    } catch (...) {  // A thread's entry: carried over to whoever awaits.
                        failure = std::current_exception();
                    }
                    boost::asio::post(
                        home,
                        [handler = std::move(handler),
                         failure = std::move(failure),
                         value = std::move(value)]() mutable {
                            std::move(handler)(std::move(failure), std::move(value));
                        });
                });
        };
        Outcome value = co_await boost::asio::
            async_initiate<const boost::asio::use_awaitable_t<>, void(std::exception_ptr, Outcome)>(
                std::move(initiate), boost::asio::use_awaitable, std::move(function));
        co_return std::move(*value);
    }

  private:
    boost::asio::thread_pool pool_;
};

}  // namespace mysos::io
