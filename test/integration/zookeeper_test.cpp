#include "common/io/zookeeper.hpp"

#include "common/io/tasks.hpp"
#include "test/integration/zookeeper_fixture.hpp"

#include <boost/asio/error.hpp>
#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace mysos;
using namespace mysos::zookeeper;
using namespace mysos::test;
using Names = std::vector<std::string>;

namespace {

template <class T>
boost::asio::awaitable<void> keep_error(
    boost::asio::awaitable<Result<T>> what, std::vector<ErrorCode>& ends)
{
    const Result<T> got = co_await std::move(what);
    ends.push_back(got ? ErrorCode{} : got.error());
}

}  // namespace

TEST_CASE("zookeeper: a node lives through create, get, set and remove", "[zookeeper]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    CHECK(zk.run(zk.client.get(path)).error() == Errc::no_node);
    CHECK_FALSE(zk.run(zk.client.exists(path)).value());
    CHECK(zk.run(zk.client.create(path, "one", CreateMode::persistent)).value() == path);
    CHECK(zk.run(zk.client.create(path, "", CreateMode::persistent)).error() == Errc::node_exists);

    CHECK(zk.run(zk.client.get(path)).value().data == "one");
    CHECK(zk.run(zk.client.get(path)).value().stat.version == Version{0});
    CHECK(zk.run(zk.client.exists(path)).value()->ephemeral_owner == 0);

    CHECK(zk.run(zk.client.set(path, "two", Version{1})).error() == Errc::bad_version);
    CHECK(zk.run(zk.client.set(path, "two", Version{0})).value() == Version{1});
    CHECK(zk.run(zk.client.set(path, std::string("\0x", 2), any_version)).value() == Version{2});
    CHECK(zk.run(zk.client.get(path)).value().data == std::string("\0x", 2));

    CHECK(
        zk.run(zk.client.create(path + "/a/b", "", CreateMode::persistent)).error() ==
        Errc::no_node);
    CHECK(zk.run(zk.client.create(path + "/a", "", CreateMode::persistent)).has_value());
    CHECK(zk.run(zk.client.remove(path, any_version)).error() == Errc::not_empty);
    CHECK(zk.run(zk.client.remove(path + "/a", Version{7})).error() == Errc::bad_version);
    CHECK(zk.run(zk.client.remove(path + "/a", Version{0})).has_value());
    CHECK(zk.run(zk.client.remove(path, any_version)).has_value());
    CHECK(zk.run(zk.client.remove(path, any_version)).error() == Errc::no_node);
    CHECK(zk.run(zk.client.get("no/slash")).error() == Errc::bad_arguments);
}

TEST_CASE("zookeeper: sequential nodes count and children come sorted", "[zookeeper]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    REQUIRE(zk.run(zk.client.ensure_path(path + "/deep/er")).has_value());
    REQUIRE(zk.run(zk.client.ensure_path(path + "/deep/er")).has_value());
    CHECK(zk.run(zk.client.children(path)).value() == Names{"deep"});
    const auto first = zk.run(zk.client.create(path + "/m_", "", CreateMode::ephemeral_sequential));
    CHECK(first.value() == path + "/m_0000000001");
    CHECK(
        zk.run(zk.client.create(path + "/a_", "", CreateMode::persistent_sequential)).value() ==
        path + "/a_0000000002");
    CHECK(
        zk.run(zk.client.children(path)).value() == Names{"a_0000000002", "deep", "m_0000000001"});
    CHECK(
        zk.run(zk.client.exists(first.value())).value()->ephemeral_owner ==
        zk.client.session()->id);
    CHECK(
        zk.run(zk.client.create(first.value() + "/x", "", CreateMode::persistent)).error() ==
        Errc::no_children_for_ephemerals);
    CHECK(zk.run(zk.client.remove_tree(path)).has_value());
    CHECK(zk.run(zk.client.remove_tree(path)).has_value());
    CHECK_FALSE(zk.run(zk.client.exists(path)).value());
}

