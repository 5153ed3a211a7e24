#include "executor/install/cache_lock.hpp"

#include "executor/install/installer.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

namespace mysos::executor {

Outcome<CacheLock> CacheLock::take(const std::string& path)
{
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    if (error) return Failure{InstallErrc::system_failed, path + ": " + error.message()};
    constexpr mode_t mode = 0644;
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, mode);
    if (fd < 0) return system_failure(path, errno);
    CacheLock lock{fd};
    while (::flock(fd, LOCK_EX) != 0)
        if (errno != EINTR) return system_failure(path, errno);
    return lock;
}

CacheLock::CacheLock(CacheLock&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}

CacheLock::~CacheLock()
{
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace mysos::executor
