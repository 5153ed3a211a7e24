#include "scheduler/key_file.hpp"

#include "common/io/log.hpp"
#include "scheduler/secrets.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <unistd.h>

namespace mysos::scheduler {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t key_size = 32;

[[noreturn]] void fail(const char* what, const fs::path& path)
{
    const std::string why = std::generic_category().message(errno);
    throw FlagError{"work_dir", std::string{what} + " '" + path.string() + "': " + why};
}

/// Leaves the error as it is: it is yet to be told.
void discard(const std::string& path)
{
    const int error = errno;
    ::unlink(path.c_str());
    errno = error;
}

/// Either the whole key is there under its name, or nothing is. False: somebody else made one
/// meanwhile, which holds.
bool write_key(const fs::path& path, const std::string& key)
{
    std::string unfinished = path.string() + ".XXXXXX";
    const int file = ::mkostemp(unfinished.data(), O_CLOEXEC);  // 0600
    if (file < 0) fail("cannot make", unfinished);
    const ssize_t written = ::write(file, key.data(), key.size());
    const bool whole = written == static_cast<ssize_t>(key.size());
    if (!whole && written >= 0) errno = ENOSPC;
    const bool durable = whole && ::fsync(file) == 0;
    const bool closed = ::close(file) == 0;
    if (!durable || !closed) {
        discard(unfinished);
        fail("cannot write", unfinished);
    }
    const bool is_first = ::link(unfinished.c_str(), path.c_str()) == 0;
    discard(unfinished);
    if (!is_first && errno != EEXIST) fail("cannot make", path);
    const int directory = ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) fail("cannot open", path.parent_path());
    const bool named = ::fsync(directory) == 0;
    if (::close(directory) != 0 || !named) fail("cannot write", path.parent_path());
    return is_first;
}

}  // namespace

std::string load_or_make_key(const Options& options)
{
    if (options.scheduler_key) return *options.scheduler_key;
    const fs::path path = fs::path{options.work_dir} / "scheduler.key";
    std::error_code ec;
    if (!fs::exists(path, ec)) {
        fs::create_directories(options.work_dir, ec);
        if (ec) {
            const std::string why = ec.message();
            throw FlagError{"work_dir", "cannot make '" + options.work_dir + "': " + why};
        }
        std::string key = draw_key();
        if (write_key(path, key)) {
            log::logger("scheduler")
                ->warn(
                    "made a key: the stored passwords are lost without it, keep a copy file={}",
                    path.string());
            return key;
        }
    }
    std::ifstream file{path, std::ios::binary};
    std::ostringstream content;
    content << file.rdbuf();
    if (!file) fail("cannot read", path);
    std::string key = content.str();
    if (key.size() != key_size) {
        throw FlagError{
            "work_dir",
            "'" + path.string() + "' has " + std::to_string(key.size()) +
                " bytes, a key has 32: put the right one there, or name it by --scheduler_keypath"};
    }
    return key;
}

}  // namespace mysos::scheduler
