// The scheduler as a program, with a real ZooKeeper and the stand-in. Executors here only sleep:
// what they do is tested elsewhere.
#include "test/e2e/cluster_world.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

using namespace mysos;
using namespace mysos::test;

namespace {

const std::string sleeping = "--executor_cmd=exec sleep 100000";

SchedulerProgram::Order order(
    const TemporaryDirectory& directory, const std::string& zk, const std::string& master)
{
    return {directory.path(), zk, master, {sleeping}};
}

/// What the scheduler knows of the tasks that Mesos told it about.
std::vector<std::string> known_tasks(SchedulerProgram& scheduler, const std::string& cluster)
{
    std::vector<std::string> ids;
    const nlohmann::json view = scheduler.get_json("/v1/clusters/" + cluster);
    for (const auto& member : view.at("members")) {
        if (member.at("task_state").is_string()) ids.push_back(member.at("task_id"));
    }
    std::ranges::sort(ids);
    return ids;
}

}  // namespace

TEST_CASE("scheduler: a wrong flag ends it with 2 and one line", "[e2e]")
{
    const TemporaryDirectory directory;
    SchedulerProgram scheduler{
        {directory.path(), "zk://127.0.0.1:1/mysos", "127.0.0.1:1", {"--framework_role=*"}}};
    CHECK(scheduler.process().wait() == 2);
    const std::string said = scheduler.process().output();
    CHECK(said.starts_with("mysos-scheduler: --framework_role: '*' cannot hold reservations"));
    CHECK(count(said, "\n") == 1);
}

TEST_CASE("scheduler: a key of 31 bytes ends it with 2 and one line that names the file", "[e2e]")
{
    const TemporaryDirectory directory;
    const std::string key = directory.write("key", std::string(31, 'k'));
    const std::string says = "'" + key + "' has 31 bytes, a key has 32: ";
    SECTION("given")
    {
        SchedulerProgram scheduler{
            {directory.path(),
             "zk://127.0.0.1:1/mysos",
             "127.0.0.1:1",
             {sleeping, "--scheduler_keypath=" + key}}};
        CHECK(scheduler.process().wait() == 2);
        CHECK(
            scheduler.process().output() == "mysos-scheduler: --scheduler_keypath: " + says +
                                                "make one with 'head -c 32 /dev/urandom > FILE'\n");
    }
    SECTION("in the work directory")
    {
        const std::string own = directory.write("work/scheduler.key", std::string(31, 'k'));
        SchedulerProgram scheduler{order(directory, "zk://127.0.0.1:1/mysos", "127.0.0.1:1")};
        CHECK(scheduler.process().wait() == 2);
        const std::string said = scheduler.process().output();
        CHECK(said.find("mysos-scheduler: --work_dir: '" + own + "' has 31 bytes") != said.npos);
        CHECK(directory.read("work/scheduler.key") == std::string(31, 'k'));
    }
}

TEST_CASE("scheduler: without ZooKeeper, then without Mesos, it waits and says so", "[e2e]")
{
    const TemporaryDirectory directory;
    ZookeeperServer zookeeper;
    zookeeper.kill(0);
    SchedulerProgram scheduler{order(directory, zookeeper.url("/mysos"), "127.0.0.1:1")};
    (void)scheduler.process().wait_for_line("waiting for ZooKeeper at zk://127.0.0.1:");
    CHECK(get(scheduler.port(), "/healthz").status == 200);
    CHECK(get(scheduler.port(), "/").status == 200);
    CHECK(get(scheduler.port(), "/readyz").status == 503);
    const io::Response early =
        send_form(scheduler.port(), "POST", "/clusters/demo", "cluster_user=app");
    CHECK(early.status == 503);
    CHECK(early.body == "this scheduler waits for ZooKeeper; try again\n");

    zookeeper.start(0);
    (void)scheduler.process().wait_for_line("mesos: waiting for a master: Connection refused");
    const io::Response late =
        send_form(scheduler.port(), "POST", "/clusters/demo", "cluster_user=app");
    CHECK(late.status == 503);
    CHECK(late.body == "the scheduler is not connected to Mesos, try again\n");

    scheduler.process().signal(SIGTERM);
    CHECK(scheduler.process().wait() == 0);
}

TEST_CASE("scheduler: a corrupt state znode is named, and nothing is changed", "[e2e]")
{
    const TemporaryDirectory directory;
    const ZookeeperServer zookeeper;
    const StandinProgram standin{directory.path()};
    const std::string url = zookeeper.url("/mysos");
    const auto ours = order(directory, url, standin.address());
    ZookeeperCalls zk{url};
    {
        SchedulerProgram scheduler{ours};
        (void)scheduler.process().wait_for_line("mesos: subscribed framework=");
        const std::string form = "cluster_user=app";
        REQUIRE(send_form(scheduler.port(), "POST", "/clusters/demo", form).status == 200);
        scheduler.process().signal(SIGTERM);
        REQUIRE(scheduler.process().wait() == 0);
    }
    const std::string node = GENERATE("/state/framework", "/state/clusters/demo");
    INFO(node);
    const std::string whole = zk.read("/mysos" + node).data;
    const std::string broken =
        GENERATE_COPY(std::string{}, std::string{"\x01\x02 no record"}, whole.substr(1));
    zk.set("/mysos" + node, broken);
    const std::string state = zk.everything("/mysos/state");
    const std::string discover = zk.everything("/mysos/discover");
    const zookeeper::Node before = zk.read("/mysos" + node);

    SchedulerProgram scheduler{ours};
    CHECK(scheduler.process().wait() == 1);
    CHECK_THAT(
        scheduler.process().output(), Catch::Matchers::Contains(" scheduler: ends: " + url + node));
    CHECK(zk.read("/mysos" + node) == before);
    CHECK(zk.everything("/mysos/state") == state);
    CHECK(zk.everything("/mysos/discover") == discover);
    CHECK(scheduler.process().output().find("subscribed") == std::string::npos);
}

