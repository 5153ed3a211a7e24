#pragma once

#include <spdlog/logger.h>

#include <memory>
#include <string>

/// Logs. One named logger an area; every line goes to stderr as
/// "2026-11-22T10:05:36.123Z info  election: promoted member=3 epoch=7".
namespace mysos::log {

enum class Verbosity { normal, verbose };

/// Once, at the start of a program. `verbose` shows debug lines. Loggers made before follow.
void configure(Verbosity verbosity);

/// The logger of an area, made when first asked for.
[[nodiscard]] std::shared_ptr<spdlog::logger> logger(const std::string& area);

}  // namespace mysos::log
