#include "executor/decide/member.hpp"

#include "common/base/overload.hpp"
#include "executor/decide/rebuild.hpp"

#include <algorithm>

namespace mysos::executor {
namespace {

control::Phase phase_of(const State& state)
{
    return std::visit(
        Overload{
            [](const Waiting&) { return control::Phase::unknown; },
            [](const Inspecting&) { return control::Phase::fetch; },
            [](const Installing& installing) {
                return installing.step == InstallProgressed::Step::fetching
                           ? control::Phase::fetch
                           : control::Phase::install;
            },
            [](const Initialising&) { return control::Phase::initialise; },
            [](const Starting&) { return control::Phase::start; },
            [](const Fenced&) { return control::Phase::fenced; },
            [](const Replica&) { return control::Phase::replica; },
            [](const Primary&) { return control::Phase::primary; },
            [](const Crashed&) { return control::Phase::crashed; },
            [](const Rebuilding&) { return control::Phase::clone; },
            [](const Stopping&) { return control::Phase::stopping; },
            [](const Ended& ended) {
                return ended.failed ? control::Phase::failed : control::Phase::stopping;
            },
        },
        state.phase);
}

std::string message_of(const State& state)
{
    return std::visit(
        Overload{
            [](const Waiting&) { return std::string{"waits for its task"}; },
            [](const Inspecting&) { return std::string{"looks at its volume"}; },
            [](const Installing& installing) {
                return std::string{
                    installing.step == InstallProgressed::Step::fetching
                        ? "fetches the server's programs"
                        : "unpacks and checks the server's programs"};
            },
            [](const Initialising&) { return std::string{"makes an empty data directory"}; },
            [&](const Starting&) { return std::string{"starts "} + program_of(state); },
            [](const Fenced&) { return std::string{"answers; read-only, waits for orders"}; },
            [](const Replica& replica) {
                return "follows server " +
                       std::to_string(static_cast<std::uint32_t>(replica.follow.primary));
            },
            [](const Primary& primary) {
                const std::string what = primary.begun
                                             ? "primary of epoch "
                                             : "applies what it received, then leads epoch ";
                return what + std::to_string(static_cast<std::uint64_t>(primary.epoch));
            },
            [](const Crashed& crashed) { return crashed.why; },
            [](const Rebuilding& rebuilding) { return message_of(rebuilding); },
            [](const Stopping& stopping) { return stopping.message; },
            [](const Ended& ended) { return ended.message; },
        },
        state.phase);
}

/// A source says something every second: silence for longer is news with every look.
constexpr std::uint64_t packet_age_usual_ms = 1500;

/// What changes all the time and is told with the next regular report.
control::Observation without_noise(control::Observation observation)
{
    if (observation.packet_age_ms <= packet_age_usual_ms) observation.packet_age_ms = 0;
    observation.commits_acknowledged = 0;
    observation.disk_free_bytes = 0;
    observation.lag_seconds.reset();
    return observation;
}

/// Tells both sides what has changed.
void tell(Step& step)
{
    State& state = step.state;
    const control::Observation now_seen = observation(state);
    if (state.task && !is_in<Stopping>(state) && !is_in<Ended>(state) &&
        now_seen.phase != state.last_reported) {
        state.last_reported = now_seen.phase;
        send_update(
            step,
            state.task->id,
            state.ever_answered ? mesos::TaskState::running : mesos::TaskState::starting,
            now_seen.message);
    }
    if (!state.fencing.stream_up) return;
    const bool due = state.observe_at && step.now >= *state.observe_at;
    if (!due && without_noise(now_seen) == without_noise(state.last_said)) return;
    state.last_said = now_seen;
    state.observe_at = step.now + step.config.observe_every;
    step.order(SendReport{now_seen});
}

void resend_updates(Step& step)
{
    AgentLink& agent = step.state.agent;
    if (!agent.resend_at || step.now < *agent.resend_at) return;
    agent.resend_at.reset();
    for (AgentLink::Pending& pending : agent.unacknowledged) {
        if (!pending.sent) step.order(SendUpdate{pending.update});
        pending.sent = true;
    }
}

void probe_if_due(Step& step)
{
    Server& server = step.state.server;
    if (!server.probe_at || step.now < *server.probe_at) return;
    server.probe_at.reset();
    if (server.process != Server::Process::running) return;
    if (server.probing) {  // Of an earlier run, whose socket is gone: it ends soon.
        server.probe_at = step.now + step.config.probe_every_soon;
        return;
    }
    server.probing = true;
    server.probed_at = step.now;
    // What fences: else a receiver that was cut off would count for as long as TCP tries.
    using Receivers = ProbeServer::Receivers;
    Receivers receivers = Receivers::as_counted;
    if (is_in<Primary>(step.state)) {
        if (step.state.task->data.async) {
            receivers = Receivers::proven;
        } else if (!step.state.fencing.stream_up) {
            receivers = Receivers::alive;
        }
    }
    step.order(ProbeServer{server.run, receivers});
}

void earlier(std::optional<TimePoint>& deadline, const std::optional<TimePoint>& other)
{
    if (other && (!deadline || *other < *deadline)) deadline = other;
}

}  // namespace

const char* name_of(const control::ToMember& order)
{
    return std::visit(
        Overload{
            [](const control::Welcome&) { return "welcome"; },
            [](const control::Heartbeat&) { return "heartbeat"; },
            [](const control::Prepare&) { return "prepare"; },
            [](const control::Promote&) { return "promote"; },
            [](const control::Follow&) { return "follow"; },
            [](const control::Open&) { return "open"; },
            [](const control::SetAcknowledgers&) { return "set_acknowledgers"; },
            [](const control::LockAccount&) { return "lock_account"; },
            [](const control::Stop&) { return "stop"; },
            [](const control::Restart&) { return "restart"; },
            [](const control::Rebuild&) { return "rebuild"; },
            [](const control::ShutOut&) { return "shut_out"; },
        },
        order);
}

Epoch epoch_of(const control::ToMember& order)
{
    return std::visit(
        Overload{
            [](const control::Heartbeat&) { return Epoch{}; },
            [](const control::Stop&) { return Epoch{}; },
            [](const auto& o) { return o.epoch; },
        },
        order);
}

const char* program_of(const State& state)
{
    return state.task->data.flavor == "mysql" ? "mysqld" : "mariadbd";
}

bool is_amnesiac(const State& state)
{
    return state.forgot || state.record.amnesiac || state.epoch_unreadable;
}

bool waits_for_nobody(const State& state)
{
    const auto* primary = std::get_if<Primary>(&state.phase);
    return state.task && state.task->data.async && primary != nullptr && primary->relaxed;
}

bool forgets(const State& state, Role role)
{
    // MariaDB drops its relay log when it starts. MySQL keeps it: relay_log_recovery is off.
    return state.task->data.flavor == "mariadb" &&
           (role == Role::replica || role == Role::candidate);
}

control::Observation observation(const State& state)
{
    control::Observation all;
    const auto* rebuilding = std::get_if<Rebuilding>(&state.phase);
    // What a server holds that is not whole yet is nothing to go by.
    const bool answers = state.server.answers && rebuilding == nullptr;
    if (answers) all = state.server.seen;
    // As the scheduler knows it: k replicas hold a marker, whatever commits wait for.
    if (answers && waits_for_nobody(state)) all.acks_required = std::get<Primary>(state.phase).acks;
    all.server_version = state.server.seen.server_version;
    all.server_uuid = state.server.seen.server_uuid;
    all.disk_free_bytes = state.server.seen.disk_free_bytes;
    all.disk_total_bytes = state.server.seen.disk_total_bytes;
    if (!state.server.answers && state.server.process == Server::Process::running) {
        const auto silence =
            std::chrono::duration_cast<std::chrono::milliseconds>(state.server.unanswered);
        all.unanswered_ms = static_cast<std::uint64_t>(silence.count());
    }
    all.phase = phase_of(state);
    all.message = message_of(state);
    if (state.leaving) all.message += "; told to end, and waits for another primary";
    if (const auto* installing = std::get_if<Installing>(&state.phase)) {
        all.progress_percent = installing->percent;
    }
    if (rebuilding != nullptr) {
        all.progress_percent = rebuilding->percent;
        all.needs_rebuild = rebuilding->stage == Rebuilding::Stage::waiting;
    }
    all.errant_transactions = state.errant;
    if (state.task && state.task->data.flavor == "mysql") all.flavor = control::Flavor::mysql;
    all.epoch = state.record.epoch;
    all.epoch_unreadable = state.epoch_unreadable;
    all.leaving = state.leaving.has_value();
    all.amnesiac = is_amnesiac(state);
    all.answers = answers;
    all.boot_id = state.boot_id;
    all.server_run = static_cast<std::uint64_t>(state.server.run);
    all.empty = state.made_data && answers && state.server.seen.position.empty();
    return all;
}

std::vector<StatusUpdate> unacknowledged_updates(const State& state)
{
    std::vector<StatusUpdate> updates;
    for (const AgentLink::Pending& pending : state.agent.unacknowledged) {
        updates.push_back(pending.update);
    }
    return updates;
}

bool task_unacknowledged(const State& state)
{
    return state.task && !state.agent.task_acknowledged;
}

void watch(Step& step, const fencing::Input& in)
{
    State& state = step.state;
    const auto orders = fencing::step(state.fencing, step.config.fencing, in, step.now);
    if (orders.empty() || !is_in<Primary>(state)) return;
    step.order(Report{
        Report::Level::error,
        "cut off from the scheduler and from its replicas: this server ends itself"});
    kill_server(step);
    state.phase = Crashed{"ended itself: cut off from the scheduler and from its replicas"};
}

void on(Step& step, const DeadlinePassed&)
{
    State& state = step.state;
    resend_updates(step);
    watch(step, fencing::DeadlinePassed{});
    start_if_due(step);
    probe_if_due(step);
    if (state.forgot && !latest(state).amnesiac) {  // Could not be saved before.
        EpochRecord record = latest(state);
        record.amnesiac = true;
        save(step, record);
    }
    if (auto* stopping = in_phase<Stopping>(state)) {
        if (!stopping->killed && step.now >= stopping->kill_at) {
            stopping->killed = true;
            step.order(Report{Report::Level::warning, "the server did not stop in time"});
            kill_server(step);
        }
    }
    auto* ended = in_phase<Ended>(state);
    if (ended != nullptr && ended->exit_at && step.now >= *ended->exit_at) {
        ended->exit_at.reset();
        step.order(Exit{});
    }
}

std::optional<TimePoint> next_deadline(const State& state, const Config& config)
{
    std::optional<TimePoint> deadline = fencing::next_deadline(state.fencing, config.fencing);
    earlier(deadline, state.agent.resend_at);
    earlier(deadline, state.observe_at);
    earlier(deadline, state.server.probe_at);
    if (const auto* starting = std::get_if<Starting>(&state.phase)) {
        if (state.server.process == Server::Process::down && !state.operation) {
            earlier(deadline, starting->not_before);
        }
    }
    if (const auto* stopping = std::get_if<Stopping>(&state.phase)) {
        if (!stopping->killed) earlier(deadline, stopping->kill_at);
    }
    if (state.leaving) earlier(deadline, state.leaving->by);
    if (const auto* ended = std::get_if<Ended>(&state.phase)) earlier(deadline, ended->exit_at);
    return deadline;
}

Effects step(State& state, const Config& config, const Input& input, TimePoint now)
{
    Step under_way{state, config, now};
    std::visit([&](const auto& in) { on(under_way, in); }, input);
    go_on_leaving(under_way);
    tell(under_way);
    return std::move(under_way.effects);
}

}  // namespace mysos::executor