TEST_CASE("scheduler: killed at any moment it goes on, and deleting ends everything", "[e2e]")
{
    const TemporaryDirectory directory;
    const ZookeeperServer zookeeper;
    const std::string url = zookeeper.url("/mysos");
    const StandinProgram standin{directory.path()};
    const auto ours = order(directory, url, standin.address());
    auto scheduler = std::make_unique<SchedulerProgram>(ours);
    const std::string subscribed =
        scheduler->process().wait_for_line("mesos: subscribed framework=");
    const std::string framework = after(subscribed, "framework=");

    const io::Response created =
        send_form(scheduler->port(), "POST", "/clusters/demo", "cluster_user=app&num_nodes=3");
    REQUIRE(created.status == 200);
    const nlohmann::json answer = nlohmann::json::parse(created.body);
    CHECK(answer.at("cluster_url") == url + "/discover/demo");
    const std::string password = answer.at("cluster_password");
    CHECK(password.size() == 21);

    // At once: whatever was under way is half done.
    scheduler->process().signal(SIGKILL);
    CHECK(scheduler->process().wait() == -SIGKILL);
    scheduler = std::make_unique<SchedulerProgram>(ours);
    const std::string again = scheduler->process().wait_for_line("mesos: subscribed framework=");
    CHECK(after(again, "framework=") == framework);
    std::vector<std::string> tasks;
    await_true("three tasks live", [&] {
        tasks = live_tasks(standin, framework);
        return tasks.size() == 3;
    });

    // And once more, with all of them launched.
    scheduler->process().signal(SIGKILL);
    CHECK(scheduler->process().wait() == -SIGKILL);
    scheduler = std::make_unique<SchedulerProgram>(ours);
    (void)scheduler->process().wait_for_line("mesos: subscribed framework=");
    await_true(
        "the tasks are known again", [&] { return known_tasks(*scheduler, "demo") == tasks; });
    CHECK(live_tasks(standin, framework) == tasks);
    CHECK(count(scheduler->process().output(), "launched on") == 0);

    const std::string form = "password=" + password;
    const io::Response deleted = send_form(scheduler->port(), "DELETE", "/clusters/demo", form);
    CHECK(deleted.status == 200);
    CHECK(nlohmann::json::parse(deleted.body).at("cluster_url") == url + "/discover/demo");
    (void)scheduler->process().wait_for_line("cluster demo is gone");
    ZookeeperCalls zk{url};
    zk.wait_until_gone("/mysos/discover/demo");
    CHECK_FALSE(zk.exists("/mysos/state/clusters/demo"));
    CHECK(get(scheduler->port(), "/v1/clusters/demo").status == 404);
    CHECK(send_form(scheduler->port(), "POST", "/clusters/demo", "cluster_user=app").status == 200);

    CHECK(live_tasks(standin, framework).size() <= 1);  // Of the cluster that was just made.
    scheduler->process().signal(SIGTERM);
    CHECK(scheduler->process().wait() == 0);

    // Another directory has another key: what was sealed with the first one stays as it is.
    const TemporaryDirectory elsewhere;
    SchedulerProgram stranger{order(elsewhere, url, standin.address())};
    CHECK(stranger.process().wait() == 1);
    const std::string said = stranger.process().output();
    CHECK(
        said.find(url + "/state/clusters/demo: its passwords were sealed with another key") !=
        std::string::npos);
}

TEST_CASE("scheduler: a second one stands by and takes over", "[e2e]")
{
    const TemporaryDirectory directory;
    const ZookeeperServer zookeeper;
    const StandinProgram standin{directory.path()};
    const auto ours = order(directory, zookeeper.url("/mysos"), standin.address());
    SchedulerProgram first{ours};
    (void)first.process().wait_for_line("mesos: subscribed framework=");
    SchedulerProgram second{ours};
    (void)second.process().wait_for_line("election: stands by");
    const io::Response refused =
        send_form(second.port(), "POST", "/clusters/demo", "cluster_user=app");
    CHECK(refused.status == 503);

    first.process().signal(SIGTERM);
    CHECK(first.process().wait() == 0);
    (void)second.process().wait_for_line("mesos: subscribed framework=");
    CHECK(send_form(second.port(), "POST", "/clusters/demo", "cluster_user=app").status == 200);
}
