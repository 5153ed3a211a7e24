#include "executor/out/spawn.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace mysos::executor {
namespace {

/// Owns a descriptor.
class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_{fd} {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor(Descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    Descriptor& operator=(Descriptor&& other) noexcept
    {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor()
    {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }
    void close() { *this = Descriptor{}; }

  private:
    int fd_ = -1;
};

struct Pipe {
    Descriptor read;
    Descriptor write;
};

Outcome<Pipe> make_pipe()
{
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure("pipe", errno);
    return Pipe{Descriptor{ends[0]}, Descriptor{ends[1]}};
}

/// What the child says when it cannot become the program: the step and the system's number.
struct Stumble {
    enum class Step : int { none, mount, user, directory, descriptors, program };
    Step step = Step::none;
    int number = 0;
};

std::vector<char*> pointers(const std::vector<std::string>& texts)
{
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    // execve takes char* and changes nothing.
    for (const std::string& text : texts)
        pointers.push_back(const_cast<char*>(text.c_str()));  // NOLINT(*-const-cast)
    pointers.push_back(nullptr);
    return pointers;
}

// From here to execve, in the child: only what is safe after fork in a process with threads.

bool become(const ServerUser& user)
{
    return ::setgroups(0, nullptr) == 0 && ::setgid(user.gid) == 0 && ::setuid(user.uid) == 0;
}

bool make(const Mount& mount)
{
    // What the machine mounts and unmounts later is to be seen here as well, not the reverse.
    return ::unshare(CLONE_NEWNS) == 0 &&
           ::mount("none", "/", nullptr, MS_REC | MS_SLAVE, nullptr) == 0 &&
           ::mount(mount.from.c_str(), mount.to.c_str(), nullptr, MS_BIND, nullptr) == 0;
}

void reset_signals()
{
    for (int number = 1; number < NSIG; ++number)
        ::signal(number, SIG_DFL);  // NOLINT(cert-err33-c): of those that cannot be, none matters
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Descriptors 0, 1, 2 and `keep` stay, `keep` until execve.
bool arrange_descriptors(int input, int output, int error, int keep)
{
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) return false;
    if (::dup2(input >= 0 ? input : null, 0) < 0) return false;
    if (::dup2(output >= 0 ? output : null, 1) < 0) return false;
    if (::dup2(error >= 0 ? error : 1, 2) < 0) return false;
    const auto kept = static_cast<unsigned>(keep);
    // Asio does not mark its sockets close-on-exec.
    if (kept > 3) ::close_range(3, kept - 1, 0);
    ::close_range(kept + 1, ~0U, 0);
    return true;
}

[[noreturn]] void give_up(int report, Stumble::Step step)
{
    const Stumble stumble{step, errno};
    const auto written = ::write(report, &stumble, sizeof stumble);
    ::_exit(written > 0 ? 127 : 126);
}

[[noreturn]] void become_program(
    const Spawn& spawn, char* const* arguments, char* const* environment, pid_t parent, int report)
{
    using Step = Stumble::Step;
    ::setpgid(0, 0);
    reset_signals();
    ::umask(S_IWGRP | S_IRWXO);
    if (spawn.mount && !make(*spawn.mount)) give_up(report, Step::mount);
    if (spawn.user && !become(*spawn.user)) give_up(report, Step::user);
    // After the change of user, which clears it. The parent may be gone already.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(125);
    if (!spawn.directory.empty() && ::chdir(spawn.directory.c_str()) != 0)
        give_up(report, Step::directory);
    if (!arrange_descriptors(spawn.input, spawn.output, spawn.error, report))
        give_up(report, Step::descriptors);
    ::execve(arguments[0], arguments, environment);
    give_up(report, Step::program);
}

Failure failure_of(const Spawn& spawn, const Stumble& stumble)
{
    const std::string& program = spawn.arguments.front();
    switch (stumble.step) {
        case Stumble::Step::mount:
            return system_failure(
                "cannot mount " + spawn.mount->from + " for the server alone", stumble.number);
        case Stumble::Step::user:
            return system_failure("cannot become user " + spawn.user->name, stumble.number);
        case Stumble::Step::directory:
            return system_failure("cannot enter " + spawn.directory, stumble.number);
        case Stumble::Step::program: {
            Failure failure = system_failure("cannot run " + program, stumble.number);
            if (stumble.number == ENOENT) failure.code = InstallErrc::server_missing;
            return failure;
        }
        case Stumble::Step::none:
        case Stumble::Step::descriptors: break;
    }
    return system_failure("cannot start " + program, stumble.number);
}

/// Reads until the end or the deadline; false when that came first.
bool read_until(int fd, std::chrono::steady_clock::time_point deadline, std::string& text)
{
    constexpr std::size_t text_max = 1U << 20U;
    std::array<char, 8192> chunk{};
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) return false;
        pollfd entry{fd, POLLIN, 0};
        if (::poll(&entry, 1, static_cast<int>(left.count())) <= 0) continue;
        const auto size = ::read(fd, chunk.data(), chunk.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return true;
        if (text.size() < text_max) text.append(chunk.data(), static_cast<std::size_t>(size));
    }
}

/// Waits for the end of the child, which is killed at the deadline. False: it had to be.
bool wait_until(pid_t pid, std::chrono::steady_clock::time_point deadline, int& status)
{
    const Descriptor pid_fd{process_descriptor(pid)};
    bool in_time = true;
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (in_time && left.count() <= 0) {
            ::kill(pid, SIGKILL);
            in_time = false;
        }
        pollfd entry{pid_fd.get(), POLLIN, 0};
        ::poll(&entry, 1, in_time ? static_cast<int>(left.count()) : 100);
        if (::waitpid(pid, &status, WNOHANG) == pid) return in_time;
    }
}

std::string last_line(const std::string& text)
{
    const auto end = text.find_last_not_of(" \t\r\n");
    if (end == std::string::npos) return "it said nothing";
    const auto start = text.find_last_of('\n', end);
    return text.substr(start == std::string::npos ? 0 : start + 1, end - (start + 1) + 1)
        .substr(0, 300);
}

}  // namespace

