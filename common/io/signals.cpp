#include "common/io/signals.hpp"

#include "common/io/tasks.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <exception>
#include <utility>

namespace mysos::io {

ErrorCode run_until_signal(boost::asio::io_context& context, boost::asio::awaitable<ErrorCode> root)
{
    boost::asio::cancellation_signal cancellation;
    boost::asio::signal_set signals{context, SIGTERM, SIGINT};
    signals.async_wait([&](const ErrorCode& ec, int) {
        if (ec) return;
        signals.clear();  // The default action is back: a second signal ends the process.
        cancellation.emit(boost::asio::cancellation_type::terminal);
    });

    std::exception_ptr failure;
    ErrorCode result;
    auto ended = [&](std::exception_ptr exception, ErrorCode ec) {
        failure = std::move(exception);
        result = ec;
        signals.cancel();
        context.stop();
    };
    boost::asio::co_spawn(
        context,
        cancelled_as_value(std::move(root)),
        boost::asio::bind_cancellation_slot(cancellation.slot(), std::move(ended)));
    context.run();
    if (failure) std::rethrow_exception(failure);
    return result;
}

}  // namespace mysos::io
