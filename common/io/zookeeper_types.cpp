#include "common/io/zookeeper_types.hpp"

#include "common/base/time.hpp"
#include "common/io/tasks.hpp"
#include "common/io/zookeeper_impl.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace mysos::zookeeper {
namespace {

namespace asio = boost::asio;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

}  // namespace

Watch::State::State(const asio::any_io_executor& executor) : never{executor, TimePoint::max()} {}

void Watch::State::fire(WatchEvent with)
{
    if (event) return;
    event = with;
    never.cancel();
}

asio::awaitable<Result<WatchEvent>> Watch::fired() const
{
    const std::shared_ptr<State> state = state_;
    while (!state->event) {
        const bool cancelled = co_await io::is_cancelled();
        if (cancelled) co_return asio::error::operation_aborted;
        const auto [ended] = co_await state->never.async_wait(as_result);
        if (!state->event && ended) co_return ended;
    }
    co_return *state->event;
}

SessionEvents::State::State(const asio::any_io_executor& executor)
    : never{executor, TimePoint::max()}
{}

void SessionEvents::State::append(SessionEvent event)
{
    events.push_back(event);
    never.cancel();
}

asio::awaitable<Result<SessionEvent>> SessionEvents::next()
{
    const std::shared_ptr<State> state = state_;
    while (state->events.empty()) {
        const bool cancelled = co_await io::is_cancelled();
        if (cancelled) co_return asio::error::operation_aborted;
        const auto [ended] = co_await state->never.async_wait(as_result);
        if (state->events.empty() && ended) co_return ended;
    }
    const SessionEvent event = state->events.front();
    if (event.kind != SessionEvent::Kind::closed) state->events.pop_front();
    co_return event;
}

Op Op::create(std::string path, std::string data, CreateMode mode, Access access)
{
    Op op;
    op.kind_ = Kind::create;
    op.path_ = std::move(path);
    op.data_ = std::move(data);
    op.mode_ = mode;
    op.access_ = access;
    return op;
}

Op Op::set(std::string path, std::string data, Version expected)
{
    Op op;
    op.kind_ = Kind::set;
    op.path_ = std::move(path);
    op.data_ = std::move(data);
    op.expected_ = expected;
    return op;
}

Op Op::remove(std::string path, Version expected)
{
    Op op;
    op.kind_ = Kind::remove;
    op.path_ = std::move(path);
    op.expected_ = expected;
    return op;
}

Op Op::check(std::string path, Version expected)
{
    Op op;
    op.kind_ = Kind::check;
    op.path_ = std::move(path);
    op.expected_ = expected;
    return op;
}

void Request::finish(ErrorCode with)
{
    if (verdict) return;
    verdict = with;
    timer.cancel();
}

}  // namespace mysos::zookeeper
