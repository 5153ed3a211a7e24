#include "executor/rebuild/binlog_files.hpp"

#include "executor/install/installer.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace mysos::executor {
namespace {

namespace fs = std::filesystem;

/// A file read forwards in small pieces that lie close together or far apart.
class Window {
  public:
    explicit Window(const std::string& path) : fd_{::open(path.c_str(), O_RDONLY | O_CLOEXEC)} {}
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;
    ~Window()
    {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] bool is_open() const { return fd_ >= 0; }
    [[nodiscard]] int fd() const { return fd_; }

    /// Up to that many bytes; fewer at the file's end. Nothing: it cannot be read.
    [[nodiscard]] std::string_view at(std::uint64_t offset, std::size_t size)
    {
        if (offset < begin_ || offset + size > begin_ + filled_) {
            const auto got =
                ::pread(fd_, buffer_.data(), buffer_.size(), static_cast<off_t>(offset));
            begin_ = offset;
            filled_ = got > 0 ? static_cast<std::size_t>(got) : 0;
        }
        const std::string_view held{buffer_.data(), filled_};
        return held.substr(offset - begin_).substr(0, size);
    }

  private:
    int fd_;
    std::array<char, 65536> buffer_{};
    std::uint64_t begin_ = 0;
    std::size_t filled_ = 0;
};

}  // namespace

Outcome<std::vector<std::string>> log_files(const std::string& index)
{
    std::vector<std::string> files;
    std::error_code error;
    if (!fs::exists(index, error)) return files;
    std::ifstream lines{index};
    if (!lines) return Failure{InstallErrc::system_failed, "cannot read " + index};
    for (std::string line; std::getline(lines, line);) {
        if (line.empty()) continue;
        const fs::path file = fs::path(index).parent_path() / fs::path(line).filename();
        const auto size = fs::file_size(file, error);
        if (error) return system_failure(file.string(), error.value());
        // A crash may leave a file that was only begun.
        if (size > mysql::binlog_magic.size()) files.push_back(file.string());
    }
    return files;
}

Outcome<std::uint64_t> walk_log(const std::string& path, const OnEvent& on_event)
{
    Window file{path};
    struct stat facts {};
    if (!file.is_open() || ::fstat(file.fd(), &facts) != 0) return system_failure(path, errno);
    const auto size = static_cast<std::uint64_t>(facts.st_size);
    if (file.at(0, mysql::binlog_magic.size()) != mysql::binlog_magic)
        return Failure{
            InstallErrc::system_failed,
            path + " is encrypted, or no binary log: it cannot be read"};
    std::uint64_t offset = mysql::binlog_magic.size();
    while (offset < size) {
        const auto event = mysql::parse_event(file.at(offset, mysql::event_prefix_size));
        if (!event || event->size > size - offset) return offset;
        if (event->encrypts)
            return Failure{InstallErrc::system_failed, path + " is encrypted: it cannot be read"};
        on_event(offset, *event);
        offset += event->size;
    }
    return size;
}

}  // namespace mysos::executor
