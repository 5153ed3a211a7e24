#pragma once

#include "common/base/failure.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace mysos::executor {

/// Makes `path` hold `text`, so that a crash of the machine at any moment leaves the old text or
/// the new one, and after this has returned the new one. Blocks for as long as the disk takes.
///
/// Shape:  written beside it, synced, renamed over it, and the directory synced.
/// Errors: system_failed, naming the file. The old text is then still there, or the new one.
[[nodiscard]] Outcome<void> write_durably(
    const std::string& path, std::string_view text, mode_t mode);

/// None: there is no such file. One of more than 64 KiB is none of ours: system_failed.
[[nodiscard]] Outcome<std::optional<std::string>> read_small_file(const std::string& path);

}  // namespace mysos::executor
