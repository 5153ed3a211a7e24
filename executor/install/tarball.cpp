#include "executor/install/download.hpp"
#include "executor/install/path_lock.hpp"
#include "executor/install/programs.hpp"
#include "executor/out/spawn.hpp"

#include <filesystem>
#include <fstream>
#include <utility>

namespace mysos::executor {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds unpacking_limit{600};

Failure refused(const fs::path& path, const std::error_code& error)
{
    return system_failure(path.string(), error.value());
}

/// The path that a uri without a network names; "" for the others.
std::string local_path(const std::string& uri)
{
    if (uri.starts_with("file://")) return uri.substr(std::string_view("file://").size());
    if (uri.starts_with("/")) return uri;
    return {};
}

/// A package by its digest, unpacked once an agent:  <cache>/packages/<sha256>/…
class TarballInstaller final : public Installer {
  public:
    TarballInstaller(InstallerArguments arguments, std::string cache_dir)
        : arguments_{std::move(arguments)},
          tree_{fs::path(cache_dir) / "packages" / arguments_.sha256}
    {}

    [[nodiscard]] Outcome<ServerPrograms> install(const OnInstallProgress& on_progress) override
    {
        const auto lock = PathLock::wait_for(tree_.string() + ".lock");
        if (lock.has_error()) return lock.error();
        std::error_code error;
        if (!fs::exists(tree_, error))
            if (auto made = make_tree(on_progress); made.has_error()) return made.error();
        on_progress({InstallProgress::Step::checking, 0});
        return examine();
    }

  private:
    [[nodiscard]] Outcome<void> make_tree(const OnInstallProgress& on_progress) const
    {
        const fs::path fetched = tree_.string() + ".part";
        std::string package = local_path(arguments_.uri);
        const bool remote = package.empty();
        if (remote) {
            package = fetched;
            auto done = download(arguments_.uri, package, [&](unsigned percent) {
                on_progress({InstallProgress::Step::fetching, percent});
            });
            if (done.has_error()) return done;
        }
        auto unpacked = check_and_unpack(package, on_progress);
        std::error_code ignored;
        if (remote) fs::remove(fetched, ignored);
        return unpacked;
    }

    [[nodiscard]] Outcome<void> check_and_unpack(
        const std::string& package, const OnInstallProgress& on_progress) const
    {
        const auto digest = sha256_of(package);
        if (digest.has_error()) return digest.error();
        if (digest.value() != arguments_.sha256)
            return Failure{
                InstallErrc::checksum_wrong,
                arguments_.uri + " has sha256 " + digest.value() + ", wanted is " +
                    arguments_.sha256};
        on_progress({InstallProgress::Step::unpacking, 0});
        const fs::path fresh = tree_.string() + ".new";
        std::error_code error;
        fs::remove_all(fresh, error);
        if (!fs::create_directory(fresh, error)) return refused(fresh, error);
        Spawn tar;
        // Without --strip-components: the tree may or may not have a directory around it. With the
        // package's permissions: the server's user has to read what we unpack.
        tar.arguments = {
            "/bin/tar", "-xf", package, "-C", fresh, "--no-same-owner", "--preserve-permissions"};
        tar.environment = bare_environment();
        const auto unpacked = run_program(tar, unpacking_limit);
        if (unpacked.has_error())
            return Failure{
                InstallErrc::package_broken, arguments_.uri + ": " + unpacked.error().text};
        fs::rename(fresh, tree_, error);  // Whole or not at all.
        if (error) return refused(tree_, error);
        return {};
    }

    /// The directory that has bin/ in it: the top, or the only one there.
    [[nodiscard]] fs::path prefix() const
    {
        std::error_code error;
        if (fs::exists(tree_ / "bin", error)) return tree_;
        for (const auto& entry : fs::directory_iterator(tree_, error))
            if (fs::exists(entry.path() / "bin", error)) return entry.path();
        return tree_;
    }

    [[nodiscard]] Outcome<ServerPrograms> examine() const
    {
        const fs::path top = prefix();
        std::error_code error;
        for (const std::string& name : server_names(arguments_.flavor)) {
            const fs::path server = top / "bin" / name;
            if (!fs::exists(server, error)) continue;
            auto programs = examine_server(arguments_.flavor, server, top);
            return of_version(std::move(programs), arguments_.version, arguments_.uri);
        }
        return Failure{
            InstallErrc::package_broken,
            arguments_.uri + " has no bin/" + server_names(arguments_.flavor).front()};
    }

    InstallerArguments arguments_;
    fs::path tree_;
};

}  // namespace

std::unique_ptr<Installer> make_tarball_installer(
    InstallerArguments arguments, std::string cache_dir)
{
    return std::make_unique<TarballInstaller>(std::move(arguments), std::move(cache_dir));
}

}  // namespace mysos::executor
