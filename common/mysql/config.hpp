#pragma once

#include "common/base/failure.hpp"
#include "common/mysql/flavor.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// How a member's server is configured.
///
/// What only tunes goes into an option file, which an operator's own file (MYSOS_DEFAULTS_FILE) may
/// overrule. What the failover protocol rests on stands on the command line, which wins over any
/// file; an operator's file that says otherwise is refused by name instead of being ignored.
/// Every start is a fenced start: read-only, following nobody.
///
/// Pure. Source: docs/failover.md, and the servers' manuals on option files.
namespace mysos::mysql {

/// Where a server keeps its files. Absolute; of one volume, so that renames stay renames.
struct Directories {
    std::string data;
    std::string binlog;
    std::string relay;
    std::string tmp;
    friend bool operator==(const Directories&, const Directories&) = default;
};

struct ServerConfig {
    Flavor flavor = Flavor::mariadb;
    std::uint32_t server_id = 0;
    std::uint16_t port = 0;
    std::string address;      ///< What it listens on; "*" or "0.0.0.0": everywhere.
    std::string report_host;  ///< What it calls itself towards its primary.
    std::uint64_t memory_mb = 0;
    Directories directories;
    /// Silence of a primary ends the connection to it. Longer than it takes to elect another: to
    /// stop the receiver of a MariaDB takes seconds once it has begun to connect anew.
    std::uint32_t net_timeout_s = 5;
    friend bool operator==(const ServerConfig&, const ServerConfig&) = default;
};

enum class StartMode {
    fenced,     ///< Shut out, nothing cut. The only one for a server that may hold the last word.
    offline,    ///< The same without network: not even a replica's receiver gets in.
    as_replica  ///< MariaDB cuts the tail that nobody acknowledged. MySQL: the same as `fenced`.
};

/// Name of the socket, within the data directory: a path of over 107 bytes is refused by the
/// server, and the path of a sandbox is longer than that.
inline constexpr std::string_view socket_name = "my.sock";

[[nodiscard]] std::uint64_t buffer_pool_mb(Flavor flavor, std::uint64_t memory_mb);

/// The option file. `operators_file` is the text of MYSOS_DEFAULTS_FILE or empty: it comes first,
/// and what it sets is not set again.
[[nodiscard]] std::string option_file(const ServerConfig& config, std::string_view operators_file);

/// What follows --defaults-file on the command line: all that safety rests on. Holds no secret.
[[nodiscard]] std::vector<std::string> arguments(const ServerConfig& config, StartMode mode);

/// Refuses an operator's file that contradicts `arguments`, includes other files (which could), or
/// does not parse. The failure names the line and the option.
[[nodiscard]] Outcome<void> check_operators_file(
    const ServerConfig& config, std::string_view operators_file);

}  // namespace mysos::mysql
