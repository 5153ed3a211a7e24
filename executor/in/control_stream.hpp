#pragma once

#include "common/control/messages.hpp"
#include "common/io/event_stream.hpp"
#include "common/io/tasks.hpp"
#include "common/io/zookeeper.hpp"
#include "common/wire/task_data.hpp"
#include "executor/post.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace mysos::executor {

/// The stream of the leading scheduler: finds it through ZooKeeper, says Hello, and again whenever
/// the stream breaks; orders become inputs, reports become calls, in order.
///
/// Shape:  proto/mysos/control.proto. Silence of three heartbeats is a lost stream.
/// Errors: none reach the caller: a stream is open or lost, as posted. A report that cannot be
/// given
///         ends the stream; the next Hello says how things stand.
/// Lifetime: must outlive its tasks. Thread: the event loop's.
class ControlStream {
  public:
    using HelloOf = std::function<control::Hello()>;

    ControlStream(
        boost::asio::any_io_executor executor, io::Tasks& tasks, HelloOf hello, Post post);

    /// Once, with what a launch brought: from now on it is kept connected. `data.zk` was checked.
    void begin(const wire::TaskData& data);
    /// For every later Hello.
    void use_token(const std::string& token);
    void send(control::FromMember report);

  private:
    [[nodiscard]] io::Awaitable<void> run();
    [[nodiscard]] io::Awaitable<Result<io::Subscriber::Attempt>> attempt();
    [[nodiscard]] io::Awaitable<Result<io::Endpoint>> find_leader();
    [[nodiscard]] ErrorCode on_record(const std::string& record);
    void lost(ErrorCode why, const io::Response* refusal);
    [[nodiscard]] io::Awaitable<void> send_queued();

    boost::asio::any_io_executor executor_;
    io::EventStream stream_;
    io::Tasks& tasks_;
    HelloOf hello_;
    Post post_;
    std::unique_ptr<zookeeper::Client> zookeeper_;
    std::optional<io::Endpoint> leader_;  ///< The last one found: tried when ZooKeeper is away.
    std::deque<control::FromMember> queue_;
    bool sending_ = false;
    bool open_ = false;
    bool pause_ = false;  ///< A call failed on a stream that was open: do not hurry back.
};

}  // namespace mysos::executor
