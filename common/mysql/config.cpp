#include "common/mysql/config.hpp"

#include "common/mysql/option_file.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace mysos::mysql {
namespace {

struct Option {
    std::string name;
    std::string value;
};
using Options = std::vector<Option>;

std::string number(std::uint64_t value)
{
    return std::to_string(value);
}

/// What makes acknowledged transactions survive and clients stay shut out, on either flavour.
Options safe_for_both(const ServerConfig& config)
{
    const Directories& directories = config.directories;
    return {
        {"server_id", number(config.server_id)},
        {"port", number(config.port)},
        {"bind_address", config.address},
        {"report_host", config.report_host},
        {"report_port", number(config.port)},
        {"datadir", directories.data},
        {"tmpdir", directories.tmp},
        {"socket", std::string(socket_name)},
        {"pid_file", "my.pid"},
        {"log_bin", directories.binlog + "/binlog"},
        {"relay_log", directories.relay + "/relay"},
        {"binlog_format", "ROW"},
        {"sync_binlog", "1"},
        {"innodb_flush_log_at_trx_commit", "1"},
        {"read_only", "ON"},
        {"skip_name_resolve", "ON"},
        {"local_infile", "OFF"},
    };
}

Options safe_for_mysql(const ServerConfig& config)
{
    return {
        {"super_read_only", "ON"},
        {"skip_replica_start", "ON"},
        {"gtid_mode", "ON"},
        {"enforce_gtid_consistency", "ON"},
        {"log_replica_updates", "ON"},
        {"replica_preserve_commit_order", "ON"},
        // A crash of the process must not make the member forget what it acknowledged.
        {"relay_log_recovery", "OFF"},
        {"sync_relay_log", "1"},
        {"replica_net_timeout", number(config.net_timeout_s)},
        {"partial_revokes", "ON"},  // Keeps applications out of the tables with the privileges.
        {"mysqlx", "OFF"},
        // The compiled-in default is a directory that does not exist here: the server would not
        // start.
        {"secure_file_priv", "NULL"},
        {"plugin_load_add", "auth_socket.so"},
        {"plugin_load_add", "mysql_clone.so"},
        {"plugin_load_add", "semisync_source.so"},
        {"plugin_load_add", "semisync_replica.so"},
        {"rpl_semi_sync_source_wait_point", "AFTER_SYNC"},
        {"rpl_semi_sync_source_wait_no_replica", "ON"},
        // 49 days, the most there is: it never degrades to asynchronous.
        {"rpl_semi_sync_source_timeout", "4294967295"},
    };
}

Options safe_for_mariadb(const ServerConfig& config)
{
    return {
        {"skip_slave_start", "ON"},
        {"gtid_strict_mode", "ON"},
        {"gtid_domain_id", "0"},
        {"log_slave_updates", "ON"},
        {"relay_log_recovery", "ON"},
        {"slave_net_timeout", number(config.net_timeout_s)},
        {"rpl_semi_sync_master_wait_point", "AFTER_SYNC"},
        {"rpl_semi_sync_master_wait_no_slave", "ON"},
        {"rpl_semi_sync_master_timeout", "4294967295"},
        // How long STOP SLAVE talks to a primary that may be hanging.
        {"rpl_semi_sync_slave_kill_conn_timeout", "1"},
    };
}

Options safe_options(const ServerConfig& config)
{
    Options options = safe_for_both(config);
    for (Option& option :
         config.flavor == Flavor::mysql ? safe_for_mysql(config) : safe_for_mariadb(config))
        options.push_back(std::move(option));
    return options;
}

Options tuning(const ServerConfig& config)
{
    Options options{
        {"innodb_buffer_pool_size", number(buffer_pool_mb(config.flavor, config.memory_mb)) + "M"},
        {"innodb_log_buffer_size", "4M"},
        {"table_open_cache", "400"},
        {"table_definition_cache", "400"},
        {"max_connections", "200"},
        {"performance_schema", "OFF"},
        {"character_set_server", "utf8mb4"},
    };
    if (config.flavor == Flavor::mysql) {
        options.push_back({"innodb_redo_log_capacity", "64M"});
        options.push_back({"replica_parallel_workers", "4"});
        options.push_back({"binlog_expire_logs_seconds", "259200"});
    } else {
        options.push_back({"innodb_log_file_size", "64M"});
        options.push_back({"aria_pagecache_buffer_size", "8M"});
        options.push_back({"key_buffer_size", "16K"});
        options.push_back({"slave_parallel_threads", "4"});
        options.push_back({"slave_parallel_mode", "optimistic"});
        options.push_back({"expire_logs_days", "3"});
    }
    return options;
}

/// The command line's word for a boolean option is what the file's is compared with.
std::string folded(const std::string& value)
{
    std::string lower = value;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (lower == "1" || lower == "true") return "on";
    if (lower == "0" || lower == "false") return "off";
    return lower;
}

/// What else the protocol forbids, that is not on the command line: in all of these a "" or OFF is
/// no harm, and none has a place in a managed server.
const std::map<std::string, std::string>& forbidden()
{
    static const std::map<std::string, std::string> instance{
        {"basedir", "the installer sets it"},
        {"init_file", "it would run before the server is fenced"},
        {"init_slave", "it would run outside of the protocol"},
        {"init_replica", "it would run outside of the protocol"},
        {"log_error", "the executor keeps the log"},
        {"plugin_dir", "the installer sets it"},
        {"plugin_load", "it would drop the plugins that replication needs; use plugin_load_add"},
        {"rpl_semi_sync_master_enabled", "the executor switches it"},
        {"rpl_semi_sync_slave_enabled", "the executor switches it"},
        {"rpl_semi_sync_source_enabled", "the executor switches it"},
        {"rpl_semi_sync_replica_enabled", "the executor switches it"},
        {"rpl_semi_sync_source_wait_for_replica_count", "the executor sets it"},
        {"init_rpl_role", "the executor sets it"},
        {"skip_grant_tables", "it would let anyone in"},
        {"skip_networking", "members talk over the network"},
        {"skip_log_bin", "replication needs the binary log"},
        {"user", "the executor chooses the user"},
        {"binlog_do_db", "replicas would lack what it leaves out"},
        {"binlog_ignore_db", "replicas would lack what it leaves out"},
    };
    return instance;
}

Failure refusal(const FileOption& option, const std::string& why)
{
    return Failure{
        make_error_code(OptionFileErrc::contradicts),
        "line " + std::to_string(option.line) + ": " + option.name + ": " + why};
}

/// Options that may be given several times, each adding to the others.
bool adds(const std::string& name)
{
    return name == "plugin_load_add";
}

/// Servers take an unambiguous beginning for the whole name, which would walk past the comparison.
bool abbreviates(const FileOption& option, const std::string& name)
{
    const std::string negated = "skip_" + option.name;
    return (name.starts_with(option.name) && name != option.name) ||
           (option.value == "OFF" && name.starts_with(negated) && name != negated);
}

Outcome<void> check_option(const FileOption& option, const Options& safe)
{
    if (const auto found = forbidden().find(option.name); found != forbidden().end())
        return refusal(option, found->second);
    const auto ours = std::find_if(safe.begin(), safe.end(), [&](const Option& candidate) {
        return candidate.name == option.name;
    });
    if (ours != safe.end()) {
        if (adds(option.name) || folded(option.value) == folded(ours->value)) return {};
        return refusal(option, "mysos sets it to " + ours->value);
    }
    for (const Option& candidate : safe)
        if (abbreviates(option, candidate.name))
            return refusal(option, "write the whole name; it begins " + candidate.name);
    for (const auto& [name, why] : forbidden())
        if (abbreviates(option, name))
            return refusal(option, "write the whole name; it begins " + name);
    return {};
}

}  // namespace

