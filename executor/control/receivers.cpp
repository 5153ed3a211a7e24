#include "executor/control/connections.hpp"
#include "executor/control/sql_control.hpp"

#include <fstream>
#include <iterator>

// Whether the connections of a primary's receivers are alive.
namespace mysos::executor {
namespace {

std::string whole(const char* path)
{
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace

Outcome<Receivers> SqlControl::receivers(std::uint16_t port, Deadline deadline)
{
    std::set<std::string> stalled = stalled_peers(whole("/proc/self/net/tcp"), port);
    stalled.merge(stalled_peers(whole("/proc/self/net/tcp6"), port));
    auto dialog = Dialog::open(target_, deadline);
    if (dialog.has_error()) return dialog.error();
    const auto sessions = dialog.value().ask("SHOW FULL PROCESSLIST");
    if (sessions.has_error()) return sessions.error();
    Receivers result;
    for (std::size_t row = 0; row < sessions.value().rows.size(); ++row) {
        // One that was killed, and hangs in a write to a peer that is gone, is called so no more.
        const std::string command = sessions.value().field("Command", row).value_or("");
        if (!command.starts_with("Binlog Dump")) continue;
        const std::string peer = sessions.value().field("Host", row).value_or("");
        ++(stalled.contains(peer) ? result.stalled : result.alive);
    }
    return result;
}

}  // namespace mysos::executor
