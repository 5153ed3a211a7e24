#include "test/standin/containers.hpp"

#include "common/wire/base64.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cerrno>
#include <exception>
#include <pwd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace mysos::standin {

namespace {

namespace asio = boost::asio;

void rethrow(const std::exception_ptr& failure)
{
    if (failure) std::rethrow_exception(failure);
}

int open_pidfd(pid_t pid)
{
    return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}

/// The owner of the sandbox is the user that the executor runs as.
void give_sandbox(const ContainerSpec& spec)
{
    if (!spec.user || geteuid() != 0) return;
    const passwd* user = getpwnam(spec.user->c_str());
    if (user == nullptr)
        throw std::system_error{
            ENOENT, std::generic_category(), "no such user '" + *spec.user + "'"};
    if (chown(spec.sandbox.c_str(), user->pw_uid, user->pw_gid) != 0)
        throw std::system_error{errno, std::generic_category(), "chown of the sandbox"};
}

Command fetch_command(const ContainerSpec& spec)
{
    Command command;
    command.program = "/proc/self/exe";
    command.arguments = {"mesos-fetcher", fetcher_argument};
    command.environment = {
        {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        {"MESOS_SANDBOX", spec.sandbox.string()},
        {"MESOS_FETCHER_URIS", wire::encode_base64(spec.command.SerializeAsString())}};
    command.directory = spec.sandbox;
    command.user = spec.user;
    command.network = spec.network;
    return command;
}

Command executor_command(const ContainerSpec& spec)
{
    Command command;
    command.environment = spec.environment;
    command.directory = spec.sandbox;
    command.user = spec.user;
    command.network = spec.network;
    if (spec.command.shell()) {
        command.program = "/bin/sh";
        command.arguments = {"sh", "-c", spec.command.value()};
    } else {
        command.program = spec.command.value();
        command.arguments = {spec.command.arguments().begin(), spec.command.arguments().end()};
        if (command.arguments.empty()) command.arguments = {spec.command.value()};
    }
    return command;
}

}  // namespace

Containers::Containers(asio::any_io_executor executor, ContainerEvents events)
    : executor_{std::move(executor)}, events_{std::move(events)}
{}

Containers::~Containers()
{
    destroy_all();
}

void Containers::report(std::function<void()> event)
{
    asio::post(executor_, std::move(event));
}

void Containers::launch(ContainerSpec spec)
{
    running_.try_emplace(spec.container);
    asio::co_spawn(executor_, run(std::move(spec)), rethrow);
}

asio::awaitable<void> Containers::run(ContainerSpec spec)
{
    const std::string container = spec.container;
    std::string why;
    int status = -1;
    try {
        give_sandbox(spec);
        if (!spec.command.uris().empty()) {
            const Command fetch = fetch_command(spec);
            running_[container].pid = spawn(fetch);
            status = co_await outlast(running_[container].pid);
            running_[container].pid = -1;
            if (status != 0)
                why = "Failed to fetch all URIs for container '" + container +
                      "': exited with status " + std::to_string(WEXITSTATUS(status));
        }
        if (why.empty() && running_[container].destroyed)
            why = "Container destroyed while fetching";
        if (why.empty()) {
            const Command command = executor_command(spec);
            running_[container].pid = spawn(command);
        }
    } catch (const std::system_error& failure) {
        why = failure.what();
        status = -1;
    }
    if (!why.empty()) {
        running_.erase(container);
        report([this, container, why, status] { events_.failed(container, why, status); });
        co_return;
    }
    const pid_t pid = running_[container].pid;
    running_[container].started = true;
    report([this, container, pid] { events_.started(container, pid); });
    if (running_[container].destroyed) kill_session(pid);
    co_await watch(container, pid);
}

asio::awaitable<void> Containers::watch(std::string container, pid_t pid)
{
    const int status = co_await outlast(pid);
    running_.erase(container);
    report([this, container, status] { events_.exited(container, status); });
}

asio::awaitable<int> Containers::outlast(pid_t pid)
{
    const int descriptor = open_pidfd(pid);
    if (descriptor >= 0) {
        asio::posix::stream_descriptor process{executor_, descriptor};
        (void)co_await process.async_wait(
            asio::posix::stream_descriptor::wait_read, asio::as_tuple(asio::use_awaitable));
    }
    kill_session(pid);
    int status = 0;
    co_return waitpid(pid, &status, WNOHANG) == pid ? status : -1;
}

void Containers::destroy(const std::string& container)
{
    const auto found = running_.find(container);
    if (found == running_.end()) {
        report([this, container] { events_.exited(container, -1); });
        return;
    }
    found->second.destroyed = true;
    if (found->second.pid > 0) kill_session(found->second.pid);
}

void Containers::adopt(const std::string& container, int pid)
{
    if (running_.contains(container)) return;
    const int descriptor = open_pidfd(pid);
    if (descriptor < 0) {
        report([this, container] { events_.exited(container, -1); });
        return;
    }
    ::close(descriptor);
    running_[container] = Running{pid, true, false};
    asio::co_spawn(executor_, watch(container, pid), rethrow);
}

void Containers::destroy_all_but(const std::set<std::string>& kept)
{
    for (auto& [container, process] : running_) {
        if (kept.contains(container)) continue;
        process.destroyed = true;
        if (process.pid > 0) kill_session(process.pid);
    }
}

void Containers::destroy_all()
{
    destroy_all_but({});
}

}  // namespace mysos::standin
