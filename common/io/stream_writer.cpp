#include "common/io/stream_writer.hpp"

#include "common/io/errc.hpp"
#include "common/io/tasks.hpp"
#include "common/wire/recordio.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace mysos::io {
namespace {

constexpr std::size_t slice_max = std::size_t{64} << 10U;  ///< What one write timeout is for.

void append_chunk(std::string& out, std::string_view bytes)
{
    std::array<char, 16> size{};
    const auto end = std::to_chars(size.data(), size.data() + size.size(), bytes.size(), 16);
    out.append(size.data(), end.ptr).append("\r\n").append(bytes).append("\r\n");
}

}  // namespace

std::shared_ptr<StreamWriter> StreamWriter::make(OnClosed on_closed, std::size_t backlog_max)
{
    return std::make_shared<StreamWriter>(
        std::make_unique<Impl>(std::move(on_closed), backlog_max));
}

StreamWriter::StreamWriter(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}

StreamWriter::~StreamWriter() = default;

bool StreamWriter::write(std::string_view bytes)
{
    Impl& impl = *impl_;
    if (!impl.is_open) return false;
    if (bytes.empty()) return true;  // An empty chunk would end the body.
    if (impl.queued.size() + impl.sending + bytes.size() > impl.backlog_max) {
        impl.cut(Errc::peer_too_slow);
        return false;
    }
    append_chunk(impl.queued, bytes);
    impl.wake();
    return true;
}

bool StreamWriter::write_record(std::string_view record)
{
    return write(wire::encode_record(record));
}

Awaitable<bool> StreamWriter::drained(std::size_t backlog)
{
    Impl& impl = *impl_;
    while (impl.is_open && impl.queued.size() + impl.sending > backlog) {
        if (!impl.taken) impl.taken.emplace(co_await asio::this_coro::executor);
        impl.taken->expires_at(TimePoint::max());
        co_await impl.taken->async_wait(asio::as_tuple(asio::use_awaitable));
        const bool cancelled = co_await is_cancelled();
        if (cancelled) co_return false;
    }
    co_return impl.is_open;
}

void StreamWriter::close()
{
    if (!impl_->is_open) return;
    impl_->is_open = false;
    impl_->queued.append("0\r\n\r\n");
    impl_->wake();
}

void StreamWriter::abort()
{
    if (impl_->is_open) impl_->cut(asio::error::operation_aborted);
}

bool StreamWriter::is_open() const
{
    return impl_->is_open;
}

void StreamWriter::Impl::cut(ErrorCode reason)
{
    is_open = false;
    why = reason;
    queued.clear();
    wake();
    note_taken();
    if (connection != nullptr) connection->close();
}

void StreamWriter::Impl::note_taken()
{
    if (taken) taken->cancel();
}

void StreamWriter::Impl::wake()
{
    if (changed) changed->cancel();
}

Awaitable<void> StreamWriter::Impl::run(Connection& to, std::string head, Duration write_timeout)
{
    using asio::experimental::awaitable_operators::operator||;
    changed.emplace(co_await asio::this_coro::executor);
    connection = &to;
    ErrorCode ec = why;
    if (!ec) ec = co_await to.write(head, Clock::now() + write_timeout);
    if (!ec) {
        const auto first =
            co_await (cancelled_as_value(pump(write_timeout)) || cancelled_as_value(watch()));
        ec = first.index() == 0 ? std::get<0>(first) : std::get<1>(first);
    }
    connection = nullptr;
    changed.reset();
    is_open = false;
    note_taken();
    const OnClosed told = std::exchange(on_closed, {});
    if (told) told(why ? why : ec);
}

/// Sends what is queued until the end.
Awaitable<ErrorCode> StreamWriter::Impl::pump(Duration write_timeout)
{
    for (;;) {
        const std::string batch = std::exchange(queued, {});
        sending = batch.size();
        while (sending > 0) {
            const std::string_view rest = std::string_view{batch}.substr(batch.size() - sending);
            const std::string_view slice = rest.substr(0, std::min(rest.size(), slice_max));
            const ErrorCode ec = co_await connection->write(slice, Clock::now() + write_timeout);
            // Noted here, as the deadline ends watch() too, which may be the first to return.
            if (ec == Errc::timed_out) why = Errc::peer_too_slow;
            if (ec) co_return ec;
            sending -= slice.size();
            note_taken();
        }
        if (!queued.empty()) continue;
        if (!is_open) co_return why;
        changed->expires_at(TimePoint::max());
        co_await changed->async_wait(asio::as_tuple(asio::use_awaitable));
        if (const ErrorCode ec = co_await cancellation()) co_return ec;
    }
}

/// The only way to learn that an idle peer has gone.
Awaitable<ErrorCode> StreamWriter::Impl::watch() const
{
    char byte = 0;
    const Result<std::size_t> size = co_await connection->read_some(&byte, 1, TimePoint::max());
    if (size.has_value()) co_return Errc::peer_out_of_turn;
    if (size.error() == asio::error::eof) co_return Errc::connection_lost;
    co_return size.error();
}

}  // namespace mysos::io
