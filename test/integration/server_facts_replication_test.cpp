#include "test/integration/server_facts.hpp"

#include <csignal>
#include <filesystem>

// What a member has received, and when it acknowledges.

using namespace mysos;
using namespace mysos::test;

namespace {

/// Two servers, the second following the first, which waits for nobody yet.
struct Pair {
    explicit Pair(mysql::Flavor flavor, bool acknowledge) : primary{flavor, 1}, replica{flavor, 2}
    {
        primary.launch();
        replica.launch();
        primary.await_answer();
        replica.await_answer();
        begin(primary);
        replica.follow(primary, acknowledge);
        REQUIRE(eventually([&] { return replica.observe().receiver_running; }));
        await_position();
    }

    void await_position() const
    {
        const std::string goal = primary.observe().position;
        REQUIRE(eventually([&] { return replica.observe().applied == goal; }));
    }

    /// The replica receives this row and does not apply it.
    void receive_unapplied(int value) const
    {
        replica.tell(
            replica.flavor() == mysql::Flavor::mysql ? "STOP REPLICA SQL_THREAD"
                                                     : "STOP SLAVE SQL_THREAD");
        primary.tell("INSERT INTO d.t VALUES (" + std::to_string(value) + ")");
        const std::string goal = primary.observe().position;
        REQUIRE(eventually([&] { return replica.observe().position == goal; }));
        REQUIRE(replica.observe().applied != goal);
    }

    DatabaseServer primary;
    DatabaseServer replica;
};

std::uintmax_t received_bytes(const DatabaseServer& replica)
{
    std::uintmax_t bytes = 0;
    for (const auto& file : std::filesystem::directory_iterator{replica.directories().relay})
        bytes += file.file_size();
    return bytes;
}

}  // namespace

TEMPLATE_TEST_CASE(
    "server facts: a change of source deletes what is received and not applied", "", Mariadb, Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    const Pair pair{flavor, false};
    pair.receive_unapplied(1);
    REQUIRE(pair.replica.session().run(mysql::stop_replication(flavor)).has_value());
    const mysql::Source elsewhere{"127.0.0.1", 1, "nobody", "none"};
    REQUIRE(pair.replica.session().run_all(mysql::change_source(flavor, elsewhere)).has_value());
    // On MySQL with the statement, on MariaDB when a thread starts.
    REQUIRE(pair.replica.session().run(mysql::start_replication(flavor)).has_value());
    REQUIRE(eventually([&] { return pair.replica.observe().applier_running; }));
    CHECK(eventually([&] {
        const auto seen = pair.replica.observe();
        return seen.position == seen.applied;
    }));
    CHECK_FALSE(has_row(pair.replica, 1));
}

TEMPLATE_TEST_CASE(
    "server facts: a receiver that ends in the midst of a transaction does not hold the member up",
    "",
    Mariadb,
    Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    Pair pair{flavor, false};
    pair.primary.tell("CREATE TABLE d.big (b LONGBLOB)");
    pair.await_position();
    const std::uintmax_t before = received_bytes(pair.replica);
    auto writer = pair.primary.session();
    REQUIRE(writer.run("BEGIN").has_value());
    for (int row = 0; row < 40; ++row)
        REQUIRE(writer.run("INSERT INTO d.big VALUES (REPEAT('x', 4000000))").has_value());
    REQUIRE(writer.send({"COMMIT", "COMMIT"}).has_value());
    REQUIRE(eventually([&] { return received_bytes(pair.replica) > before + 8'000'000; }));
    REQUIRE(pair.replica.control().stop_receiver(in_time()).has_value());
    CHECK(received_bytes(pair.replica) < before + 150'000'000);
    REQUIRE(writer.receive().has_value());

    // MySQL's applier would wait a minute for the rest, and then have failed.
    pair.replica.follow(
        pair.primary, true, std::chrono::steady_clock::now() + std::chrono::seconds{45});
    // A transaction is in the binlog, and so in the position, a moment before it can be read.
    CHECK(eventually([&] { return pair.replica.ask("SELECT COUNT(*) FROM d.big") == "40"; }));
}

