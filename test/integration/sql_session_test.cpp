#include "executor/out/sql_session.hpp"

#include "test/integration/server_facts.hpp"

#include <csignal>

using namespace mysos;
using namespace mysos::executor;
using namespace mysos::test;

namespace {

constexpr unsigned not_there = 2002;  // CR_CONNECTION_ERROR
constexpr unsigned lost = 2013;       // CR_SERVER_LOST

}  // namespace

TEST_CASE("sql session: no server is an error that says where it looked")
{
    const auto session = SqlSession::connect({"/no/such/socket", "root", ""}, {});
    REQUIRE(session.has_error());
    CHECK(session.error().number == not_there);
    CHECK(session.error().disconnected());
    CHECK(session.error().text.find("/no/such/socket") != std::string::npos);
}

TEST_CASE("sql session: answers, errors and silence")
{
    if (!present(mysql::Flavor::mariadb)) return;
    DatabaseServer server{mysql::Flavor::mariadb, 1};
    server.start();

    SECTION("fields are told from NULL, by name and by row")
    {
        const auto rows =
            server.session().run("SELECT 1 AS a, NULL AS b, '' AS c UNION SELECT 2, 'x', 'y'");
        REQUIRE(rows.has_value());
        CHECK(rows.value().columns == std::vector<std::string>{"a", "b", "c"});
        CHECK(rows.value().field("a") == "1");
        CHECK(rows.value().field("b") == SqlField{});
        CHECK(rows.value().field("c") == "");
        CHECK(rows.value().field("b", 1) == "x");
        CHECK(rows.value().field("b", 2) == SqlField{});
        CHECK(rows.value().field("d") == SqlField{});
        CHECK(rows.value().scalar() == "1");
        CHECK(server.session().run("DO 1").value().columns.empty());
        CHECK(server.session().run("DO 1").value().scalar().empty());
        CHECK(server.session().run("SELECT NULL").value().scalar().empty());
    }
    SECTION("what is quoted arrives as it was, whatever sql_mode the server is set to")
    {
        server.tell("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'");
        const std::string text = "it's a \\ \"thing\" \n`\xc3\xa4";
        CHECK(server.ask("SELECT " + mysql::quoted(text)) == text);
    }
    SECTION("a statement that fails says so, and the session lives on")
    {
        auto session = server.session();
        const auto failed = session.run("SELECT 1 FRM t");
        REQUIRE(failed.has_error());
        constexpr unsigned parse_error = 1064;
        CHECK(failed.error().number == parse_error);
        CHECK_FALSE(failed.error().disconnected());
        CHECK(failed.error().text.find("in: SELECT 1 FRM t") != std::string::npos);
        CHECK(session.run("SELECT 7").value().scalar() == "7");
        // The first that fails is the last that ran.
        CHECK(session
                  .run_all(
                      {{"SET @a = 1", "SET @a = 1"},
                       {"wrong", "wrong"},
                       {"SET @a = 2", "SET @a = 2"}})
                  .has_error());
        CHECK(session.run("SELECT @a").value().scalar() == "1");
    }
    SECTION("a secret is in no error")
    {
        auto session = server.session();
        const auto failed = session.run(
            mysql::Statement{"SET PASSWORD = 'hidden' nonsense", "SET PASSWORD = '***' nonsense"});
        REQUIRE(failed.has_error());
        CHECK(failed.error().text.find("hidden") == std::string::npos);
        CHECK(failed.error().text.find("'***' nonsense") != std::string::npos);
    }
    SECTION("an answer that takes too long is silence")
    {
        auto session = server.session(std::chrono::milliseconds{50});
        const auto failed = session.run("SELECT SLEEP(600)");
        REQUIRE(failed.has_error());
        CHECK(failed.error().number == lost);
        CHECK(failed.error().disconnected());
        CHECK(failed.error().text == "no answer within 50 ms to: SELECT SLEEP(600)");
    }
    SECTION("a stopped server is silent on an old connection and on a new one")
    {
        auto session = server.session(std::chrono::milliseconds{50});
        server.signal(SIGSTOP);
        CHECK(session.run("SELECT 1").error().number == lost);
        const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds{100};
        const auto seen = server.control().observe(cluster_uuid, soon);
        REQUIRE(seen.has_error());
        CHECK(seen.error().code == ControlErrc::server_silent);
        server.signal(SIGCONT);
        CHECK(server.control().ping(in_time()).has_value());
    }
    SECTION("a killed session is disconnected")
    {
        auto session = server.session();
        server.tell("KILL " + std::to_string(session.connection_id()));
        const auto failed = session.run("SELECT 1");
        REQUIRE(failed.has_error());
        CHECK(failed.error().disconnected());
    }
    SECTION("an account that is not there is refused")
    {
        const auto refused = server.login("stranger", "hushhush");
        REQUIRE(refused.has_error());
        constexpr unsigned access_denied = 1045;
        CHECK(refused.error().number == access_denied);
        CHECK(refused.error().text.find("hushhush") == std::string::npos);
    }
}
