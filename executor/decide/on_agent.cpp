#include "executor/decide/parts.hpp"

#include <algorithm>

/// The agent's side: the executor protocol of Mesos, and how a task ends.
namespace mysos::executor {

void send_update(Step& step, const mesos::TaskId& task, mesos::TaskState state, std::string message)
{
    AgentLink& agent = step.state.agent;
    agent.last_update = UpdateId{static_cast<std::uint64_t>(agent.last_update) + 1};
    StatusUpdate update{agent.last_update, task, state, std::move(message)};

    // In order: behind one that has to be sent again, a newer one waits.
    const bool in_turn = std::all_of(
        agent.unacknowledged.begin(),
        agent.unacknowledged.end(),
        [](const AgentLink::Pending& pending) { return pending.sent; });
    const bool send = agent.subscribed && in_turn;
    agent.unacknowledged.push_back({update, send});
    if (send) step.order(SendUpdate{std::move(update)});
}

void end(Step& step, mesos::TaskState terminal, std::string message)
{
    State& state = step.state;
    const bool failed = terminal == mesos::TaskState::failed;
    send_update(step, state.task->id, terminal, message);
    state.phase = Ended{failed, std::move(message), std::nullopt};
    state.order.reset();
    if (state.agent.subscribed) {
        std::get<Ended>(state.phase).exit_at = step.now + step.config.last_words;
    }
}

void fail(Step& step, std::string why)
{
    State& state = step.state;
    if (state.server.process == Server::Process::down) {
        return end(step, mesos::TaskState::failed, std::move(why));
    }
    kill_server(step);
    state.phase = Stopping{mesos::TaskState::failed, std::move(why), step.now, true};
    state.order.reset();
}

void stop(Step& step, mesos::TaskState terminal, std::string message, Duration grace)
{
    State& state = step.state;
    const Config& config = step.config;
    const TimePoint kill_at = step.now + std::max(grace - config.grace_margin, grace / 2);
    if (auto* stopping = in_phase<Stopping>(state)) {
        stopping->kill_at = std::min(stopping->kill_at, kill_at);
        return step.ignore("already stopping");
    }
    if (is_in<Ended>(state)) return step.ignore("the task has ended already");
    if (!state.task) return step.order(Exit{});
    if (state.server.process == Server::Process::down) {
        return end(step, terminal, std::move(message));
    }

    const auto* primary = in_phase<Primary>(state);
    Stopping stopping{terminal, std::move(message), kill_at, false};
    if (state.server.process == Server::Process::ending) {
        stopping.killed = true;
    } else if (primary == nullptr) {
        step.order(StopServer{state.server.run});
    } else if (!primary->open || state.operation || state.server.seen.commits_waiting > 0) {
        // A polite stop would release the waiting commits as if acknowledged.
        kill_server(step);
        stopping.killed = true;
    } else {
        // A commit may begin to wait at any moment: shut first. That fails while one waits.
        const OpId op = begin(step, control::Stop{});
        step.order(ShutServer{op});
    }
    state.phase = std::move(stopping);
    state.order.reset();
}

void on(Step& step, const Subscribed& in)
{
    AgentLink& agent = step.state.agent;
    agent.subscribed = true;
    agent.resend_at.reset();
    for (AgentLink::Pending& pending : agent.unacknowledged) {
        if (pending.update.id > in.included) step.order(SendUpdate{pending.update});
        pending.sent = true;
    }
    auto* ended = in_phase<Ended>(step.state);
    if (ended == nullptr) return;
    ended->exit_at = step.now + step.config.last_words;
    if (agent.unacknowledged.empty()) step.order(Exit{});
}

void on(Step& step, const AgentLost&)
{
    State& state = step.state;
    if (!state.agent.subscribed && step.config.checkpoint) return step.ignore("lost already");
    state.agent.subscribed = false;
    state.agent.resend_at.reset();
    if (auto* ended = in_phase<Ended>(state)) {
        ended->exit_at.reset();
        if (!step.config.checkpoint) step.order(Exit{});
        return;
    }
    // With checkpointing an agent's absence, however long, is no reason to stop a database.
    if (step.config.checkpoint) return;
    stop(
        step,
        mesos::TaskState::killed,
        "stopped: the agent is gone, and the framework does not checkpoint",
        step.config.shutdown_grace);
}

void on(Step& step, const Launched& in)
{
    State& state = step.state;
    if (state.task) {
        if (state.task->id == in.task_id) return step.ignore("launched already");
        return send_update(
            step,
            in.task_id,
            mesos::TaskState::failed,
            "this executor runs task " + state.task->id.text + " and no other");
    }
    state.task = Task{in.task_id, in.data};
    state.phase = Inspecting{};
    step.order(ConnectStream{});
    step.order(InspectVolume{});
}

void on(Step& step, const LaunchUnreadable& in)
{
    State& state = step.state;
    if (state.task) {
        return send_update(step, in.task_id, mesos::TaskState::failed, in.why);
    }
    state.task = Task{in.task_id, {}};
    end(step, mesos::TaskState::failed, in.why);
}

void on(Step& step, const KillOrdered& in)
{
    const State& state = step.state;
    if (!state.task || state.task->id != in.task_id) {
        return step.ignore("not a task of this executor: " + in.task_id.text);
    }
    leave(
        step,
        mesos::TaskState::killed,
        "killed as ordered",
        in.grace.value_or(step.config.shutdown_grace));
}

void on(Step& step, const ShutdownOrdered& in)
{
    // Said instead of SUBSCRIBED: this agent wants nothing more of this executor, its last words
    // included.
    if (is_in<Ended>(step.state) && !step.state.agent.subscribed) return step.order(Exit{});
    leave(step, mesos::TaskState::killed, "stopped: " + in.why, step.config.shutdown_grace);
}

void on(Step& step, const UpdateAcknowledged& in)
{
    AgentLink& agent = step.state.agent;
    const auto found = std::find_if(
        agent.unacknowledged.begin(),
        agent.unacknowledged.end(),
        [&](const AgentLink::Pending& pending) { return pending.update.id == in.update; });
    if (found == agent.unacknowledged.end()) return step.ignore("not an update that waits");
    if (step.state.task && found->update.task_id == step.state.task->id) {
        agent.task_acknowledged = true;
    }
    agent.unacknowledged.erase(found);
    if (is_in<Ended>(step.state) && agent.unacknowledged.empty()) step.order(Exit{});
}

void on(Step& step, const UpdateNotSent& in)
{
    AgentLink& agent = step.state.agent;
    if (!agent.subscribed) return step.ignore("goes with the next SUBSCRIBE");
    for (AgentLink::Pending& pending : agent.unacknowledged) {
        if (pending.update.id != in.update) continue;
        pending.sent = false;
        if (!agent.resend_at) agent.resend_at = step.now + step.config.resend_update;
        return;
    }
    step.ignore("not an update that waits");
}

}  // namespace mysos::executor
