#include "executor/install/installer.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace mysos::executor {
namespace {

std::string variable(const char* name)
{
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

/// Who is neither we nor root could have put a server of his own there.
bool is_foreign(const struct stat& status)
{
    return status.st_uid != ::geteuid() && status.st_uid != 0;
}

}  // namespace

std::string default_cache_dir()
{
    if (auto said = variable("MYSOS_CACHE_DIR"); !said.empty()) return said;
    if (::geteuid() == 0) return "/var/cache/mysos";
    if (auto cache = variable("XDG_CACHE_HOME"); !cache.empty()) return cache + "/mysos";
    if (auto home = variable("HOME"); !home.empty()) return home + "/.cache/mysos";
    return "/tmp/mysos-" + std::to_string(::geteuid());
}

Outcome<void> secure_cache_dir(const std::string& path)
{
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return system_failure(path, error.value());
    struct stat link {};
    struct stat directory {};
    if (::lstat(path.c_str(), &link) != 0 || ::stat(path.c_str(), &directory) != 0)
        return system_failure(path, errno);
    const bool is_open_to_all = (directory.st_mode & S_IWOTH) != 0;
    if (!is_foreign(link) && !is_foreign(directory) && !is_open_to_all) return {};
    return Failure{
        InstallErrc::cache_foreign,
        path + (is_open_to_all ? " may be written by anybody" : " belongs to somebody else") +
            ", and programs are run from it: make it yours alone, or name another directory by "
            "MYSOS_CACHE_DIR"};
}

}  // namespace mysos::executor
