#include "common/io/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace mysos::log {
namespace {

/// The text with '?' for control characters: what a peer says must not end a line and begin one of
/// its own.
class CleanText final : public spdlog::custom_flag_formatter {
  public:
    void format(
        const spdlog::details::log_msg& message,
        const std::tm& /*time*/,
        spdlog::memory_buf_t& line) override
    {
        for (const char c : message.payload) {
            const auto byte = static_cast<unsigned char>(c);
            line.push_back(byte < 0x20 || byte == 0x7f ? '?' : c);
        }
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override
    {
        return std::make_unique<CleanText>();
    }
};

std::unique_ptr<spdlog::formatter> make_formatter()
{
    auto made = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    made->add_flag<CleanText>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %-7l %n: %*");
    return made;
}

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
    made->set_formatter(make_formatter());
    return made;
}

}  // namespace mysos::log
