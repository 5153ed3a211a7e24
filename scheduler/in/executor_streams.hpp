#pragma once

#include "common/base/time.hpp"
#include "common/cluster/input.hpp"
#include "common/control/messages.hpp"
#include "common/io/http_server.hpp"
#include "scheduler/decide/effect.hpp"
#include "scheduler/decide/input.hpp"
#include "scheduler/in/pending.hpp"
#include "scheduler/secrets.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace mysos::scheduler {

namespace asio = boost::asio;

/// Secrets of a cluster; none when there is no such cluster.
using SecretsOf = std::function<std::optional<Secrets>(const std::string& cluster)>;

/// The scheduler's side of the control streams: requests of executors become inputs, orders become
/// records. See proto/mysos/control.proto for what is said.
///
/// Safe because a stream is opened and spoken on only with a token of the task that it names; what
/// has no such token never becomes an input. Which stream of a task is the newest is decided, not
/// here.
///
/// Use on the thread of `executor` only. Must outlive its coroutines.
class ExecutorStreams {
  public:
    using Post = std::function<void(Input)>;

    ExecutorStreams(asio::any_io_executor executor, Post post, SecretsOf secrets_of);
    ExecutorStreams(const ExecutorStreams&) = delete;
    ExecutorStreams& operator=(const ExecutorStreams&) = delete;
    ~ExecutorStreams();

    // Requests.

    /// POST /executor/v1/stream. Answered when it is decided.
    [[nodiscard]] io::Awaitable<io::Reply> open(io::Request request);
    /// POST /executor/v1/call.
    [[nodiscard]] io::Reply call(const io::Request& request);

    // Effects.

    /// `welcome` has its secrets.
    void accept(cluster::StreamId id, const control::Welcome& welcome);
    void refuse(const cluster::RefuseStream& refused);
    void close(cluster::StreamId id);
    /// `order` has its secrets.
    void send(cluster::StreamId id, const control::ToMember& order);

    /// A heartbeat to each stream every second; a stream that is silent for three is lost. Until
    /// cancelled.
    [[nodiscard]] io::Awaitable<void> run();

  private:
    struct Stream {
        std::string wire_id;  ///< What Mysos-Stream-Id says; cannot be guessed.
        std::string launch_token;
        std::string member_token;
        std::shared_ptr<io::StreamWriter> writer;  ///< Shared with the connection.
        TimePoint heard_at{};
    };
    enum class Decided { accepted, unauthorized, bad_request, not_ready };

    void tick(TimePoint now, Duration late);
    void lose(cluster::StreamId id);

    asio::any_io_executor executor_;
    Post post_;
    SecretsOf secrets_of_;
    std::uint64_t last_id_ = 0;
    std::map<cluster::StreamId, Stream> streams_;  ///< Opened, or waiting to be.
    Pending<cluster::StreamId, Decided> undecided_;
    /// What a stream's on_closed holds on to: empty when this object is gone.
    std::shared_ptr<ExecutorStreams*> self_;
};

}  // namespace mysos::scheduler
