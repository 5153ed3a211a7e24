// The creation of a real cluster, with the scheduler killed while it goes on.
#include "common/cluster/names.hpp"
#include "common/wire/state.hpp"
#include "test/e2e/cluster_world.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <vector>

using namespace mysos;
using namespace mysos::test;

namespace {

constexpr const char* record_path = "/mysos/state/clusters/demo";

/// Members of the tasks that live: the same one twice would be a member launched twice.
std::vector<std::uint64_t> living_members(const ClusterWorld& world)
{
    std::vector<std::uint64_t> members;
    for (const std::string& task : live_tasks(world.standin(), world.framework())) {
        const auto name = cluster::parse_name(task);
        REQUIRE(name.has_value());
        members.push_back(static_cast<std::uint64_t>(name->member));
    }
    std::ranges::sort(members);
    return members;
}

void check_nobody_twice(const ClusterWorld& world)
{
    const std::vector<std::uint64_t> members = living_members(world);
    CHECK(std::set<std::uint64_t>(members.begin(), members.end()).size() == members.size());
}

/// Three members, each living once on the one volume that is recorded, and nothing beside them.
void check_whole(ClusterWorld& world)
{
    world.await_whole(3);
    CHECK(living_members(world) == std::vector<std::uint64_t>{1, 2, 3});
    const auto record = wire::decode_cluster(world.zk.read(record_path).data);
    REQUIRE(record.has_value());
    std::vector<std::string> tasks;
    std::vector<std::string> volumes;
    for (const auto& [id, member] : record->members) {
        tasks.push_back(member.task_id.text);
        volumes.push_back(member.persistence_id.text);
    }
    std::ranges::sort(tasks);
    std::ranges::sort(volumes);
    CHECK(live_tasks(world.standin(), world.framework()) == tasks);
    CHECK(world.reserved_for() == volumes);
    CHECK(world.mesos_state().at("frameworks").size() == 1);
}

}  // namespace

TEST_CASE("creation: the scheduler may be killed at every step of it", "[e2e]")
{
    ClusterWorld world;
    (void)world.create(3);
    for (const char* const step :
         {"launched on", "member connected", "election of epoch", "is the primary"}) {
        INFO(step);
        (void)world.scheduler().process().wait_for_line(step);
        world.kill_scheduler();
        check_nobody_twice(world);
        world.start_scheduler();
    }
    check_whole(world);
}

TEST_CASE("creation: the scheduler may be killed after every save", "[e2e]")
{
    ClusterWorld world;
    (void)world.create(3);
    // At least so many follow: launches, an epoch, a candidate, its opening, two that join.
    for (int saves = 0; saves < 6; ++saves) {
        world.zk.wait_until_changed(record_path);
        world.kill_scheduler();
        check_nobody_twice(world);
        world.start_scheduler();
    }
    check_whole(world);
}

TEST_CASE("creation: whoever lost the lead stops at its next save, with nothing done", "[e2e]")
{
    ClusterWorld world{{"--executor_cmd=exec sleep 100000"}};
    const std::string password = world.create(1);
    await_true("it is launched", [&] { return living_members(world).size() == 1; });
    const std::vector<std::string> tasks = live_tasks(world.standin(), world.framework());

    // As another one would have, that leads.
    const std::string theirs = world.zk.read(record_path).data;
    world.zk.set(record_path, theirs);
    const zookeeper::Node before = world.zk.read(record_path);
    io::Request request{.method = "DELETE", .target = "/clusters/demo"};
    request.headers.set("Content-Type", "application/x-www-form-urlencoded");
    request.body = "password=" + password;
    std::string answer;
    try {
        answer = http(world.scheduler().port(), std::move(request)).body;
    } catch (const std::runtime_error&) {
        answer = "none";  // It may be gone first.
    }
    CHECK(answer.find("cluster_url") == std::string::npos);
    CHECK(world.scheduler().process().wait() == 1);
    CHECK_THAT(
        world.scheduler().process().output(),
        Catch::Matchers::Contains("ends: cannot save " + world.url + "/state/clusters/demo: "));
    CHECK(world.zk.read(record_path) == before);
    CHECK(live_tasks(world.standin(), world.framework()) == tasks);
}

TEST_CASE("creation: whose place in the election is gone ends, and its servers stay", "[e2e]")
{
    ClusterWorld world{{"--executor_cmd=exec sleep 100000"}};
    (void)world.create(1);
    await_true("it is launched", [&] { return living_members(world).size() == 1; });
    const std::string leads = world.scheduler().process().wait_for_line("election: leads node=");
    world.zk.remove(after(leads, "node="));
    CHECK(world.scheduler().process().wait() == 1);
    CHECK_THAT(
        world.scheduler().process().output(),
        Catch::Matchers::Contains(
            "ends: another scheduler may lead now; start this one again to stand by"));
    CHECK(living_members(world).size() == 1);
    world.start_scheduler();
    CHECK(world.scheduler().get_json("/v1/clusters/demo").at("members").size() == 1);
}