TEMPLATE_TEST_CASE(
    "server facts: a source that has yet to apply what its receiver holds", "", Mariadb, Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    const Pair pair{flavor, false};
    DatabaseServer third{flavor, 3};
    third.launch();
    third.await_answer();
    third.follow(pair.primary, false);
    const std::string begun = pair.primary.observe().position;
    REQUIRE(eventually([&] { return third.observe().applied == begun; }));
    pair.receive_unapplied(1);
    REQUIRE(eventually([&] { return has_row(third, 1); }));

    third.follow(pair.replica, false);
    if (flavor == mysql::Flavor::mysql) {
        CHECK(eventually([&] { return third.observe().receiver_running; }));
        return;
    }
    // MariaDB's ends the receiver, which does not try again; another order makes it.
    const auto is_refused = [&] {
        const auto seen = third.observe();
        return seen.receiver_state == control::ReceiverState::stopped &&
               seen.receiver_error->starts_with("1236:");
    };
    REQUIRE(eventually(is_refused));
    pair.replica.tell("START SLAVE SQL_THREAD");
    REQUIRE(eventually([&] { return has_row(pair.replica, 1); }));
    CHECK(is_refused());
    third.follow(pair.replica, false);
    CHECK(eventually([&] { return third.observe().receiver_running; }));
}

TEST_CASE("server facts: MariaDB forgets what it received when a thread starts while neither runs")
{
    if (!present(mysql::Flavor::mariadb)) return;
    const Pair pair{mysql::Flavor::mariadb, false};
    pair.receive_unapplied(1);
    const auto shown = [&] {
        const auto status = pair.replica.session().run("SHOW SLAVE STATUS").value();
        return status.field("Gtid_IO_Pos").value_or("");
    };
    const std::string received = pair.replica.observe().position;
    REQUIRE(shown() == received);
    pair.replica.tell("STOP SLAVE IO_THREAD");
    CHECK(shown() == received);                          // It still says so, in vain;
    CHECK(pair.replica.observe().position != received);  // we do not.
    pair.replica.tell("START SLAVE SQL_THREAD");
    CHECK(eventually([&] { return shown() != received; }));
    CHECK_FALSE(has_row(pair.replica, 1));
}

TEMPLATE_TEST_CASE(
    "server control: following another primary applies first what was received", "", Mariadb, Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    Pair pair{flavor, false};
    pair.receive_unapplied(1);
    const std::string received = pair.replica.observe().position;
    REQUIRE(pair.replica.control().stop_receiver(in_time()).has_value());
    CHECK(pair.replica.observe().position == received);
    pair.primary.kill();
    executor::FollowOrder order;
    order.host = "127.0.0.1";
    order.port = 1;  // Nobody is there: whatever is held comes from what was received.
    order.account = {"repl_2", "none"};
    REQUIRE(pair.replica.control().follow(order, in_time()).has_value());
    CHECK(pair.replica.observe().position == received);
    CHECK(has_row(pair.replica, 1));
}

TEMPLATE_TEST_CASE(
    "server control: an applier that is behind is told from a silent server", "", Mariadb, Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    const Pair pair{flavor, false};
    pair.receive_unapplied(1);
    auto blocker = pair.replica.session();
    const std::string lock = "LOCK TABLES d.t READ";
    REQUIRE(blocker.run(mysql::Statement{lock, lock}).has_value());
    for (int i = 0; i < 5; ++i) {
        const auto done = pair.replica.control().apply_received(
            std::chrono::steady_clock::now() + std::chrono::seconds{1});
        REQUIRE(done.has_error());
        INFO(done.error().text);
        REQUIRE(done.error().code == executor::ControlErrc::not_applied);
    }
    REQUIRE(blocker.run(mysql::Statement{"UNLOCK TABLES", "UNLOCK TABLES"}).has_value());
    REQUIRE(pair.replica.control().apply_received(in_time()).has_value());
    CHECK(has_row(pair.replica, 1));
}

