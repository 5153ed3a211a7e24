#include "common/base/overload.hpp"
#include "common/cluster/names.hpp"
#include "scheduler/decide/stepping.hpp"

#include <algorithm>

namespace mysos::scheduler {
namespace {

using mesos::TaskState;

void on_event(Stepping& step, const mesos::Subscribed& event)
{
    State& state = step.state;
    if (state.framework.framework_id != event.framework_id) {
        // Before anything else: a framework whose id is lost loses its tasks with it.
        state.framework.framework_id = event.framework_id;
        step.save_framework();
    }
    state.subscription = Subscription::subscribed;
    state.suppressed.reset();
    state.master = event.master;
    state.home_region = event.region;
    forget_asked(step);
    step.report(
        cluster::Report::Level::info,
        "subscribed to " + event.master + " as " + event.framework_id.text);
    tell_reconcile(step, mesos::reconcile::Connected{live_tasks(state, step.now)});
}

void on_event(Stepping& step, const mesos::OffersMade& event)
{
    use_offers(step, event);
}

void on_event(Stepping& step, const mesos::OfferRescinded&)
{
    step.ignore("offers are not kept");
}

/// The cluster's counters: what became of a task, told once.
void count(Counters& counters, TaskState state)
{
    switch (state) {
        case TaskState::finished: ++counters.tasks_finished; return;
        case TaskState::failed:
        case TaskState::error: ++counters.tasks_failed; return;
        case TaskState::killed: ++counters.tasks_killed; return;
        case TaskState::lost:
        case TaskState::dropped:
        case TaskState::gone:
        case TaskState::gone_by_operator:
        case TaskState::unknown: ++counters.tasks_lost; return;
        case TaskState::staging:
        case TaskState::starting:
        case TaskState::running:
        case TaskState::killing:
        case TaskState::unreachable: return;
    }
}

std::size_t launched(const State& state, const std::string& name)
{
    const auto found = state.clusters.find(name);
    if (found == state.clusters.end()) return 0;
    return static_cast<std::size_t>(std::ranges::count_if(
        found->second.record.members, [](const auto& entry) { return entry.second.launched; }));
}

/// A task of no cluster that exists. It is killed only when its cluster is known to have been
/// deleted: with a state that is wrong or incomplete, killing would cost somebody a server.
void on_stranger(Stepping& step, const mesos::TaskStatus& status)
{
    if (!status.uuid.empty()) {
        step.call(mesos::Acknowledge{status.agent_id, status.task_id, status.uuid});
    }
    if (is_terminal(status.state) || status.state == TaskState::unknown ||
        status.state == TaskState::unreachable) {
        step.ignore("end of a task that nobody knows");
        return;
    }
    const auto name = cluster::parse_name(status.task_id.text);
    const auto is_its = [&name](const cluster::RetiredVolume& volume) {
        return cluster::parse_name(volume.persistence_id.text) == name;
    };
    if (name && std::ranges::any_of(step.state.framework.retired_volumes, is_its)) {
        step.report(
            cluster::Report::Level::warning,
            "task " + status.task_id.text + " of a deleted cluster still lives: killed");
        step.call(mesos::Kill{status.task_id, status.agent_id, step.config.cluster.kill_grace});
        return;
    }
    if (step.state.strangers.insert(status.task_id.text).second) {
        step.report(
            cluster::Report::Level::warning,
            "task " + status.task_id.text +
                " is ours by the framework's id, but no cluster's: left "
                "alone");
    }
}

void on_event(Stepping& step, const mesos::StatusUpdated& event)
{
    const mesos::TaskStatus& status = event.status;
    tell_reconcile(step, mesos::reconcile::Answered{status.task_id});
    const auto name = cluster::parse_name(status.task_id.text);
    const auto found = name ? step.state.clusters.find(name->cluster) : step.state.clusters.end();
    if (found == step.state.clusters.end() || cluster::uuid8(found->second.record) != name->uuid8) {
        on_stranger(step, status);
        return;
    }
    const std::size_t before = launched(step.state, name->cluster);
    tell_cluster(step, name->cluster, cluster::StatusArrived{name->member, status});
    if (launched(step.state, name->cluster) < before) count(step.state.counters, status.state);
}

void on_event(Stepping& step, const mesos::OperationUpdated& event)
{
    if (event.uuid.empty()) {
        step.ignore("an operation without an id of ours");
        return;
    }
    step.call(mesos::AcknowledgeOperation{event.agent_id, event.uuid, event.operation_id});
}

void on_event(Stepping& step, const mesos::MessageReceived&)
{
    step.ignore("executors speak over the control stream");
}

void on_event(Stepping& step, const mesos::AgentFailed& event)
{
    for (auto& [name, state] : step.state.clusters) state.offered.erase(event.agent_id);
    step.report(
        cluster::Report::Level::warning,
        "agent " + event.agent_id.text + " was removed or is lost");
}

void on_event(Stepping& step, const mesos::ExecutorFailed&)
{
    step.ignore("the task's status tells the same, reliably");
}

void on_event(Stepping& step, const mesos::Errored& event)
{
    step.state.subscription = Subscription::refused;
    step.act(Stop{"the Mesos master ended the subscription: " + event.message});
}

void on_event(Stepping& step, const mesos::Heartbeat&)
{
    step.ignore("heartbeat");
}

void on_event(Stepping& step, const mesos::InverseOffersMade& event)
{
    plan(step, event);
}

void on_event(Stepping& step, const mesos::InverseOfferRescinded& event)
{
    plan(step, event);
}

void on_event(Stepping& step, const mesos::NotUnderstood& event)
{
    step.ignore("event of type " + event.type);
}

}  // namespace

void on(Stepping& step, const EventArrived& in)
{
    if (!step.state.recovered) {
        step.ignore("nothing is recovered yet");
        return;
    }
    if (step.state.subscription == Subscription::refused) {
        step.ignore("the subscription was refused");
        return;
    }
    std::visit([&step](const auto& event) { on_event(step, event); }, in.event);
}

void on(Stepping& step, const MesosDisconnected& in)
{
    if (!step.is_subscribed()) {
        step.ignore("not subscribed");
        return;
    }
    step.state.subscription = Subscription::waiting;
    step.state.suppressed.reset();
    tell_reconcile(step, mesos::reconcile::Disconnected{});
    step.report(cluster::Report::Level::warning, "lost the Mesos master: " + in.why);
}

}  // namespace mysos::scheduler
