#include "executor/rebuild/child.hpp"

#include "executor/out/server_process.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace mysos::executor {
namespace {

namespace asio = boost::asio;

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

}  // namespace

struct Child::Parts {
    std::string program;
    std::string log_path;
    pid_t pid;
    asio::posix::stream_descriptor pid_fd;
    asio::posix::stream_descriptor pipe;
    std::optional<ProcessExit> exit{};
};

Child::Child(std::unique_ptr<Parts> parts) : parts_{std::move(parts)} {}

Child::~Child()
{
    if (parts_->exit) return;
    kill();
    while (::waitpid(parts_->pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

Outcome<std::unique_ptr<Child>> Child::start(
    asio::any_io_executor executor, Spawn order, Pipe direction, const std::string& log_path)
{
    constexpr mode_t log_mode = 0640;
    const int log = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, log_mode);
    if (log < 0) return system_failure("log " + log_path, errno);
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        const Failure failure = system_failure("pipe", errno);
        ::close(log);
        return failure;
    }
    const bool from_it = direction == Pipe::from_it;
    const int ours = from_it ? ends[0] : ends[1];
    const int its = from_it ? ends[1] : ends[0];
    if (!from_it) order.input = its;
    order.output = from_it ? its : log;
    order.error = log;
    const auto pid = spawn(order);
    ::close(its);
    ::close(log);
    if (pid.has_error()) {
        ::close(ours);
        return pid.error();
    }
    const int pid_fd = process_descriptor(*pid);
    if (pid_fd < 0) {
        const Failure failure = system_failure("pidfd_open", errno);
        ::kill(*pid, SIGKILL);
        ::waitpid(*pid, nullptr, 0);
        ::close(ours);
        return failure;
    }
    Parts parts{order.arguments.front(), log_path, *pid, {executor, pid_fd}, {executor, ours}};
    return std::unique_ptr<Child>{new Child(std::make_unique<Parts>(std::move(parts)))};
}

io::Awaitable<Outcome<std::size_t>> Child::read(char* into, std::size_t size)
{
    const auto [error, got] =
        co_await parts_->pipe.async_read_some(asio::buffer(into, size), as_values);
    if (error == asio::error::eof) co_return std::size_t{0};
    if (error) co_return Failure{error, parts_->program + ": " + error.message()};
    co_return got;
}

io::Awaitable<Outcome<void>> Child::write(std::string_view bytes)
{
    const auto [error, put] =
        co_await asio::async_write(parts_->pipe, asio::buffer(bytes), as_values);
    if (!error) co_return Outcome<void>{};
    // Gone: why, its end tells.
    if (error == asio::error::broken_pipe) {
        Outcome<void> end = co_await ended();
        if (end.has_error()) co_return end;
    }
    co_return Failure{error, parts_->program + ": " + error.message()};
}

void Child::close_pipe()
{
    boost::system::error_code ignored;
    parts_->pipe.close(ignored);
}

io::Awaitable<Outcome<void>> Child::ended()
{
    while (!parts_->exit) {
        const auto [error] = co_await parts_->pid_fd.async_wait(
            asio::posix::stream_descriptor::wait_read, as_values);
        if (error) co_return Failure{error, parts_->program + ": " + error.message()};
        int status = 0;
        if (::waitpid(parts_->pid, &status, WNOHANG) != parts_->pid) continue;
        parts_->exit = WIFSIGNALED(status) ? ProcessExit{0, WTERMSIG(status)}
                                           : ProcessExit{WEXITSTATUS(status), 0};
    }
    if (*parts_->exit == ProcessExit{}) co_return Outcome<void>{};
    co_return Failure{
        InstallErrc::system_failed,
        parts_->program + " " + describe(*parts_->exit) + ": " + log_tail(parts_->log_path, 1)};
}

void Child::kill()
{
    if (!parts_->exit) ::kill(parts_->pid, SIGKILL);
}

}  // namespace mysos::executor
