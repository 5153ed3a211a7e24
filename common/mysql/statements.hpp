#pragma once

#include "common/mysql/flavor.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The exact SQL of every step, by flavour.
///
/// Pure: text in, text out. Everything that comes from outside passes `quoted`, which is exact
/// under the empty sql_mode that every session of ours sets first. A statement with a secret
/// carries a second form for logs; the first one is never shown. Source: the servers' manuals;
/// every statement is run on both servers by test/integration.
namespace mysos::mysql {

struct Statement {
    std::string sql;
    std::string shown;  ///< Equal to `sql`, or with the secrets left out.
    [[nodiscard]] bool secret() const { return sql != shown; }
    friend bool operator==(const Statement&, const Statement&) = default;
};
using Statements = std::vector<Statement>;

[[nodiscard]] std::string quoted(std::string_view text);      ///< 'it''s'
[[nodiscard]] std::string identifier(std::string_view text);  ///< `a``b`
[[nodiscard]] std::string account(std::string_view user);     ///< 'user'@'%'

using control::AccountSpec;

/// One row, one column: 1 when the account stands with its grants, locked or not.
/// The kinds are: the operator's admin (everything, save what walks past read-only on MariaDB), the
/// application (every data privilege, nothing that weakens replication), the monitor, the clone
/// (reads a whole server for a rebuild or a backup), replication (one member's receiver).
[[nodiscard]] Statement account_made(Flavor flavor, const AccountSpec& spec);
/// One row, one column: 1 when it is locked.
[[nodiscard]] Statement account_locked(Flavor flavor, std::string_view user);
/// What the accounts of members' receivers begin with, the member's number behind it.
inline constexpr std::string_view replication_user_prefix = "repl_";
/// One column: those accounts, locked or not.
[[nodiscard]] Statement replication_accounts();
/// Repeatable. Runs after the marker, in the binlog.
[[nodiscard]] Statements make_account(Flavor flavor, const AccountSpec& spec);
/// On this server alone: a commit of it could wait for the very member that is leaving.
[[nodiscard]] Statements lock_account(std::string_view user);
[[nodiscard]] Statements unlock_account(std::string_view user);
/// MySQL: the way in for the executor over the socket, as the operating system's user. For the
/// --init-file of an initialisation: no plugin is loaded then, so the rows are written as they are.
[[nodiscard]] Statements local_administrator(std::string_view os_user);

struct Source {
    std::string host;  ///< An address.
    std::uint16_t port = 0;
    std::string user;
    std::string password;
    friend bool operator==(const Source&, const Source&) = default;
};
/// Both threads must be stopped, and everything received applied: it deletes the rest.
[[nodiscard]] Statements change_source(Flavor flavor, const Source& source);

[[nodiscard]] Statement start_replication(Flavor flavor);
[[nodiscard]] Statement stop_replication(Flavor flavor);
[[nodiscard]] Statement start_applier(Flavor flavor);
[[nodiscard]] Statement stop_receiver(Flavor flavor);
[[nodiscard]] Statement forget_source(Flavor flavor);
[[nodiscard]] Statement replication_status(Flavor flavor);
/// One row, one column: 0 applied; MySQL 1, MariaDB -1 not in time.
[[nodiscard]] Statement wait_applied(
    Flavor flavor, std::string_view position, std::uint32_t seconds);

/// MariaDB: under which server id to receive. A receiver throws away what bears its own server's
/// id, silently, unless it acknowledges; and a former primary whose tail was cut has to receive
/// just that again. So a replica goes by an id of its own in each epoch: its member's, below 2^20,
/// with the epoch's lowest bits above. On MySQL nothing is cut: what is skipped is there.
[[nodiscard]] Statements replicate_in(Flavor flavor, std::uint64_t epoch);
/// Back to the member's own id, which is what its transactions bear.
[[nodiscard]] Statements write_as_oneself(Flavor flavor);
/// Whose id that is, either way. A receiver shows the one that its source had when it connected,
/// which may have been a moment before that one wrote as oneself.
[[nodiscard]] constexpr std::uint32_t member_of(std::uint32_t server_id)
{
    return server_id & ((1U << 20U) - 1);
}

/// The replica's side. Counts when the receiver starts, not while it runs.
[[nodiscard]] Statement acknowledge(Flavor flavor, bool on);
/// The primary's side. 0 switches it off, which releases waiting commits as if acknowledged.
[[nodiscard]] Statements require_acks(Flavor flavor, std::uint32_t acks);

/// One row; columns by name: version, server_uuid, read_only, super_read_only, applied, and MySQL's
/// heartbeats and position (applied or received), or MariaDB's binlog_pos and slave_pos.
[[nodiscard]] Statement server_facts(Flavor flavor);
/// Rows of name and value: every Rpl_semi_sync_* counter; MariaDB's Slave_received_heartbeats. Each
/// with LIKE alone: with WHERE a MariaDB makes all of its counters up first, some of which it does
/// not tell while two groups of commits wait for acknowledgements.
[[nodiscard]] Statement semi_sync_counters();
[[nodiscard]] Statement heartbeat_counter();
[[nodiscard]] Statement semi_sync_variables();

/// Lets the local administrator write while clients stay shut out. MariaDB's always can.
[[nodiscard]] Statements let_administrator_write(Flavor flavor);
[[nodiscard]] Statements let_clients_in(Flavor flavor);
[[nodiscard]] Statements shut_clients_out(Flavor flavor);

/// The first transaction of a primary's epoch, which carries the epoch in its GTID. MySQL: an empty
/// one, `<cluster uuid>:<epoch>`. MariaDB: a row with sequence number `epoch << 40`. The last
/// statement commits, and so waits for acknowledgements.
struct Marker {
    std::uint64_t epoch = 0;
    std::string cluster_uuid;     ///< MySQL only.
    std::uint32_t server_id = 0;  ///< MariaDB only.
    friend bool operator==(const Marker&, const Marker&) = default;
};
[[nodiscard]] Statements marker(Flavor flavor, const Marker& marker);
/// Something small and of no consequence in the binlog, which waits for acknowledgements as every
/// commit does. The last statement commits. MySQL: the end of a table that never was. MariaDB: a
/// row that comes and goes, so that a tail which ends in it can be cut; `marker_table` must stand.
/// `number`: another one than that of any push still waiting, whose locks would be in the way.
[[nodiscard]] Statements push(Flavor flavor, std::uint64_t number);
/// MariaDB: the table that markers are rows of. Every data directory is made with it, unlogged.
[[nodiscard]] Statements marker_table();
/// MariaDB: a marker for a server where someone dropped that table. Not a row, so that a tail which
/// ends in it cannot be cut.
[[nodiscard]] Statements marker_without_table(const Marker& marker);
/// MariaDB: one row, one column: 1 when that table stands.
[[nodiscard]] Statement marker_table_stands();

}  // namespace mysos::mysql
