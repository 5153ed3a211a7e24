#include "test/integration/server_facts.hpp"

#include <algorithm>

// The first transaction of an epoch, on a candidate that nobody follows yet.

using namespace mysos;
using namespace mysos::test;

namespace {

/// A follows B's history up to epoch 1 and both are ready to follow each other.
struct Past {
    explicit Past(mysql::Flavor flavor) : first{flavor, 1}, second{flavor, 2}
    {
        first.launch();
        second.launch();
        first.await_answer();
        second.await_answer();
        begin(first);
        const control::AccountSpec account{
            control::AccountSpec::Kind::replication, {"repl_1", "pw'of\\1"}};
        REQUIRE(first.control().make_accounts({account}, in_time()).has_value());
        second.follow(first, true);
        const std::string goal = first.observe().position;
        REQUIRE(eventually([&] { return second.observe().applied == goal; }));
        REQUIRE(second.control().stop_receiver(in_time()).has_value());
        first.kill();
    }
    DatabaseServer first;
    DatabaseServer second;
};

}  // namespace

TEMPLATE_TEST_CASE(
    "server facts: a marker waits in the binlog until a follower has it, and carries the epoch",
    "",
    Mariadb,
    Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    Past past{flavor};
    const std::string before = past.second.observe().position;

    // Returns while the commit waits; nobody keeps its connection.
    const std::string promised = past.second.promote(2, 1, before, {"repl_1"});
    CHECK(past.second.observe().commits_waiting == 1);
    CHECK(past.second.observe().read_only);
    CHECK(past.second.observe().acks_required == 1);
    CHECK(past.second.observe().source == MemberId{});
    if (flavor == mysql::Flavor::mysql) {
        // Not executed, so not in the position that the server shows.
        CHECK(past.second.observe().position == before);
        CHECK(past.second.observe().marker == Epoch{1});
    } else {
        CHECK(past.second.observe().position == promised);
        CHECK(past.second.ask("SELECT COUNT(*) FROM mysos.marker WHERE epoch = 2") == "0");
    }
    // An order that is repeated does not write a second one.
    CHECK(past.second.promote(2, 1, before, {"repl_1"}) == promised);
    CHECK(past.second.observe().commits_waiting == 1);

    past.first.start(mysql::StartMode::as_replica);
    executor::FollowOrder order;
    order.host = "127.0.0.1";
    order.port = past.second.port();
    order.account = {"repl_1", "pw'of\\1"};
    order.acknowledge = true;
    REQUIRE(past.first.control().follow(order, in_time()).has_value());
    CHECK(eventually([&] { return past.first.observe().marker == Epoch{2}; }));
    CHECK(eventually([&] { return past.second.observe().commits_waiting == 0; }));
    CHECK(past.second.observe().position == promised);
    CHECK(past.second.observe().marker == Epoch{2});
    CHECK(past.second.observe().read_only);

    // What comes after it is above it, in this epoch and in none before.
    REQUIRE(past.second.control().open(false, in_time()).has_value());
    past.second.tell("INSERT INTO d.t VALUES (1)");
    const std::string goal = past.second.observe().position;
    CHECK(eventually([&] { return past.first.observe().applied == goal; }));
    CHECK(has_row(past.first, 1));
    if (flavor == mysql::Flavor::mariadb)
        CHECK(goal == "0-2-" + std::to_string((std::uint64_t{2} << 40U) + 1));
}

TEMPLATE_TEST_CASE(
    "server control: a candidate refuses what it does not hold, and more than it can wait for",
    "",
    Mariadb,
    Mysql)
{
    constexpr auto flavor = TestType::flavor;
    if (!present(flavor)) return;
    DatabaseServer server{flavor, 1};
    server.start();
    const std::string foreign =
        flavor == mysql::Flavor::mysql ? "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5" : "0-9-77";
    const auto lacking = server.control().promote({1, foreign, 0, cluster_uuid, 1, {}}, in_time());
    REQUIRE(lacking.has_error());
    CHECK(lacking.error().code == executor::ControlErrc::lacks_position);
    CHECK(lacking.error().text.find(foreign) != std::string::npos);
    CHECK(server.observe().position.empty());

    const std::uint32_t too_many = mysql::acks_max(flavor) + 1;
    const auto refused =
        server.control().promote({1, "", too_many, cluster_uuid, 1, {}}, in_time());
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == executor::ControlErrc::server_refused);
}

TEST_CASE("server facts: MariaDB has no count of acknowledgements to wait for")
{
    if (!present(mysql::Flavor::mariadb)) return;
    DatabaseServer server{mysql::Flavor::mariadb, 1};
    server.start();
    CHECK(
        server.ask("SELECT COUNT(*) FROM information_schema.system_variables WHERE variable_name "
                   "LIKE 'rpl_semi_sync_master_wait_for%'") == "0");
}

TEST_CASE("server control: MariaDB writes a marker where its table was dropped")
{
    if (!present(mysql::Flavor::mariadb)) return;
    DatabaseServer server{mysql::Flavor::mariadb, 1};
    server.start();
    begin(server);
    server.tell("DROP DATABASE mysos");
    const std::string position = server.promote(2, 0, server.observe().position);
    CHECK(position == "0-1-" + std::to_string(std::uint64_t{2} << 40U));
    CHECK(server.observe().marker == Epoch{2});
}