TEMPLATE_TEST_CASE(
    "server control: a primary's receivers are known by their connections", "", Mariadb, Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    const Pair pair{flavor, true};
    const auto receivers = [&pair] {
        return pair.primary.control().receivers(pair.primary.port(), in_time()).value();
    };
    CHECK(receivers() == executor::Receivers{.alive = 1, .stalled = 0});
    REQUIRE(pair.replica.control().stop_receiver(in_time()).has_value());
    // Closed by its peer it counts no more, whatever the server says of it.
    CHECK(eventually([&] { return receivers().alive == 0; }));
}

TEMPLATE_TEST_CASE(
    "server facts: what was received outlives a kill on MySQL, and MariaDB forgets it",
    "",
    Mariadb,
    Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    Pair pair{flavor, false};
    pair.receive_unapplied(1);
    const std::string received = pair.replica.observe().position;
    pair.replica.kill();
    pair.primary.kill();
    pair.replica.start();
    CHECK((pair.replica.observe().position == received) == (flavor == mysql::Flavor::mysql));
    REQUIRE(pair.replica.control().apply_received(in_time()).has_value());
    CHECK(has_row(pair.replica, 1) == (flavor == mysql::Flavor::mysql));
}

TEMPLATE_TEST_CASE(
    "server facts: a running receiver acknowledges whatever its switch says", "", Mariadb, Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    Pair pair{flavor, true};
    require_acks(pair.primary, 1);
    REQUIRE(pair.replica.session().run(mysql::acknowledge(flavor, false)).has_value());
    pair.primary.tell("INSERT INTO d.t VALUES (1)");  // Returns: it was acknowledged.
    CHECK(pair.replica.observe().acknowledges);
    CHECK(pair.primary.observe().semi_sync_clients == 1);

    REQUIRE(pair.replica.control().stop_receiver(in_time()).has_value());
    REQUIRE(pair.replica.session().run(mysql::start_replication(flavor)).has_value());
    REQUIRE(eventually([&] { return pair.replica.observe().receiver_running; }));
    CHECK_FALSE(pair.replica.observe().acknowledges);
    auto writer = waiting_insert(pair.primary, 2);
    const std::string statement = "SELECT COUNT(*) FROM d.t";
    CHECK(eventually([&] { return has_row(pair.replica, 2); }));  // Received, applied, not said.
    CHECK_FALSE(writer.answered(std::chrono::milliseconds{200}));
}

TEMPLATE_TEST_CASE(
    "server control: a receiver of a primary that hangs is stopped without waiting for it",
    "",
    Mariadb,
    Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    Pair pair{flavor, true};
    require_acks(pair.primary, 1);
    // How long STOP SLAVE would talk to the primary, did it not interrupt itself every 2 s. How
    // much sooner the control has it stopped is a time, and measured: test/run bench failover
    // --fault hang.
    if (flavor == mysql::Flavor::mariadb)
        pair.replica.tell("SET GLOBAL rpl_semi_sync_slave_kill_conn_timeout = 600");
    pair.primary.signal(SIGSTOP);
    CHECK(pair.replica.control().stop_receiver(in_time()).has_value());
    CHECK_FALSE(pair.replica.observe().receiver_running);
    pair.primary.signal(SIGCONT);
}

TEST_CASE(
    "server control: a MariaDB on a copy believes its own table where that is ahead of the backup")
{
    if (!present(mysql::Flavor::mariadb)) return;
    DatabaseServer server{mysql::Flavor::mariadb, 1};
    server.start();
    server.tell("SET GLOBAL gtid_slave_pos = '0-7-20'");
    const auto held = server.control().begin_on_copy("0-7-19", "0-7-18,0-6-3", in_time());
    REQUIRE(held.has_value());
    CHECK(*held == "0-7-20");
    CHECK(server.ask("SELECT @@global.gtid_slave_pos") == "0-7-20");
    CHECK(server.ask("SELECT @@global.gtid_binlog_state") == "0-6-3,0-7-20");

    // An executor that ended before it had heard so asks again.
    const auto again = server.control().begin_on_copy("0-7-19", "0-7-18,0-6-3", in_time());
    REQUIRE(again.has_value());
    CHECK(*again == "0-7-20");
    CHECK(server.ask("SELECT @@global.gtid_binlog_state") == "0-6-3,0-7-20");
}

