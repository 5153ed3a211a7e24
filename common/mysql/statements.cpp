#include "common/mysql/statements.hpp"

#include <utility>

namespace mysos::mysql {
namespace {

constexpr bool is_mysql(Flavor flavor)
{
    return flavor == Flavor::mysql;
}

Statement plain(std::string sql)
{
    return Statement{sql, sql};
}

Statement either(Flavor flavor, std::string_view of_mysql, std::string_view of_mariadb)
{
    return plain(std::string(is_mysql(flavor) ? of_mysql : of_mariadb));
}

/// `before` + the quoted secret + `after`.
Statement with_secret(
    const std::string& before, std::string_view secret, const std::string& after = "")
{
    return Statement{before + quoted(secret) + after, before + "'***'" + after};
}

std::string repeated(std::string_view text, char doubled)
{
    std::string out;
    out.reserve(text.size() + 2);
    for (const char c : text) {
        out.push_back(c);
        if (c == doubled) out.push_back(c);
    }
    return out;
}

}  // namespace

std::string quoted(std::string_view text)
{
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') out.push_back(c);
        if (c == '\0') {
            out += "\\0";
            continue;
        }
        out.push_back(c);
    }
    return out + "'";
}

std::string identifier(std::string_view text)
{
    return "`" + repeated(text, '`') + "`";
}

Statements change_source(Flavor flavor, const Source& source)
{
    const std::string host = quoted(source.host);
    const std::string port = std::to_string(source.port);
    const std::string user = quoted(source.user);
    if (is_mysql(flavor))
        return {with_secret(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST=" + host + ", SOURCE_PORT=" + port +
                ", SOURCE_USER=" + user + ", SOURCE_PASSWORD=",
            source.password,
            ", SOURCE_AUTO_POSITION=1, SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=86400, "
            "SOURCE_HEARTBEAT_PERIOD=1, GET_SOURCE_PUBLIC_KEY=1")};
    // slave_pos knows nothing of what this server wrote itself as a primary.
    return {
        plain("SET GLOBAL gtid_slave_pos = IF(@@global.gtid_binlog_pos = '', "
              "@@global.gtid_slave_pos, @@global.gtid_binlog_pos)"),
        with_secret(
            "CHANGE MASTER TO MASTER_HOST=" + host + ", MASTER_PORT=" + port +
                ", MASTER_USER=" + user + ", MASTER_PASSWORD=",
            source.password,
            ", MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1, MASTER_HEARTBEAT_PERIOD=1")};
}

Statement start_replication(Flavor flavor)
{
    return either(flavor, "START REPLICA", "START SLAVE");
}

Statement stop_replication(Flavor flavor)
{
    return either(flavor, "STOP REPLICA", "STOP SLAVE");
}

Statement start_applier(Flavor flavor)
{
    return either(flavor, "START REPLICA SQL_THREAD", "START SLAVE SQL_THREAD");
}

Statement stop_receiver(Flavor flavor)
{
    return either(flavor, "STOP REPLICA IO_THREAD", "STOP SLAVE IO_THREAD");
}

Statement forget_source(Flavor flavor)
{
    return either(flavor, "RESET REPLICA ALL", "RESET SLAVE ALL");
}

Statement replication_status(Flavor flavor)
{
    return either(flavor, "SHOW REPLICA STATUS", "SHOW SLAVE STATUS");
}

Statement wait_applied(Flavor flavor, std::string_view position, std::uint32_t seconds)
{
    const std::string function =
        is_mysql(flavor) ? "WAIT_FOR_EXECUTED_GTID_SET" : "MASTER_GTID_WAIT";
    return plain(
        "SELECT " + function + "(" + quoted(position) + ", " + std::to_string(seconds) + ")");
}

Statements replicate_in(Flavor flavor, std::uint64_t epoch)
{
    if (is_mysql(flavor)) return {};
    constexpr std::uint64_t epochs = 4095;
    const std::uint64_t above = (epoch % epochs + 1) << 20U;
    return {
        plain("SET GLOBAL server_id = (@@global.server_id & 1048575) | " + std::to_string(above))};
}

Statements write_as_oneself(Flavor flavor)
{
    if (is_mysql(flavor)) return {};
    return {plain("SET GLOBAL server_id = @@global.server_id & 1048575")};
}

Statement acknowledge(Flavor flavor, bool on)
{
    const std::string side = is_mysql(flavor) ? "replica" : "slave";
    return plain("SET GLOBAL rpl_semi_sync_" + side + "_enabled = " + (on ? "ON" : "OFF"));
}

