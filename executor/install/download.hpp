#pragma once

#include "common/base/failure.hpp"

#include <functional>
#include <string>

namespace mysos::executor {

/// Fetches an http or https uri into a file. Blocks, on an event loop of its own. In pieces where
/// the server knows ranges, so that a package of any size takes little memory.
///
/// Errors: InstallErrc::download_failed with the uri (without credentials) and why; arguments_wrong
///         for another scheme; system_failed when the file cannot be written.
[[nodiscard]] Outcome<void> download(
    const std::string& uri,
    const std::string& file,
    const std::function<void(unsigned percent)>& on_progress);

/// 64 hexadecimal digits. Blocks. Errors: download_failed when the file cannot be read, naming it.
[[nodiscard]] Outcome<std::string> sha256_of(const std::string& file);

}  // namespace mysos::executor
