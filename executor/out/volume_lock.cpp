#include "executor/out/volume_lock.hpp"

#include "executor/install/installer.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

namespace mysos::executor {

Outcome<VolumeLock> VolumeLock::take(const std::string& volume)
{
    const int fd = ::open(volume.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return system_failure(volume, errno);
    VolumeLock lock{fd};
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno != EWOULDBLOCK) return system_failure(volume, errno);
    return Failure{InstallErrc::system_failed, "another executor still runs on " + volume};
}

VolumeLock::VolumeLock(VolumeLock&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}

VolumeLock::~VolumeLock()
{
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace mysos::executor
