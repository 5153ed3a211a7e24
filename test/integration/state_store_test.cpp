#include "scheduler/out/state_store.hpp"

#include "common/wire/state.hpp"
#include "scheduler/errc.hpp"
#include "test/integration/zookeeper_fixture.hpp"
#include "test/support/lossy_proxy.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <sys/resource.h>

using namespace mysos;
using namespace mysos::scheduler;
using namespace mysos::test;
using zookeeper::any_version;
using zookeeper::Client;
using zookeeper::Config;
using zookeeper::CreateMode;
using Records = StateStore::Records;
namespace fs = std::filesystem;

namespace {

/// A scheduler's client, its candidate's node and the store that writes under it.
struct Writer {
    Writer(ZookeeperFixture& zk, const std::string& path, std::uint16_t proxy = 0)
        : client{zk.io.get_executor(), config_of(zk, path, proxy)}
    {
        REQUIRE(zk.run(client.ensure_path(path + "/scheduler")).has_value());
        node = zk.run(client.create(path + "/scheduler/c_", "", CreateMode::ephemeral_sequential))
                   .value();
        store = make_zookeeper_store(client, node);
    }

    static Config config_of(
        const ZookeeperFixture& zk, const std::string& path, std::uint16_t proxy)
    {
        Config config = zk.config();
        config.url.path = path;
        if (proxy != 0) config.url.servers.front().port = proxy;
        return config;
    }

