#include "executor/control/connections.hpp"
#include "executor/control/sql_control.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

// Whether the connections of a primary's receivers are alive.
namespace mysos::executor {
namespace {

/// An error when it cannot be read: then nothing is known of anybody.
Outcome<std::set<std::string>> stalled_in(const char* path, std::uint16_t port)
{
    std::ifstream file{path};
    const std::string table{std::istreambuf_iterator<char>{file}, {}};
    if (table.empty())
        return Failure{ControlErrc::server_silent, std::string{path} + " is not to be read"};
    return stalled_peers(table, port);
}

/// A kernel without IPv6 has no such table, and no such connection.
Outcome<std::set<std::string>> stalled(std::uint16_t port)
{
    auto peers = stalled_in("/proc/self/net/tcp", port);
    if (peers.has_error() || !std::filesystem::exists("/proc/self/net/tcp6")) return peers;
    auto more = stalled_in("/proc/self/net/tcp6", port);
    if (more.has_error()) return more;
    peers.value().merge(more.value());
    return peers;
}

}  // namespace

Outcome<Receivers> SqlControl::receivers(std::uint16_t port, Deadline deadline)
{
    const auto gone = stalled(port);
    if (gone.has_error()) return gone.error();
    auto dialog = Dialog::open(target_, deadline);
    if (dialog.has_error()) return dialog.error();
    const auto sessions = dialog.value().ask("SHOW FULL PROCESSLIST");
    if (sessions.has_error()) return sessions.error();
    Receivers result;
    for (std::size_t row = 0; row < sessions.value().rows.size(); ++row) {
        // One that was killed, and hangs in a write to a peer that is gone, is called so no more.
        const std::string command = sessions.value().field("Command", row).value_or("");
        if (!command.starts_with("Binlog Dump")) continue;
        // Nothing is sent to it yet, so nothing would show that it is gone. After a cut that takes
        // MariaDB ten seconds, for which the sessions before it hang.
        const std::string state = sessions.value().field("State", row).value_or("");
        if (state.empty() || state == "starting" || state == "init") continue;
        const std::string peer = sessions.value().field("Host", row).value_or("");
        ++(gone.value().contains(peer) ? result.stalled : result.alive);
    }
    return result;
}

}  // namespace mysos::executor