TEST_CASE("server facts: MariaDB's STOP SLAVE waits for a primary that hangs")
{
    if (!present(mysql::Flavor::mariadb)) return;
    Pair pair{mysql::Flavor::mariadb, true};
    pair.replica.tell("SET GLOBAL rpl_semi_sync_slave_kill_conn_timeout = 600");
    pair.primary.signal(SIGSTOP);
    auto session = pair.replica.session();
    REQUIRE(session.send(mysql::stop_receiver(mysql::Flavor::mariadb)).has_value());
    CHECK_FALSE(session.answered(std::chrono::milliseconds{1000}));
    pair.primary.signal(SIGCONT);
    CHECK(session.receive().has_value());
}

TEMPLATE_TEST_CASE(
    "server control: a locked account acknowledges no more, though its member wants to",
    "",
    Mariadb,
    Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    Pair pair{flavor, true};
    require_acks(pair.primary, 1);
    REQUIRE(pair.primary.control().lock_account("repl_2", in_time()).has_value());
    CHECK(eventually([&] { return pair.primary.observe().semi_sync_clients == 0; }));
    auto writer = waiting_insert(pair.primary, 1);
    CHECK(eventually([&] { return !pair.replica.observe().replication_error.empty(); }));
    CHECK_FALSE(writer.answered(std::chrono::milliseconds{200}));

    // Joining again unlocks it, also while that commit waits.
    const control::AccountSpec account{
        control::AccountSpec::Kind::replication, {"repl_2", "pw'of\\2"}};
    REQUIRE(pair.primary.control().make_accounts({account}, in_time()).has_value());
    CHECK(writer.receive().has_value());
}

TEMPLATE_TEST_CASE(
    "server control: a promotion shuts out whoever followed before and is not named",
    "",
    Mariadb,
    Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    Pair pair{flavor, true};
    DatabaseServer& primary = pair.primary;
    primary.kill();
    primary.start();
    REQUIRE(eventually([&] { return pair.replica.observe().receiver_running; }));

    executor::PromoteOrder order{2, primary.observe().position, 1, cluster_uuid, primary.id(), {}};
    REQUIRE(primary.control().promote(order, in_time()).has_value());
    CHECK(primary.observe().semi_sync_clients == 0);
    CHECK(eventually([&] { return !pair.replica.observe().replication_error.empty(); }));
    CHECK(pair.replica.observe().marker != Epoch{2});

    SECTION("it comes back when its account is asked for")
    {
        const control::AccountSpec account{
            control::AccountSpec::Kind::replication, {"repl_2", "pw'of\\2"}};
        REQUIRE(primary.control().make_accounts({account}, in_time()).has_value());
    }
    SECTION("it comes back when another promotion names it")
    {
        // That one unlocks nothing: it leaves alone what is open.
        REQUIRE(primary.session().run_all(mysql::unlock_account("repl_2")).has_value());
        order.epoch = 3;
        order.position = primary.observe().position;
        order.replicas = {"repl_2"};
        REQUIRE(primary.control().promote(order, in_time()).has_value());
    }
    pair.replica.tell(flavor == mysql::Flavor::mysql ? "START REPLICA" : "START SLAVE");
    CHECK(eventually([&] { return primary.observe().semi_sync_clients == 1; }));
}

TEST_CASE("server control: on MySQL who holds what the primary lacks may not follow it")
{
    constexpr auto flavor = mysql::Flavor::mysql;
    if (!present(flavor)) return;
    Pair pair{flavor, false};
    DatabaseServer& crashed = pair.primary;
    DatabaseServer& successor = pair.replica;
    REQUIRE(successor.control().stop_receiver(in_time()).has_value());
    crashed.tell("INSERT INTO d.t VALUES (1)");
    successor.promote(2, 0);
    crashed.kill();
    crashed.start();

    executor::FollowOrder order;
    order.host = "127.0.0.1";
    order.port = successor.port();
    order.account = {"repl_2", "pw'of\\2"};
    order.position = successor.observe().position;
    const auto followed = crashed.control().follow(order, in_time());
    REQUIRE(followed.has_error());
    CHECK(followed.error().code == executor::ControlErrc::errant);
    CHECK(followed.error().text == "holds 1 transactions that the primary lacks");
    CHECK(crashed.observe().source == MemberId{});

    // What it has in common with its primary it may hold, and once it follows, more.
    order.position = successor.observe().position + "," + crashed.observe().position;
    CHECK(crashed.control().follow(order, in_time()).has_value());
    order.acknowledge = true;
    order.position = "00000000-0000-0000-0000-000000000001:1";
    CHECK(crashed.control().follow(order, in_time()).has_value());
}

