// The scheduler as a program, with a real ZooKeeper and the stand-in. Executors here only sleep:
// what they do is tested elsewhere.
#include "common/io/zookeeper.hpp"
#include "test/support/programs.hpp"
#include "test/support/run.hpp"
#include "test/support/zookeeper_server.hpp"

#include <boost/asio/io_context.hpp>
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

/// A ZooKeeper client whose calls block.
class Zk {
  public:
    explicit Zk(const std::string& url) : client_{context_.get_executor(), config(url)} {}

    void write(const std::string& path, const std::string& data)
    {
        REQUIRE(run(context_, client_.ensure_path(path.substr(0, path.rfind('/')))).has_value());
        const auto made =
            run(context_, client_.create(path, data, zookeeper::CreateMode::persistent));
        REQUIRE(made.has_value());
    }
    zookeeper::Node read(const std::string& path)
    {
        return run(context_, client_.get(path)).value();
    }
    bool exists(const std::string& path)
    {
        return run(context_, client_.exists(path)).value().has_value();
    }
    void wait_until_gone(const std::string& path)
    {
        for (;;) {
            auto there = run(context_, client_.exists_and_watch(path)).value();
            if (!there.value) return;
            (void)run(context_, there.watch.fired());
        }
    }

  private:
    static zookeeper::Config config(const std::string& url)
    {
        zookeeper::Config made;
        made.url = parse_zk_url(url).value();
        return made;
    }

    boost::asio::io_context context_{1};
    zookeeper::Client client_;
};

std::size_t count(const std::string& text, const std::string& part)
{
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++found;
    return found;
}

/// What the master believes of the framework's tasks that have not ended.
std::vector<std::string> live_tasks(const StandinProgram& standin, const std::string& framework)
{
    const nlohmann::json state = nlohmann::json::parse(get(standin.port(), "/standin/state").body);
    std::vector<std::string> ids;
    for (const auto& [id, task] : state.at("frameworks").at(framework).at("tasks").items()) {
        const std::string how = task.at("state");
        if (how == "TASK_STAGING" || how == "TASK_RUNNING") ids.push_back(id);
    }
    return ids;
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

TEST_CASE("scheduler: a corrupt state znode is named and left alone", "[e2e]")
{
    const TemporaryDirectory directory;
    const ZookeeperServer zookeeper;
    const std::string url = zookeeper.url("/mysos");
    Zk zk{url};
    zk.write("/mysos/state/framework", "\x01\x02 not a record");
    const zookeeper::Node before = zk.read("/mysos/state/framework");

    SchedulerProgram scheduler{order(directory, url, "127.0.0.1:1")};
    CHECK(scheduler.process().wait() == 1);
    const std::string said = scheduler.process().output();
    CHECK(said.find(url + "/state/framework") != std::string::npos);
    CHECK(zk.read("/mysos/state/framework") == before);
}

TEST_CASE("scheduler: bad requests get their exact answers", "[e2e]")
{
    const TemporaryDirectory directory;
    const ZookeeperServer zookeeper;
    const StandinProgram standin{directory.path()};
    SchedulerProgram scheduler{order(directory, zookeeper.url("/mysos"), standin.address())};
    (void)scheduler.process().wait_for_line("mesos: subscribed framework=");
    const std::uint16_t port = scheduler.port();
    REQUIRE(send_form(port, "POST", "/clusters/there", "cluster_user=app").status == 200);

    struct Case {
        std::string method;
        std::string target;
        std::string body;
        unsigned status;
        std::string answer;
    };
    const std::string name_rule =
        "name: must be 1 to 64 letters, digits, '-', '_' and '.', and begin with a letter or "
        "digit\n";
    const std::string nodes_rule = "num_nodes: must be a number from 1 to 15\n";
    const std::string user = "cluster_user=app";
    const std::vector<Case> cases{
        {"POST", "/clusters/a", "", 400, "cluster_user: is missing\n"},
        {"POST", "/clusters/a", user + "&num_nodes=0", 400, nodes_rule},
        {"POST", "/clusters/a", user + "&num_nodes=-1", 400, nodes_rule},
        {"POST", "/clusters/a", user + "&num_nodes=x", 400, nodes_rule},
        {"POST", "/clusters/a", user + "&num_nodes=1000", 400, nodes_rule},
        {"POST",
         "/clusters/a",
         user + "&size=big",
         400,
         "size: must be JSON like {\"cpus\": 1.0, \"mem\": \"512mb\", \"disk\": \"2gb\"}\n"},
        {"POST",
         "/clusters/a",
         user + "&size={\"mem\":\"512xb\"}",
         400,
         "size: 'mem' must be text with a unit, like \"512mb\" or \"2gb\": has an unknown unit\n"},
        {"POST",
         "/clusters/a",
         user + "&size={\"mem\":\"32mb\"}",
         400,
         "size: is too small, an instance must be larger than the executor's share of 0.01 cpus, "
         "32 MB of memory and 1 MB of disk\n"},
        {"POST", "/clusters/a/b", user, 400, name_rule},
        {"POST", "/clusters/a%2Fb", user, 400, name_rule},
        {"POST", "/clusters/..", user, 400, name_rule},
        {"POST", "/clusters/", user, 400, name_rule},
        {"POST", "/clusters/" + std::string(300, 'n'), user, 400, name_rule},
        {"POST", "/clusters/there", user, 409, "cluster 'there' exists already\n"},
        {"DELETE", "/clusters/there", "", 403, "password: is missing\n"},
        {"DELETE", "/clusters/there", "password=x", 403, "password: is not the cluster's\n"},
        {"DELETE", "/clusters/absent", "password=x", 404, "there is no cluster 'absent'\n"},
    };
    for (const Case& c : cases) {
        INFO(c.method << " " << c.target << " " << c.body);
        const io::Response response = send_form(port, c.method, c.target, c.body);
        CHECK(response.status == c.status);
        CHECK(response.body == c.answer);
    }

    const io::Response large =
        send_form(port, "POST", "/clusters/a", std::string((std::size_t{1} << 20U) + 1, 'x'));
    CHECK(large.status == 413);
    const io::Response unknown = get(port, "/v2/clusters");
    CHECK(unknown.status == 404);
    CHECK(nlohmann::json::parse(unknown.body).at("status") == 404);
    const io::Response method = send_form(port, "PUT", "/clusters/a", user);
    CHECK(method.status == 405);
    CHECK(method.headers.find("Allow") == "POST, DELETE");
}

TEST_CASE("scheduler: a cluster too large for any agent is accepted and says what lacks", "[e2e]")
{
    const TemporaryDirectory directory;
    const ZookeeperServer zookeeper;
    const StandinProgram standin{directory.path()};
    SchedulerProgram scheduler{order(directory, zookeeper.url("/mysos"), standin.address())};
    (void)scheduler.process().wait_for_line("mesos: subscribed framework=");
    const std::string form = "cluster_user=app&size={\"cpus\":900}";
    REQUIRE(send_form(scheduler.port(), "POST", "/clusters/big", form).status == 200);
    await_true("the member says which resource no agent offers", [&] {
        const nlohmann::json view = scheduler.get_json("/v1/clusters/big");
        const nlohmann::json& message = view.at("members").at(0).at("message");
        return message == "no agent offers 900 cpus; largest offered 4";
    });
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
    Zk zk{url};
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
