#pragma once

#include "common/base/failure.hpp"
#include "common/mysql/flavor.hpp"

#include <boost/system/error_category.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

/// Brings a server's programs to this machine, or finds them there.
namespace mysos::executor {

/// Why there is no server to run. The text names the file or address.
enum class InstallErrc {
    arguments_wrong = 1,  ///< Of the installer. Nothing can be done here: fail the task.
    server_missing,       ///< No such program on this machine. Fail the task.
    download_failed,      ///< Try again later, perhaps elsewhere.
    checksum_wrong,       ///< What came is not what was asked for. Fail the task.
    package_broken,       ///< Does not unpack, or its server does not start. Fail the task.
    directory_foreign,    ///< A data directory that is not this cluster's. Touch nothing, fail.
    initialise_failed,    ///< The server could not make a data directory. Fail; the log says why.
    cache_foreign,        ///< Others may write where we keep programs. Fail the task.
    system_failed,        ///< Disk, permission. Fail; the text has the system's word.
};
[[nodiscard]] const boost::system::error_category& install_category() noexcept;
[[nodiscard]] inline boost::system::error_code make_error_code(InstallErrc e) noexcept
{
    return {static_cast<int>(e), install_category()};
}

/// system_failed, with the system's words for that errno.
[[nodiscard]] Failure system_failure(const std::string& what, int number);

/// A server that can be started.
struct ServerPrograms {
    mysql::Flavor flavor = mysql::Flavor::mariadb;
    std::string version;               ///< "10.11.19", as the server itself says.
    std::string server;                ///< Absolute path of mysqld or mariadbd.
    std::string share;                 ///< MariaDB: where its bootstrap SQL lies.
    std::vector<std::string> options;  ///< What a server away from its built-in paths must be told.
    friend bool operator==(const ServerPrograms&, const ServerPrograms&) = default;
};

/// How far an installation is; `percent` 0 while not known. Called on the installing thread.
struct InstallProgress {
    enum class Step { fetching, unpacking, checking };
    Step step = Step::fetching;
    unsigned percent = 0;
    friend bool operator==(const InstallProgress&, const InstallProgress&) = default;
};
using OnInstallProgress = std::function<void(const InstallProgress&)>;

/// What the framework was given as --installer_args, which is JSON.
struct InstallerArguments {
    std::string installer = "host";  ///< "host" or "tarball".
    mysql::Flavor flavor = mysql::Flavor::mariadb;
    std::string uri;      ///< tarball: http, https, file: or an absolute path.
    std::string sha256;   ///< tarball: 64 hexadecimal digits.
    std::string version;  ///< tarball: refused when the server says another; empty: any.
    std::string server;   ///< host: absolute path of the server; empty: looked for.
    friend bool operator==(const InstallerArguments&, const InstallerArguments&) = default;
};
/// `text` is a JSON object with those fields; unknown ones are refused by name.
[[nodiscard]] Outcome<InstallerArguments> parse_installer_arguments(const std::string& text);

/// Blocks: run it on a pool thread. May be asked again after a failure.
class Installer {
  public:
    virtual ~Installer() = default;

    [[nodiscard]] virtual Outcome<ServerPrograms> install(const OnInstallProgress& on_progress) = 0;
};

/// `cache_dir`: outside of any sandbox, shared by all executors of an agent; made when missing.
[[nodiscard]] std::unique_ptr<Installer> make_installer(
    InstallerArguments arguments, std::string cache_dir);

/// Where packages and templates are kept when nothing else is said: $MYSOS_CACHE_DIR, else
/// /var/cache/mysos for root, else $XDG_CACHE_HOME/mysos or ~/.cache/mysos, else /tmp/mysos-<uid>.
[[nodiscard]] std::string default_cache_dir();
/// Makes it when missing. `cache_foreign` when anybody but us and root could change what is in it.
[[nodiscard]] Outcome<void> secure_cache_dir(const std::string& path);

}  // namespace mysos::executor

template <>
struct boost::system::is_error_code_enum<mysos::executor::InstallErrc> : std::true_type {};
