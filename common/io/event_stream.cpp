#include "common/io/event_stream.hpp"

#include "common/io/connection.hpp"
#include "common/io/errc.hpp"
#include "common/io/http_parser.hpp"
#include "common/io/http_request.hpp"
#include "common/io/tasks.hpp"
#include "common/wire/recordio.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <utility>

namespace mysos::io {
namespace {

constexpr std::size_t refusal_max = std::size_t{1} << 20U;  ///< Of the text of a refusal.

}  // namespace

struct EventStream::Body {
    explicit Body(std::size_t record_max)
        : parser{HttpParser::Kind::response, {.body_max = std::nullopt}}, decoder{record_max}
    {}

    HttpParser parser;
    wire::RecordDecoder decoder;
    std::deque<std::string> records;  ///< Complete, not yet asked for.
    ErrorCode ended;                  ///< Told after the records before it.
    std::array<char, 16384> bytes{};
};

EventStream::EventStream(asio::any_io_executor executor, EventStreamConfig config)
    : executor_{std::move(executor)}, config_{std::move(config)}
{}

EventStream::~EventStream() = default;

void EventStream::close()
{
    is_open_ = false;
    is_closed_ = true;
    if (connection_ != nullptr) connection_->close();
    if (calls_ != nullptr) calls_->close();
}

Awaitable<Result<Response>> EventStream::subscribe(Endpoint endpoint, std::string body)
{
    close();
    connection_.reset();
    is_closed_ = false;
    stream_id_.clear();
    silence_max_.reset();
    endpoint_ = std::move(endpoint);

    Result<Response> answer = co_await open(body, Clock::now() + config_.subscribe_timeout);
    if (is_closed_) co_return aborted();
    if (answer.has_error() || answer->status != 200) {
        connection_->close();
        co_return answer;
    }
    stream_id_ = answer->headers.find(config_.stream_id_header);
    HttpClientConfig calls{
        .endpoint = endpoint_,
        .authorization = config_.authorization,
        .tls = config_.tls,
        .response_body_max = refusal_max,
        .redirects_max = config_.redirects_max};
    calls_ = std::make_shared<HttpClient>(executor_, std::move(calls));
    is_open_ = true;
    co_return answer;
}

/// Follows redirects to whoever answers otherwise. `endpoint_` is there then.
Awaitable<Result<Response>> EventStream::open(const std::string& body, TimePoint deadline)
{
    Request request{.method = "POST", .target = config_.subscribe_target, .body = body};
    request.headers.set("Content-Type", config_.content_type);
    request.headers.set("Accept", config_.content_type);
    for (unsigned redirects = 0;; ++redirects) {
        Result<Response> answer = co_await head(request, deadline);
        const bool redirect =
            answer.has_value() && (answer->status == 307 || answer->status == 308);
        if (!redirect || is_closed_) co_return answer;
        if (redirects == config_.redirects_max) co_return Errc::redirected_too_often;

        Result<Redirect> next = redirected(endpoint_, answer->headers.find("Location"));
        if (next.has_error()) co_return next.error();
        endpoint_ = std::move(next->endpoint);
        request.target = std::move(next->target);
    }
}

/// Sends the request on a new connection. The answer's body is read only if it is not 200.
Awaitable<Result<Response>> EventStream::head(const Request& request, TimePoint deadline)
{
    const Result<std::optional<Tls>> tls = tls_for(endpoint_, config_.tls);
    if (tls.has_error()) co_return tls.error();
    connection_ = Connection::make_client(executor_, endpoint_, *tls);
    body_ = std::make_unique<Body>(config_.record_max);
    if (const ErrorCode ec = co_await connection_->open(deadline)) co_return ec;

    const std::string message = written(request, endpoint_, config_.authorization);
    if (const ErrorCode ec = co_await connection_->write(message, deadline)) co_return ec;
    while (!body_->parser.has_head()) {
        co_await receive(deadline);
        if (body_->ended && !body_->parser.has_head()) co_return body_->ended;
    }

    Response response{body_->parser.status(), body_->parser.headers(), {}};
    if (response.status == 200) co_return response;
    response.body = body_->parser.take_body();
    while (!body_->parser.is_done()) {
        if (body_->ended) co_return body_->ended;
        co_await receive(deadline);
        response.body += body_->parser.take_body();
        if (response.body.size() > refusal_max) co_return Errc::response_too_long;
    }
    co_return response;
}

/// Reads once and feeds the parser. Not the records: they come only once there is a stream.
Awaitable<void> EventStream::receive(TimePoint deadline)
{
    std::array<char, 16384>& bytes = body_->bytes;
    const Result<std::size_t> size =
        co_await connection_->read_some(bytes.data(), bytes.size(), deadline);
    if (size.has_value()) {
        body_->ended = body_->parser.feed({bytes.data(), *size});
    } else if (size.error() == asio::error::eof) {
        body_->ended = body_->parser.feed_end();
    } else {
        body_->ended = size.error();
    }
    if (!body_->ended && body_->parser.is_done()) body_->ended = Errc::stream_ended;
}

Awaitable<Result<std::string>> EventStream::next()
{
    const TimePoint deadline = silence_max_ ? Clock::now() + *silence_max_ : TimePoint::max();
    while (is_open_) {
        if (std::optional<Result<std::string>> outcome = decoded()) {
            if (outcome->has_error()) {
                close();
                is_closed_ = false;
            }
            co_return std::move(*outcome);
        }
        co_await receive(deadline);
    }
    co_return is_closed_ ? aborted() : make_error_code(Errc::not_subscribed);
}

/// A record that has come, or why none will.
std::optional<Result<std::string>> EventStream::decoded()
{
    Result<std::vector<std::string>> records = body_->decoder.feed(body_->parser.take_body());
    if (records.has_value()) {
        std::ranges::move(*records, std::back_inserter(body_->records));
    } else {
        body_->ended = records.error();
    }
    if (!body_->records.empty()) {
        std::string record = std::move(body_->records.front());
        body_->records.pop_front();
        return record;
    }
    if (!body_->ended) return std::nullopt;
    return body_->ended == Errc::timed_out ? Errc::stream_silent : body_->ended;
}

Awaitable<Result<Response>> EventStream::call(std::string body)
{
    if (!is_open_) co_return Errc::not_subscribed;
    Request request{.method = "POST", .target = config_.call_target, .body = std::move(body)};
    request.headers.set("Content-Type", config_.content_type);
    request.headers.set("Accept", config_.content_type);
    if (!stream_id_.empty()) request.headers.set(config_.stream_id_header, stream_id_);
    const std::shared_ptr<HttpClient> calls = calls_;
    co_return co_await calls->request(std::move(request), config_.call_timeout);
}

namespace {

/// Hands records on until the stream fails.
Awaitable<ErrorCode> pump(EventStream& stream, Subscriber& subscriber, Backoff& backoff)
{
    for (;;) {
        Result<std::string> record = co_await stream.next();
        if (record.has_error()) co_return record.error();
        backoff.reset();
        if (const ErrorCode ec = subscriber.record(std::move(*record))) {
            stream.close();
            co_return ec;
        }
    }
}

/// One attempt and what came of it.
Awaitable<ErrorCode> subscribe_once(EventStream& stream, Subscriber& subscriber, Backoff& backoff)
{
    Result<Subscriber::Attempt> attempt = co_await subscriber.where();
    ErrorCode why;
    if (attempt.has_error()) {
        why = attempt.error();
        subscriber.lost(why, nullptr);
        co_return why;
    }
    const Result<Response> answer =
        co_await stream.subscribe(std::move(attempt->endpoint), std::move(attempt->body));
    if (answer.has_error()) {
        why = answer.error();
    } else if (answer->status != 200) {
        why = Errc::subscription_refused;
    } else {
        subscriber.subscribed(*answer);
        why = co_await pump(stream, subscriber, backoff);
    }
    subscriber.lost(why, why == Errc::subscription_refused ? &*answer : nullptr);
    co_return why;
}

}  // namespace

Awaitable<ErrorCode> keep_subscribed(EventStream& stream, Subscriber subscriber, Backoff backoff)
{
    for (;;) {
        const ErrorCode why = co_await subscribe_once(stream, subscriber, backoff);
        if (const ErrorCode ec = co_await cancellation()) co_return ec;
        if (why == asio::error::operation_aborted) continue;  // close(): its owner knows better.
        co_await sleep_until(Clock::now() + backoff.next());
        if (const ErrorCode ec = co_await cancellation()) co_return ec;
    }
}

}  // namespace mysos::io
