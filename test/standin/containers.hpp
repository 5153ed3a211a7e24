#pragma once

#include "test/standin/agent.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <sys/types.h>

namespace mysos::standin {

/// What becomes of containers, told later and never in the call that caused it.
struct ContainerEvents {
    std::function<void(const std::string& container, int pid)> started;
    std::function<void(const std::string& container, const std::string& why, int status)> failed;
    std::function<void(const std::string& container, int status)> exited;
};

/// The processes of one agent, as the posix launcher has them: fetched, started in a session of
/// their own, killed with all that hangs on that session. They outlive the agent's machine.
class Containers {
  public:
    Containers(boost::asio::any_io_executor executor, ContainerEvents events);
    ~Containers();
    Containers(const Containers&) = delete;
    Containers& operator=(const Containers&) = delete;

    void launch(ContainerSpec spec);
    void destroy(const std::string& container);
    void adopt(const std::string& container, int pid);
    /// Those that no executor stands for any more.
    void destroy_all_but(const std::set<std::string>& kept);
    void destroy_all();

  private:
    struct Running {
        pid_t pid = -1;  ///< Leader of the session: the fetcher's first, then the executor's.
        bool started = false;
        bool destroyed = false;
    };
    boost::asio::awaitable<void> run(ContainerSpec spec);
    boost::asio::awaitable<void> watch(std::string container, pid_t pid);
    /// Kills what a process has left behind before its id can be used again; gives its status.
    boost::asio::awaitable<int> outlast(pid_t pid);
    void report(std::function<void()> event);

    boost::asio::any_io_executor executor_;
    ContainerEvents events_;
    std::map<std::string, Running> running_;
};

/// SIGKILL to a process, its descendants, and everything in its session and group, again and again
/// until nothing of it is left.
void kill_session(pid_t leader);
/// SIGKILL to every process whose environment names a sandbox below `work_dir`: what an executor
/// has let slip out of its session. Gives their number.
int kill_strays(const std::string& work_dir);

struct Command {
    std::string program;
    std::vector<std::string> arguments;  ///< With argv[0].
    std::vector<std::pair<std::string, std::string>> environment;
    std::filesystem::path directory;  ///< Also where `stdout` and `stderr` are appended to.
    std::optional<std::string> user;
    std::string network;  ///< Namespace of `ip netns` to run in; empty: the stand-in's own.
};
/// Starts it in a new session. Throws std::system_error, also for an unknown user.
[[nodiscard]] pid_t spawn(const Command& command);

/// The program that the stand-in runs instead of mesos-fetcher: itself, with this first argument.
inline constexpr const char* fetcher_argument = "--fetch";
/// Fetches what MESOS_FETCHER_URIS (serialized CommandInfo, base64) says into the working
/// directory.
[[nodiscard]] int run_fetcher();

}  // namespace mysos::standin
