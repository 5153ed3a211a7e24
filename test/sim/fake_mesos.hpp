#pragma once

#include "common/base/prng.hpp"
#include "common/mesos/call.hpp"
#include "common/mesos/event.hpp"
#include "common/mesos/resources.hpp"
#include "test/sim/fake_maintenance.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

/// A Mesos master with its agents, as far as our framework meets them: offers that are used once,
/// operations that fail one by one, task ids that must be new, statuses that are repeated until
/// they are acknowledged, executors' shares that come back an instant late.
namespace mysos::sim {

struct FakeTask {
    mesos::Task info;
    mesos::TaskState state = mesos::TaskState::staging;
    std::deque<mesos::TaskStatus> updates;  ///< Not yet acknowledged, oldest first.
    bool ended = false;
};

struct FakeAgent {
    mesos::AgentId id;
    std::string hostname;
    std::string ip;
    mesos::Pool free{{}};
    mesos::Resources late;  ///< Free again at the next tick: shares of ended executors.
    std::map<mesos::TaskId, FakeTask> tasks;
    bool reachable = true;
};

class FakeMesos {
  public:
    FakeMesos(std::size_t agents, const mesos::Resources& each);

    // The framework's side.
    void subscribe(const mesos::Subscribe& subscribe);
    void disconnect();
    void receive(const mesos::Call& call);
    /// What the master has to say by now.
    [[nodiscard]] std::deque<mesos::Event>& events() { return events_; }
    [[nodiscard]] bool connected() const { return connected_; }

    // The world's side.
    void tick();
    void make_offers();
    void update(const mesos::TaskId& id, mesos::TaskState state, const std::string& message);
    void lose_agent(std::size_t index);
    /// With its tasks alive, or restarted under a new id with none of them.
    void return_agent(std::size_t index, bool renamed);

    void plan_maintenance(const mesos::AgentId& agent, std::int64_t from_unix_ms);
    void end_maintenance(const mesos::AgentId& agent);
    void make_inverse_offers(TimePoint now);
    /// Agents that may go by an answer of the framework's.
    [[nodiscard]] std::vector<mesos::AgentId> accept_inverse(
        const mesos::AcceptInverse& accept, TimePoint now);
    [[nodiscard]] const FakeMaintenance& maintenance() const { return maintenance_; }

    [[nodiscard]] std::vector<FakeAgent>& agents() { return agents_; }
    [[nodiscard]] const std::vector<FakeAgent>& agents() const { return agents_; }
    [[nodiscard]] FakeAgent* agent_of(const mesos::TaskId& task);
    /// Tasks launched and ended since the last call.
    [[nodiscard]] std::vector<mesos::Task> take_launched();
    [[nodiscard]] std::vector<mesos::TaskId> take_killed();
    [[nodiscard]] const std::set<mesos::TaskId>& ever_launched() const { return ever_launched_; }

  private:
    void accept(const mesos::Accept& accept);
    bool apply(FakeAgent& agent, mesos::Pool& pool, const mesos::Operation& operation);
    void launch(FakeAgent& agent, mesos::Pool& pool, const mesos::Task& task);
    void kill(const mesos::Kill& kill);
    void acknowledge(const mesos::Acknowledge& acknowledge);
    void reconcile(const mesos::Reconcile& reconcile);
    void answer(const mesos::ReconcileTask& task);
    void say(mesos::TaskStatus status);
    void take_back_offers();
    void forget_offers_of(const FakeAgent& agent);

    struct Outstanding {
        mesos::AgentId agent;
        mesos::Resources resources;
    };

    std::vector<FakeAgent> agents_;
    FakeMaintenance maintenance_;
    std::map<mesos::OfferId, Outstanding> offers_;
    std::deque<mesos::Event> events_;
    std::vector<mesos::Task> launched_;
    std::vector<mesos::TaskId> killed_;
    std::set<mesos::TaskId> ever_launched_;
    std::set<mesos::AgentId> declined_;
    bool connected_ = false;
    bool suppressed_ = false;
    std::uint64_t serial_ = 0;
};

}  // namespace mysos::sim