Statements require_acks(Flavor flavor, std::uint32_t acks)
{
    const std::string side = is_mysql(flavor) ? "source" : "master";
    if (acks == 0) return {plain("SET GLOBAL rpl_semi_sync_" + side + "_enabled = OFF")};
    Statements statements;
    // The count first: a commit must never see the switch on with an old, lower count.
    if (is_mysql(flavor))
        statements.push_back(plain(
            "SET GLOBAL rpl_semi_sync_source_wait_for_replica_count = " + std::to_string(acks)));
    statements.push_back(plain("SET GLOBAL rpl_semi_sync_" + side + "_enabled = ON"));
    return statements;
}

Statement server_facts(Flavor flavor)
{
    return either(
        flavor,
        "SELECT @@global.version AS version, @@global.server_uuid AS server_uuid, "
        "@@global.read_only AS read_only, @@global.super_read_only AS super_read_only, "
        "@@global.gtid_executed AS applied, "
        "(SELECT COUNT_RECEIVED_HEARTBEATS FROM "
        "performance_schema.replication_connection_status WHERE CHANNEL_NAME = '') AS heartbeats, "
        "GTID_SUBTRACT(CONCAT_WS(',', "
        "(SELECT NULLIF(RECEIVED_TRANSACTION_SET, '') FROM "
        "performance_schema.replication_connection_status WHERE CHANNEL_NAME = ''), "
        "NULLIF(@@global.gtid_executed, '')), '') AS position",
        "SELECT @@global.version AS version, '' AS server_uuid, "
        "@@global.read_only AS read_only, 0 AS super_read_only, "
        "@@global.gtid_binlog_pos AS binlog_pos, @@global.gtid_slave_pos AS slave_pos");
}

Statement semi_sync_counters()
{
    return plain("SHOW GLOBAL STATUS LIKE 'Rpl\\_semi\\_sync%'");
}

Statement heartbeat_counter()
{
    return plain("SHOW GLOBAL STATUS LIKE 'Slave\\_received\\_heartbeats'");
}

Statement semi_sync_variables()
{
    return plain("SHOW GLOBAL VARIABLES LIKE 'rpl\\_semi\\_sync%'");
}

Statements let_administrator_write(Flavor flavor)
{
    if (!is_mysql(flavor)) return {};
    return {plain("SET GLOBAL read_only = ON"), plain("SET GLOBAL super_read_only = OFF")};
}

Statements let_clients_in(Flavor)
{
    return {plain("SET GLOBAL read_only = OFF")};
}

Statements shut_clients_out(Flavor flavor)
{
    // It waits for what is under way, and others behind it: not for ever.
    return {
        plain("SET SESSION lock_wait_timeout = 2"),
        either(flavor, "SET GLOBAL super_read_only = ON", "SET GLOBAL read_only = ON")};
}

Statements marker(Flavor flavor, const Marker& marker)
{
    const std::string epoch = std::to_string(marker.epoch);
    if (is_mysql(flavor))
        return {
            plain("SET SESSION gtid_next = " + quoted(marker.cluster_uuid + ":" + epoch)),
            plain("BEGIN"),
            plain("COMMIT")};
    return {
        plain("SET SESSION gtid_seq_no = " + std::to_string(marker.epoch << 40U)),
        plain(
            "REPLACE INTO mysos.marker (epoch, server_id) VALUES (" + epoch + ", " +
            std::to_string(marker.server_id) + ")")};
}

Statements push(Flavor flavor, std::uint64_t number)
{
    if (is_mysql(flavor))
        return {plain("DROP TABLE IF EXISTS mysql.mysos_push_" + std::to_string(number))};
    // Above every epoch, which has 24 bits in a GTID.
    const std::string key = std::to_string((1ULL << 63U) | number);
    return {
        plain("BEGIN"),
        plain("INSERT INTO mysos.marker (epoch, server_id) VALUES (" + key + ", 0)"),
        plain("DELETE FROM mysos.marker WHERE epoch = " + key),
        plain("COMMIT")};
}

Statements marker_table()
{
    return {
        plain("CREATE DATABASE IF NOT EXISTS mysos"),
        plain("CREATE TABLE IF NOT EXISTS mysos.marker (epoch BIGINT UNSIGNED NOT NULL PRIMARY "
              "KEY, server_id INT UNSIGNED NOT NULL) ENGINE=InnoDB")};
}

Statements marker_without_table(const Marker& marker)
{
    return {
        plain("SET SESSION gtid_seq_no = " + std::to_string(marker.epoch << 40U)),
        plain("CREATE OR REPLACE DATABASE mysos")};
}

Statement marker_table_stands()
{
    return plain(
        "SELECT COUNT(*) FROM information_schema.tables "
        "WHERE table_schema = 'mysos' AND table_name = 'marker'");
}

}  // namespace mysos::mysql
