#include "common/io/zookeeper.hpp"
#include "test/integration/zookeeper_fixture.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace mysos;
using namespace mysos::zookeeper;
using namespace mysos::test;
using namespace std::chrono_literals;
using Kind = SessionEvent::Kind;

TEST_CASE("zookeeper: an expired session takes its nodes, and its owner is told", "[zookeeper]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    auto events = zk.client.subscribe();
    const auto first = zk.run(next_of_kind(events, Kind::connected));
    REQUIRE(zk.run(zk.client.create(path, "", CreateMode::ephemeral)).has_value());
    const auto watched = zk.run(zk.client.get_and_watch("/zookeeper")).value();
    Client observer{zk.io.get_executor(), zk.config()};
    const auto vanishing = zk.run(observer.exists_and_watch(path)).value();

    zk.expire(zk.client);

    const auto expired = zk.run(next_of_kind(events, Kind::expired));
    CHECK(expired.session_id == first.session_id);
    CHECK(zk.run(watched.watch.fired()).value() == WatchEvent::session_expired);
    CHECK(zk.run(vanishing.watch.fired()).value() == WatchEvent::deleted);
    const auto second = zk.run(next_of_kind(events, Kind::connected));
    CHECK(second.session_id != first.session_id);
    CHECK_FALSE(zk.run(zk.client.exists(path)).value());
    REQUIRE(zk.run(zk.client.create(path, "", CreateMode::ephemeral)).has_value());
    CHECK(zk.run(zk.client.exists(path)).value()->ephemeral_owner == second.session_id);
}

TEST_CASE("zookeeper: a session and its watches outlive the server they were on", "[zookeeper]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    auto events = zk.client.subscribe();
    const auto first = zk.run(next_of_kind(events, Kind::connected));
    REQUIRE(zk.run(zk.client.create(path, "", CreateMode::ephemeral)).has_value());
    const auto watched = zk.run(zk.client.get_and_watch(path)).value();
    Config hasty_config = zk.config();
    hasty_config.operation_timeout = 200ms;
    Client hasty{zk.io.get_executor(), hasty_config};
    auto hasty_events = hasty.subscribe();
    zk.run(next_of_kind(hasty_events, Kind::connected));

    zk.server.kill(0);
    zk.run(next_of_kind(events, Kind::disconnected));
    zk.run(next_of_kind(hasty_events, Kind::disconnected));
    CHECK_FALSE(zk.client.connected());
    CHECK(zk.run(hasty.set(path, "x", any_version)).error() == Errc::not_connected);
    auto patient = zk.start(zk.client.set(path, "late", any_version));
    zk.io.poll();
    zk.server.start(0);
    const auto back = zk.run(next_of_kind(events, Kind::connected));
    CHECK(back.session_id == first.session_id);
    CHECK(zk.run(std::move(patient)).value() == Version{1});
    CHECK(zk.run(watched.watch.fired()).value() == WatchEvent::changed);
    CHECK(zk.run(zk.client.exists(path)).value()->ephemeral_owner == first.session_id);
}

TEST_CASE("zookeeper: what was under way when the connection went is told apart", "[zookeeper]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    auto events = zk.client.subscribe();
    zk.run(next_of_kind(events, Kind::connected));
    REQUIRE(zk.run(zk.client.create(path, "", CreateMode::persistent)).has_value());

    zk.server.pause(0);
    auto write = zk.start(zk.client.set(path, "maybe", any_version));
    auto read = zk.start(zk.client.exists(path));
    zk.io.poll();
    zk.server.kill(0);
    CHECK(zk.run(std::move(write)).error() == Errc::connection_lost);
    zk.server.start(0);
    CHECK(zk.run(std::move(read)).value());
}

TEST_CASE("zookeeper: whoever is cut off for a session's time gives it up itself", "[zookeeper]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    Config config = zk.config();
    config.session_timeout = 2s;
    config.operation_timeout = 500ms;
    Client client{zk.io.get_executor(), config};
    auto events = client.subscribe();
    const auto first = zk.run(next_of_kind(events, Kind::connected));
    REQUIRE(zk.run(client.create(path, "", CreateMode::ephemeral)).has_value());

    zk.server.pause(0);
    CHECK(zk.run(client.get(path)).error() == Errc::timed_out);
    zk.run(next_of_kind(events, Kind::disconnected));
    CHECK(zk.run(next_of_kind(events, Kind::expired)).session_id == first.session_id);
    CHECK_FALSE(client.session());
    zk.server.resume(0);
    CHECK(zk.run(next_of_kind(events, Kind::connected)).session_id != first.session_id);
    // The server has not forgotten the old session yet, or it has: the node goes in any case.
    const auto old = zk.run(zk.client.exists_and_watch(path)).value();
    if (old.value) CHECK(zk.run(old.watch.fired()).value() == WatchEvent::deleted);
}

TEST_CASE("zookeeper: of three servers any one may die, the leader too", "[zookeeper]")
{
    ZookeeperServer three{3};
    ZookeeperFixture zk{three};
    auto events = zk.client.subscribe();
    const auto first = zk.run(next_of_kind(events, Kind::connected));
    REQUIRE(zk.run(zk.client.create("/t", "", CreateMode::ephemeral)).has_value());
    const auto watched = zk.run(zk.client.get_and_watch("/t")).value();

    const std::size_t leader = three.leader();
    three.kill(leader);
    // No connection at all while the two others elect; afterwards on one of them.
    const auto read_through = zk.run(zk.client.get("/t"));
    REQUIRE(read_through.has_value());
    CHECK(read_through->stat.ephemeral_owner == first.session_id);
    for (int i = 1; i <= 20; ++i) {
        const auto written = zk.run(zk.client.set("/t", std::to_string(i), any_version));
        if (!written) CHECK(written.error() == Errc::connection_lost);
    }
    CHECK(zk.run(watched.watch.fired()).value() == WatchEvent::changed);
    CHECK(zk.run(zk.client.get("/t")).value().data == "20");
    CHECK(zk.client.session()->id == first.session_id);

    // Two down: no majority, nothing is answered. Back again: as before.
    const std::size_t second = (leader + 1) % 3;
    three.kill(second);
    zk.run(next_of_kind(events, Kind::disconnected));
    auto waiting = zk.start(zk.client.get("/t"));
    zk.io.poll();
    three.start(leader);
    CHECK(zk.run(std::move(waiting)).value().data == "20");
    CHECK(zk.client.session()->id == first.session_id);
}

TEST_CASE("zookeeper: a client may be there before the ensemble", "[zookeeper]")
{
    ZookeeperServer server;
    server.kill(0);
    ZookeeperFixture zk{server};
    auto events = zk.client.subscribe();
    CHECK(zk.run(events.next()).value().kind == Kind::disconnected);
    auto waiting = zk.start(zk.client.exists("/zookeeper"));
    zk.io.poll();
    server.start(0);
    CHECK(zk.run(std::move(waiting)).value());
    CHECK(zk.run(events.next()).value().kind == Kind::connected);
}
