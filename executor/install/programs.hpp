#pragma once

#include "executor/install/installer.hpp"

#include <string>
#include <vector>

/// What both installers need to know of a server's files.
namespace mysos::executor {

/// Asks the server at this absolute path what it is, and looks up what belongs to it. `prefix` is
/// the tree it was unpacked in, or empty for the system's own, which finds its files by itself.
/// Errors: server_missing when there is no such program; package_broken when it does not run, is of
///         the other flavour, or lacks the files that a data directory is made from.
[[nodiscard]] Outcome<ServerPrograms> examine_server(
    mysql::Flavor flavor, const std::string& server, const std::string& prefix);

/// The same, if they are of the version wanted: 9.7 is wanted of 9.7.4, anything when empty.
/// `where` they are from, for the error: package_broken.
[[nodiscard]] Outcome<ServerPrograms> of_version(
    Outcome<ServerPrograms> programs, const std::string& wanted, const std::string& where);

/// Where programs lie, whether or not the PATH of a Mesos agent names it.
[[nodiscard]] std::vector<std::string> program_directories();

/// The names a flavour's server goes by, best first.
[[nodiscard]] std::vector<std::string> server_names(mysql::Flavor flavor);

/// "mysqld  Ver 9.7.4-2 for Linux" -> 9.7.4; "" when there is none.
[[nodiscard]] std::string version_in(const std::string& answer);

[[nodiscard]] std::unique_ptr<Installer> make_host_installer(InstallerArguments arguments);
[[nodiscard]] std::unique_ptr<Installer> make_tarball_installer(
    InstallerArguments arguments, std::string cache_dir);

}  // namespace mysos::executor
