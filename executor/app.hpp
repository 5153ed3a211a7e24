#pragma once

#include "common/io/offload.hpp"
#include "common/io/tasks.hpp"
#include "executor/in/agent_events.hpp"
#include "executor/in/control_stream.hpp"
#include "executor/install/path_lock.hpp"
#include "executor/loop.hpp"
#include "executor/options.hpp"
#include "executor/out/operations.hpp"
#include "executor/out/server_runs.hpp"
#include "executor/out/setup.hpp"
#include "executor/out/volume_files.hpp"
#include "executor/rebuild/peer_server.hpp"
#include "executor/rebuild/rebuilds.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/signal_set.hpp>

#include <optional>
#include <string>

namespace mysos::executor {

/// The executor: all its parts, wired in -> decide -> out.
///
/// Lifetime: must outlive run(). Its end kills the server, if one still runs. Thread: the event
/// loop's, which must be the main thread: the server dies with it.
class App {
  public:
    App(boost::asio::any_io_executor executor, Options options);

    /// Until the agent or the task's end says so. SIGTERM and SIGINT stop as a SHUTDOWN does; a
    /// second one ends the process at once.
    [[nodiscard]] io::Awaitable<void> run();

  private:
    [[nodiscard]] Post poster();
    [[nodiscard]] control::Hello hello() const;
    void await_signal();

    // Effects, one overload each; out/perform.cpp.
    [[nodiscard]] io::Awaitable<bool> perform(const Effect& effect);
    [[nodiscard]] io::Awaitable<bool> claim(Identity identity);
    [[nodiscard]] io::Awaitable<void> save(EpochRecord record);
    [[nodiscard]] io::Awaitable<void> save_token(std::string token);
    [[nodiscard]] bool perform_now(const Effect& effect);
    void inspect();
    void begin_operation();
    /// Of a rebuild, or of its donor. False: of something else.
    [[nodiscard]] bool perform_operation(const Effect& effect);
    [[nodiscard]] bool perform_rebuild(const Effect& effect);
    [[nodiscard]] std::optional<Donation> donation() const;

    Options options_;
    io::Offload offload_;
    io::Tasks tasks_;
    Loop loop_;
    AgentEvents agent_;
    ControlStream control_;
    Setup setup_;
    ServerRuns runs_;
    Operations operations_;
    Rebuilds rebuilds_;
    PeerServer peers_;
    std::optional<PathLock> lock_;      ///< Once the volume has been found.
    std::optional<VolumeFiles> files_;  ///< Likewise.
    boost::asio::signal_set signals_;
};

}  // namespace mysos::executor