    Client client;
    std::string node;
    std::unique_ptr<StateStore> store;
};

struct Directory {
    Directory()
    {
        std::string pattern = (fs::temp_directory_path() / "mysos-state-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() { fs::remove_all(path); }
    fs::path path;
};

std::string read_file(const fs::path& path)
{
    std::ostringstream out;
    out << std::ifstream{path}.rdbuf();
    return out.str();
}

/// What both kinds must do.
void check_store(ZookeeperFixture& zk, StateStore& store)
{
    CHECK(zk.run(store.load()).value().empty());
    const std::string bytes("\0\n\xff", 3);
    CHECK_FALSE(zk.run(store.save("framework", "f1")));
    CHECK_FALSE(zk.run(store.save(cluster_key("a"), bytes)));
    CHECK_FALSE(zk.run(store.save(cluster_key("b"), "b1")));
    CHECK_FALSE(zk.run(store.save(cluster_key("b"), "b2")));
    CHECK_FALSE(zk.run(store.save("framework", "")));
    CHECK(
        zk.run(store.load()).value() ==
        Records{{"framework", ""}, {"clusters/a", bytes}, {"clusters/b", "b2"}});
    CHECK_FALSE(zk.run(store.remove(cluster_key("a"))));
    CHECK_FALSE(zk.run(store.remove(cluster_key("a"))));
    CHECK_FALSE(zk.run(store.remove(cluster_key("b"))));
    CHECK_FALSE(zk.run(store.save(cluster_key("b"), "b3")));
    CHECK(zk.run(store.load()).value() == Records{{"framework", ""}, {"clusters/b", "b3"}});
}

}  // namespace

TEST_CASE("state: records are kept in ZooKeeper", "[state]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    Writer writer{zk, path};
    check_store(zk, *writer.store);
    CHECK(zk.run(zk.client.get(path + "/state/clusters/b")).value().data == "b3");
    CHECK(writer.store->place(cluster_key("b")) == zk.server.url(path + "/state/clusters/b"));
}

TEST_CASE("state: of two writers the deposed one cannot write", "[state]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    Writer old{zk, path};
    REQUIRE(zk.run(old.store->load()).has_value());
    REQUIRE_FALSE(zk.run(old.store->save("framework", "old")));
    REQUIRE_FALSE(zk.run(old.store->save(cluster_key("a"), "old")));
    // Its session lives, and its versions are right: only its candidacy is gone.
    REQUIRE(zk.run(zk.client.remove(old.node, any_version)).has_value());
    CHECK(zk.run(old.store->save("framework", "x")) == make_error_code(StoreErrc::deposed));
    CHECK(zk.run(old.store->save(cluster_key("n"), "x")) == make_error_code(StoreErrc::deposed));
    CHECK(zk.run(old.store->remove(cluster_key("a"))) == make_error_code(StoreErrc::deposed));

    Writer next{zk, path};
    CHECK(
        zk.run(next.store->load()).value() == Records{{"framework", "old"}, {"clusters/a", "old"}});
    CHECK_FALSE(zk.run(next.store->save("framework", "new")));
    CHECK(zk.run(old.store->save("framework", "x")) == make_error_code(StoreErrc::deposed));
    CHECK(zk.run(zk.client.get(path + "/state/framework")).value().data == "new");
}

TEST_CASE("state: a record that somebody else wrote is not written over", "[state]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    Writer writer{zk, path};
    REQUIRE(zk.run(writer.store->load()).has_value());
    REQUIRE_FALSE(zk.run(writer.store->save("framework", "mine")));
    REQUIRE_FALSE(zk.run(writer.store->save(cluster_key("a"), "mine")));
    const auto conflict = make_error_code(StoreErrc::conflict);
    REQUIRE(zk.run(zk.client.set(path + "/state/framework", "theirs", any_version)).has_value());
    REQUIRE(zk.run(zk.client.set(path + "/state/clusters/a", "theirs", any_version)).has_value());
    CHECK(zk.run(writer.store->save("framework", "again")) == conflict);
    CHECK(zk.run(writer.store->remove(cluster_key("a"))) == conflict);
    REQUIRE(zk.run(zk.client.remove(path + "/state/clusters/a", any_version)).has_value());
    CHECK(zk.run(writer.store->save(cluster_key("a"), "again")) == conflict);
    CHECK(zk.run(writer.store->remove(cluster_key("a"))) == conflict);
    REQUIRE(zk.run(zk.client.create(path + "/state/clusters/n", "", CreateMode::persistent))
                .has_value());
    CHECK(zk.run(writer.store->save(cluster_key("n"), "mine")) == conflict);
    CHECK(zk.run(zk.client.get(path + "/state/framework")).value().data == "theirs");
}

TEST_CASE("state: a write waits for ZooKeeper to come back, and happens once", "[state]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    Writer writer{zk, path};
    REQUIRE(zk.run(writer.store->load()).has_value());
    REQUIRE_FALSE(zk.run(writer.store->save("framework", "1")));
    zk.server.pause(0);
    auto set = zk.start(writer.store->save("framework", "2"));
    zk.io.poll();
    SECTION("the request dies with the server")
    {
        zk.server.kill(0), zk.server.start(0);
    }
    SECTION("the server was only slow")
    {
        zk.server.resume(0);
    }
    CHECK_FALSE(zk.run(std::move(set)));
    CHECK_FALSE(zk.run(writer.store->save("framework", "3")));
    CHECK(zk.run(zk.client.get(path + "/state/framework")).value().data == "3");
}

TEST_CASE("state: a write whose answer was lost is recognised as done", "[state]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    LossyProxy proxy{zk.io, zk.server.addresses().front().port};
    Writer writer{zk, path, proxy.port()};
    REQUIRE(zk.run(writer.store->load()).has_value());
    const std::string znode = path + "/state/clusters/a";
    const auto lose_answer_of = [&](boost::asio::awaitable<ErrorCode> write) {
        const auto seen = zk.run(zk.client.exists_and_watch(znode)).value();
        proxy.swallow_answers();
        auto answer = zk.start(std::move(write));
        REQUIRE(zk.run(seen.watch.fired()).has_value());
        proxy.cut();
        return zk.run(std::move(answer));
    };
    CHECK_FALSE(lose_answer_of(writer.store->save(cluster_key("a"), "1")));
    CHECK_FALSE(lose_answer_of(writer.store->save(cluster_key("a"), "2")));
    CHECK(zk.run(zk.client.get(znode)).value().stat.version == zookeeper::Version{1});
    CHECK_FALSE(zk.run(writer.store->save(cluster_key("a"), "3")));
    CHECK_FALSE(lose_answer_of(writer.store->remove(cluster_key("a"))));
    CHECK_FALSE(zk.run(zk.client.exists(znode)).value());
    CHECK_FALSE(zk.run(writer.store->save(cluster_key("a"), "4")));

    // Lost, and then written over by somebody who may not: that is no success.
    const auto seen = zk.run(zk.client.get_and_watch(znode)).value();
    proxy.swallow_answers();
    auto answer = zk.start(writer.store->save(cluster_key("a"), "5"));
    REQUIRE(zk.run(seen.watch.fired()).has_value());
    REQUIRE(zk.run(zk.client.set(znode, "theirs", any_version)).has_value());
    proxy.cut();
    CHECK(zk.run(std::move(answer)) == make_error_code(StoreErrc::conflict));
}

TEST_CASE("state: a record too large for ZooKeeper is refused at once", "[state]")
{
    ZookeeperFixture zk;
    Writer writer{zk, zk.fresh_path()};
    REQUIRE(zk.run(writer.store->load()).has_value());
    CHECK_FALSE(zk.run(writer.store->save("framework", std::string(1'000'000, 'x'))));
    CHECK(
        zk.run(writer.store->save("framework", std::string(1 << 20, 'x'))) ==
        zookeeper::Errc::bad_arguments);
    CHECK(zk.run(writer.store->load()).value()["framework"].size() == 1'000'000);
}

TEST_CASE("state: without its session a writer is deposed", "[state]")
{
    ZookeeperFixture zk;
    Writer writer{zk, zk.fresh_path()};
    REQUIRE(zk.run(writer.store->load()).has_value());
    auto events = writer.client.subscribe();
    zk.expire(writer.client);
    zk.run(next_of_kind(events, zookeeper::SessionEvent::Kind::expired));
    CHECK(zk.run(writer.store->save("framework", "x")) == make_error_code(StoreErrc::deposed));
}

TEST_CASE("state: records are kept in a directory, which has one owner", "[state]")
{
    ZookeeperFixture zk;
    const Directory directory;
    const fs::path path = directory.path / "state";
    {
        const auto store = make_local_store(path).value();
        check_store(zk, *store);
        CHECK(store->place(cluster_key("b")) == (path / "clusters" / "b").string());
        CHECK(make_local_store(path).error() == make_error_code(StoreErrc::locked));
    }
    std::ofstream{path / "clusters" / ".b.new"} << "what a crash left";
    const auto store = make_local_store(path).value();
    CHECK(zk.run(store->load()).value() == Records{{"framework", ""}, {"clusters/b", "b3"}});
    CHECK((fs::status(path).permissions() & fs::perms::others_all) == fs::perms::none);
    CHECK(
        fs::status(path / "framework").permissions() ==
        (fs::perms::owner_read | fs::perms::owner_write));
    CHECK(make_local_store("/proc/no/such").has_error());
}

TEST_CASE("state: a full disk leaves the old record", "[state]")
{
    ZookeeperFixture zk;
    const Directory directory;
    const auto store = make_local_store(directory.path).value();
    REQUIRE_FALSE(zk.run(store->save("framework", "old")));
    // A limit on file sizes fails a write in its middle, as a full disk does.
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    rlimit tight = before;
    tight.rlim_cur = 100;
    std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
    const ErrorCode full = zk.run(store->save("framework", std::string(1000, 'x')));
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(full == boost::system::errc::file_too_large);
    CHECK(zk.run(store->load()).value() == Records{{"framework", "old"}});
    CHECK(read_file(directory.path / "framework") == "old");
    CHECK_FALSE(fs::exists(directory.path / ".framework.new"));
    CHECK_FALSE(zk.run(store->save("framework", "new")));
}

TEST_CASE("state: what cannot be understood is named, and left alone", "[state]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    Writer writer{zk, path};
    cluster::FrameworkRecord framework;
    framework.framework_id.text = "f-1";
    framework.clusters = {"a", "gone"};
    cluster::Record a;
    a.name = "a";
    a.uuid = "u";
    std::string fault;
    REQUIRE(zk.run(recover(*writer.store, fault)).has_value());
    REQUIRE_FALSE(zk.run(writer.store->save("framework", wire::encode_framework(framework))));
    REQUIRE_FALSE(zk.run(writer.store->save(cluster_key("a"), wire::encode_cluster(a))));
    REQUIRE_FALSE(zk.run(writer.store->save(cluster_key("stray"), "?")));

    const auto found = zk.run(recover(*writer.store, fault));
    REQUIRE(found.has_value());
    CHECK(found->framework == framework);
    CHECK(found->clusters == std::vector<cluster::Record>{a});
    CHECK(
        found->unknown_places ==
        std::vector<std::string>{zk.server.url(path + "/state/clusters/stray")});

    const std::string znode = path + "/state/clusters/a";
    const auto unreadable = make_error_code(Errc::state_unreadable);
    SECTION("no message at all")
    {
        REQUIRE(zk.run(zk.client.set(znode, "\xff\xff", any_version)).has_value());
        CHECK(zk.run(recover(*writer.store, fault)).error() == unreadable);
        CHECK(fault.starts_with(zk.server.url(znode) + ": "));
        CHECK(zk.run(zk.client.get(znode)).value().data == "\xff\xff");
    }
    SECTION("another cluster's record")
    {
        a.name = "b";
        REQUIRE(zk.run(zk.client.set(znode, wire::encode_cluster(a), any_version)).has_value());
        CHECK(zk.run(recover(*writer.store, fault)).error() == unreadable);
        CHECK(fault == zk.server.url(znode) + ": is the record of cluster b");
    }
    SECTION("the framework's record")
    {
        REQUIRE(zk.run(zk.client.set(path + "/state/framework", "x", any_version)).has_value());
        CHECK(zk.run(recover(*writer.store, fault)).error() == unreadable);
        CHECK(fault.starts_with(zk.server.url(path + "/state/framework") + ": "));
    }
}
