#include "test/support/process.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sstream>
#include <stdexcept>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mysos::test {
namespace {

namespace fs = std::filesystem;

constexpr int patience_ms = 100'000;  // Only ends a test that hangs.

std::string end_of(const std::string& text)
{
    constexpr std::size_t size_max = 4000;
    return text.size() <= size_max ? text : "…" + text.substr(text.size() - size_max);
}

[[noreturn]] void run(const Process::Order& order, pid_t parent)
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    const int file = ::open(order.output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file < 0) ::_exit(127);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    for (const auto& [name, value] : order.environment) {
        ::setenv(name.c_str(), value.c_str(), 1);
    }
    std::vector<std::string> copies = order.arguments;
    std::vector<char*> arguments;
    for (std::string& argument : copies) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    ::execvp(arguments.front(), arguments.data());
    ::_exit(127);
}

/// The file descriptor of a watch on what is written to a file.
class Watch {
  public:
    explicit Watch(const fs::path& path) : fd_{::inotify_init1(IN_CLOEXEC)}
    {
        if (::inotify_add_watch(fd_, path.c_str(), IN_MODIFY) < 0) {
            ::close(fd_);
            throw std::runtime_error{"cannot watch " + path.string()};
        }
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch() { ::close(fd_); }
    [[nodiscard]] int fd() const { return fd_; }
    void drain() const
    {
        std::array<char, 4096> events{};
        (void)!::read(fd_, events.data(), events.size());
    }

  private:
    int fd_;
};

std::string line_with(const std::string& text, const std::string& part)
{
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        const bool is_whole = !lines.eof();
        if (is_whole && line.find(part) != std::string::npos) return line;
    }
    return {};
}

}  // namespace

Process::Process(Order order) : order_{std::move(order)}
{
    const std::ofstream made{
        order_.output, std::ios::app};  // There to be watched before it is written.
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error{"fork"};
    if (pid_ == 0) run(order_, parent);
    pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (pidfd_ < 0) throw std::runtime_error{"pidfd_open"};
}

Process::~Process()
{
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    ::close(pidfd_);
}

void Process::signal(int number) const
{
    if (pid_ > 0) ::kill(pid_, number);
}

void Process::end() noexcept
{
    if (pid_ < 0) return;
    ::kill(pid_, SIGTERM);
    pollfd ended{pidfd_, POLLIN, 0};
    if (::poll(&ended, 1, patience_ms) != 1) return;
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

int Process::wait()
{
    if (pid_ < 0) return exit_status_;
    pollfd ended{pidfd_, POLLIN, 0};
    if (::poll(&ended, 1, patience_ms) != 1) {
        throw std::runtime_error{
            order_.arguments.front() + " does not end; it printed:\n" + end_of(output())};
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return exit_status_;
}

std::string Process::wait_for_line(const std::string& part)
{
    const Watch watch{order_.output};
    for (;;) {
        std::array<pollfd, 2> events{{{watch.fd(), POLLIN, 0}, {pidfd_, POLLIN, 0}}};
        // Asked before the file is read: what it printed last is then in it.
        const bool has_ended = ::poll(&events[1], 1, 0) == 1;
        std::string line = line_with(output(), part);
        if (!line.empty()) return line;
        if (has_ended || ::poll(events.data(), events.size(), patience_ms) == 0) {
            throw std::runtime_error{
                order_.arguments.front() + " did not print '" + part + "', but:\n" +
                end_of(output())};
        }
        if (events[0].revents != 0) watch.drain();
    }
}

std::string Process::output() const
{
    std::ifstream file{order_.output, std::ios::binary};
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
}

std::string after(const std::string& line, const std::string& before)
{
    const std::size_t at = line.find(before);
    if (at == std::string::npos) throw std::runtime_error{"no '" + before + "' in: " + line};
    const std::size_t begin = at + before.size();
    return line.substr(begin, line.find_first_of(" \t\n", begin) - begin);
}

}  // namespace mysos::test
