#include "common/io/master_detector.hpp"

#include "test/integration/zookeeper_fixture.hpp"

#include <boost/asio/error.hpp>
#include <catch2/catch.hpp>

#include <memory>
#include <string>

using namespace mysos;
using namespace mysos::io;
using namespace mysos::test;
using mesos::Master;
using zookeeper::any_version;
using zookeeper::Client;
using zookeeper::CreateMode;

namespace {

std::string info(const std::string& id, int port)
{
    return R"({"address":{"hostname":"h-)" + id + R"(","ip":"10.0.0.1","port":)" +
           std::to_string(port) + R"(},"id":")" + id + R"("})";
}

Master master(const std::string& id, std::uint16_t port)
{
    return {.id = id, .ip = "10.0.0.1", .hostname = "h-" + id, .port = port};
}

/// A path below which masters announce themselves, and a detector that looks there.
struct Given : ZookeeperFixture {
    std::string path = fresh_path();
    std::unique_ptr<MasterDetector> detector =
        make_master_detector(io.get_executor(), server.url(path), std::chrono::seconds{3}).value();

    std::string announce(Client& from, const std::string& data)
    {
        return run(from.create(path + "/json.info_", data, CreateMode::ephemeral_sequential))
            .value();
    }
};

}  // namespace

TEST_CASE("detector: waits for the path, then for a master", "[detector]")
{
    Given given;
    auto found = given.start(given.detector->find());
    given.run(given.client.exists(given.path)).value();
    REQUIRE(given.run(given.client.ensure_path(given.path + "/log_replicas")).has_value());
    given.announce(given.client, info("a", 5050));
    CHECK(given.run(std::move(found)).value() == master("a", 5050));
}

TEST_CASE("detector: the next in line leads when the leader's node goes", "[detector]")
{
    Given given;
    REQUIRE(given.run(given.client.ensure_path(given.path)).has_value());
    Client other{given.io.get_executor(), given.config()};
    given.announce(other, info("a", 1));
    const std::string second = given.announce(given.client, info("b", 2));
    REQUIRE(given.run(given.detector->find()).value() == master("a", 1));

    // One more follower changes nothing.
    auto replaced = given.start(given.detector->until_replaced(master("a", 1)));
    const std::string third = given.announce(given.client, info("c", 3));
    REQUIRE(given.run(given.client.remove(third, any_version)).has_value());
    CHECK(given.run(given.detector->find()).value() == master("a", 1));

    other.close();
    CHECK_FALSE(given.run(std::move(replaced)));
    CHECK(given.run(given.detector->find()).value() == master("b", 2));

    // The last one goes: nobody leads, until somebody new comes.
    auto gone = given.start(given.detector->until_replaced(master("b", 2)));
    REQUIRE(given.run(given.client.remove(second, any_version)).has_value());
    CHECK_FALSE(given.run(std::move(gone)));
    auto found = given.start(given.detector->find());
    given.announce(given.client, info("d", 4));
    CHECK(given.run(std::move(found)).value() == master("d", 4));
}

TEST_CASE("detector: a leader that cannot be understood is no leader", "[detector]")
{
    Given given;
    REQUIRE(given.run(given.client.ensure_path(given.path)).has_value());
    const std::string bad = given.announce(given.client, "{}");
    given.announce(given.client, info("b", 2));
    auto found = given.start(given.detector->find());
    REQUIRE(given.run(given.client.remove(bad, any_version)).has_value());
    CHECK(given.run(std::move(found)).value() == master("b", 2));
}

TEST_CASE("detector: cut off for a session's time, it says that nobody leads", "[detector]")
{
    Given given;
    REQUIRE(given.run(given.client.ensure_path(given.path)).has_value());
    given.announce(given.client, info("a", 1));
    REQUIRE(given.run(given.detector->find()).value() == master("a", 1));
    auto replaced = given.start(given.detector->until_replaced(master("a", 1)));
    given.server.pause(0);
    CHECK_FALSE(given.run(std::move(replaced)));
    given.server.resume(0);
    // The master's own session is longer than the pause.
    CHECK(given.run(given.detector->find()).value() == master("a", 1));
}

TEST_CASE("detector: one that goes releases those who wait", "[detector]")
{
    Given given;
    auto found = given.start(given.detector->find());
    given.run(given.client.exists(given.path)).value();
    given.detector.reset();
    CHECK(given.run(std::move(found)).error() == boost::asio::error::operation_aborted);
}

TEST_CASE("detector: a list is tried in turn, and never says who was replaced", "[detector]")
{
    boost::asio::io_context io{1};
    auto detector = make_master_detector(io.get_executor(), "m1:5050,m2:5051").value();
    CHECK(run(io, detector->find()).value() == Master{"", "m1", "m1", 5050});
    CHECK(run(io, detector->find()).value() == Master{"", "m2", "m2", 5051});
    CHECK(run(io, detector->find()).value() == Master{"", "m1", "m1", 5050});
    CHECK(make_master_detector(io.get_executor(), "m1").error() == UrlErrc::port_malformed);
    CHECK(make_master_detector(io.get_executor(), "zk://h").error() == UrlErrc::path_missing);
}
