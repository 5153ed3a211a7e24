#pragma once

#include "common/base/prng.hpp"
#include "common/publish/publish.hpp"
#include "scheduler/decide/scheduler.hpp"
#include "test/sim/fake_member.hpp"
#include "test/sim/fake_mesos.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

/// The scheduler's whole decision above a fake Mesos, a fake ZooKeeper and fake members, in virtual
/// time and from one seed. The process may end between any two effects; what it is started with
/// again is only what it had saved, through the stored form. Broken rules abort.
namespace mysos::sim {

struct Faults {  ///< Each once in so many ticks; 0: never.
    std::uint64_t scheduler_crash = 0;
    std::uint64_t master_loss = 0;
    std::uint64_t agent_loss = 0;
    std::uint64_t server_crash = 0;
    std::uint64_t task_failure = 0;
    std::uint64_t stream_loss = 0;
    std::uint64_t tree_failure = 0;
    std::uint64_t kill = 0;         ///< Of a task, by an operator who drains its agent.
    std::uint64_t maintenance = 0;  ///< Of an agent, planned.
};

class World {
  public:
    explicit World(std::uint64_t seed, std::size_t agents = 3);

    void create(const std::string& name, std::uint32_t num_nodes);
    void remove(const std::string& name);
    /// The next launches of the cluster fail before their server ever runs.
    void break_launches(const std::string& cluster) { broken_ = cluster; }
    void mend_launches() { broken_.clear(); }

    void tick(const Faults& faults);
    /// Ticks until it holds; false when it does not within a long time.
    template <class Condition>
    bool until(Condition condition)
    {
        constexpr int ticks_max = 20'000;
        for (int i = 0; i < ticks_max; ++i) {
            if (condition()) return true;
            tick({});
        }
        return condition();
    }
    void restart_scheduler();
    void lose_agent(std::size_t index) { mesos_.lose_agent(index); }
    void return_agent(std::size_t index, bool renamed) { mesos_.return_agent(index, renamed); }
    void crash_server(const std::string& cluster, MemberId id);
    /// A task is told to end: a primary may hand over first.
    void kill_task(const mesos::TaskId& task);
    void plan_maintenance(const mesos::AgentId& agent);
    void end_maintenance(const mesos::AgentId& agent);

    /// All of its members run, acknowledge and are published, the primary open.
    [[nodiscard]] bool is_whole(const std::string& name) const;
    [[nodiscard]] bool is_gone(const std::string& name) const;

    [[nodiscard]] const scheduler::State& state() const { return state_; }
    [[nodiscard]] const std::deque<scheduler::Answer>& answers() const { return answers_; }
    [[nodiscard]] FakeMesos& mesos() { return mesos_; }
    [[nodiscard]] const std::map<std::string, publish::Tree>& trees() const { return trees_; }
    [[nodiscard]] TimePoint now() const { return now_; }
    [[nodiscard]] std::uint64_t launches() const { return launches_; }
    [[nodiscard]] std::uint64_t agents_released() const { return agents_released_; }
    [[nodiscard]] std::uint64_t handed_over() const { return handed_over_; }
    [[nodiscard]] std::string describe() const;  ///< For a failing run.

  private:
    void take(const scheduler::Input& input);
    void perform(const scheduler::Effects& effects);
    void start_scheduler();
    void tick_members();
    void tick_member(FakeMember& member);
    void start_launched();
    void end_killed();
    void end_member(const mesos::TaskId& task, mesos::TaskState state, const std::string& why);
    void inject(const Faults& faults);
    void inject_maintenance(const Faults& faults);
    void agent_released(const mesos::AgentId& agent);
    FakeMember* on_stream(cluster::StreamId stream);
    FakeMember* random_member();
    [[nodiscard]] bool can_commit(const FakeMember& primary) const;
    void check() const;
    /// A rule: tells the story of the run and aborts when it does not hold.
    void rule(bool holds, const char* what) const;
    [[nodiscard]] cluster::Record stored(const std::string& name) const;

    void carry_out(const scheduler::SaveFramework& effect);
    void carry_out(const scheduler::SaveCluster& effect);
    void carry_out(const scheduler::RemoveCluster& effect);
    void carry_out(const scheduler::SendCall& effect);
    void carry_out(const scheduler::AcceptOffer& effect);
    void carry_out(const scheduler::AcceptStream& effect);
    void carry_out(const scheduler::RefuseStream& effect);
    void carry_out(const scheduler::CloseStream& effect);
    void carry_out(const scheduler::SendOrder& effect);
    void carry_out(const scheduler::ReadTree& effect);
    void carry_out(const scheduler::ApplyTree& effect);
    void carry_out(const scheduler::Reply& effect);
    void carry_out(const scheduler::Report& effect);
    void carry_out(const scheduler::Stop& effect);
    void carry_out(const scheduler::Ignored& effect);

    std::uint64_t seed_;
    Prng random_;
    TimePoint now_{std::chrono::hours{1}};
    std::uint64_t ticks_ = 0;
    std::uint64_t serial_ = 0;
    std::uint64_t launches_ = 0;
    std::uint64_t agents_released_ = 0;  ///< By an accepted inverse offer.
    std::uint64_t handed_over_ = 0;      ///< Primaries that were let go while another led.
    scheduler::Config config_;
    scheduler::State state_;
    std::deque<scheduler::Input> inbox_;
    std::uint64_t crash_after_ = 0;  ///< So many effects; 0: it does not crash in this step.
    bool crashed_ = false;

    std::string stored_framework_;
    std::map<std::string, std::string> stored_clusters_;
    std::map<std::string, publish::Tree> trees_;
    std::uint64_t tree_failure_ = 0;
    FakeMesos mesos_;
    std::set<mesos::AgentId> planned_;  ///< By the test itself, which ends it too.
    std::map<mesos::TaskId, FakeMember> members_;
    std::map<mesos::PersistenceId, Disk> disks_;
    std::uint64_t runs_ = 0;  ///< Of servers: where the next task's begin.
    std::map<mesos::TaskId, mesos::PersistenceId> disk_of_;
    std::deque<scheduler::Answer> answers_;
    std::deque<std::string> log_;
    std::string broken_;
};

}  // namespace mysos::sim
