#include "common/mysql/config.hpp"
#include "common/mysql/option_file.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace mysos::mysql;

ServerConfig config(Flavor flavor)
{
    ServerConfig config;
    config.flavor = flavor;
    config.server_id = 7;
    config.port = 31001;
    config.address = "0.0.0.0";
    config.report_host = "10.0.0.7";
    config.memory_mb = 512;
    config.directories = {"/v/mysql/data", "/v/mysql/binlog", "/v/mysql/relay", "/v/mysql/tmp"};
    return config;
}

bool has(const std::vector<std::string>& arguments, const std::string& argument)
{
    return std::find(arguments.begin(), arguments.end(), argument) != arguments.end();
}

}  // namespace

TEST_CASE("server config: the buffer pool leaves room for the server")
{
    struct Row {
        Flavor flavor;
        std::uint64_t memory_mb, pool_mb;
    };
    const std::vector<Row> rows{
        {Flavor::mariadb, 512, 307},
        {Flavor::mariadb, 1024, 614},
        {Flavor::mariadb, 10, 8},
        {Flavor::mysql, 512, 107},
        {Flavor::mysql, 1024, 414},
        {Flavor::mysql, 256, 32},
        {Flavor::mysql, 0, 32},
    };
    for (const Row& row : rows) CHECK(buffer_pool_mb(row.flavor, row.memory_mb) == row.pool_mb);
}

TEST_CASE("server config: what safety rests on stands on the command line")
{
    struct Row {
        Flavor flavor;
        std::vector<std::string> expected;
    };
    const std::vector<Row> rows{
        {Flavor::mysql,
         {"--server-id=7",
          "--socket=my.sock",
          "--log-bin=/v/mysql/binlog/binlog",
          "--sync-binlog=1",
          "--innodb-flush-log-at-trx-commit=1",
          "--super-read-only=ON",
          "--skip-replica-start=ON",
          "--gtid-mode=ON",
          "--relay-log-recovery=OFF",
          "--sync-relay-log=1",
          "--replica-net-timeout=5",
          "--rpl-semi-sync-source-wait-point=AFTER_SYNC",
          "--rpl-semi-sync-source-timeout=4294967295",
          "--plugin-load-add=semisync_source.so"}},
        {Flavor::mariadb,
         {"--server-id=7",
          "--datadir=/v/mysql/data",
          "--read-only=ON",
          "--skip-slave-start=ON",
          "--gtid-strict-mode=ON",
          "--gtid-domain-id=0",
          "--log-slave-updates=ON",
          "--slave-net-timeout=5",
          "--rpl-semi-sync-master-wait-point=AFTER_SYNC"}},
    };
    for (const Row& row : rows) {
        const auto given = arguments(config(row.flavor), StartMode::fenced);
        for (const std::string& argument : row.expected) {
            INFO(argument);
            CHECK(has(given, argument));
        }
        CHECK_FALSE(has(given, "--skip-networking"));
    }
}

TEST_CASE("server config: only a MariaDB that comes back as a replica cuts its tail")
{
    const auto mariadb = arguments(config(Flavor::mariadb), StartMode::as_replica);
    CHECK(has(mariadb, "--init-rpl-role=SLAVE"));
    CHECK(has(mariadb, "--rpl-semi-sync-slave-enabled=ON"));
    CHECK_FALSE(
        has(arguments(config(Flavor::mariadb), StartMode::fenced), "--init-rpl-role=SLAVE"));
    CHECK(
        arguments(config(Flavor::mysql), StartMode::as_replica) ==
        arguments(config(Flavor::mysql), StartMode::fenced));
    CHECK(has(arguments(config(Flavor::mysql), StartMode::offline), "--skip-networking"));
}

TEST_CASE("server config: the operator's file comes first and is not tuned over")
{
    const std::string mine = "[mysqld]\nmax-connections = 900\n[mysql]\ntable_open_cache = 1\n";
    const std::string text = option_file(config(Flavor::mariadb), mine);
    CHECK(text.find("max-connections = 900") != std::string::npos);
    CHECK(text.find("max_connections") == std::string::npos);
    CHECK(text.find("table_open_cache = 400") != std::string::npos);
    CHECK(text.find("max-connections") < text.find("innodb_buffer_pool_size = 307M"));
    CHECK(option_file(config(Flavor::mysql), "").find("MYSOS_DEFAULTS_FILE") == std::string::npos);
}

TEST_CASE("server config: an operator's file that contradicts is refused by name")
{
    struct Row {
        std::string text, failure;
    };
    const std::vector<Row> rows{
        {"", ""},
        {"[mysqld]\nmax_connections=5\n", ""},
        {"[client]\nsocket=/tmp/x\n", ""},
        {"[mysqld]\nsync_binlog = 1\n", ""},
        {"[mysqld]\nread-only = true # as it must be\n", ""},
        {"[mysqld]\nplugin_load_add=audit.so\n", ""},
        {"[mysqld]\nsync_binlog = 0\n", "line 2: sync_binlog: mysos sets it to 1"},
        {"[mysqld]\nloose-sync-binlog=100", "line 2: sync_binlog: mysos sets it to 1"},
        {"[server]\n\nSERVER-ID=1\n", "line 3: server_id: mysos sets it to 7"},
        {"[mariadbd-10.11]\nskip-log-bin\n",
         "line 2: skip_log_bin: replication needs the binary log"},
        {"[mysqld]\ndisable_log_bin\n", "line 2: log_bin: mysos sets it to /v/mysql/binlog/binlog"},
        {"[mysqld]\nskip_gtid_strict_mode\n", "line 2: gtid_strict_mode: mysos sets it to ON"},
        {"[mysqld]\nskip-grant\n",
         "line 2: grant: write the whole name; it begins skip_grant_tables"},
        {"[mysqld]\nsync_b=0\n", "line 2: sync_b: write the whole name; it begins sync_binlog"},
        {"[mysqld]\ninit_file='/tmp/x'\n",
         "line 2: init_file: it would run before the server is fenced"},
        {"!include /etc/my.cnf\n", "line 1: a file cannot be included from here"},
        {"max_connections=5\n", "line 1: an option stands before any [group]"},
        {"[mysqld\n", "line 1: the group has no ']'"},
        {"[mysqld]\n=5\n", "line 2: an option has no name"},
    };
    for (const Row& row : rows) {
        INFO(row.text);
        const auto checked = check_operators_file(config(Flavor::mariadb), row.text);
        CHECK((checked.has_error() ? checked.error().text : "") == row.failure);
    }
}

TEST_CASE("option file: values lose their quotes and comments, names their forms")
{
    const auto parsed = parse_option_file(
        "; note\r\n[mysqld]\r\na-b = \"x # y\" # z\nSkip-Slave = 1\nenable-c\nd=\n");
    REQUIRE(parsed.has_value());
    CHECK(
        parsed.value() == std::vector<FileOption>{
                              {"mysqld", "a_b", "x # y", 3},
                              {"mysqld", "slave", "OFF", 4},
                              {"mysqld", "c", "ON", 5},
                              {"mysqld", "d", "", 6}});
    CHECK(parse_option_file("[x").error().code == OptionFileErrc::malformed);
    CHECK(
        check_operators_file(config(Flavor::mysql), "[mysqld]\nport=1\n").error().code ==
        OptionFileErrc::contradicts);
}