TEST_CASE("zookeeper: a multi is done as a whole or says which part did not hold", "[zookeeper]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    REQUIRE(zk.run(zk.client.create(path, "0", CreateMode::persistent)).has_value());
    const std::vector<Op> all{
        Op::check(path, Version{0}),
        Op::create(path + "/m_", "new", CreateMode::persistent_sequential),
        Op::set(path, "1", Version{0}),
        Op::create(path + "/gone", ""),
        Op::remove(path + "/gone"),
    };
    const auto done = zk.run(zk.client.multi(all));
    REQUIRE(done.has_value());
    CHECK_FALSE(done->refusal);
    REQUIRE(done->results.size() == 5);
    CHECK(done->results[1].path == path + "/m_0000000000");
    CHECK(done->results[2].version == Version{1});
    CHECK(zk.run(zk.client.children(path)).value() == Names{"m_0000000000"});

    struct Case {
        std::vector<Op> ops;
        Refusal refusal;
    };
    const std::vector<Case> cases{
        {{Op::set(path, "2", Version{1}), Op::check(path + "/no")}, {1, Errc::no_node}},
        {{Op::set(path, "2", Version{0}), Op::check(path)}, {0, Errc::bad_version}},
        {{Op::check(path), Op::create(path, "")}, {1, Errc::node_exists}},
        {{Op::check(path), Op::remove(path)}, {1, Errc::not_empty}},
    };
    for (const Case& c : cases) {
        INFO(c.refusal.index << " " << c.refusal.why.message());
        const auto refused = zk.run(zk.client.multi(c.ops));
        REQUIRE(refused.has_value());
        CHECK(refused->refusal == c.refusal);
        CHECK(zk.run(zk.client.get(path)).value().data == "1");
    }
}

TEST_CASE("zookeeper: a watch fires once, at the first change after what was read", "[zookeeper]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    auto absent = zk.run(zk.client.exists_and_watch(path)).value();
    CHECK_FALSE(absent.value);
    REQUIRE(zk.run(zk.client.create(path, "a", CreateMode::persistent)).has_value());
    CHECK(zk.run(absent.watch.fired()).value() == WatchEvent::created);

    auto data = zk.run(zk.client.get_and_watch(path)).value();
    auto same = zk.run(zk.client.get_and_watch(path)).value();
    auto names = zk.run(zk.client.children_and_watch(path)).value();
    CHECK(data.value.data == "a");
    CHECK(names.value.empty());
    REQUIRE(zk.run(zk.client.set(path, "b", any_version)).has_value());
    CHECK(zk.run(data.watch.fired()).value() == WatchEvent::changed);
    CHECK(zk.run(same.watch.fired()).value() == WatchEvent::changed);
    REQUIRE(zk.run(zk.client.create(path + "/x", "", CreateMode::persistent)).has_value());
    CHECK(zk.run(names.watch.fired()).value() == WatchEvent::children_changed);

    auto again = zk.run(zk.client.get_and_watch(path)).value();
    auto below = zk.run(zk.client.children_and_watch(path)).value();
    REQUIRE(zk.run(zk.client.remove(path + "/x", any_version)).has_value());
    CHECK(zk.run(below.watch.fired()).value() == WatchEvent::children_changed);
    below = zk.run(zk.client.children_and_watch(path)).value();
    REQUIRE(zk.run(zk.client.remove(path, any_version)).has_value());
    CHECK(zk.run(again.watch.fired()).value() == WatchEvent::deleted);
    CHECK(zk.run(below.watch.fired()).value() == WatchEvent::deleted);
    // What has fired stays fired.
    CHECK(zk.run(data.watch.fired()).value() == WatchEvent::changed);
    CHECK(zk.run(zk.client.get_and_watch(path)).error() == Errc::no_node);
}