TEMPLATE_TEST_CASE(
    "server control: what an observation says of replication, on both servers", "", Mariadb, Mysql)
{
    using control::ReceiverState;
    constexpr auto flavor = TestType::flavor;
    constexpr bool is_mysql = flavor == mysql::Flavor::mysql;
    if (!present(flavor)) return;
    Pair pair{flavor, true};
    const auto of_primary = pair.primary.observe();
    CHECK(of_primary.receiver_state == ReceiverState::stopped);
    CHECK(of_primary.source_host.empty());
    CHECK(of_primary.super_read_only == (is_mysql ? std::optional{false} : std::nullopt));

    const auto well = pair.replica.observe();
    CHECK(well.receiver_state == ReceiverState::running);
    CHECK(well.receiver_error == "");
    CHECK(well.applier_error == "");
    CHECK(well.source == MemberId{1});
    CHECK(well.source_host == "127.0.0.1");
    CHECK(well.source_port == pair.primary.port());
    CHECK(well.delay_seconds == 0);
    CHECK(well.super_read_only == (is_mysql ? std::optional{true} : std::nullopt));

    // One error must not hide the other.
    pair.replica.tell(is_mysql ? "SET GLOBAL super_read_only = OFF" : "SET GLOBAL read_only = OFF");
    auto unlogged = pair.replica.session();
    REQUIRE(unlogged.run("SET SESSION sql_log_bin = 0").has_value());
    REQUIRE(unlogged.run("INSERT INTO d.t VALUES (7)").has_value());
    pair.primary.tell("INSERT INTO d.t VALUES (7)");
    CHECK(eventually([&] { return !pair.replica.observe().applier_error->empty(); }));
    pair.primary.kill();
    CHECK(eventually([&] {
        const auto seen = pair.replica.observe();
        return seen.receiver_state == ReceiverState::connecting && !seen.receiver_error->empty() &&
               !seen.applier_error->empty();
    }));
}

TEMPLATE_TEST_CASE(
    "server control: a replica changed by hand does again as ordered", "", Mariadb, Mysql)
{
    constexpr auto flavor = TestType::flavor;
    constexpr bool is_mysql = flavor == mysql::Flavor::mysql;
    if (!present(flavor)) return;
    Pair pair{flavor, true};
    const auto is_well = [&] {
        const auto seen = pair.replica.observe();
        return seen.receiver_running && seen.applier_running && !seen.writable &&
               seen.source == MemberId{1} && seen.source_port == pair.primary.port();
    };
    const auto mend = [&] {
        pair.replica.follow(pair.primary, true);
        return eventually(is_well);
    };
    REQUIRE(is_well());

    pair.replica.tell("SET GLOBAL read_only = OFF");
    CHECK(pair.replica.observe().writable);
    CHECK(mend());
    pair.replica.tell(is_mysql ? "STOP REPLICA" : "STOP SLAVE");
    CHECK_FALSE(is_well());
    CHECK(mend());
    pair.replica.tell(is_mysql ? "STOP REPLICA SQL_THREAD" : "STOP SLAVE SQL_THREAD");
    CHECK(mend());
    pair.replica.tell(is_mysql ? "STOP REPLICA" : "STOP SLAVE");
    pair.replica.tell(
        is_mysql ? "CHANGE REPLICATION SOURCE TO SOURCE_PORT = 1"
                 : "CHANGE MASTER TO MASTER_PORT = 1");
    pair.replica.tell(is_mysql ? "START REPLICA" : "START SLAVE");
    CHECK_FALSE(is_well());
    CHECK(mend());
}
