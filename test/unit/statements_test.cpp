#include "common/mysql/statements.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace {

using namespace mysos::mysql;
using Kind = AccountSpec::Kind;

std::vector<std::string> sql_of(const Statements& statements)
{
    std::vector<std::string> texts;
    for (const Statement& statement : statements) texts.push_back(statement.sql);
    return texts;
}

AccountSpec spec(Kind kind, const std::string& user)
{
    return AccountSpec{kind, {user, "p'w\\d"}};
}

constexpr auto data_list =
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY "
    "TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, "
    "TRIGGER";

}  // namespace

TEST_CASE("statements: whatever is quoted stays one literal")
{
    struct Row {
        std::string given, literal, name;
    };
    const std::vector<Row> rows{
        {"plain", "'plain'", "`plain`"},
        {"", "''", "``"},
        {"it's", "'it''s'", "`it's`"},
        {"a\\", "'a\\\\'", "`a\\`"},
        {"\\'; DROP TABLE t; -- ", "'\\\\''; DROP TABLE t; -- '", "`\\'; DROP TABLE t; -- `"},
        {"a`b", "'a`b'", "`a``b`"},
        {std::string("a\0b", 3), "'a\\0b'", std::string("`a\0b`", 5)},
    };
    for (const Row& row : rows) {
        CHECK(quoted(row.given) == row.literal);
        CHECK(identifier(row.given) == row.name);
    }
    CHECK(account("o'b") == "'o''b'@'%'");
}

TEST_CASE("statements: an application account has a list of data privileges and no way round it")
{
    CHECK(
        sql_of(make_account(Flavor::mysql, spec(Kind::application, "app"))) ==
        std::vector<std::string>{
            "CREATE USER IF NOT EXISTS 'app'@'%' IDENTIFIED WITH caching_sha2_password BY "
            "'p''w\\\\d'",
            std::string("GRANT ") + data_list + " ON *.* TO 'app'@'%' WITH GRANT OPTION",
            "REVOKE INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE VIEW, "
            "CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER, LOCK TABLES ON mysql.* FROM "
            "'app'@'%'"});
    CHECK(
        sql_of(make_account(Flavor::mariadb, spec(Kind::application, "app"))) ==
        std::vector<std::string>{
            "CREATE USER IF NOT EXISTS 'app'@'%' IDENTIFIED BY 'p''w\\\\d'",
            "GRANT SHOW VIEW ON mysql.* TO 'app'@'%'",
            "GRANT SELECT ON mysos.* TO 'app'@'%'",
            std::string("GRANT ") + data_list + " ON `%`.* TO 'app'@'%' WITH GRANT OPTION"});
}

TEST_CASE("statements: no account but the operator's gets a privilege over the server")
{
    const std::vector<std::string> banned{
        "SUPER",
        "ALL",
        "CONNECTION_ADMIN",
        "SYSTEM_VARIABLES_ADMIN",
        "SESSION_VARIABLES_ADMIN",
        "BINLOG_ADMIN",
        "REPLICATION_SLAVE_ADMIN",
        "GROUP_REPLICATION_ADMIN",
        "CLONE_ADMIN",
        "SHUTDOWN",
        "READ ONLY ADMIN",
        "BINLOG ADMIN",
        "REPLICATION SLAVE ADMIN",
        "CREATE USER ON",
        "FILE"};
    for (const Flavor flavor : {Flavor::mysql, Flavor::mariadb})
        for (const Kind kind : {Kind::application, Kind::monitor, Kind::replication})
            for (const std::string& sql : sql_of(make_account(flavor, spec(kind, "u"))))
                for (const std::string& privilege : banned) {
                    INFO(sql);
                    CHECK(sql.find(privilege) == std::string::npos);
                }
}

TEST_CASE("statements: the other accounts get what their work needs")
{
    struct Row {
        Flavor flavor;
        Kind kind;
        std::vector<std::string> after_create;
    };
    const std::vector<Row> rows{
        {Flavor::mysql, Kind::admin, {"GRANT ALL ON *.* TO 'u'@'%' WITH GRANT OPTION"}},
        {Flavor::mariadb,
         Kind::admin,
         {"GRANT ALL ON *.* TO 'u'@'%' WITH GRANT OPTION",
          "REVOKE READ ONLY ADMIN ON *.* FROM 'u'@'%'"}},
        {Flavor::mysql,
         Kind::monitor,
         {"GRANT SELECT ON performance_schema.* TO 'u'@'%'",
          "GRANT PROCESS, REPLICATION CLIENT ON *.* TO 'u'@'%'"}},
        {Flavor::mariadb,
         Kind::monitor,
         {"GRANT PROCESS, BINLOG MONITOR, REPLICA MONITOR ON *.* TO 'u'@'%'"}},
        {Flavor::mysql, Kind::clone, {"GRANT BACKUP_ADMIN ON *.* TO 'u'@'%'"}},
        {Flavor::mariadb,
         Kind::clone,
         {"GRANT RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR, REPLICA MONITOR, CONNECTION ADMIN "
          "ON *.* TO 'u'@'%'"}},
        {Flavor::mysql, Kind::replication, {"GRANT REPLICATION SLAVE ON *.* TO 'u'@'%'"}},
    };
    for (const Row& row : rows) {
        auto made = sql_of(make_account(row.flavor, spec(row.kind, "u")));
        made.erase(made.begin());
        CHECK(made == row.after_create);
    }
}

