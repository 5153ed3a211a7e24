#include "common/base/version.hpp"
#include "common/io/log.hpp"
#include "common/io/signals.hpp"
#include "scheduler/app.hpp"
#include "scheduler/flags.hpp"
#include "scheduler/options.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <vector>

namespace mysos {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_flags = 2;

std::optional<std::string> variable(const std::string& name)
{
    const char* const value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

int complain(const std::exception& e, int code)
{
    std::fprintf(stderr, "mysos-scheduler: %s\n", e.what());
    return code;
}

int serve(scheduler::Options options)
{
    log::configure(options.verbose ? log::Verbosity::verbose : log::Verbosity::normal);
    log::logger("scheduler")->info("starts version={}", version_text);
    for (const std::string& warning : options.warnings) log::logger("scheduler")->warn(warning);

    boost::asio::io_context context{1};
    scheduler::App app{context.get_executor(), std::move(options)};
    const ErrorCode ec = io::run_until_signal(context, app.run());
    if (ec) {
        log::logger("scheduler")->error("ends: {}", app.reason(ec));
        return exit_failed;
    }
    log::logger("scheduler")->info("ended; servers and the framework stay");
    return EXIT_SUCCESS;
}

int run(const std::vector<std::string>& words)
{
    std::optional<scheduler::Options> options;
    try {
        const scheduler::Flags flags = scheduler::collect_flags(words, variable);
        if (flags.print) {
            std::fputs(flags.print->c_str(), stdout);
            return EXIT_SUCCESS;
        }
        options = scheduler::understand(flags);
    } catch (const std::exception& e) {
        return complain(e, exit_flags);
    }
    try {
        return serve(std::move(*options));
    } catch (const scheduler::FlagError& e) {
        return complain(e, exit_flags);
    } catch (const std::exception& e) {
        return complain(e, exit_failed);
    }
}

}  // namespace
}  // namespace mysos

int main(int argc, char** argv)
{
    return mysos::run({argv + 1, argv + argc});
}
