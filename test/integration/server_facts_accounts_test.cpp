#include "test/integration/server_facts.hpp"

// What accounts can do to what keeps acknowledged transactions safe.

using namespace mysos;
using namespace mysos::test;

namespace {

using Kind = control::AccountSpec::Kind;

/// Lets this account log in as whom the test runs as: over the socket, without a client's plugin.
void let_in_by_socket(const DatabaseServer& server, const std::string& user)
{
    if (server.flavor() == mysql::Flavor::mysql)
        server.tell(
            "ALTER USER " + mysql::account(user) + " IDENTIFIED WITH auth_socket AS " +
            mysql::quoted(executor::local_user().value()));
}

executor::SqlSession login(const DatabaseServer& server, const std::string& user)
{
    // A client that offers a password to auth_socket is misunderstood.
    auto session = server.login(user, server.flavor() == mysql::Flavor::mysql ? "" : "secret");
    return std::move(session.value());
}

unsigned error_of(executor::SqlSession& session, const std::string& sql)
{
    const auto answer = session.run(sql);
    return answer.has_error() ? answer.error().number : 0;
}

constexpr unsigned read_only = 1290;      // ER_OPTION_PREVENTS_STATEMENT
constexpr unsigned access_denied = 1227;  // ER_SPECIFIC_ACCESS_DENIED_ERROR

}  // namespace

TEMPLATE_TEST_CASE(
    "server facts: GRANT ALL walks past read-only and semi-sync, the application's list does not",
    "",
    Mariadb,
    Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    DatabaseServer server{flavor, 1};
    server.start();
    begin(server);
    REQUIRE(server.control()
                .make_accounts({{Kind::application, {"app", "secret"}}}, in_time())
                .has_value());
    server.tell("CREATE USER 'all'@'%' IDENTIFIED BY 'secret'");
    server.tell("GRANT ALL ON *.* TO 'all'@'%'");
    for (const std::string user : {"app", "all"}) let_in_by_socket(server, user);
    const std::string side = flavor == mysql::Flavor::mysql ? "source" : "master";

    auto app = login(server, "app");
    CHECK(error_of(app, "INSERT INTO d.t VALUES (1)") == 0);
    CHECK(error_of(app, "CREATE DATABASE mine") == 0);
    CHECK(error_of(app, "SET GLOBAL read_only = OFF") == access_denied);
    CHECK(error_of(app, "SET GLOBAL rpl_semi_sync_" + side + "_enabled = OFF") == access_denied);
    CHECK(error_of(app, "SET SESSION sql_log_bin = OFF") == access_denied);
    CHECK(error_of(app, "SHUTDOWN") == access_denied);
    CHECK(error_of(app, "CREATE USER x@localhost") != 0);
    CHECK(error_of(app, "GRANT SUPER ON *.* TO 'app'@'%'") != 0);
    CHECK(error_of(app, "DROP TABLE mysql.db") != 0);
    CHECK(error_of(app, "CREATE TABLE mysql.mine (i INT)") != 0);
    CHECK(
        error_of(
            app,
            flavor == mysql::Flavor::mysql ? "UPDATE mysql.user SET Super_priv = 'Y'"
                                           : "UPDATE mysql.global_priv SET priv = '{}'") != 0);
    if (flavor == mysql::Flavor::mariadb) CHECK(error_of(app, "DELETE FROM mysos.marker") != 0);

    server.tell("SET GLOBAL read_only = ON");
    CHECK(error_of(app, "INSERT INTO d.t VALUES (2)") == read_only);
    auto all = login(server, "all");
    CHECK(error_of(all, "INSERT INTO d.t VALUES (3)") == 0);
    CHECK(error_of(all, "SET GLOBAL read_only = OFF") == 0);
    CHECK(error_of(all, "SET GLOBAL rpl_semi_sync_" + side + "_enabled = OFF") == 0);
}

TEMPLATE_TEST_CASE(
    "server control: accounts are made once, and a half made one is finished", "", Mariadb, Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    DatabaseServer server{flavor, 1};
    server.start();
    begin(server);
    const std::vector<control::AccountSpec> accounts{
        {Kind::admin, {"admin", "a'\\b"}},
        {Kind::application, {"app", "c"}},
        {Kind::monitor, {"monitor", "d"}},
        {Kind::clone, {"clone", "e"}},
        {Kind::replication, {"repl_9", "f"}}};
    // The first of each account's statements, as if a primary had died after it.
    for (const auto& account : accounts)
        REQUIRE(server.session().run(mysql::make_account(flavor, account).front()).has_value());
    for (const auto& account : accounts)
        CHECK(server.session().run(mysql::account_made(flavor, account)).value().scalar() == "0");
    REQUIRE(server.control().make_accounts(accounts, in_time()).has_value());
    for (const auto& account : accounts)
        CHECK(server.session().run(mysql::account_made(flavor, account)).value().scalar() == "1");
    const std::string before = server.observe().position;
    REQUIRE(server.control().make_accounts(accounts, in_time()).has_value());
    CHECK(server.observe().position == before);
}

TEST_CASE("server facts: MariaDB's operator account cannot write past read-only")
{
    if (!present(mysql::Flavor::mariadb)) return;
    DatabaseServer server{mysql::Flavor::mariadb, 1};
    server.start();
    begin(server);
    REQUIRE(
        server.control().make_accounts({{Kind::admin, {"op", "secret"}}}, in_time()).has_value());
    server.tell("SET GLOBAL read_only = ON");
    auto operators = login(server, "op");
    CHECK(error_of(operators, "INSERT INTO d.t VALUES (1)") == read_only);
    CHECK(error_of(operators, "SET GLOBAL read_only = OFF") == access_denied);
}
