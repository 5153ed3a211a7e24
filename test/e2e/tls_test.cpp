// The scheduler as a program, with a master that speaks TLS.
#include "test/io/certificates.hpp"
#include "test/support/programs.hpp"
#include "test/support/tls_proxy.hpp"
#include "test/support/zookeeper_calls.hpp"
#include "test/support/zookeeper_server.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <string>
#include <vector>

using namespace mysos;
using namespace mysos::test;

namespace {

/// A stand-in behind TLS, and what a scheduler needs beside it.
struct World {
    TemporaryDirectory directory;
    ZookeeperServer zookeeper;
    StandinProgram standin{directory.path()};
    Certificates authority;
    Certificates::Files files = authority.issue("localhost");
    TlsProxy master{files.certificate, files.key, standin.port()};

    [[nodiscard]] SchedulerProgram::Order order(
        const std::string& address, const std::string& ca_file) const
    {
        std::vector<std::string> flags{"--executor_cmd=exec sleep 100000"};
        if (!ca_file.empty()) flags.push_back("--mesos_ca_file=" + ca_file);
        return {directory.path(), zookeeper.url("/mysos"), address, flags};
    }
    [[nodiscard]] std::string at(const std::string& host) const
    {
        return host + ":" + std::to_string(master.port());
    }
};

}  // namespace

TEST_CASE("scheduler: with TLS it trusts a master of the authority it was given", "[e2e]")
{
    const World world;
    // The first one of the list is not there.
    SchedulerProgram scheduler{world.order(
        "https://localhost:1,https://" + world.at("localhost"), world.authority.ca_file())};
    (void)scheduler.process().wait_for_line("mesos: subscribed framework=");
    const std::uint16_t port = scheduler.port();
    REQUIRE(send_form(port, "POST", "/clusters/demo", "cluster_user=app").status == 200);
    // Calls go through it too.
    await_true("the member runs or starts", [&] {
        const nlohmann::json view = scheduler.get_json("/v1/clusters/demo");
        return view.at("members").at(0).at("task_state").is_string();
    });
    scheduler.process().signal(SIGTERM);
    CHECK(scheduler.process().wait() == 0);
}

TEST_CASE("scheduler: what TLS does not verify is refused with what to do about it", "[e2e]")
{
    const World world;
    const std::string advice =
        "; its certificate must bear that name and come from an authority in --mesos_ca_file, or "
        "without that flag from one of the system's";
    const auto refused = [&](const std::string& host, const std::string& ca_file) {
        SchedulerProgram scheduler{world.order("https://" + world.at(host), ca_file)};
        const std::string line = scheduler.process().wait_for_line("mesos: waiting for a master:");
        CHECK_THAT(
            line,
            Catch::Matchers::EndsWith(
                "certificate of the peer does not hold at " + world.at(host) + advice));
        CHECK(scheduler.process().output().find("subscribed") == std::string::npos);
    };
    SECTION("another authority")
    {
        const Certificates stranger;
        refused("localhost", stranger.ca_file());
    }
    SECTION("the system's authorities")
    {
        refused("localhost", "");
    }
    SECTION("another name")
    {
        refused("127.0.0.1", world.authority.ca_file());
    }
}

TEST_CASE("scheduler: TLS on one side only is said, with the flag that mends it", "[e2e]")
{
    const World world;
    SECTION("only the master speaks it")
    {
        SchedulerProgram scheduler{world.order(world.at("localhost"), "")};
        const std::string line = scheduler.process().wait_for_line("mesos: waiting for a master:");
        CHECK_THAT(
            line,
            Catch::Matchers::EndsWith("; if it speaks TLS, write https:// or give --mesos_tls"));
    }
    SECTION("only the scheduler speaks it")
    {
        SchedulerProgram scheduler{world.order("https://" + world.standin.address(), "")};
        const std::string line = scheduler.process().wait_for_line("mesos: waiting for a master:");
        CHECK_THAT(
            line,
            Catch::Matchers::EndsWith("; if it speaks no TLS, leave out https:// and --mesos_tls"));
    }
}

TEST_CASE("scheduler: masters found in ZooKeeper are spoken to over TLS when told so", "[e2e]")
{
    const World world;
    const std::string url = world.zookeeper.url("/mesos");
    // Connected to by address, certified by name.
    const nlohmann::json address{
        {"hostname", "localhost"}, {"ip", "127.0.0.1"}, {"port", world.master.port()}};
    const nlohmann::json info{{"id", "m"}, {"address", address}};
    ZookeeperCalls{url}.create("/mesos/json.info_0000000001", info.dump());
    auto order = world.order(url, world.authority.ca_file());
    order.more_flags.emplace_back("--mesos_tls");
    SchedulerProgram scheduler{order};
    (void)scheduler.process().wait_for_line("mesos: subscribed framework=");
}
