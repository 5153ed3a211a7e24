#pragma once

#include "common/base/failure.hpp"

#include <string>

namespace mysos::executor {

/// Keeps other executors away from something on disk for as long as it lives. The kernel ends the
/// lock of one that dies.
class PathLock {
  public:
    /// Of one entry of the cache, by a file beside it. Makes the file and its directories when
    /// missing, and waits for others, however long they unpack. Blocks. Errors: system_failed,
    /// naming the file.
    [[nodiscard]] static Outcome<PathLock> wait_for(const std::string& file);

    /// Of a volume: an agent that has lost its memory, or an operator, may start a second executor
    /// while the first still writes there. Nothing is written, the directory itself is locked, and
    /// does not wait. Errors: system_failed, when another has it, naming the volume.
    [[nodiscard]] static Outcome<PathLock> of_volume(const std::string& volume);

    PathLock(PathLock&& other) noexcept;
    PathLock(const PathLock&) = delete;
    PathLock& operator=(PathLock&&) = delete;
    PathLock& operator=(const PathLock&) = delete;
    ~PathLock();

  private:
    explicit PathLock(int fd) : fd_{fd} {}
    int fd_;
};

}  // namespace mysos::executor
