#include "executor/install/programs.hpp"

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <utility>

namespace mysos::executor {

std::vector<std::string> program_directories()
{
    std::vector<std::string> directories;
    const char* path = std::getenv("PATH");
    std::istringstream words{path == nullptr ? "" : path};
    for (std::string word; std::getline(words, word, ':');)
        if (!word.empty() && word.front() == '/') directories.push_back(word);
    for (const char* usual :
         {"/usr/sbin",
          "/usr/bin",
          "/usr/libexec",
          "/usr/local/sbin",
          "/usr/local/bin",
          "/usr/local/mysql/bin"})
        directories.emplace_back(usual);
    return directories;
}

namespace {

/// Takes the server that the machine has. Nothing is fetched.
class HostInstaller final : public Installer {
  public:
    explicit HostInstaller(InstallerArguments arguments) : arguments_{std::move(arguments)} {}

    [[nodiscard]] Outcome<ServerPrograms> install(const OnInstallProgress& on_progress) override
    {
        on_progress({InstallProgress::Step::checking, 0});
        if (!arguments_.server.empty()) return wanted(arguments_.server);
        std::string others;
        for (const std::string& name : server_names(arguments_.flavor))
            for (const std::string& directory : program_directories()) {
                auto found = wanted(std::filesystem::path{directory} / name);
                if (found.has_value()) return found;
                if (found.error().code != InstallErrc::server_missing &&
                    others.find(found.error().text) == std::string::npos)
                    others.append("; ").append(found.error().text);
            }
        return Failure{
            InstallErrc::server_missing,
            "this machine has no " + std::string(mysql::name(arguments_.flavor)) +
                " server: looked for " + server_names(arguments_.flavor).front() +
                " in PATH and the usual places" + others};
    }

  private:
    [[nodiscard]] Outcome<ServerPrograms> wanted(const std::string& server) const
    {
        auto programs = examine_server(arguments_.flavor, server, "");
        return of_version(std::move(programs), arguments_.version, server);
    }

    InstallerArguments arguments_;
};

}  // namespace

std::unique_ptr<Installer> make_host_installer(InstallerArguments arguments)
{
    return std::make_unique<HostInstaller>(std::move(arguments));
}

}  // namespace mysos::executor
