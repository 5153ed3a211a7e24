#include "common/base/version.hpp"
#include "common/io/log.hpp"
#include "executor/app.hpp"
#include "executor/options.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace mysos::executor {
namespace {

std::optional<std::string> variable(const char* name)
{
    const char* value = std::getenv(name);
    if (value == nullptr) return std::nullopt;
    return value;
}

/// Whatever the agent that started us hands down.
void take_over()
{
    // The cache is read by the server's user. Secrets have their modes set.
    ::umask(S_IWGRP | S_IWOTH);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGCHLD, SIG_DFL);  // Ignored, the end of a child could not be waited for.
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void serve(Options options)
{
    boost::asio::io_context context{1};
    App app{context.get_executor(), std::move(options)};
    auto ended = [&](const std::exception_ptr& failure) {
        if (failure) std::rethrow_exception(failure);
        context.stop();
    };
    boost::asio::co_spawn(context, app.run(), ended);
    context.run();
    // Pool threads may still wait for a server or a download that nobody needs any more, and the
    // kernel ends the children with this thread.
    std::fflush(nullptr);
    ::_exit(0);
}

int run(const std::vector<std::string>& words)
{
    try {
        const CommandLine line = parse_command_line(words);
        if (line.command == Command::help) return std::fputs(help_text, stdout) < 0 ? 1 : 0;
        if (line.command == Command::version) {
            return std::printf("mysos-executor %s\n", version_text) < 0 ? 1 : 0;
        }
        Options options = read_environment(variable);
        // No child needs it, and none shall have it.
        ::unsetenv("MESOS_EXECUTOR_AUTHENTICATION_TOKEN");
        log::configure(line.verbose ? log::Verbosity::verbose : log::Verbosity::normal);
        take_over();
        serve(std::move(options));
    } catch (const BadOption& bad) {
        std::fprintf(stderr, "mysos-executor: %s\n", bad.what());
        return 2;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "mysos-executor: %s\n", failure.what());
        return 1;
    }
    return 0;
}

}  // namespace
}  // namespace mysos::executor

int main(int argc, char** argv)
{
    return mysos::executor::run({argv + 1, argv + argc});
}
