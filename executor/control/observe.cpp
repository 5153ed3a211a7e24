#include "executor/control/sql_control.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace mysos::executor {
namespace {

std::uint64_t number(const std::string& text)
{
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string text(const SqlRows& rows, std::string_view column)
{
    return rows.field(column).value_or("");
}

/// Value of a status or variable, whichever of two names it goes by; "" when it has neither.
std::string value_of(const SqlRows& rows, std::string_view mysql, std::string_view mariadb)
{
    for (const auto& row : rows.rows)
        if (row.size() == 2 && row[0] && (*row[0] == mysql || *row[0] == mariadb))
            return row[1].value_or("");
    return {};
}

std::string without_newlines(std::string text)
{
    text.erase(std::remove(text.begin(), text.end(), '\n'), text.end());
    return text;
}

/// SHOW REPLICA STATUS knows MariaDB's words too, but MariaDB answers in its own.
struct Names {
    std::string_view host, port, user, receiver, applier, received, lag, source_id, file, pos;
};
constexpr Names of_mysql{
    "Source_Host",
    "Source_Port",
    "Source_User",
    "Replica_IO_Running",
    "Replica_SQL_Running",
    "Retrieved_Gtid_Set",
    "Seconds_Behind_Source",
    "Source_Server_Id",
    "Source_Log_File",
    "Read_Source_Log_Pos"};
constexpr Names of_mariadb{
    "Master_Host",
    "Master_Port",
    "Master_User",
    "Slave_IO_Running",
    "Slave_SQL_Running",
    "Gtid_IO_Pos",
    "Seconds_Behind_Master",
    "Master_Server_Id",
    "Master_Log_File",
    "Read_Master_Log_Pos"};

std::string error_in(const SqlRows& rows, const char* number_column, const char* text_column)
{
    const std::string code = text(rows, number_column);
    if (code.empty() || code == "0") return {};
    return code + ": " + text(rows, text_column);
}

std::uint32_t small_number(const std::string& text)
{
    return static_cast<std::uint32_t>(number(text));
}

control::ReceiverState receiver_state(const std::string& word)
{
    using control::ReceiverState;
    if (word == "Yes") return ReceiverState::running;
    return word.empty() || word == "No" ? ReceiverState::stopped : ReceiverState::connecting;
}

void note_replication(control::Observation& seen, const ReplicationStatus& status)
{
    seen.receiver_running = status.receiver == "Yes";
    seen.receiver_state = receiver_state(status.receiver);
    seen.applier_running = status.applier_running;
    seen.replication_error =
        status.applier_error.empty() ? status.receiver_error : status.applier_error;
    seen.receiver_error = status.receiver_error;
    seen.applier_error = status.applier_error;
    seen.lag_seconds = status.lag_seconds;
    if (!status.configured) return;
    seen.source = MemberId{status.source_server_id};
    seen.source_host = status.host;
    seen.source_port = static_cast<std::uint16_t>(number(status.port));
    seen.delay_seconds = status.delay_seconds;
}

void note_semi_sync(control::Observation& seen, const SqlRows& counters, const SqlRows& switches)
{
    seen.semi_sync_clients = small_number(
        value_of(counters, "Rpl_semi_sync_source_clients", "Rpl_semi_sync_master_clients"));
    seen.commits_waiting = small_number(value_of(
        counters, "Rpl_semi_sync_source_wait_sessions", "Rpl_semi_sync_master_wait_sessions"));
    seen.commits_acknowledged =
        number(value_of(counters, "Rpl_semi_sync_source_yes_tx", "Rpl_semi_sync_master_yes_tx"));
    // The switch, or a receiver that was started under it and heeds it no more.
    seen.acknowledges =
        value_of(switches, "rpl_semi_sync_replica_enabled", "rpl_semi_sync_slave_enabled") ==
            "ON" ||
        value_of(counters, "Rpl_semi_sync_replica_status", "Rpl_semi_sync_slave_status") == "ON";
    if (value_of(switches, "rpl_semi_sync_source_enabled", "rpl_semi_sync_master_enabled") != "ON")
        return;
    const std::string count = value_of(switches, "rpl_semi_sync_source_wait_for_replica_count", "");
    seen.acks_required = count.empty() ? 1 : small_number(count);
}

}  // namespace

Outcome<ReplicationStatus> SqlControl::replication_status(Dialog& dialog) const
{
    const auto rows = dialog.ask(mysql::replication_status(flavor_));
    if (rows.has_error()) return rows.error();
    ReplicationStatus status;
    if (rows.value().rows.empty()) return status;
    const SqlRows& row = rows.value();
    const Names& names = flavor_ == mysql::Flavor::mysql ? of_mysql : of_mariadb;
    status.configured = !text(row, names.host).empty();
    status.host = text(row, names.host);
    status.port = text(row, names.port);
    status.user = text(row, names.user);
    status.receiver = text(row, names.receiver);
    status.applier_running = text(row, names.applier) == "Yes";
    status.received = without_newlines(text(row, names.received));
    status.applier_error = error_in(row, "Last_SQL_Errno", "Last_SQL_Error");
    status.receiver_error = error_in(row, "Last_IO_Errno", "Last_IO_Error");
    status.delay_seconds = number(text(row, "SQL_Delay"));
    status.source_server_id = mysql::member_of(small_number(text(row, names.source_id)));
    if (const auto lag = row.field(names.lag)) status.lag_seconds = number(*lag);
    status.read_up_to = text(row, names.file) + ":" + text(row, names.pos);
    return status;
}

Outcome<control::Observation> SqlControl::observe(
    const std::string& cluster_uuid, Deadline deadline)
{
    auto dialog = Dialog::open(target_, deadline);
    if (dialog.has_error()) return dialog.error();
    const auto status = replication_status(dialog.value());
    if (status.has_error()) return status.error();
    // After the replication status: what moves from received to applied in between is in both.
    const auto facts = dialog.value().ask(mysql::server_facts(flavor_));
    if (facts.has_error()) return facts.error();
    const auto counters = dialog.value().ask(mysql::semi_sync_counters());
    if (counters.has_error()) return counters.error();
    const auto heartbeats = dialog.value().ask(mysql::heartbeat_counter());
    if (heartbeats.has_error()) return heartbeats.error();
    const auto switches = dialog.value().ask(mysql::semi_sync_variables());
    if (switches.has_error()) return switches.error();
    const auto held = position(facts.value(), status.value());
    if (held.has_error()) return held.error();
    const auto done = applied(facts.value());
    if (done.has_error()) return done.error();

    control::Observation seen;
    seen.flavor = flavor_;
    seen.answers = true;
    seen.server_version = text(facts.value(), "version");
    seen.server_uuid = text(facts.value(), "server_uuid");
    seen.read_only = text(facts.value(), "read_only") == "1";
    seen.writable = !seen.read_only;
    if (flavor_ == mysql::Flavor::mysql)
        seen.super_read_only = text(facts.value(), "super_read_only") == "1";
    seen.position = held.value().to_text();
    seen.applied = done.value();
    const auto uuid = parse_uuid(cluster_uuid);
    if (uuid || flavor_ == mysql::Flavor::mariadb)
        seen.marker = held.value().marker(uuid.value_or(Uuid{}));
    note_replication(seen, status.value());
    note_semi_sync(seen, counters.value(), switches.value());
    note_packets(
        seen,
        status.value(),
        status.value().read_up_to + "/" + text(facts.value(), "heartbeats") +
            value_of(heartbeats.value(), "", "Slave_received_heartbeats"));
    return seen;
}

void SqlControl::note_packets(
    control::Observation& seen, const ReplicationStatus& status, const std::string& packets)
{
    const auto now = std::chrono::steady_clock::now();
    if (packets != packets_seen_ || !status.configured) {
        packets_seen_ = packets;
        packet_at_ = now;
    }
    seen.packet_age_ms = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now - packet_at_).count());
}

}  // namespace mysos::executor
