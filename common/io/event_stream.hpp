#pragma once

#include "common/base/backoff.hpp"
#include "common/base/time.hpp"
#include "common/io/http_client.hpp"
#include "common/wire/recordio.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace mysos::io {

struct EventStreamConfig {
    std::string subscribe_target{};  ///< "/api/v1/scheduler", "/executor/v1/stream"
    std::string call_target{};       ///< Where calls go; mostly the same.
    std::string stream_id_header{};  ///< "Mesos-Stream-Id", "Mysos-Stream-Id"; empty: none.
    std::string content_type = "application/x-protobuf";
    std::string authorization{};
    std::optional<Tls> tls{};  ///< For https. Unset: the system's authorities.
    Duration subscribe_timeout = std::chrono::seconds{10};  ///< Up to the head of the answer.
    Duration call_timeout = std::chrono::seconds{10};
    std::size_t record_max = std::size_t{64} << 20U;
    unsigned redirects_max = 4;
};

/// Subscribes to a peer's events and makes calls to it: the one pattern of the Mesos master, the
/// Mesos agent and our control stream.
///
/// Shape:  subscribe() POSTs a body on a connection of its own; the answer is 200 and an endless
///         body of RecordIO records, or any other status and its whole body. Nothing else is ever
///         sent there, as a master would write the answer into the stream. Calls go, in order, over
///         a second kept connection to the place the stream came from, with its stream id.
/// Errors: next(): stream_ended, stream_silent, connection_lost, wire::Errc, the system's. Each is
///         final: subscribe anew. call(): see HttpClient; not_subscribed.
/// Lifetime: must outlive its coroutines. subscribe() and next() from one coroutine, call() from
/// any.
class EventStream {
  public:
    EventStream(asio::any_io_executor executor, EventStreamConfig config);
    ~EventStream();
    EventStream(const EventStream&) = delete;
    EventStream& operator=(const EventStream&) = delete;

    /// Ends an earlier subscription first. 307 is followed.
    [[nodiscard]] Awaitable<Result<Response>> subscribe(Endpoint endpoint, std::string body);

    /// Silence longer than this is stream_silent: five heartbeat intervals, by convention. Unset
    /// (so after each subscribe()): wait for ever. Holds for the next next().
    void set_silence_max(std::optional<Duration> silence_max) { silence_max_ = silence_max; }

    /// The next record's payload.
    [[nodiscard]] Awaitable<Result<std::string>> next();

    /// POSTs one message. Headers: those of the subscription.
    [[nodiscard]] Awaitable<Result<Response>> call(std::string body);

    /// Ends the subscription and calls under way; next() gives operation_aborted.
    void close();

    [[nodiscard]] bool is_open() const { return is_open_; }
    [[nodiscard]] const std::string& stream_id() const { return stream_id_; }
    /// Where the stream comes from, after redirects.
    [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
    /// For the next subscribe() and the calls after it.
    void set_authorization(std::string authorization)
    {
        config_.authorization = std::move(authorization);
    }

  private:
    struct Body;

    [[nodiscard]] Awaitable<Result<Response>> open(const std::string& body, TimePoint deadline);
    [[nodiscard]] Awaitable<Result<Response>> head(const Request& request, TimePoint deadline);
    [[nodiscard]] Awaitable<void> receive(TimePoint deadline);
    [[nodiscard]] std::optional<Result<std::string>> decoded();

    asio::any_io_executor executor_;
    EventStreamConfig config_;
    Endpoint endpoint_;
    std::string stream_id_;
    std::optional<Duration> silence_max_;
    bool is_open_ = false;
    bool is_closed_ = false;                  ///< By close(), since the last subscribe().
    std::unique_ptr<Connection> connection_;  ///< Replaced by subscribe() only.
    std::unique_ptr<Body> body_;              ///< What is read and decoded of the answer.
    std::shared_ptr<HttpClient> calls_;  ///< Shared: a call under way outlives a new subscription.
};

/// What keep_subscribed() asks and tells its owner. All are called on the stream's coroutine.
struct Subscriber {
    struct Attempt {
        Endpoint endpoint;
        std::string body;
    };
    /// Where to subscribe next and with what; may wait, e.g. for a leader.
    std::function<Awaitable<Result<Attempt>>()> where;
    /// The stream is open. Called before its first record.
    std::function<void(const Response&)> subscribed;
    /// One record. An error drops the stream.
    std::function<ErrorCode(std::string)> record;
    /// An attempt or a stream failed. `refusal` is the answer if `why` is subscription_refused.
    std::function<void(ErrorCode why, const Response* refusal)> lost;
};

/// Subscribes, hands every record on and subscribes anew, with a jittered backoff that starts over
/// after each stream that brought a record. EventStream::close() makes it ask `where` again at
/// once. Returns when cancelled: operation_aborted.
[[nodiscard]] Awaitable<ErrorCode> keep_subscribed(
    EventStream& stream, Subscriber subscriber, Backoff backoff);

}  // namespace mysos::io
