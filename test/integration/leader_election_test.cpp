#include "scheduler/in/leader_election.hpp"

#include "common/wire/leader.hpp"
#include "scheduler/errc.hpp"
#include "test/integration/zookeeper_fixture.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>

using namespace mysos;
using namespace mysos::scheduler;
using namespace mysos::test;
using zookeeper::any_version;
using zookeeper::Client;
using zookeeper::Config;
using zookeeper::CreateMode;

namespace {

/// One scheduler's part in an election below a path that all of one test share.
struct Candidate {
    Candidate(ZookeeperFixture& zk, const std::string& path, std::uint16_t port)
        : client{zk.io.get_executor(), config_of(zk, path)},
          election{zk.io.get_executor(), client, {.host = "127.0.0.1", .port = port}}
    {}

    static Config config_of(const ZookeeperFixture& zk, const std::string& path)
    {
        Config config = zk.config();
        config.url.path = path;
        return config;
    }

    Client client;
    LeaderElection election;
};

std::uint16_t announced(ZookeeperFixture& zk, const std::string& path)
{
    const auto node = zk.run(zk.client.get(path + "/scheduler/leader"));
    return node ? wire::decode_leader(node->data).value().port : std::uint16_t{0};
}

}  // namespace

TEST_CASE("election: the first leads, the next only when it is gone", "[election]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    auto first = std::make_unique<Candidate>(zk, path, 1);
    const Leadership leads = zk.run(first->election.lead()).value();
    CHECK(leads.session_id == first->client.session()->id);
    CHECK(zk.run(zk.client.exists(leads.node)).value());
    CHECK(announced(zk, path) == 1);

    Candidate second{zk, path, 2};
    auto standby = zk.start(second.election.lead());
    const auto children = zk.run(zk.client.children_and_watch(path + "/scheduler")).value();
    if (children.value.size() < 3) REQUIRE(zk.run(children.watch.fired()).has_value());
    CHECK(announced(zk, path) == 1);

    first->client.close();
    CHECK(zk.run(std::move(standby)).value().session_id == second.client.session()->id);
    CHECK(announced(zk, path) == 2);
}

TEST_CASE("election: whoever loses its session or its node is deposed", "[election]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    Candidate candidate{zk, path, 1};
    const Leadership leads = zk.run(candidate.election.lead()).value();
    auto deposed = zk.start(candidate.election.until_deposed(leads));

    SECTION("its session is taken")
    {
        zk.expire(candidate.client);
    }
    SECTION("its node is removed")
    {
        REQUIRE(zk.run(zk.client.remove(leads.node, any_version)).has_value());
    }
    SECTION("its client is closed")
    {
        candidate.client.close();
    }
    CHECK(zk.run(std::move(deposed)) == make_error_code(Errc::deposed));
}

TEST_CASE("election: a lost connection alone deposes nobody", "[election]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    Candidate candidate{zk, path, 1};
    const Leadership leads = zk.run(candidate.election.lead()).value();
    auto deposed = zk.start(candidate.election.until_deposed(leads));
    auto events = candidate.client.subscribe();
    zk.run(next_of_kind(events, zookeeper::SessionEvent::Kind::connected));
    zk.server.kill(0);
    zk.server.start(0);
    zk.run(next_of_kind(events, zookeeper::SessionEvent::Kind::connected));
    CHECK(zk.run(zk.client.exists(leads.node)).value());
    REQUIRE(zk.run(zk.client.remove(leads.node, any_version)).has_value());
    CHECK(zk.run(std::move(deposed)) == make_error_code(Errc::deposed));
}

TEST_CASE("election: an announcement of somebody else's session is waited out", "[election]")
{
    ZookeeperFixture zk;
    const std::string path = zk.fresh_path();
    REQUIRE(zk.run(zk.client.ensure_path(path + "/scheduler")).has_value());
    const std::string leader = path + "/scheduler/leader";
    REQUIRE(zk.run(zk.client.create(leader, "{}", CreateMode::ephemeral)).has_value());
    Candidate candidate{zk, path, 7};
    auto leads = zk.start(candidate.election.lead());
    const auto children = zk.run(zk.client.children_and_watch(path + "/scheduler")).value();
    if (children.value.size() < 2) REQUIRE(zk.run(children.watch.fired()).has_value());
    REQUIRE(zk.run(zk.client.remove(leader, any_version)).has_value());
    CHECK(zk.run(std::move(leads)).has_value());
    CHECK(announced(zk, path) == 7);
}
