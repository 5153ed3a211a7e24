#include "executor/install/path_lock.hpp"

#include "executor/install/installer.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

namespace mysos::executor {

Outcome<PathLock> PathLock::wait_for(const std::string& file)
{
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(file).parent_path(), error);
    if (error) return Failure{InstallErrc::system_failed, file + ": " + error.message()};
    constexpr mode_t mode = 0644;
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, mode);
    if (fd < 0) return system_failure(file, errno);
    PathLock lock{fd};
    while (::flock(fd, LOCK_EX) != 0)
        if (errno != EINTR) return system_failure(file, errno);
    return lock;
}

Outcome<PathLock> PathLock::of_volume(const std::string& volume)
{
    const int fd = ::open(volume.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return system_failure(volume, errno);
    PathLock lock{fd};
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno != EWOULDBLOCK) return system_failure(volume, errno);
    return Failure{InstallErrc::system_failed, "another executor still runs on " + volume};
}

PathLock::PathLock(PathLock&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}

PathLock::~PathLock()
{
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace mysos::executor
