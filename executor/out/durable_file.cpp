#include "executor/out/durable_file.hpp"

#include "executor/install/installer.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace mysos::executor {
namespace {

Failure failure(const std::string& path)
{
    return {InstallErrc::system_failed, path + ": " + std::generic_category().message(errno)};
}

/// Closes itself.
class File {
  public:
    File(const std::string& path, int flags, mode_t mode = 0)
        : fd_{::open(path.c_str(), flags | O_CLOEXEC, mode)}
    {}
    ~File()
    {
        if (fd_ >= 0) ::close(fd_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    [[nodiscard]] bool is_open() const { return fd_ >= 0; }
    [[nodiscard]] int fd() const { return fd_; }

  private:
    int fd_;
};

bool write_all(int fd, std::string_view text)
{
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace

Outcome<void> write_durably(const std::string& path, std::string_view text, mode_t mode)
{
    const std::string beside = path + ".new";
    {
        const File file{beside, O_WRONLY | O_CREAT | O_TRUNC, mode};
        if (!file.is_open()) return failure(beside);
        // An older one may have been left with other rights.
        const bool written =
            ::fchmod(file.fd(), mode) == 0 && write_all(file.fd(), text) && ::fsync(file.fd()) == 0;
        if (!written) return failure(beside);
    }
    if (std::rename(beside.c_str(), path.c_str()) != 0) return failure(path);
    const File directory{path.substr(0, path.rfind('/') + 1), O_RDONLY | O_DIRECTORY};
    if (!directory.is_open() || ::fsync(directory.fd()) != 0) return failure(path);
    return boost::system::in_place_value;
}

Outcome<std::optional<std::string>> read_small_file(const std::string& path)
{
    constexpr std::size_t size_max = 65536;
    const File file{path, O_RDONLY};
    if (!file.is_open()) {
        if (errno == ENOENT) return std::optional<std::string>{};
        return failure(path);
    }
    std::string text(size_max + 1, '\0');
    std::size_t size = 0;
    for (;;) {
        const ssize_t got = ::read(file.fd(), text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failure(path);
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
        if (size > size_max) return Failure{InstallErrc::system_failed, path + ": too long"};
    }
    text.resize(size);
    return std::optional<std::string>{std::move(text)};
}

}  // namespace mysos::executor
