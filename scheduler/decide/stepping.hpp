#pragma once

#include "common/base/time.hpp"
#include "common/cluster/effect.hpp"
#include "common/cluster/input.hpp"
#include "common/mesos/reconcile.hpp"
#include "scheduler/decide/effect.hpp"
#include "scheduler/decide/input.hpp"
#include "scheduler/decide/state.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <utility>

/// What the parts of the framework's machine share; nothing outside of this folder includes it.
namespace mysos::scheduler {

/// One step under way.
class Stepping {
  public:
    Stepping(State& state_, const Config& config_, TimePoint now_)
        : state{state_}, config{config_}, now{now_}
    {}

    State& state;
    const Config& config;
    const TimePoint now;
    bool is_framework_changed = false;

    void act(Effect effect) { effects_.push_back(std::move(effect)); }
    void call(mesos::Call call);
    void save_framework()
    {
        is_framework_changed = true;
        act(SaveFramework{state.framework});
    }
    void report(cluster::Report::Level level, std::string text);
    void ignore(std::string why) { act(Ignored{{}, std::move(why)}); }

    [[nodiscard]] std::int64_t unix_ms() const;
    [[nodiscard]] TimePoint at_unix_ms(std::int64_t unix_ms) const;
    [[nodiscard]] bool is_subscribed() const
    {
        return state.subscription == Subscription::subscribed;
    }

    [[nodiscard]] Effects finish() { return std::move(effects_); }

  private:
    Effects effects_;
};

void on(Stepping& step, const Recovered& in);            // scheduler.cpp
void on(Stepping& step, const EventArrived& in);         // on_mesos.cpp
void on(Stepping& step, const MesosDisconnected& in);    // on_mesos.cpp
void on(Stepping& step, const CreateRequested& in);      // on_request.cpp
void on(Stepping& step, const DeleteRequested& in);      // on_request.cpp
void on(Stepping& step, const ScaleRequested& in);       // on_request.cpp
void on(Stepping& step, const SwitchoverRequested& in);  // on_request.cpp
void on(Stepping& step, const ForceRequested& in);       // on_request.cpp
void on(Stepping& step, const StreamOpened& in);         // route.cpp
void on(Stepping& step, const StreamSaid& in);           // route.cpp
void on(Stepping& step, const StreamClosed& in);         // route.cpp
void on(Stepping& step, const TreeAnswered& in);         // route.cpp
void on(Stepping& step, const ZooKeeperRenewed& in);     // route.cpp
void on(Stepping& step, const DeadlinePassed& in);       // scheduler.cpp

/// One input for one cluster, which exists; its effects become the framework's. The cluster may be
/// gone afterwards. True when it took the offer that the input brought. (route.cpp)
bool tell_cluster(Stepping& step, const std::string& name, const cluster::Input& input);
/// How many primaries each agent holds. (route.cpp)
[[nodiscard]] std::map<mesos::AgentId, std::size_t> count_primaries(const State& state);
/// Hands each offer to who can use it, gives back what is retired, declines the rest.
/// (on_offers.cpp)
void use_offers(Stepping& step, const mesos::OffersMade& made);
/// An operator plans to take agents away, or does not any more. (on_maintenance.cpp)
void plan(Stepping& step, const mesos::InverseOffersMade& made);
void plan(Stepping& step, const mesos::InverseOfferRescinded& rescinded);
/// A new subscription: what was asked before is asked again. (on_maintenance.cpp)
void forget_asked(Stepping& step);
/// Time has passed. (on_maintenance.cpp)
void go_on_with_maintenance(Stepping& step);
[[nodiscard]] std::optional<TimePoint> maintenance_deadline(const State& state);
/// Accepts what asks for agents that nobody needs any more. (on_maintenance.cpp)
void release_agents(Stepping& step);
/// The agent is to rest, soon or now. (on_maintenance.cpp)
[[nodiscard]] bool is_near(const Stepping& step, const mesos::Window& window);
void tell_reconcile(Stepping& step, const mesos::reconcile::Input& input);  // scheduler.cpp
/// All tasks that the master should know. (scheduler.cpp)
[[nodiscard]] std::vector<mesos::ReconcileTask> live_tasks(const State& state, TimePoint now);
/// Wants offers, or wants none any more. (scheduler.cpp)
void settle(Stepping& step);

}  // namespace mysos::scheduler
