#include "test/integration/server_facts.hpp"

#include <csignal>

// ha-protocol 0.1, 0.2, 0.4: what a commit that waits for acknowledgements does and undergoes.
// (docs/failover.md has the rules that rest on it.)

using namespace mysos;
using namespace mysos::test;

TEMPLATE_TEST_CASE(
    "server facts: read-only cannot be set while a commit waits, and a kill tells on MariaDB only",
    "",
    Mariadb,
    Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    DatabaseServer server{flavor, 1};
    server.start();
    begin(server);
    require_acks(server, 1);
    auto writer = waiting_insert(server, 1);

    for (const std::string statement :
         {"SET GLOBAL read_only = ON",
          flavor == mysql::Flavor::mysql ? "SET GLOBAL super_read_only = ON"
                                         : "FLUSH TABLES WITH READ LOCK"}) {
        auto fencer = server.session();
        REQUIRE(fencer.send({statement, statement}).has_value());
        INFO(statement);
        CHECK(eventually([&] { return state_of(server, statement).starts_with("Waiting"); }));
        CHECK_FALSE(fencer.answered(std::chrono::milliseconds{500}));
        server.tell("KILL " + std::to_string(fencer.connection_id()));
        CHECK(fencer.receive().has_error());
    }
    // Such a statement given up on leaves the server as it was.
    CHECK(server.ask("SELECT @@global.read_only") == "0");

    CHECK_FALSE(has_row(server, 1));
    server.tell("KILL " + std::to_string(writer.connection_id()));
    if (flavor == mysql::Flavor::mariadb) {
        CHECK(eventually([&] { return has_row(server, 1); }));
        CHECK(server.observe().commits_waiting == 0);
    } else {
        CHECK(eventually([&] {
            const auto rows = server.session().run("SHOW FULL PROCESSLIST").value();
            for (std::size_t row = 0; row < rows.rows.size(); ++row)
                if (rows.field("Id", row) == std::to_string(writer.connection_id()))
                    return rows.field("Command", row) == "Killed";
            return false;
        }));
        CHECK(writer.receive().has_error());  // The client is cut off, the commit waits on.
        CHECK(server.observe().commits_waiting == 1);
        CHECK_FALSE(has_row(server, 1));
    }
}

TEST_CASE(
    "server facts: two groups of waiting commits keep MariaDB's binary log, but not its answers")
{
    if (!present(mysql::Flavor::mariadb)) return;
    DatabaseServer server{mysql::Flavor::mariadb, 1};
    server.start();
    begin(server);
    require_acks(server, 1);
    const auto send = [&server](const std::string& sql) {
        auto session = server.session();
        REQUIRE(session.send({sql, sql}).has_value());
        return session;
    };
    const auto first = waiting_insert(server, 1);
    const std::string one = server.observe().position;
    const auto second = send("INSERT INTO d.t VALUES (2)");
    REQUIRE(eventually([&] { return server.observe().position != one; }));
    const std::string two = server.observe().position;

    // Nothing follows into the log: no push can make a receiver acknowledge any more.
    const auto third = send("INSERT INTO d.t VALUES (3)");
    REQUIRE(eventually([&] { return state_of(server, "INSERT INTO d.t VALUES (3)") == "Commit"; }));
    CHECK_FALSE(third.answered(std::chrono::milliseconds{500}));
    CHECK(server.observe().position == two);
    const auto fourth = send("CREATE USER u");
    REQUIRE(eventually([&] { return state_of(server, "CREATE USER u") == "Writing to binlog"; }));
    // Counters that are not asked for by LIKE are made up all the same, and one of them waits.
    const auto counters = send("SHOW GLOBAL STATUS WHERE Variable_name = 'Uptime'");
    CHECK_FALSE(counters.answered(std::chrono::milliseconds{500}));
    CHECK(server.observe().commits_waiting == 1);
    server.kill();
}

TEMPLATE_TEST_CASE(
    "server facts: switching the source side off releases waiting commits as if acknowledged",
    "",
    Mariadb,
    Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    DatabaseServer server{flavor, 1};
    server.start();
    begin(server);
    require_acks(server, 1);
    auto writer = waiting_insert(server, 1);
    require_acks(server, 0);
    CHECK(writer.receive().has_value());
    CHECK(has_row(server, 1));
}

