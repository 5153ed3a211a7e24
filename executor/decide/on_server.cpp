#include "executor/decide/rebuild.hpp"

/// The server's process: started, answering, gone.
namespace mysos::executor {
namespace {

bool concerns(const Step& step, RunId run)
{
    const Server& server = step.state.server;
    return run == server.run && server.process != Server::Process::down;
}

std::string ended(const State& state, const std::string& how)
{
    return std::string{program_of(state)} + " " + how;
}

/// A server that did not even answer: try again, then give up.
void on_early_exit(Step& step, const ServerExited& in)
{
    State& state = step.state;
    if (state.server.starts >= step.config.starts_max) {
        return fail(step, ended(state, in.how) + " before it answered");
    }
    step.order(Report{Report::Level::warning, ended(state, in.how) + " before it answered"});
    auto& starting = std::get<Starting>(state.phase);
    starting.not_before = step.now + step.config.restart_pause * state.server.starts;
}

/// Not a primary: it comes back by itself, shut out, and says what it may have forgotten.
void on_replica_exit(Step& step, const ServerExited& in)
{
    State& state = step.state;
    Server& server = state.server;
    if (step.now - server.up_since >= step.config.steady) server.crashes = 0;
    step.order(Report{Report::Level::error, ended(state, in.how)});
    Starting starting;
    if (server.crashes > 0) {
        starting.not_before = step.now + step.config.restart_pause * server.crashes;
    }
    ++server.crashes;
    state.phase = starting;
}

void push_commits(Step& step, const control::Observation& seen)
{
    State& state = step.state;
    const auto* primary = in_phase<Primary>(state);
    pushing::Input input = pushing::NotPrimary{};
    if (primary != nullptr && primary->promoted) {
        input = pushing::CommitsSeen{
            .waiting = seen.commits_waiting,
            .acknowledged = seen.commits_acknowledged,
            .clients = seen.semi_sync_clients,
            .required = seen.acks_required};
    }
    if (pushing::step(state.pushing, step.config.pushing, input, step.now).empty()) return;
    step.order(Report{
        Report::Level::info,
        "commits wait though enough replicas acknowledge: writes one more to push them"});
    step.order(PushCommits{});
}

}  // namespace

void note_forgotten(Step& step)
{
    State& state = step.state;
    EpochRecord record = latest(state);
    if (!forgets(state, record.role)) return;
    state.forgot = true;
    record.amnesiac = true;
    save(step, record);
}

void note_promoted(Step& step)
{
    State& state = step.state;
    EpochRecord record = latest(state);
    if (record.role != Role::candidate) return;
    record.role = Role::primary;
    record.amnesiac = false;
    state.forgot = false;
    save(step, record);
}

void start_server(Step& step, StartMode mode)
{
    step.state.phase = Starting{mode, std::nullopt};
    kill_server(step);
    start_if_due(step);
}

void start_if_due(Step& step)
{
    State& state = step.state;
    const Server& server = state.server;
    const auto* starting = in_phase<Starting>(state);
    if (starting == nullptr || server.process != Server::Process::down || state.operation) return;
    if (starting->not_before && step.now < *starting->not_before) return;
    launch_server(step, starting->mode);
}

void launch_server(Step& step, StartMode mode)
{
    Server& server = step.state.server;
    server.process = Server::Process::running;
    server.run = RunId{static_cast<std::uint64_t>(server.run) + 1};
    ++server.starts;
    server.answered_at = step.now;
    server.alive_at = step.now;
    server.unanswered = {};
    probe_soon(step);
    step.order(StartServer{server.run, mode});
}

void kill_server(Step& step)
{
    Server& server = step.state.server;
    if (server.process != Server::Process::running) return;
    server.process = Server::Process::ending;
    server.answers = false;
    step.order(KillServer{server.run});
}

void probe_soon(Step& step)
{
    Server& server = step.state.server;
    server.probe_soon_until = step.now + step.config.soon;
    server.probe_at = step.now + step.config.probe_every_soon;
}

void on(Step& step, const ServerNotStarted& in)
{
    if (!concerns(step, in.run)) return step.ignore("another run");
    Server& server = step.state.server;
    server.process = Server::Process::down;
    server.probe_at.reset();
    if (auto* stopping = in_phase<Stopping>(step.state)) {
        return end(step, stopping->then, std::string{stopping->message});
    }
    if (is_in<Rebuilding>(step.state)) return rebuild_failed(step, in.why);
    fail(step, in.why);
}

void on(Step& step, const ServerExited& in)
{
    if (!concerns(step, in.run)) return step.ignore("another run");
    State& state = step.state;
    Server& server = state.server;
    const bool asked = server.process == Server::Process::ending;
    server.process = Server::Process::down;
    server.answers = false;
    server.probe_at.reset();

    if (auto* stopping = in_phase<Stopping>(state)) {
        return end(step, stopping->then, std::string{stopping->message});
    }
    note_forgotten(step);
    if (is_in<Rebuilding>(state)) return on_exit_while_rebuilding(step, ended(state, in.how));
    if (is_in<Starting>(state)) {
        if (!asked) on_early_exit(step, in);
    } else if (is_in<Primary>(state)) {
        state.phase = Crashed{ended(state, in.how)};
        step.order(
            Report{Report::Level::error, ended(state, in.how) + " while it was the primary"});
    } else if (is_in<Fenced>(state) || is_in<Replica>(state)) {
        on_replica_exit(step, in);
    }
    start_if_due(step);
    proceed(step);
}

void on(Step& step, const Probed& in)
{
    State& state = step.state;
    Server& server = state.server;
    server.probing = false;
    if (in.run != server.run || server.process != Server::Process::running) {
        return step.ignore("another run");
    }
    const bool soon = step.now < server.probe_soon_until;
    server.probe_at = step.now + (soon ? step.config.probe_every_soon : step.config.probe_every);
    server.seen = in.seen;
    server.answers = true;
    server.answered_at = step.now;
    server.alive_at = step.now;
    server.unanswered = {};

    if (is_in<Starting>(state)) {
        state.phase = Fenced{};
        state.ever_answered = true;
        server.starts = 0;
        server.up_since = step.now;
        proceed(step);
    }
    if (is_in<Rebuilding>(state)) on_answer_while_rebuilding(step);
    push_commits(step, in.seen);
    mend(step);
    const auto* primary = in_phase<Primary>(state);
    // Before it has promoted itself it lets nobody in: there is nothing to end.
    if (primary == nullptr || !primary->begun) return watch(step, fencing::NotPrimary{});
    if (in.seen.marker == primary->epoch) note_promoted(step);
    if (!state.task->data.async) {
        return watch(
            step, fencing::ReceiversSeen{in.seen.semi_sync_clients, in.seen.acks_required});
    }
    watch(step, fencing::ReceiversSeen{in.seen.semi_sync_clients, primary->acks, server.probed_at});
}

void on(Step& step, const ProbeFailed& in)
{
    State& state = step.state;
    Server& server = state.server;
    server.probing = false;
    if (in.run != server.run || server.process != Server::Process::running) {
        return step.ignore("another run");
    }
    const bool soon = step.now < server.probe_soon_until || is_in<Starting>(state);
    server.probe_at = step.now + (soon ? step.config.probe_every_soon : step.config.probe_every);
    if (server.answers) {
        step.order(Report{Report::Level::warning, "the server does not answer: " + in.why});
    }
    server.answers = false;
    const bool is_late =
        in.sign == ProbeFailed::Sign::late && step.now - server.answered_at < step.config.late_max;
    if (is_late || in.sign == ProbeFailed::Sign::refused) server.alive_at = step.now;
    server.unanswered = step.now - server.alive_at;
    if (is_in<Primary>(state)) watch(step, fencing::ServerSilent{});
}

}  // namespace mysos::executor
