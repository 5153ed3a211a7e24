#include "test/e2e/cluster_world.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

namespace mysos::test {

namespace fs = std::filesystem;

std::vector<std::string> live_tasks(const StandinProgram& standin, const std::string& framework)
{
    const nlohmann::json state = nlohmann::json::parse(get(standin.port(), "/standin/state").body);
    std::vector<std::string> ids;
    for (const auto& [id, task] : state.at("frameworks").at(framework).at("tasks").items()) {
        const std::string how = task.at("state");
        if (how == "TASK_STAGING" || how == "TASK_STARTING" || how == "TASK_RUNNING")
            ids.push_back(id);
    }
    return ids;
}

std::size_t count(const std::string& text, const std::string& part)
{
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++found;
    return found;
}

ClusterWorld::ClusterWorld(std::vector<std::string> more_flags) : flags_{std::move(more_flags)}
{
    flags_.push_back("--executor_uri=" + built("executor/mysos-executor"));
    start_scheduler();
}

ClusterWorld::~ClusterWorld()
{
    // So that it ends the executors too.
    standin_.process().signal(SIGTERM);
    (void)standin_.process().wait();
}

void ClusterWorld::start_scheduler()
{
    scheduler_ = std::make_unique<SchedulerProgram>(
        SchedulerProgram::Order{directory_.path(), url, standin_.address(), flags_});
    const std::string line = scheduler_->process().wait_for_line("mesos: subscribed framework=");
    const std::string framework = after(line, "framework=");
    if (framework_.empty()) framework_ = framework;
    REQUIRE(framework == framework_);
}

void ClusterWorld::kill_scheduler()
{
    scheduler_->process().signal(SIGKILL);
    REQUIRE(scheduler_->process().wait() == -SIGKILL);
}

std::string ClusterWorld::create(int num_nodes)
{
    const std::string form = "cluster_user=app&num_nodes=" + std::to_string(num_nodes);
    const io::Response answer = send_form(scheduler_->port(), "POST", "/clusters/demo", form);
    REQUIRE(answer.status == 200);
    return nlohmann::json::parse(answer.body).at("cluster_password");
}

void ClusterWorld::await_whole(std::size_t num_nodes)
{
    await_true("the cluster is whole", [&] {
        const nlohmann::json view = scheduler_->get_json("/v1/clusters/demo");
        return view.at("state") == "running" &&
               zk.children("/mysos/discover/demo/master").size() == 1 &&
               zk.children("/mysos/discover/demo/slaves").size() == num_nodes - 1;
    });
}

nlohmann::json ClusterWorld::mesos_state() const
{
    return nlohmann::json::parse(get(standin_.port(), "/standin/state").body);
}

std::vector<std::string> ClusterWorld::reserved_for() const
{
    const std::string agents = mesos_state().at("agents").dump();
    const std::regex label{R"(\{mysos: ([^}]*)\})"};
    std::set<std::string> ids;
    for (std::sregex_iterator found{agents.begin(), agents.end(), label}, end; found != end;
         ++found) {
        ids.insert((*found)[1]);
    }
    return {ids.begin(), ids.end()};
}

std::string ClusterWorld::scheduler_logs() const
{
    std::string all;
    for (const auto& entry : fs::directory_iterator{directory_.path()}) {
        if (!entry.path().filename().string().starts_with("scheduler.")) continue;
        std::ifstream file{entry.path(), std::ios::binary};
        all.append(std::istreambuf_iterator<char>{file}, {});
    }
    return all;
}

}  // namespace mysos::test