TEMPLATE_TEST_CASE(
    "server facts: a server that is asked to end commits what nobody acknowledged",
    "",
    Mariadb,
    Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    DatabaseServer server{flavor, 1};
    server.start();
    begin(server);
    require_acks(server, 1);
    auto writer = waiting_insert(server, 1);
    server.signal(SIGTERM);
    // 10.11.19 and 9.7.4 cut the client off here, so it does not know. MariaDB has been seen to say
    // OK.
    static_cast<void>(writer.receive());
    CHECK(server.wait_for_exit() == executor::ProcessExit{0, 0});
    // Committed in the engine: not even a start that cuts tails takes it away.
    server.start(mysql::StartMode::as_replica);
    CHECK(has_row(server, 1));
}

TEMPLATE_TEST_CASE(
    "server facts: a killed server answers no waiting commit, and comes back with it unless cut",
    "",
    Mariadb,
    Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    DatabaseServer server{flavor, 1};
    server.start();
    begin(server);
    const std::string before = server.observe().position;
    require_acks(server, 1);
    auto writer = waiting_insert(server, 1);
    server.kill();
    REQUIRE(writer.receive().has_error());
    CHECK(server.process().exit() == executor::ProcessExit{0, SIGKILL});

    SECTION("a fenced start keeps the tail")
    {
        server.start(mysql::StartMode::fenced);
        CHECK(has_row(server, 1));
        CHECK(server.observe().position != before);
        CHECK(server.observe().read_only);
        CHECK(server.observe().acks_required == 0);
    }
    SECTION("a start as a replica cuts it on MariaDB")
    {
        server.start(mysql::StartMode::as_replica);
        CHECK(has_row(server, 1) == (flavor == mysql::Flavor::mysql));
        CHECK((server.observe().position == before) == (flavor == mysql::Flavor::mariadb));
        CHECK(server.observe().read_only);
    }
}

TEMPLATE_TEST_CASE(
    "server facts: a commit received before acknowledging began is acknowledged by a later one",
    "",
    Mariadb,
    Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    DatabaseServer primary{flavor, 1};
    DatabaseServer replica{flavor, 2};
    primary.launch();
    replica.launch();
    primary.await_answer();
    replica.await_answer();
    begin(primary);
    const control::AccountSpec account{
        control::AccountSpec::Kind::replication, {"repl_2", "pw'of\\2"}};
    REQUIRE(primary.control().make_accounts({account}, in_time()).has_value());
    replica.follow(primary, false);
    const std::string goal = primary.observe().position;
    REQUIRE(eventually([&] { return replica.observe().applied == goal; }));
    require_acks(primary, 1);
    auto writer = waiting_insert(primary, 1);
    // One too early must not be in the way of the next. MariaDB has room for one group of commits
    // behind the one that waits, and no more.
    if (flavor == mysql::Flavor::mysql) REQUIRE(primary.control().push(in_time()).has_value());
    REQUIRE(eventually([&] { return has_row(replica, 1); }));

    replica.follow(primary, true);
    REQUIRE(eventually([&] { return primary.observe().semi_sync_clients == 1; }));
    CHECK_FALSE(writer.answered(std::chrono::milliseconds{500}));
    CHECK(primary.observe().commits_waiting == 1);
    const auto acknowledged = primary.observe().commits_acknowledged;

    REQUIRE(primary.control().push(in_time()).has_value());
    CHECK(writer.receive().has_value());
    CHECK(eventually([&] { return primary.observe().commits_waiting == 0; }));
    CHECK(primary.observe().commits_acknowledged > acknowledged);
    CHECK(eventually([&] { return replica.observe().applied == primary.observe().position; }));
}

TEMPLATE_TEST_CASE(
    "server facts: a GTID once executed is neither executed nor acknowledged again",
    "",
    Mariadb,
    Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    DatabaseServer server{flavor, 1};
    server.start();
    begin(server);
    require_acks(server, 1);
    auto session = server.session();
    // The marker of epoch 1 is there since `begin`; nobody is there to acknowledge another.
    auto statements = mysql::marker(flavor, {1, cluster_uuid, 1});
    const auto last = statements.back();
    statements.pop_back();
    const auto prepared = session.run_all(statements);
    if (flavor == mysql::Flavor::mysql) {
        REQUIRE(prepared.has_value());
        CHECK(session.run(last).has_value());
    } else {
        constexpr unsigned out_of_order = 1950;  // ER_GTID_STRICT_OUT_OF_ORDER
        REQUIRE(prepared.has_error());
        CHECK(prepared.error().number == out_of_order);
    }
    CHECK(server.observe().commits_waiting == 0);
}
