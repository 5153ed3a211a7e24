#pragma once

#include "test/support/database_server.hpp"
#include "test/support/packages.hpp"

#include <catch2/catch.hpp>

#include <string>

/// What the tests of single facts about servers share. Each fact holds up a rule of the failover
/// protocol; where a server does not behave so, the rule is wrong, not the server.
namespace mysos::test {

struct Mariadb {
    static constexpr auto flavor = mysql::Flavor::mariadb;
};
struct Mysql {
    static constexpr auto flavor = mysql::Flavor::mysql;
};

/// False, with the reason printed, when there is no such server here.
inline bool present(mysql::Flavor flavor)
{
    const auto& programs = server_programs(flavor);
    if (programs.has_error()) WARN("skipped: " << programs.error().text);
    return programs.has_value();
}

/// A primary of epoch 1 that waits for nobody, open, with an empty table d.t.
inline void begin(DatabaseServer& server)
{
    server.promote(1, 0);
    REQUIRE(server.control().open(false, in_time()).has_value());
    server.tell("CREATE DATABASE d");
    server.tell("CREATE TABLE d.t (i INT PRIMARY KEY)");
}

inline void require_acks(DatabaseServer& server, std::uint32_t acks)
{
    REQUIRE(server.control().set_acks(acks, in_time()).has_value());
}

/// An insert whose commit waits for an acknowledgement that does not come.
inline executor::SqlSession waiting_insert(DatabaseServer& server, int value)
{
    auto session = server.session();
    const std::string sql = "INSERT INTO d.t VALUES (" + std::to_string(value) + ")";
    REQUIRE(session.send({sql, sql}).has_value());
    REQUIRE(eventually([&] { return server.observe().commits_waiting == 1; }));
    return session;
}

inline bool has_row(const DatabaseServer& server, int value)
{
    return server.ask("SELECT COUNT(*) FROM d.t WHERE i = " + std::to_string(value)) == "1";
}

/// State of the session that runs this statement, as SHOW PROCESSLIST has it; "" when none does.
inline std::string state_of(const DatabaseServer& server, const std::string& statement)
{
    const auto rows = server.session().run("SHOW FULL PROCESSLIST").value();
    for (std::size_t row = 0; row < rows.rows.size(); ++row)
        if (rows.field("Info", row) == statement) return rows.field("State", row).value_or("");
    return {};
}

}  // namespace mysos::test
