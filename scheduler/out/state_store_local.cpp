#include "common/base/expects.hpp"
#include "common/io/offload.hpp"
#include "scheduler/out/state_store.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace mysos::scheduler {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

ErrorCode last_error()
{
    return {errno, boost::system::system_category()};
}

/// Owns a file descriptor.
class File {
  public:
    explicit File(int fd) : fd_{fd} {}
    File(File&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    File& operator=(File&&) = delete;
    ~File()
    {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] bool is_open() const { return fd_ >= 0; }

  private:
    int fd_;
};

File open_file(const fs::path& path, int flags)
{
    constexpr mode_t only_us = 0600;
    return File{::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, only_us)};
}

ErrorCode write_all(const File& file, std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t wrote = ::write(file.fd(), bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return last_error();
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return {};
}

/// A new or removed name is durable only when its directory is.
ErrorCode sync_directory(const fs::path& directory)
{
    const File file = open_file(directory, O_RDONLY | O_DIRECTORY);
    if (!file.is_open() || ::fsync(file.fd()) != 0) return last_error();
    return {};
}

ErrorCode write_file(const fs::path& path, std::string_view bytes)
{
    // Hidden names are no keys, so what a crash leaves is never read.
    const fs::path temporary = path.parent_path() / ("." + path.filename().string() + ".new");
    ErrorCode error;
    {
        const File file = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
        if (!file.is_open()) return last_error();
        error = write_all(file, bytes);
        if (!error && ::fsync(file.fd()) != 0) error = last_error();
    }
    if (!error && ::rename(temporary.c_str(), path.c_str()) != 0) error = last_error();
    if (error) {
        ::unlink(temporary.c_str());
        return error;
    }
    return sync_directory(path.parent_path());
}

ErrorCode remove_file(const fs::path& path)
{
    if (::unlink(path.c_str()) != 0) return errno == ENOENT ? ErrorCode{} : last_error();
    return sync_directory(path.parent_path());
}

Result<std::string> read_file(const fs::path& path)
{
    const File file = open_file(path, O_RDONLY);
    if (!file.is_open()) return last_error();
    std::string out;
    std::array<char, 16384> buffer{};
    for (;;) {
        const ssize_t got = ::read(file.fd(), buffer.data(), buffer.size());
        if (got == 0) return out;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return last_error();
        out.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

Result<StateStore::Records> read_all(const fs::path& directory)
{
    StateStore::Records out;
    std::error_code error;
    const auto read_into = [&out](const std::string& key, const fs::path& path) -> ErrorCode {
        Result<std::string> bytes = read_file(path);
        if (!bytes) return bytes.error();
        out[key] = std::move(*bytes);
        return {};
    };
    const ErrorCode framework = read_into(framework_key, directory / framework_key);
    if (framework && framework.value() != ENOENT) return framework;
    for (fs::directory_iterator it{directory / "clusters", error}, end; !error && it != end;
         it.increment(error)) {
        const std::string name = it->path().filename().string();
        if (name.starts_with('.')) continue;
        const ErrorCode cluster = read_into(cluster_key(name), it->path());
        if (cluster) return cluster;
    }
    if (error) return ErrorCode{error.value(), boost::system::system_category()};
    return out;
}

class LocalStore final : public StateStore {
  public:
    LocalStore(fs::path directory, File lock)
        : directory_{std::move(directory)}, lock_{std::move(lock)}
    {}

    asio::awaitable<Result<Records>> load() override
    {
        auto read = [directory = directory_] { return read_all(directory); };
        return disk_.run(std::move(read));
    }

    asio::awaitable<ErrorCode> save(std::string key, std::string bytes) override
    {
        auto write = [path = file(key), bytes = std::move(bytes)] {
            return write_file(path, bytes);
        };
        return disk_.run(std::move(write));
    }

    asio::awaitable<ErrorCode> remove(std::string key) override
    {
        auto unlink = [path = file(key)] { return remove_file(path); };
        return disk_.run(std::move(unlink));
    }

    [[nodiscard]] std::string place(const std::string& key) const override
    {
        return file(key).string();
    }

  private:
    [[nodiscard]] fs::path file(const std::string& key) const
    {
        // Names of clusters were checked where they came in; this is the last line.
        const fs::path relative{key};
        const std::string name = relative.filename().string();
        expects(!name.empty() && !name.starts_with('.'));
        expects(key == framework_key || key == cluster_key(name));
        return directory_ / relative;
    }

    fs::path directory_;
    File lock_;            ///< Held as long as we live; the system lets go of it with us.
    io::Offload disk_{1};  ///< A disk may stall for seconds; the event loop must not.
};

}  // namespace

Result<std::unique_ptr<StateStore>> make_local_store(const fs::path& directory)
{
    std::error_code error;
    fs::create_directories(directory / "clusters", error);
    if (error) return ErrorCode{error.value(), boost::system::system_category()};
    fs::permissions(directory, fs::perms::owner_all, error);
    if (error) return ErrorCode{error.value(), boost::system::system_category()};
    File lock = open_file(directory / ".lock", O_RDWR | O_CREAT);
    if (!lock.is_open()) return last_error();
    if (::flock(lock.fd(), LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? make_error_code(StoreErrc::locked) : last_error();
    return std::unique_ptr<StateStore>{
        std::make_unique<LocalStore>(fs::absolute(directory), std::move(lock))};
}

}  // namespace mysos::scheduler
