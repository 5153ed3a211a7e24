// What mesos-fetcher does, one URI after the other, in the sandbox and as the task's user.
#include "common/wire/base64.hpp"
#include "test/standin/containers.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mysos::standin {

namespace {

namespace fs = std::filesystem;
using Uri = v1::CommandInfo::URI;

bool run(const std::vector<std::string>& words)
{
    std::vector<std::string> copy = words;
    std::vector<char*> arguments;
    for (auto& word : copy) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t pid = fork();
    if (pid == 0) {
        execvp(arguments[0], arguments.data());
        std::perror(arguments[0]);
        _exit(127);
    }
    int status = 0;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

bool is_remote(const std::string& value)
{
    constexpr std::array schemes{"http://", "https://", "ftp://", "ftps://"};
    return std::ranges::any_of(
        schemes, [&value](const char* scheme) { return value.starts_with(scheme); });
}

bool copy_local(std::string value, const fs::path& to)
{
    if (value.starts_with("file://")) value.erase(0, 7);
    if (!value.starts_with('/')) {
        std::fprintf(
            stderr, "Cannot fetch '%s': no --frameworks_home, no hadoop client\n", value.c_str());
        return false;
    }
    std::error_code ec;
    fs::copy(value, to, fs::copy_options::overwrite_existing | fs::copy_options::recursive, ec);
    if (ec) std::fprintf(stderr, "Failed to copy '%s': %s\n", value.c_str(), ec.message().c_str());
    return !ec;
}

bool extract(const std::string& archive, const std::string& named)
{
    for (const char* suffix : {".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz"})
        if (named.ends_with(suffix)) return run({"tar", "-C", ".", "-xf", archive});
    if (named.ends_with(".zip")) return run({"unzip", "-o", "-d", ".", archive});
    if (named.ends_with(".gz")) return run({"gunzip", "-kf", archive});
    return true;
}

bool is_archive(const std::string& named)
{
    constexpr std::array suffixes{
        ".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".zip", ".gz"};
    return std::ranges::any_of(
        suffixes, [&named](const char* suffix) { return named.ends_with(suffix); });
}

bool fetch(const Uri& uri)
{
    const std::string& value = uri.value();
    if (value.find_first_of(std::string{"\\'\0", 3}) != std::string::npos) return false;
    if (uri.output_file().starts_with('/')) return false;
    const std::string name =
        uri.has_output_file() ? uri.output_file() : value.substr(value.rfind('/') + 1);
    if (name.empty()) return false;
    const fs::path to{name};
    if (to.has_parent_path()) fs::create_directories(to.parent_path());

    const bool fetched =
        is_remote(value) ? run({"curl", "-fsSL", "-o", name, value}) : copy_local(value, to);
    if (!fetched) return false;
    if (uri.executable()) return chmod(name.c_str(), 0755) == 0;
    if (!uri.extract()) return true;
    // With a cache it is the URL's suffix that counts, and the archive does not stay.
    const std::string& named = uri.cache() ? value : name;
    if (!extract(name, named)) return false;
    if (uri.cache() && is_archive(named)) fs::remove(to);
    return true;
}

}  // namespace

int run_fetcher()
{
    const char* encoded = std::getenv("MESOS_FETCHER_URIS");
    const auto bytes = wire::decode_base64(encoded == nullptr ? "" : encoded);
    v1::CommandInfo command;
    if (!bytes || !command.ParseFromString(*bytes)) return 1;
    for (const auto& uri : command.uris()) {
        std::printf("Fetching %s\n", uri.value().c_str());
        std::fflush(stdout);
        if (fetch(uri)) continue;
        std::fprintf(stderr, "Failed to fetch '%s'\n", uri.value().c_str());
        return 1;
    }
    return 0;
}

}  // namespace mysos::standin
