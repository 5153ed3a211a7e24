#pragma once

#include "common/base/failure.hpp"

#include <string>

namespace mysos::executor {

/// Keeps other executors of this agent out of one entry of the cache, for as long as it lives.
/// Waits for them, however long they unpack; the kernel ends the lock of one that dies. Blocks.
class CacheLock {
  public:
    /// Makes the directories of `path` when missing. Errors: system_failed, naming the file.
    [[nodiscard]] static Outcome<CacheLock> take(const std::string& path);

    CacheLock(CacheLock&& other) noexcept;
    CacheLock(const CacheLock&) = delete;
    CacheLock& operator=(CacheLock&&) = delete;
    CacheLock& operator=(const CacheLock&) = delete;
    ~CacheLock();

  private:
    explicit CacheLock(int fd) : fd_{fd} {}
    int fd_;
};

}  // namespace mysos::executor