TEST_CASE("zookeeper: with credentials others read only what they may", "[zookeeper]")
{
    ZookeeperFixture anybody;
    const std::string path = anybody.fresh_path();
    Config config = anybody.config();
    config.url.user = "owner";
    config.url.password = "s3cret:@";
    Client owner{anybody.io.get_executor(), config};
    REQUIRE(anybody.run(owner.create(path, "public", CreateMode::persistent)).has_value());
    const std::string secret = path + "/secret";
    REQUIRE(
        anybody.run(owner.create(secret, "sealed", CreateMode::persistent, Access::creator_only))
            .has_value());
    CHECK(anybody.run(anybody.client.get(path)).value().data == "public");
    CHECK(anybody.run(anybody.client.set(path, "", any_version)).error() == Errc::not_authorized);
    CHECK(anybody.run(anybody.client.get(secret)).error() == Errc::not_authorized);
    CHECK(anybody.run(owner.get(secret)).value().data == "sealed");

    config.url.password = "other";
    Client stranger{anybody.io.get_executor(), config};
    CHECK(anybody.run(stranger.get(secret)).error() == Errc::not_authorized);
    const std::vector<Op> ops{Op::check(path), Op::set(path, "mine")};
    const auto refused = anybody.run(stranger.multi(ops));
    REQUIRE(refused.has_value());
    CHECK(refused->refusal == Refusal{1, Errc::not_authorized});
}

TEST_CASE("zookeeper: host names are looked up, and unknown ones do no harm", "[zookeeper]")
{
    ZookeeperFixture zk;
    Config config = zk.config();
    config.url.servers.front().host = "localhost";
    config.url.servers.push_back({"no-such-host.invalid", 2181});
    Client client{zk.io.get_executor(), config};
    CHECK(zk.run(client.exists("/zookeeper")).value());
}

TEST_CASE("zookeeper: whoever is cancelled stops waiting", "[zookeeper]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    REQUIRE(zk.run(zk.client.create(path, "", CreateMode::persistent)).has_value());
    const auto watched = zk.run(zk.client.get_and_watch(path)).value();
    auto events = zk.client.subscribe();
    zk.run(next_of_kind(events, SessionEvent::Kind::connected));
    std::vector<ErrorCode> ends;
    io::Tasks tasks{zk.io.get_executor()};
    zk.server.pause(0);
    tasks.spawn(keep_error(zk.client.get(path), ends));
    tasks.spawn(keep_error(watched.watch.fired(), ends));
    tasks.spawn(keep_error(events.next(), ends));
    tasks.cancel();
    zk.run(tasks.wait());
    zk.server.resume(0);
    const ErrorCode aborted = boost::asio::error::operation_aborted;
    CHECK(ends == std::vector<ErrorCode>{aborted, aborted, aborted});
    // Cancelled before its first wait, or in it: the answer that comes all the same harms nobody.
    CHECK(zk.run(zk.client.get(path)).has_value());
}

TEST_CASE("zookeeper: a closed client says so to all who wait", "[zookeeper]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    REQUIRE(zk.run(zk.client.create(path, "", CreateMode::ephemeral)).has_value());
    auto client = std::make_unique<Client>(zk.io.get_executor(), zk.config());
    auto events = client->subscribe();
    const auto watched = zk.run(client->get_and_watch(path)).value();
    CHECK(zk.run(events.next()).value().kind == SessionEvent::Kind::disconnected);
    CHECK(zk.run(events.next()).value().kind == SessionEvent::Kind::connected);
    zk.server.pause(0);
    auto under_way = zk.start(client->get(path));
    zk.io.poll();
    client.reset();
    CHECK(zk.run(std::move(under_way)).error() == Errc::closed);
    zk.server.resume(0);
    CHECK(zk.run(watched.watch.fired()).value() == WatchEvent::closed);
    CHECK(zk.run(events.next()).value().kind == SessionEvent::Kind::closed);
    CHECK(zk.run(events.next()).value().kind == SessionEvent::Kind::closed);
    zk.client.close();
    CHECK(zk.run(zk.client.get(path)).error() == Errc::closed);
    CHECK(zk.run(zk.client.subscribe().next()).value().kind == SessionEvent::Kind::closed);
}
