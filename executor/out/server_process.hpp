#pragma once

#include "common/base/failure.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "executor/install/data_directory.hpp"
#include "executor/install/installer.hpp"
#include "executor/out/spawn.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace mysos::executor {

/// How a server process ended.
struct ProcessExit {
    int status = 0;  ///< Of exit(), when no signal.
    int signal = 0;  ///< That killed it, or 0.
    friend bool operator==(const ProcessExit&, const ProcessExit&) = default;
};
/// "exited with status 1", "was killed by signal 9"
[[nodiscard]] std::string describe(const ProcessExit& exit);

struct ServerLaunch {
    ServerPrograms programs;
    std::string option_file;  ///< Path; written by the caller, readable for the user below.
    std::vector<std::string> arguments;  ///< Of mysql::arguments.
    std::string data_dir;                ///< Becomes the working directory; the socket lies there.
    std::optional<Mount> mount;          ///< For the server alone.
    std::string seen_data_dir;           ///< As the server sees it; empty: the same.
    std::string log_path;            ///< Opened by us, appended; what the server says goes there.
    std::optional<ServerUser> user;  ///< Whom to become. None: stay who we are.
};

/// A mysqld or mariadbd that is a child of this process and dies with it.
///
/// The kernel kills it when the *thread* that started it ends (PR_SET_PDEATHSIG), so `start` is
/// called on the event loop's thread and nowhere else. It inherits no descriptor. Its end is seen
/// through a pidfd, so nobody else needs to reap it and no signal handler is installed.
///
/// Lifetime: destroying it kills the server with SIGKILL and reaps it. Thread: the event loop's.
class ServerProcess {
  public:
    /// Errors: InstallErrc::server_missing or system_failed, naming the file. A server that starts
    /// and ends at once is no error here: `exited` tells.
    [[nodiscard]] static Outcome<std::unique_ptr<ServerProcess>> start(
        boost::asio::any_io_executor executor, const ServerLaunch& launch);

    ServerProcess(const ServerProcess&) = delete;
    ServerProcess& operator=(const ServerProcess&) = delete;
    ~ServerProcess();

    [[nodiscard]] pid_t pid() const { return pid_; }

    /// A short path to its socket, good while this object lives, in this process only: through an
    /// open descriptor of the data directory, since a path of over 107 bytes cannot be connected
    /// to.
    [[nodiscard]] std::string socket() const;

    /// Nothing while it runs.
    [[nodiscard]] std::optional<ProcessExit> exit() const { return exit_; }

    /// Waits until it has ended and is reaped; at once when it has. May be awaited several times at
    /// once. Errors: operation_aborted when cancelled.
    [[nodiscard]] boost::asio::awaitable<Result<ProcessExit>> exited();

    /// Asks for a clean end. Releases waiting commits as if acknowledged: never on a primary that
    /// has some.
    void terminate();
    /// Fencing: the end of every promise this server could still make.
    void kill();

    /// terminate, and kill when `grace` is over.
    [[nodiscard]] boost::asio::awaitable<Result<ProcessExit>> stop(Duration grace);

  private:
    ServerProcess(boost::asio::any_io_executor executor, pid_t pid, int pid_fd, int directory_fd);
    void reap();

    pid_t pid_;
    boost::asio::posix::stream_descriptor pid_fd_;
    int directory_fd_;
    std::optional<ProcessExit> exit_;
};

/// The end of a server's log, for a message to a person: at most `lines` lines, each at most 200
/// bytes.
[[nodiscard]] std::string log_tail(const std::string& path, std::size_t lines);

}  // namespace mysos::executor
