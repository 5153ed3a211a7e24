#pragma once

#include "test/standin/agent.hpp"
#include "test/standin/builders.hpp"

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mysos::standin {

/// A clock that moves when told, and uuids that count.
class TestWorld final : public World {
  public:
    [[nodiscard]] TimePoint now() const override { return now_; }
    [[nodiscard]] double wall_seconds() const override
    {
        return std::chrono::duration<double>(now_.time_since_epoch()).count();
    }
    [[nodiscard]] std::string uuid() override;
    void pass(Duration time) { now_ += time; }

  private:
    TimePoint now_{std::chrono::hours{1000}};
    std::uint32_t count_ = 0;
};

/// A master and one agent wired together in memory, on virtual time, with a disk of its own. What
/// goes out to the scheduler, the executors and the containers is kept for the test to look at.
class Rig final : public MasterPort, public AgentPort {
  public:
    /// `region`: of the agent's fault domain, if it is to be in one.
    explicit Rig(
        const std::string& resources = "cpus:4;mem:4096;disk:1000;ports:[31000-31099]",
        const std::string& region = {});
    ~Rig() override;

    using Event = v1::scheduler::Event;
    using ExecutorEvent = v1::executor::Event;

    /// Lets time pass in small steps, with all that falls due.
    void pass(Duration time);
    /// Carries over what master and agent have told each other.
    void settle();

    FrameworkId subscribe(v1::FrameworkInfo info, StreamKey stream = StreamKey{1});
    Answer call(v1::scheduler::Call call, StreamKey stream = StreamKey{1});
    /// The next scheduler event of that kind, which must be there; what came before it is skipped.
    Event next(Event::Type type);
    /// The types of all scheduler events not yet looked at, heartbeats and offers left out.
    std::vector<std::string> rest();
    /// Without operations: DECLINE with `refuse` seconds.
    v1::Offer next_offer();
    Answer accept(const v1::Offer& offer, const std::vector<v1::Offer::Operation>& operations);
    v1::TaskInfo task(
        const v1::Offer& offer,
        const std::string& id,
        const std::vector<v1::Resource>& resources) const;
    static v1::Offer::Operation launch(const std::vector<v1::TaskInfo>& tasks);

    void executor_subscribes(
        const std::string& executor, const std::vector<std::string>& unacknowledged = {});
    /// Sends an update as the executor does; gives its uuid.
    std::string update(const std::string& task, v1::TaskState state);
    void acknowledge(const v1::TaskStatus& status);
    ExecutorEvent next_executor_event();

    void agent_crashes();
    void agent_starts();
    void master_restarts();

    // MasterPort
    void send(StreamKey stream, const Event& event) override;
    void end(StreamKey stream) override;
    void send(AgentSlot agent, ToAgent message) override;
    // AgentPort
    void send(ToMaster message) override;
    void send(StreamKey stream, const ExecutorEvent& event) override;
    void launch(ContainerSpec spec) override { launched.push_back(std::move(spec)); }
    void destroy(const std::string& container) override;
    void adopt(const std::string& container, int pid) override;
    void stop(const std::string& why) override { stopped = why; }

    TestWorld world;
    Registry registry;
    MasterConfig master_config;
    std::unique_ptr<Master> master;
    std::unique_ptr<AgentMachine> agent;
    std::deque<std::pair<StreamKey, Event>> events;
    std::deque<ExecutorEvent> executor_events;
    std::vector<ContainerSpec> launched;
    std::set<std::string> alive;
    std::vector<StreamKey> ended;
    std::string stopped;
    bool agent_is_silent = false;
    FrameworkId framework;

  private:
    std::filesystem::path work_dir_;
    AgentConfig agent_config_;
    std::deque<std::function<void()>> mail_;
    std::uint64_t next_stream_ = 100;
};

}  // namespace mysos::standin
