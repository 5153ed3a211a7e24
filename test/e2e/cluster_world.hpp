#pragma once

#include "test/support/programs.hpp"
#include "test/support/zookeeper_calls.hpp"
#include "test/support/zookeeper_server.hpp"

#include <csignal>
#include <memory>
#include <string>
#include <vector>

namespace mysos::test {

/// What the master believes of the framework's tasks that have not ended.
[[nodiscard]] std::vector<std::string> live_tasks(
    const StandinProgram& standin, const std::string& framework);

[[nodiscard]] std::size_t count(const std::string& text, const std::string& part);

/// Everything real but Mesos: ZooKeeper, three agents, executors with MariaDB, one scheduler that
/// can be killed and started again.
class ClusterWorld {
  public:
    explicit ClusterWorld(std::vector<std::string> more_flags = {});
    ~ClusterWorld();
    ClusterWorld(const ClusterWorld&) = delete;
    ClusterWorld& operator=(const ClusterWorld&) = delete;

    /// Returns once it is subscribed, as the same framework as ever.
    void start_scheduler();
    void kill_scheduler();
    /// POST /clusters/demo: its password.
    std::string create(int num_nodes);
    /// Until GET says running, one primary is published and every other member follows it.
    void await_whole(std::size_t num_nodes);

    [[nodiscard]] SchedulerProgram& scheduler() { return *scheduler_; }
    [[nodiscard]] const StandinProgram& standin() const { return standin_; }
    [[nodiscard]] const std::string& framework() const { return framework_; }
    [[nodiscard]] const std::string& directory() const { return directory_.path(); }
    [[nodiscard]] nlohmann::json mesos_state() const;
    /// Ids of everything that is reserved with our label on any agent, sorted.
    [[nodiscard]] std::vector<std::string> reserved_for() const;
    /// What all schedulers so far have printed.
    [[nodiscard]] std::string scheduler_logs() const;

  private:
    TemporaryDirectory directory_;
    ZookeeperServer zookeeper_;
    StandinProgram standin_{directory_.path()};
    std::vector<std::string> flags_;
    std::unique_ptr<SchedulerProgram> scheduler_;
    std::string framework_;

  public:
    std::string url = zookeeper_.url("/mysos");
    ZookeeperCalls zk{url};
};

}  // namespace mysos::test
