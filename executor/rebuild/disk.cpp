#include "executor/rebuild/disk.hpp"

#include "executor/install/installer.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace mysos::executor {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t block = 512;  // Of stat's block count.

std::string leftover(const mysql::Directories& directories)
{
    return directories.data + ".old";
}

Failure refused(const fs::path& path, const std::error_code& error)
{
    return system_failure(path.string(), error.value());
}

Outcome<void> remove_tree(const fs::path& path)
{
    std::error_code error;
    fs::remove_all(path, error);
    if (error) return refused(path, error);
    return {};
}

Outcome<void> clear(const fs::path& directory)
{
    std::error_code error;
    if (!fs::exists(directory, error)) return {};
    for (const auto& entry : fs::directory_iterator(directory, error))
        if (auto removed = remove_tree(entry.path()); removed.has_error()) return removed;
    if (error) return refused(directory, error);
    return {};
}

/// Every file and directory below it, and their names.
Outcome<void> sync(const fs::path& directory)
{
    const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return system_failure(directory.string(), errno);
    const int synced = ::syncfs(fd);
    const int number = errno;
    ::close(fd);
    if (synced != 0) return system_failure(directory.string(), number);
    return {};
}

}  // namespace

std::uint64_t size_of_tree(const std::string& directory)
{
    std::uint64_t sum = 0;
    std::error_code error;
    auto entry = fs::recursive_directory_iterator(
        directory, fs::directory_options::skip_permission_denied, error);
    for (; !error && entry != fs::recursive_directory_iterator{}; entry.increment(error)) {
        struct stat facts {};
        if (::lstat(entry->path().c_str(), &facts) == 0)
            sum += static_cast<std::uint64_t>(facts.st_blocks) * block;
    }
    return sum;
}

Outcome<void> check_room(
    const std::string& volume, const mysql::Directories& directories, std::uint64_t bytes)
{
    struct statvfs facts {};
    if (::statvfs(volume.c_str(), &facts) != 0) return system_failure(volume, errno);
    const std::uint64_t own = size_of_tree(fs::path(directories.data).parent_path().string());
    const std::uint64_t room = facts.f_bavail * facts.f_frsize + own;
    // A copy's own logs begin small, and it grows from there.
    const std::uint64_t wanted = bytes + bytes / 10;
    if (wanted <= room) return {};
    constexpr unsigned mb = 20;
    return Failure{
        InstallErrc::system_failed,
        "no room: the donor's data take " + std::to_string(bytes >> mb) + " MB, the volume has " +
            std::to_string(room >> mb) + " MB for them"};
}

std::string staging(const mysql::Directories& directories)
{
    return directories.data + ".rebuild";
}

Outcome<void> wipe(const mysql::Directories& directories)
{
    std::error_code error;
    // What a broken-off wipe has left goes first: a name for the data must be free.
    if (auto done = remove_tree(leftover(directories)); done.has_error()) return done;
    if (fs::exists(directories.data, error)) {
        fs::rename(directories.data, leftover(directories), error);
        if (error) return refused(directories.data, error);
    }
    for (const std::string& path :
         {leftover(directories), staging(directories), directories.data + ".new"})
        if (auto done = remove_tree(path); done.has_error()) return done;
    for (const std::string& path : {directories.binlog, directories.relay, directories.tmp})
        if (auto done = clear(path); done.has_error()) return done;
    return {};
}

Outcome<void> make_staging(const mysql::Directories& directories)
{
    constexpr mode_t mode = 0750;
    const std::string path = staging(directories);
    if (auto done = remove_tree(path); done.has_error()) return done;
    if (::mkdir(path.c_str(), mode) != 0) return system_failure(path, errno);
    return {};
}

Outcome<void> accept_staging(const mysql::Directories& directories)
{
    const std::string top = fs::path(directories.data).parent_path();
    // As long as it is ours, all in it is handed over before a server starts.
    if (::chown(top.c_str(), ::geteuid(), ::getegid()) != 0) return system_failure(top, errno);
    if (auto synced = sync(staging(directories)); synced.has_error()) return synced;
    std::error_code error;
    fs::rename(staging(directories), directories.data, error);
    if (error) return refused(directories.data, error);
    return sync(top);
}

}  // namespace mysos::executor
