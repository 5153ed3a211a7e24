#pragma once

#include "common/base/failure.hpp"

#include <string>

namespace mysos::executor {

/// Keeps other executors away from a volume for as long as it lives. An agent that has lost its
/// memory, or an operator, may start a second one while the first still writes there.
///
/// Nothing is written: the directory itself is locked. The kernel ends the lock of one that dies.
class VolumeLock {
  public:
    /// Does not wait. Errors: system_failed, when another has it, naming the volume.
    [[nodiscard]] static Outcome<VolumeLock> take(const std::string& volume);

    VolumeLock(VolumeLock&& other) noexcept;
    VolumeLock(const VolumeLock&) = delete;
    VolumeLock& operator=(VolumeLock&&) = delete;
    VolumeLock& operator=(const VolumeLock&) = delete;
    ~VolumeLock();

  private:
    explicit VolumeLock(int fd) : fd_{fd} {}
    int fd_;
};

}  // namespace mysos::executor
