// Where members are launched, by the scheduler as a program on a stand-in whose agents differ.
#include "test/e2e/cluster_world.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <set>
#include <string>
#include <vector>

using namespace mysos;
using namespace mysos::test;

namespace {

/// Five agents on racks r1, r1, r2, r2 and r3, the last one in another region than the master.
/// Executors only sleep.
struct World {
    World() { start(); }

    void start()
    {
        scheduler.emplace(SchedulerProgram::Order{
            directory.path(),
            zookeeper.url("/mysos"),
            standin.address(),
            {"--executor_cmd=exec sleep 100000", R"(--constraints=[["rack","UNLIKE","r3"]])"}});
        (void)scheduler->process().wait_for_line("mesos: subscribed framework=");
    }

    void create(const std::string& name, const std::string& form)
    {
        const io::Response answer =
            send_form(scheduler->port(), "POST", "/clusters/" + name, "cluster_user=app&" + form);
        INFO(answer.body);
        REQUIRE(answer.status == 200);
    }
    nlohmann::json members(const std::string& name)
    {
        return scheduler->get_json("/v1/clusters/" + name).at("members");
    }
    /// Once so many are launched: what each shows of the field, sorted.
    std::vector<std::string> launched(
        const std::string& name, std::size_t number, const std::string& field)
    {
        std::vector<std::string> found;
        await_true(name + " is launched", [&] {
            found.clear();
            for (const auto& member : members(name)) {
                if (member.at("task_id").is_null()) continue;
                const auto& attributes = member.at("attributes");
                found.push_back(
                    attributes.contains(field) ? attributes.at(field) : member.at(field));
            }
            return found.size() >= number;
        });
        std::ranges::sort(found);
        return found;
    }
    void await_message(const std::string& name, std::size_t member, const std::string& text)
    {
        await_true(text, [&] { return members(name).at(member).at("message") == text; });
    }

    TemporaryDirectory directory;
    ZookeeperServer zookeeper;
    StandinProgram standin{
        directory.path(),
        5,
        {"--attributes=rack:r1",
         "--attributes=rack:r1",
         "--attributes=rack:r2",
         "--attributes=rack:r2",
         "--attributes=rack:r3",
         "--domain=eu/eu-1",
         "--domain=eu/eu-2",
         "--domain=eu/eu-1",
         "--domain=eu/eu-2",
         "--domain=us/us-1",
         "--master_domain=eu/eu-1"}};
    std::optional<SchedulerProgram> scheduler;
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE(
    "placement: constraints are kept to, over restarts, and explained where they cannot be",
    "[e2e]")
{
    World world;
    world.create("even", R"(num_nodes=2&constraints=[["rack","GROUP_BY"]])");
    CHECK(world.launched("even", 2, "rack") == Texts{"r1", "r2"});

    world.create("unique", R"(num_nodes=3&constraints=[["rack","UNIQUE"]])");
    CHECK(world.launched("unique", 2, "rack") == Texts{"r1", "r2"});
    // Rack r3 is in another region.
    const std::string nowhere =
        "no agent without a member of this cluster that satisfies rack UNIQUE and @region CLUSTER "
        "'eu' offers 1 cpus, 512 MB of memory, 2048 MB of disk and 2 ports at once";
    world.await_message("unique", 2, nowhere);
    world.scheduler->process().signal(SIGKILL);
    (void)world.scheduler->process().wait();
    world.start();
    world.await_message("unique", 2, nowhere);
    CHECK(world.members("unique").at(2).at("task_id").is_null());
    CHECK(
        world.scheduler->get_json("/v1/clusters/unique").at("constraints") ==
        nlohmann::json::parse(R"([["rack","UNIQUE"]])"));

    world.create("nowhere", R"(constraints=[["rack","LIKE","x.*"]])");
    world.await_message("nowhere", 0, "no agent offers rack LIKE 'x.*'; offered: r1, r2, r3");
    world.create("zones", R"(num_nodes=2&constraints=[["@zone","MAX_PER","1"]])");
    CHECK(world.launched("zones", 2, "zone") == Texts{"eu-1", "eu-2"});
}

TEST_CASE("placement: other regions and shared agents are for those who ask for them", "[e2e]")
{
    World world;
    // Four agents are near, and the scheduler's own constraint leaves them all.
    world.create("near", "num_nodes=5");
    CHECK(world.launched("near", 4, "region") == Texts(4, "eu"));
    world.create("far", R"(constraints=[["@region","CLUSTER","us"]])");
    CHECK(world.launched("far", 1, "region") == Texts{"us"});
    world.create("shared", R"(num_nodes=2&colocate=true&constraints=[["@region","LIKE","us|xx"]])");
    CHECK(world.launched("shared", 2, "region") == Texts{"us", "us"});
    CHECK(
        world.members("shared").at(0).at("agent_id") ==
        world.members("shared").at(1).at("agent_id"));
    CHECK(world.members("near").at(4).at("task_id").is_null());

    const io::Response bad = send_form(
        world.scheduler->port(),
        "POST",
        "/clusters/bad",
        R"(cluster_user=app&constraints=[["rack","NEAR"]])");
    CHECK(bad.status == 400);
    CHECK(
        bad.body ==
        "constraints: 'NEAR' is no operator: UNIQUE, CLUSTER, GROUP_BY, LIKE, UNLIKE and MAX_PER "
        "are\n");
}
