// The executor as a program, started by the stand-in's agents for the scheduler, with real servers.
#include "test/support/port_block.hpp"
#include "test/support/programs.hpp"
#include "test/support/zookeeper_server.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

using namespace mysos;
using namespace mysos::test;

namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path)
{
    std::ifstream file{path, std::ios::binary};
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::size_t count(const std::string& text, const std::string& part)
{
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++found;
    return found;
}

/// ZooKeeper, as many agents as members, a scheduler, and a cluster.
struct World {
    explicit World(const std::string& installer, int members = 1)
        : standin{shared(directory), members, agents(members)},
          scheduler{
              {directory.path(),
               zookeeper.url("/mysos"),
               standin.address(),
               {"--executor_cmd=" + built("executor/mysos-executor"),
                "--installer_args=" + installer}}}
    {
        (void)scheduler.process().wait_for_line("mesos: subscribed framework=");
        const io::Response made = send_form(
            scheduler.port(),
            "POST",
            "/clusters/demo",
            "cluster_user=app&num_nodes=" + std::to_string(members));
        REQUIRE(made.status == 200);
        password = nlohmann::json::parse(made.body).at("cluster_password");
    }

    [[nodiscard]] nlohmann::json view() { return scheduler.get_json("/v1/clusters/demo"); }
    [[nodiscard]] nlohmann::json member() { return view().at("members").at(0); }
    [[nodiscard]] int metric(const std::string& name)
    {
        return scheduler.get_json("/vars.json").at("scheduler." + name);
    }
    void agent(const std::string& action, const std::string& body = "") const
    {
        const io::Response done =
            send_form(standin.port(), "POST", "/standin/agents/0/" + action, body);
        REQUIRE(done.status == 200);
    }
    [[nodiscard]] bool agent_is_registered() const
    {
        const auto state = nlohmann::json::parse(get(standin.port(), "/standin/state").body);
        return state.at("agents").at(0).value("registered", false);
    }

    PortBlock ports;
    TemporaryDirectory directory;
    ZookeeperServer zookeeper;
    StandinProgram standin;
    SchedulerProgram scheduler;
    std::string password;

  private:
    /// Each offers the same ports, as agents on one machine do by default.
    [[nodiscard]] std::vector<std::string> agents(int count) const
    {
        const std::string one = "--agent_resources=cpus:4;mem:4096;disk:10000;ports:[" +
                                std::to_string(ports.first()) + "-" + std::to_string(ports.last()) +
                                "]";
        std::vector<std::string> all(static_cast<std::size_t>(count), one);
        return all;
    }

    /// Servers run as nobody and must be able to walk to their volumes.
    static fs::path shared(const TemporaryDirectory& directory)
    {
        fs::permissions(directory.path(), fs::perms{0755});
        return directory.path();
    }
};

/// The executor that runs a task, found as a process; 0 when there is none.
pid_t executor_of(const std::string& task)
{
    for (const auto& entry : fs::directory_iterator("/proc")) {
        if (text_of(entry.path() / "comm") != "mysos-executor\n") continue;
        const std::string environment = text_of(entry.path() / "environ");
        const bool found =
            environment.find("MESOS_EXECUTOR_ID=" + task + '\0') != std::string::npos;
        if (found) return std::stoi(entry.path().filename());
    }
    return 0;
}

/// Its server, a child of it; 0 when there is none.
pid_t server_of(pid_t executor)
{
    const std::string id = std::to_string(executor);
    std::istringstream children{text_of("/proc/" + id + "/task/" + id + "/children")};
    for (pid_t child = 0; children >> child;) {
        if (text_of("/proc/" + std::to_string(child) + "/comm") == "mariadbd\n") return child;
    }
    return 0;
}

bool is_running(const nlohmann::json& view)
{
    const nlohmann::json& members = view.at("members");
    return view.at("state") == "running" &&
           std::ranges::all_of(members, [](const auto& member) { return member.at("serves"); });
}

}  // namespace

TEST_CASE("executor: a server that is not there fails tasks by name, less and less often", "[e2e]")
{
    World world{R"({"installer":"host","server":"/opt/none/mariadbd"})"};
    const std::regex waiting{
        R"(launched again in (\d+) s, after (\d+) failures in a row: there is no server at /opt/none/mariadbd)"};
    // One second after the first, two after the second, then four.
    await_true("a pause of at least three seconds, with its reason", [&] {
        const int launched = world.metric("tasks_launched");
        const nlohmann::json view = world.view();
        const nlohmann::json& member = view.at("members").at(0);
        const std::string message = member.at("message");
        std::smatch found;
        if (!std::regex_match(message, found, waiting) || std::stoi(found[1]) < 3) return false;
        const int failures = std::stoi(found[2]);
        CHECK(failures >= 3);
        CHECK(member.at("failures") == failures);
        CHECK(member.at("task_state") == "TASK_FAILED");
        CHECK(member.at("serves") == false);
        CHECK(view.at("state") != "running");
        // Every launch is one of those failures: it does not launch while it waits.
        CHECK(launched <= failures);
        return true;
    });
}

TEST_CASE("executor: it and its server live on over restarts of the agent", "[e2e]")
{
    World world{R"({"installer":"host","flavor":"mariadb"})"};
    await_true("a primary", [&] { return is_running(world.view()); });
    const std::string task = world.member().at("task_id");
    const pid_t executor = executor_of(task);
    REQUIRE(executor > 0);
    const pid_t server = server_of(executor);
    REQUIRE(server > 0);
    const fs::path log = fs::path{"/proc"} / std::to_string(executor) / "cwd" / "stderr";
    const auto subscriptions = [&] { return count(text_of(log), "agent: subscribed agent="); };
    REQUIRE(subscriptions() == 1);

    world.agent("restart", R"({"down_ms": 300})");
    await_true("its second subscription", [&] { return subscriptions() == 2; });
    await_true("the agent's return", [&] { return world.agent_is_registered(); });
    CHECK(server_of(executor) == server);

    // What happens while the agent is away is told when it is back.
    world.agent("kill");
    await_true("the loss", [&] { return count(text_of(log), "agent: stream lost") == 2; });
    REQUIRE(::kill(server, SIGKILL) == 0);
    await_true("another life of the server", [&] {
        const pid_t now = server_of(executor);
        return now != 0 && now != server && is_running(world.view());
    });
    world.agent("start");
    await_true("its third subscription", [&] { return subscriptions() == 3; });
    await_true("the agent's return", [&] { return world.agent_is_registered(); });
    nlohmann::json member = world.member();
    CHECK(member.at("task_id") == task);
    CHECK(member.at("task_state") == "TASK_RUNNING");
    CHECK(member.at("failures") == 0);
    CHECK(world.metric("tasks_launched") == 1);

    // KILL reaches it through the new agent, and so does its last word the scheduler.
    const io::Response deleted =
        send_form(world.scheduler.port(), "DELETE", "/clusters/demo", "password=" + world.password);
    REQUIRE(deleted.status == 200);
    await_true("the end of the cluster", [&] {
        return get(world.scheduler.port(), "/v1/clusters/demo").status == 404;
    });
    CHECK(world.metric("tasks_killed") == 1);
    CHECK(server_of(executor) == 0);
}

TEST_CASE("executor: agents of one machine may all offer the same ports", "[e2e]")
{
    World world{R"({"installer":"host","flavor":"mariadb"})", 3};
    await_true("all three serve", [&] { return is_running(world.view()); });
    const nlohmann::json view = world.view();
    std::set<int> ports;
    for (const auto& member : view.at("members")) ports.insert(member.at("port").get<int>());
    CHECK(ports.size() == 3);
}
