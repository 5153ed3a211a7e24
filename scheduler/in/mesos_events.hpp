#pragma once

#include "common/io/event_stream.hpp"
#include "common/io/master_detector.hpp"
#include "common/io/tasks.hpp"
#include "common/mesos/call.hpp"
#include "common/mesos/ids.hpp"
#include "scheduler/decide/input.hpp"
#include "scheduler/options.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace mysos::scheduler {

namespace asio = boost::asio;

/// The connection to the leading Mesos master: its events become inputs, calls go out beside the
/// stream. Subscribes anew by itself, with a jittered backoff, wherever the master is then.
///
/// Use on the thread of `executor` only. Must outlive its coroutines.
class MesosEvents {
  public:
    struct Config {
        std::optional<Credentials> authentication;
        std::optional<io::Tls> tls;  ///< Set: every master is spoken to over TLS.
        Duration retry_min = std::chrono::milliseconds{250};
        Duration retry_max = std::chrono::seconds{10};
        Duration say_waiting_every = std::chrono::seconds{5};
    };
    using Post = std::function<void(Input)>;
    using MakeSubscribe = std::function<mesos::Subscribe()>;

    MesosEvents(
        const asio::any_io_executor& executor,
        Config config,
        std::unique_ptr<io::MasterDetector> detector,
        Post post,
        MakeSubscribe make_subscribe);
    ~MesosEvents() = default;
    MesosEvents(const MesosEvents&) = delete;
    MesosEvents& operator=(const MesosEvents&) = delete;

    /// Until cancelled: operation_aborted.
    [[nodiscard]] io::Awaitable<ErrorCode> run();

    /// Ends the stream, so that the framework's failover time begins. run() is to be cancelled.
    void close();

    /// Sends it, after the calls before it. What becomes of it is logged; what it changes comes
    /// back as an event or not at all.
    void call(const mesos::Call& call, const mesos::FrameworkId& framework_id);

  private:
    [[nodiscard]] io::Awaitable<Result<io::Subscriber::Attempt>> where();
    /// Drops the stream once its master leads no more.
    [[nodiscard]] io::Awaitable<void> watch(mesos::Master master);
    /// Says every few seconds that there is no master yet, and why.
    [[nodiscard]] io::Awaitable<void> say_waiting();
    [[nodiscard]] io::Awaitable<void> send(std::string body, std::string what);
    void subscribed();
    [[nodiscard]] ErrorCode take(const std::string& record);
    void lost(ErrorCode why, const io::Response* refusal);

    Config config_;
    std::unique_ptr<io::MasterDetector> detector_;
    Post post_;
    MakeSubscribe make_subscribe_;
    io::EventStream stream_;
    io::Tasks tasks_;
    std::optional<mesos::Master> watched_;
    bool is_subscribed_ = false;
    std::string trouble_;  ///< Why the last attempt failed.
};

}  // namespace mysos::scheduler