TEST_CASE("statements: a password is in what runs and in nothing that is shown")
{
    const Source source{"10.0.0.7", 31000, "repl_3", "s3cret"};
    for (const Flavor flavor : {Flavor::mysql, Flavor::mariadb}) {
        Statements all = change_source(flavor, source);
        for (const Kind kind :
             {Kind::admin, Kind::application, Kind::monitor, Kind::clone, Kind::replication})
            for (const Statement& s : make_account(flavor, AccountSpec{kind, {"u", "s3cret"}}))
                all.push_back(s);
        std::size_t secret = 0;
        for (const Statement& statement : all) {
            CHECK(statement.shown.find("s3cret") == std::string::npos);
            if (statement.secret()) {
                ++secret;
                CHECK(statement.sql.find("s3cret") != std::string::npos);
            } else {
                CHECK(statement.sql == statement.shown);
            }
        }
        CHECK(secret == 6);
    }
}

TEST_CASE("statements: a source is followed by GTID, and MariaDB counts its own writes in")
{
    const Source source{"10.0.0.7", 31000, "repl_3", "pw"};
    CHECK(
        sql_of(change_source(Flavor::mysql, source)) ==
        std::vector<std::string>{
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST='10.0.0.7', SOURCE_PORT=31000, "
            "SOURCE_USER='repl_3', SOURCE_PASSWORD='pw', SOURCE_AUTO_POSITION=1, "
            "SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=86400, SOURCE_HEARTBEAT_PERIOD=1, "
            "GET_SOURCE_PUBLIC_KEY=1"});
    CHECK(
        sql_of(change_source(Flavor::mariadb, source)) ==
        std::vector<std::string>{
            "SET GLOBAL gtid_slave_pos = IF(@@global.gtid_binlog_pos = '', "
            "@@global.gtid_slave_pos, @@global.gtid_binlog_pos)",
            "CHANGE MASTER TO MASTER_HOST='10.0.0.7', MASTER_PORT=31000, MASTER_USER='repl_3', "
            "MASTER_PASSWORD='pw', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1, "
            "MASTER_HEARTBEAT_PERIOD=1"});
}

TEST_CASE("statements: acknowledgements are counted before they are required")
{
    CHECK(
        sql_of(require_acks(Flavor::mysql, 2)) ==
        std::vector<std::string>{
            "SET GLOBAL rpl_semi_sync_source_wait_for_replica_count = 2",
            "SET GLOBAL rpl_semi_sync_source_enabled = ON"});
    CHECK(
        sql_of(require_acks(Flavor::mysql, 0)) ==
        std::vector<std::string>{"SET GLOBAL rpl_semi_sync_source_enabled = OFF"});
    CHECK(
        sql_of(require_acks(Flavor::mariadb, 1)) ==
        std::vector<std::string>{"SET GLOBAL rpl_semi_sync_master_enabled = ON"});
    CHECK(acknowledge(Flavor::mariadb, true).sql == "SET GLOBAL rpl_semi_sync_slave_enabled = ON");
    CHECK(
        acknowledge(Flavor::mysql, false).sql == "SET GLOBAL rpl_semi_sync_replica_enabled = OFF");
}

TEST_CASE("statements: a MariaDB replica receives under an id of its own in each epoch")
{
    CHECK(
        replicate_in(Flavor::mariadb, 2).at(0).sql ==
        "SET GLOBAL server_id = (@@global.server_id & 1048575) | 3145728");
    CHECK(
        replicate_in(Flavor::mariadb, 4096).at(0).sql !=
        replicate_in(Flavor::mariadb, 4097).at(0).sql);
    CHECK(
        write_as_oneself(Flavor::mariadb).at(0).sql ==
        "SET GLOBAL server_id = @@global.server_id & 1048575");
    CHECK(replicate_in(Flavor::mysql, 2).empty());
    CHECK(write_as_oneself(Flavor::mysql).empty());
    CHECK(member_of(3145728 + 2) == 2);
    CHECK(member_of(2) == 2);
}

TEST_CASE("statements: a marker carries its epoch in its GTID")
{
    const Marker third{3, "11111111-2222-3333-4444-555555555555", 7};
    CHECK(
        sql_of(marker(Flavor::mysql, third)) ==
        std::vector<std::string>{
            "SET SESSION gtid_next = '11111111-2222-3333-4444-555555555555:3'", "BEGIN", "COMMIT"});
    CHECK(
        sql_of(marker(Flavor::mariadb, third)) ==
        std::vector<std::string>{
            "SET SESSION gtid_seq_no = 3298534883328",
            "REPLACE INTO mysos.marker (epoch, server_id) VALUES (3, 7)"});
}

TEST_CASE("statements: a leaving member's account is locked without a word in the binlog")
{
    CHECK(
        sql_of(lock_account("repl_2")) == std::vector<std::string>{
                                              "SET SESSION sql_log_bin = OFF",
                                              "ALTER USER 'repl_2'@'%' ACCOUNT LOCK",
                                              "SET SESSION sql_log_bin = ON"});
}
