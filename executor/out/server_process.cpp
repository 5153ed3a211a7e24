#include "executor/out/server_process.hpp"

#include "common/mysql/config.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace mysos::executor {
namespace {

namespace asio = boost::asio;

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

std::vector<std::string> command_line(const ServerLaunch& launch)
{
    std::vector<std::string> words{launch.programs.server, "--defaults-file=" + launch.option_file};
    words.insert(words.end(), launch.programs.options.begin(), launch.programs.options.end());
    words.insert(words.end(), launch.arguments.begin(), launch.arguments.end());
    return words;
}

}  // namespace

std::string describe(const ProcessExit& exit)
{
    return exit.signal != 0 ? "was killed by signal " + std::to_string(exit.signal)
                            : "exited with status " + std::to_string(exit.status);
}

Outcome<std::unique_ptr<ServerProcess>> ServerProcess::start(
    asio::any_io_executor executor, const ServerLaunch& launch)
{
    const int directory = ::open(launch.data_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return system_failure("data directory " + launch.data_dir, errno);
    // MySQL's names a process id, and after a reboot some other process may go by that number. What
    // keeps two servers out of one data directory is InnoDB's own lock on its files.
    const std::string lock = std::string(mysql::socket_name) + ".lock";
    if (::unlinkat(directory, lock.c_str(), 0) != 0 && errno != ENOENT) {
        const Failure failure = system_failure(launch.data_dir + "/" + lock, errno);
        ::close(directory);
        return failure;
    }
    constexpr mode_t log_mode = 0640;
    const int log =
        ::open(launch.log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, log_mode);
    if (log < 0) {
        const Failure failure = system_failure("log " + launch.log_path, errno);
        ::close(directory);
        return failure;
    }
    Spawn order;
    order.arguments = command_line(launch);
    order.environment = bare_environment();
    order.mount = launch.mount;
    order.directory = launch.seen_data_dir.empty() ? launch.data_dir : launch.seen_data_dir;
    order.user = launch.user;
    order.output = log;
    const auto pid = spawn(order);
    ::close(log);
    if (pid.has_error()) {
        ::close(directory);
        return pid.error();
    }
    const int pid_fd = process_descriptor(pid.value());
    if (pid_fd < 0) {
        const Failure failure = system_failure("pidfd_open", errno);
        ::kill(pid.value(), SIGKILL);
        ::waitpid(pid.value(), nullptr, 0);
        ::close(directory);
        return failure;
    }
    return std::unique_ptr<ServerProcess>{
        new ServerProcess(std::move(executor), pid.value(), pid_fd, directory)};
}

ServerProcess::ServerProcess(
    asio::any_io_executor executor, pid_t pid, int pid_fd, int directory_fd)
    : pid_{pid}, pid_fd_{executor, pid_fd}, directory_fd_{directory_fd}
{}

ServerProcess::~ServerProcess()
{
    if (!exit_) {
        kill();
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
    }
    ::close(directory_fd_);
}

std::string ServerProcess::socket() const
{
    return "/proc/self/fd/" + std::to_string(directory_fd_) + "/" + std::string(mysql::socket_name);
}

asio::awaitable<Result<ProcessExit>> ServerProcess::exited()
{
    while (!exit_) {
        const auto [error] =
            co_await pid_fd_.async_wait(asio::posix::stream_descriptor::wait_read, as_values);
        if (error) co_return error;
        reap();
    }
    co_return *exit_;
}

void ServerProcess::terminate()
{
    // Until it is reaped the number is its own.
    if (!exit_) ::kill(pid_, SIGTERM);
}

void ServerProcess::kill()
{
    if (!exit_) ::kill(pid_, SIGKILL);
}

asio::awaitable<Result<ProcessExit>> ServerProcess::stop(Duration grace)
{
    using asio::experimental::awaitable_operators::operator||;
    terminate();
    asio::steady_timer timer{pid_fd_.get_executor(), grace};
    const auto first = co_await (exited() || timer.async_wait(as_values));
    if (first.index() == 0) co_return std::get<0>(first);
    kill();
    co_return co_await exited();
}

void ServerProcess::reap()
{
    int status = 0;
    if (exit_ || ::waitpid(pid_, &status, WNOHANG) != pid_) return;
    exit_ = WIFSIGNALED(status) ? ProcessExit{0, WTERMSIG(status)}
                                : ProcessExit{WEXITSTATUS(status), 0};
}

std::string log_tail(const std::string& path, std::size_t lines)
{
    constexpr std::streamoff tail_max = 16384;
    constexpr std::size_t line_max = 200;
    std::ifstream file{path, std::ios::binary | std::ios::ate};
    if (!file) return {};
    const std::streamoff size = file.tellg();
    file.seekg(std::max<std::streamoff>(0, size - tail_max));
    std::vector<std::string> kept;
    for (std::string line; std::getline(file, line);) {
        if (line.empty()) continue;
        kept.push_back(line.substr(0, line_max));
        if (kept.size() > lines) kept.erase(kept.begin());
    }
    std::string text;
    for (const std::string& line : kept) text += (text.empty() ? "" : "\n") + line;
    return text;
}

}  // namespace mysos::executor
