#include "common/io/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace mysos::log {
namespace {

constexpr const char* pattern = "%Y-%m-%dT%H:%M:%S.%eZ %-7l %n: %v";

}  // namespace

void configure(Verbosity verbosity)
{
    spdlog::set_level(verbosity == Verbosity::verbose ? spdlog::level::debug : spdlog::level::info);
    spdlog::flush_on(spdlog::level::debug);
}

std::shared_ptr<spdlog::logger> logger(const std::string& area)
{
    if (std::shared_ptr<spdlog::logger> known = spdlog::get(area)) return known;
    // All on the event loop's thread, yet a worker thread may log once: hence the _mt sink.
    static const auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    auto made = std::make_shared<spdlog::logger>(area, sink);
    spdlog::initialize_logger(made);
    made->set_pattern(pattern, spdlog::pattern_time_type::utc);
    return made;
}

}  // namespace mysos::log
