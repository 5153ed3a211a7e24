#pragma once

#include "common/base/failure.hpp"
#include "common/mysql/config.hpp"

#include <cstdint>
#include <string>

/// A member's directories, as a rebuild empties and fills them. Everything blocks.
namespace mysos::executor {

/// What the files below it take on the disk. What comes and goes meanwhile may or may not count.
[[nodiscard]] std::uint64_t size_of_tree(const std::string& directory);

/// Whether the volume has room for that many bytes of data once its own are gone.
/// Errors: system_failed, with the numbers.
[[nodiscard]] Outcome<void> check_room(
    const std::string& volume, const mysql::Directories& directories, std::uint64_t bytes);

/// Where data are put together before they take their place.
[[nodiscard]] std::string staging(const mysql::Directories& directories);

/// Deletes all that the server ever wrote: data, logs, temporary files, and what an earlier rebuild
/// left. The data directory is there whole or not at all, whatever happens in between.
/// Errors: system_failed, naming the file.
[[nodiscard]] Outcome<void> wipe(const mysql::Directories& directories);

/// An empty directory to put the data together in. Errors: system_failed.
[[nodiscard]] Outcome<void> make_staging(const mysql::Directories& directories);
/// Makes what is there the data directory, to be given to the server's user at its next start, and
/// durable. Errors: system_failed.
[[nodiscard]] Outcome<void> accept_staging(const mysql::Directories& directories);

}  // namespace mysos::executor
