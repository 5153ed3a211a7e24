#include "executor/install/programs.hpp"

#include "executor/out/spawn.hpp"

#include <array>
#include <chrono>
#include <filesystem>
#include <utility>

namespace mysos::executor {
namespace {

namespace fs = std::filesystem;

bool exists(const std::string& path)
{
    std::error_code ignored;
    return fs::exists(path, ignored);
}

/// The first of `prefix`/<one of these> that has `file` in it; "" when none has.
std::string directory_with(
    const std::string& prefix, const std::vector<std::string>& directories, const std::string& file)
{
    for (const std::string& directory : directories)
        if (exists(fs::path{prefix + directory} / file)) return prefix + directory;
    return {};
}

/// Compiled-in paths are of the machine the package was built for.
std::vector<std::string> relocation_options(const std::string& prefix)
{
    std::vector<std::string> options{"--basedir=" + prefix};
    const auto add = [&](const std::string& option, const std::string& directory) {
        if (!directory.empty()) options.push_back("--" + option + "=" + directory);
    };
    const std::vector<std::string> shares{"/share/mysql", "/share/mariadb", "/share"};
    for (const std::string plugins : {"/lib/mysql/plugin", "/lib/plugin"})
        if (exists(prefix + plugins)) {
            add("plugin-dir", prefix + plugins);
            break;
        }
    add("lc-messages-dir", directory_with(prefix, shares, "english/errmsg.sys"));
    const std::string charsets = directory_with(prefix, shares, "charsets/Index.xml");
    add("character-sets-dir", charsets.empty() ? "" : charsets + "/charsets");
    return options;
}

}  // namespace

std::vector<std::string> server_names(mysql::Flavor flavor)
{
    if (flavor == mysql::Flavor::mariadb) return {"mariadbd", "mysqld"};
    return {"mysqld"};
}

std::string version_in(const std::string& answer)
{
    constexpr std::string_view word = "Ver ";
    const auto found = answer.find(word);
    if (found == std::string::npos) return {};
    const auto start = found + word.size();
    return answer.substr(start, answer.find_first_not_of("0123456789.", start) - start);
}

Outcome<ServerPrograms> of_version(
    Outcome<ServerPrograms> programs, const std::string& wanted, const std::string& where)
{
    if (programs.has_error() || wanted.empty()) return programs;
    const std::string& version = programs.value().version;
    if (version == wanted || version.starts_with(wanted + ".")) return programs;
    return Failure{
        InstallErrc::package_broken, where + " is version " + version + ", wanted is " + wanted};
}

Outcome<ServerPrograms> examine_server(
    mysql::Flavor flavor, const std::string& server, const std::string& prefix)
{
    if (!exists(server))
        return Failure{InstallErrc::server_missing, "there is no server at " + server};
    constexpr std::chrono::seconds limit{30};
    Spawn question;
    question.arguments = {server, "--no-defaults", "--version"};
    question.environment = bare_environment();
    const auto answer = run_program(question, limit);
    if (answer.has_error()) return Failure{InstallErrc::package_broken, answer.error().text};
    const bool is_mariadb = answer.value().find("MariaDB") != std::string::npos;
    if (is_mariadb != (flavor == mysql::Flavor::mariadb))
        return Failure{
            InstallErrc::package_broken,
            server + " is not " + std::string(mysql::name(flavor)) +
                " but says: " + answer.value().substr(0, answer.value().find('\n'))};

    ServerPrograms programs;
    programs.flavor = flavor;
    programs.version = version_in(answer.value());
    programs.server = server;
    if (!prefix.empty()) programs.options = relocation_options(prefix);
    if (flavor == mysql::Flavor::mysql) return programs;

    const std::string base =
        prefix.empty() ? fs::path(server).parent_path().parent_path().string() : prefix;
    constexpr auto script = "maria_add_gis_sp_bootstrap.sql";
    programs.share = directory_with(base, {"/share/mysql", "/share/mariadb", "/share"}, script);
    if (programs.share.empty() && prefix.empty())
        programs.share = directory_with("/usr/share", {"/mysql", "/mariadb"}, script);
    if (programs.share.empty())
        return Failure{
            InstallErrc::package_broken,
            std::string("found no ") + script + " that belongs to " + server};
    return programs;
}

std::unique_ptr<Installer> make_installer(InstallerArguments arguments, std::string cache_dir)
{
    if (arguments.installer == "tarball")
        return make_tarball_installer(std::move(arguments), std::move(cache_dir));
    return make_host_installer(std::move(arguments));
}

}  // namespace mysos::executor
