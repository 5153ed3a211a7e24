#pragma once

#include "common/base/backoff.hpp"
#include "common/io/event_stream.hpp"
#include "common/io/tasks.hpp"
#include "executor/decide/state.hpp"
#include "executor/options.hpp"
#include "executor/out/status_updates.hpp"
#include "executor/post.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <optional>
#include <string>

namespace mysos::executor {

/// The stream of the Mesos agent: subscribes, and again whenever it breaks; events become inputs,
/// updates become calls.
///
/// Shape:  mesos.v1.executor, protobuf. Silence is normal: an agent says nothing for half an hour.
/// Errors: none reach the caller. Refused connections, 503 and 404 are an agent being restarted:
///         tried again within MESOS_SUBSCRIPTION_BACKOFF_MAX, since it waits no longer than that
///         for its executors. "Cannot be found" is the end of the executor. An update that was not
///         taken is posted as such.
/// Source: Mesos "Executor HTTP API".
/// Lifetime: must outlive its tasks. Thread: the event loop's.
class AgentEvents {
  public:
    using StateOf = std::function<const State&()>;

    AgentEvents(
        boost::asio::any_io_executor executor,
        const Options& options,
        io::Tasks& tasks,
        StateOf state,
        Post post);

    /// Until cancelled.
    [[nodiscard]] io::Awaitable<void> run();
    void send(const StatusUpdate& update);

  private:
    [[nodiscard]] io::Subscriber::Attempt attempt();
    [[nodiscard]] ErrorCode on_record(const std::string& record);
    void lost(ErrorCode why, const io::Response* refusal);
    [[nodiscard]] io::Awaitable<void> send_now(UpdateId update, std::string call);

    io::Endpoint agent_;
    io::EventStream stream_;
    io::Tasks& tasks_;
    StateOf state_;
    Post post_;
    StatusUpdates updates_;
    BackoffConfig backoff_;
    UpdateId included_{};  ///< In the SUBSCRIBE under way.
    bool subscribed_ = false;
    bool told_of_certificate_ = false;
    std::optional<Duration> task_grace_;  ///< TaskInfo.kill_policy: holds unless a KILL brings one.
};

}  // namespace mysos::executor
