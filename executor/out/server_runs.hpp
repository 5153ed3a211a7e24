#pragma once

#include "common/io/tasks.hpp"
#include "common/wire/task_data.hpp"
#include "executor/control/server_control.hpp"
#include "executor/decide/effect.hpp"
#include "executor/install/installer.hpp"
#include "executor/out/server_process.hpp"
#include "executor/post.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <optional>
#include <string>

namespace mysos::executor {

/// Starts and ends the member's server, one life after the other.
///
/// Lifetime: must outlive its tasks. Destroying it kills the server. Thread: the event loop's,
/// which is the thread whose end kills the server.
class ServerRuns {
  public:
    ServerRuns(boost::asio::any_io_executor executor, io::Tasks& tasks, Post post);

    struct Member {
        wire::TaskData data;
        std::string volume;  ///< Absolute, without symbolic links.
        std::string log_path;
        std::optional<std::string> operators_file;  ///< MYSOS_DEFAULTS_FILE.
    };
    void begin(Member member) { member_ = std::move(member); }

    /// Posts ServerNotStarted, or later ServerExited.
    void start(RunId run, StartMode mode, const ServerPrograms& programs);
    void kill(RunId run);
    void terminate(RunId run);

    /// Of the latest run, for orders, for probes and for peers: an observation must have its own.
    /// Shared with pool threads, which may outlive the run.
    [[nodiscard]] const std::shared_ptr<ServerControl>& orders() const { return orders_; }
    [[nodiscard]] const std::shared_ptr<ServerControl>& probes() const { return probes_; }
    [[nodiscard]] const std::shared_ptr<ServerControl>& donors() const { return donors_; }
    /// The latest run's directories as its server sees them, and what makes it see them so.
    struct View {
        std::optional<Mount> mount;
        mysql::Directories directories;
    };
    [[nodiscard]] const View& view() const { return view_; }
    [[nodiscard]] const Member& member() const { return member_; }

  private:
    [[nodiscard]] Outcome<void> try_start(StartMode mode, const ServerPrograms& programs);

    boost::asio::any_io_executor executor_;
    io::Tasks& tasks_;
    Post post_;
    Member member_;
    std::optional<ServerUser> user_;
    RunId run_{};
    View view_;
    std::shared_ptr<ServerProcess> process_;  ///< Shared with the task that waits for its end.
    std::shared_ptr<ServerControl> orders_;
    std::shared_ptr<ServerControl> probes_;
    std::shared_ptr<ServerControl> donors_;
};

}  // namespace mysos::executor