std::uint64_t buffer_pool_mb(Flavor flavor, std::uint64_t memory_mb)
{
    const std::uint64_t share = memory_mb * 60 / 100;
    if (flavor == Flavor::mariadb) return std::max<std::uint64_t>(share, 8);
    // MySQL needs about 200 MB before the first page is cached.
    return share > 232 ? share - 200 : 32;
}

std::string option_file(const ServerConfig& config, std::string_view operators_file)
{
    std::vector<std::string> named;
    std::string text;
    if (!operators_file.empty()) {
        text += "# From MYSOS_DEFAULTS_FILE:\n" + std::string(operators_file);
        if (text.back() != '\n') text += '\n';
        if (const auto options = parse_option_file(operators_file); options.has_value())
            for (const FileOption& option : options.value())
                if (is_server_group(option.group)) named.push_back(option.name);
    }
    text += "# Written by mysos-executor at every start of the server.\n[mysqld]\n";
    for (const Option& option : tuning(config))
        if (std::find(named.begin(), named.end(), option.name) == named.end())
            text += option.name + " = " + option.value + "\n";
    return text;
}

std::vector<std::string> arguments(const ServerConfig& config, StartMode mode)
{
    std::vector<std::string> arguments;
    for (const Option& option : safe_options(config)) {
        std::string name = option.name;
        std::replace(name.begin(), name.end(), '_', '-');
        arguments.push_back("--" + name + "=" + option.value);
    }
    if (mode == StartMode::offline) arguments.emplace_back("--skip-networking");
    if (mode == StartMode::as_replica && config.flavor == Flavor::mariadb) {
        arguments.emplace_back("--init-rpl-role=SLAVE");
        arguments.emplace_back("--rpl-semi-sync-slave-enabled=ON");
    }
    return arguments;
}

Outcome<void> check_operators_file(const ServerConfig& config, std::string_view operators_file)
{
    const auto options = parse_option_file(operators_file);
    if (options.has_error()) return options.error();
    const Options safe = safe_options(config);
    for (const FileOption& option : options.value()) {
        if (!is_server_group(option.group)) continue;
        if (auto checked = check_option(option, safe); checked.has_error()) return checked;
    }
    return {};
}

}  // namespace mysos::mysql
