#include "executor/install/data_directory.hpp"

#include <array>
#include <cerrno>
#include <filesystem>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mysos::executor {
namespace {

namespace fs = std::filesystem;

Failure refused(const std::string& path)
{
    return system_failure(path, errno);
}

bool may_enter(const struct stat& directory, const ServerUser& user)
{
    if (directory.st_uid == user.uid) return (directory.st_mode & S_IXUSR) != 0;
    if (directory.st_gid == user.gid) return (directory.st_mode & S_IXGRP) != 0;
    return (directory.st_mode & S_IXOTH) != 0;
}

Outcome<void> give(const fs::path& path, const ServerUser& user)
{
    if (::lchown(path.c_str(), user.uid, user.gid) != 0) return refused(path.string());
    return {};
}

}  // namespace

Outcome<std::optional<ServerUser>> server_user()
{
    if (::geteuid() != 0) return std::optional<ServerUser>{};
    for (const char* name : {"mysos", "nobody"}) {
        std::array<char, 4096> buffer{};
        passwd entry{};
        passwd* found = nullptr;
        if (::getpwnam_r(name, &entry, buffer.data(), buffer.size(), &found) == 0 &&
            found != nullptr)
            return std::optional<ServerUser>{ServerUser{entry.pw_uid, entry.pw_gid, name}};
    }
    return Failure{
        InstallErrc::system_failed,
        "a server must not run as root, and there is neither a user mysos nor nobody"};
}

Outcome<std::string> local_user()
{
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
        found != nullptr)
        return std::string(entry.pw_name);
    return Failure{
        InstallErrc::system_failed,
        "user id " + std::to_string(::geteuid()) +
            " has no name here, and the server knows its administrator by that"};
}

Outcome<void> check_way(const std::string& path, const ServerUser& user)
{
    const fs::path target = path;
    for (fs::path way = target.parent_path(); way != way.root_path(); way = way.parent_path()) {
        struct stat facts {};
        if (::stat(way.c_str(), &facts) != 0) return refused(way.string());
        if (!may_enter(facts, user))
            return Failure{
                InstallErrc::system_failed,
                "user " + user.name + ", whom the server runs as, may not pass " + way.string()};
    }
    return {};
}

Outcome<void> hand_over(const std::string& volume, const ServerUser& user)
{
    std::error_code error;
    const fs::path top = fs::canonical(volume, error);
    if (error) return Failure{InstallErrc::system_failed, volume + ": " + error.message()};
    const fs::path servers = top / "mysql";
    fs::create_directories(servers, error);
    if (error)
        return Failure{InstallErrc::system_failed, servers.string() + ": " + error.message()};
    struct stat facts {};
    if (::stat(servers.c_str(), &facts) != 0) return refused(servers.string());
    const bool done = facts.st_uid == user.uid && facts.st_gid == user.gid;
    if (auto given = give(top, user); given.has_error()) return given;
    if (done) return {};
    for (const auto& entry : fs::recursive_directory_iterator(servers, error))
        if (auto given = give(entry.path(), user); given.has_error()) return given;
    if (error)
        return Failure{InstallErrc::system_failed, servers.string() + ": " + error.message()};
    return give(servers, user);  // Last: it is the sign that all is done.
}

}  // namespace mysos::executor
