#pragma once

#include "common/io/http_server.hpp"
#include "common/io/tasks.hpp"
#include "common/io/zookeeper.hpp"
#include "scheduler/in/executor_streams.hpp"
#include "scheduler/in/leader_election.hpp"
#include "scheduler/in/mesos_events.hpp"
#include "scheduler/in/rest_api.hpp"
#include "scheduler/loop.hpp"
#include "scheduler/options.hpp"
#include "scheduler/out/executor_commands.hpp"
#include "scheduler/out/perform.hpp"
#include "scheduler/out/state_store.hpp"
#include "scheduler/out/zookeeper_publisher.hpp"
#include "scheduler/secrets.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <string>

namespace mysos::scheduler {

/// The program: owns everything, wires in -> decide -> out, and knows the order of start and stop.
///
/// It answers HTTP from the beginning, stands for election, and only as the leader reads the state,
/// decides, and speaks with Mesos and executors. It never steps back from leading: who may be
/// deposed ends, and begins anew as a standby when its supervisor starts it again.
class App final : private Ports {
  public:
    /// Throws FlagError when the key or an address is wrong.
    App(asio::any_io_executor executor, Options options);

    /// Until cancelled (success: nothing is torn down in Mesos), or why it had to end.
    [[nodiscard]] io::Awaitable<ErrorCode> run();

    /// What to tell a person about the error that run() gave.
    [[nodiscard]] std::string reason(ErrorCode ec) const;

  private:
    // Barriers and effects.
    [[nodiscard]] io::Awaitable<ErrorCode> save(SaveFramework effect) override;
    [[nodiscard]] io::Awaitable<ErrorCode> save(SaveCluster effect) override;
    [[nodiscard]] io::Awaitable<ErrorCode> save(RemoveCluster effect) override;
    void start(const SendCall& effect) override;
    void start(const AcceptOffer& effect) override;
    void start(const AcceptStream& effect) override;
    void start(const RefuseStream& effect) override;
    void start(const CloseStream& effect) override;
    void start(const SendOrder& effect) override;
    void start(const ReadTree& effect) override;
    void start(const ApplyTree& effect) override;
    void start(const Reply& effect) override;
    void report(const Report& effect) override;
    void report(const Ignored& effect) override;
    void report(const Stop& effect) override;

    [[nodiscard]] io::Awaitable<ErrorCode> written(std::string key, std::string bytes);

    // Coroutines of its life.
    [[nodiscard]] io::Awaitable<void> lead();
    [[nodiscard]] io::Awaitable<ErrorCode> begin(Leadership leadership);
    [[nodiscard]] io::Awaitable<ErrorCode> serve(Leadership leadership, Recovery recovery);
    [[nodiscard]] io::Awaitable<void> subscribe();
    [[nodiscard]] io::Awaitable<void> watch_leadership(Leadership leadership);
    [[nodiscard]] io::Awaitable<void> say_waiting();
    [[nodiscard]] io::Awaitable<void> stop();

    void post(Input input);
    [[nodiscard]] const State& state() const;
    [[nodiscard]] RestPorts rest_ports();
    void finish(ErrorCode ec, std::string why = {});
    [[nodiscard]] std::optional<Secrets> secrets_of(const std::string& cluster) const;
    [[nodiscard]] std::string why_not() const;

    asio::any_io_executor executor_;
    Options options_;
    SecretBox box_;
    Dispenser dispenser_;
    zookeeper::Client zookeeper_;
    io::HttpServer server_;
    io::Tasks tasks_;
    asio::steady_timer end_;  ///< Never expires; cancelled by finish() and by a signal.
    std::optional<ErrorCode> result_;
    std::string why_;      ///< What to tell a person about it.
    std::string trouble_;  ///< What the beginning waits for.
    std::string leader_;   ///< Where another one leads, for whom we send there.
    HostPort address_;     ///< Ours, as others reach it.

    // From here on only as the leader.
    std::optional<LeaderElection> election_;
    std::unique_ptr<StateStore> store_;
    std::optional<ZookeeperPublisher> publisher_;
    std::optional<Loop> loop_;
    std::optional<MesosEvents> mesos_;
    ExecutorStreams streams_;
    RestApi rest_;
    bool is_leading_ = false;
};

}  // namespace mysos::scheduler