Outcome<pid_t> spawn(const Spawn& spawn)
{
    auto report = make_pipe();
    if (report.has_error()) return report.error();
    const auto arguments = pointers(spawn.arguments);
    const auto environment = pointers(spawn.environment);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0)
        become_program(
            spawn, arguments.data(), environment.data(), parent, report.value().write.get());
    if (pid < 0) return system_failure("fork", errno);
    report.value().write.close();

    Stumble stumble;
    ssize_t size = 0;
    do size = ::read(report.value().read.get(), &stumble, sizeof stumble);
    while (size < 0 && errno == EINTR);
    if (size != sizeof stumble) return pid;
    int status = 0;
    ::waitpid(pid, &status, 0);
    return failure_of(spawn, stumble);
}

int process_descriptor(pid_t pid)
{
    return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

std::vector<std::string> bare_environment()
{
    std::vector<std::string> environment;
    for (const char* name : {"PATH", "TZ", "LANG"})
        if (const char* value = std::getenv(name))
            environment.push_back(std::string(name) + "=" + value);
    // mysqld says "start me again" (RESTART, a finished CLONE) by status 16 to a parent so named.
    environment.push_back("MYSQLD_PARENT_PID=" + std::to_string(::getpid()));
    return environment;
}

Outcome<std::string> run_program(const Spawn& order, std::chrono::seconds limit)
{
    const auto deadline = std::chrono::steady_clock::now() + limit;
    auto output = make_pipe();
    if (output.has_error()) return output.error();
    Spawn child = order;
    if (child.output < 0) {
        child.output = output.value().write.get();
    } else if (child.error < 0) {
        child.error = output.value().write.get();
    }
    const auto pid = spawn(child);
    if (pid.has_error()) return pid.error();
    output.value().write.close();
    std::string text;
    const bool ended = read_until(output.value().read.get(), deadline, text);
    int status = 0;
    const bool in_time =
        wait_until(pid.value(), ended ? deadline : std::chrono::steady_clock::now(), status);
    const std::string& program = child.arguments.front();
    if (!in_time)
        return Failure{
            InstallErrc::system_failed,
            program + " did not end within " + std::to_string(limit.count()) + " s"};
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
    const std::string how = WIFEXITED(status)
                                ? "ended with status " + std::to_string(WEXITSTATUS(status))
                                : "was killed by signal " + std::to_string(WTERMSIG(status));
    return Failure{InstallErrc::system_failed, program + " " + how + ": " + last_line(text)};
}

}  // namespace mysos::executor
