#include "executor/decide/rebuild.hpp"

#include <utility>

/// The member's data are replaced by another member's.
namespace mysos::executor {
namespace {

using Reason = control::Refused::Reason;
using Stage = Rebuilding::Stage;

std::string id_text(MemberId member)
{
    return std::to_string(static_cast<std::uint32_t>(member));
}

/// On the volume, or on its way there: its data directory is no longer, or not yet, whole.
bool is_marked(const State& state)
{
    return latest(state).role == Role::rebuilding;
}

EpochRecord record_of(const State& state, Role role, Epoch epoch)
{
    EpochRecord record = latest(state);
    record.epoch = epoch;
    record.role = role;
    record.amnesiac = true;
    record.boot_id = state.boot_id;
    return record;
}

/// Starts a server outside of the phase Starting.
void launch(Step& step, StartMode mode, Stage stage)
{
    std::get<Rebuilding>(step.state.phase).stage = stage;
    step.state.server.starts = 0;
    launch_server(step, mode);
}

void replace(Step& step)
{
    auto& rebuilding = std::get<Rebuilding>(step.state.phase);
    rebuilding.stage = Stage::replacing;
    rebuilding.progress = "";
    rebuilding.percent = 0;
    const OpId op = begin(step, rebuilding.order);
    step.order(ReplaceData{op, rebuilding.order});
}

/// On the volume first: no server is ever started on what is left of the data after that.
void mark(Step& step)
{
    State& state = step.state;
    auto& rebuilding = std::get<Rebuilding>(state.phase);
    const EpochRecord record = record_of(state, Role::rebuilding, rebuilding.order.epoch);
    if (record == state.record && !state.saving) return replace(step);
    rebuilding.stage = Stage::marking;
    save(step, record);
}

/// From the beginning, once the server is down and nothing is under way on the volume.
void go_ahead(Step& step)
{
    State& state = step.state;
    auto& rebuilding = std::get<Rebuilding>(state.phase);
    if (state.server.process != Server::Process::down || state.operation) return;
    if (rebuilding.saved || is_marked(state)) return mark(step);
    rebuilding.stage = Stage::saving;
    const OpId op = begin(step, rebuilding.order);
    step.order(SaveErrant{op, rebuilding.order});
}

void begin_anew(Step& step)
{
    State& state = step.state;
    std::get<Rebuilding>(state.phase).stage = Stage::stopping;
    if (state.operation) step.order(AbandonOperation{state.operation->id});
    kill_server(step);
    go_ahead(step);
}

/// Nothing more is done about this order. What is not deleted yet is as it was before.
void give_up(Step& step, std::string why)
{
    State& state = step.state;
    auto& rebuilding = std::get<Rebuilding>(state.phase);
    refuse(step, rebuilding.order, Reason::server_failed, why);
    kill_server(step);
    if (is_marked(state)) {
        rebuilding.stage = Stage::waiting;
        rebuilding.why = std::move(why);
        return;
    }
    const Role role = latest(state).role;
    if (role == Role::primary || role == Role::candidate) {
        state.phase = Crashed{"was not rebuilt: " + why};
    } else {
        start_server(step, StartMode::fenced);
    }
}

/// The rebuild that the outcome belongs to; none when another has been ordered meanwhile.
Rebuilding* under_way(Step& step, Stage stage)
{
    auto* rebuilding = in_phase<Rebuilding>(step.state);
    if (rebuilding == nullptr || rebuilding->stage != stage) return nullptr;
    return rebuilding;
}

/// The data are cloned and the server that cloned them has ended: the files are swapped in when
/// the next one starts.
void start_clone(Step& step)
{
    if (step.state.server.process != Server::Process::down || step.state.operation) return;
    launch(step, StartMode::fenced, Stage::starting);
}

}  // namespace

std::optional<std::string> objection_to(const State& state, const control::Rebuild& order)
{
    const MemberId self{state.task->data.server_id};
    if (order.primary == self) return "asked to be rebuilt though it is the primary";
    if (order.donor == self) return "asked to be rebuilt from itself";
    const auto* primary = std::get_if<Primary>(&state.phase);
    if (primary != nullptr && primary->epoch == order.epoch) {
        return "is the primary of epoch " +
               std::to_string(static_cast<std::uint64_t>(order.epoch)) + " itself";
    }
    if (order.position.empty() && !is_marked(state)) {
        return "what it alone holds cannot be told: the order does not say what the primary holds";
    }
    return std::nullopt;
}

void begin_rebuild(Step& step, const control::Rebuild& order)
{
    State& state = step.state;
    Rebuilding rebuilding;
    rebuilding.order = order;
    state.phase = std::move(rebuilding);
    begin_anew(step);
}

void take_while_rebuilding(Step& step, const control::ToMember& order)
{
    State& state = step.state;
    auto& rebuilding = std::get<Rebuilding>(state.phase);
    const bool waits = rebuilding.stage == Stage::waiting;
    const auto* again = std::get_if<control::Rebuild>(&order);
    if (again == nullptr) {
        return waits ? refuse(
                           step,
                           order,
                           Reason::server_failed,
                           "its data directory is not whole: it waits to be rebuilt")
                     : refuse(step, order, Reason::busy, "is being rebuilt");
    }
    // Said again, it may say more of what the primary holds meanwhile.
    const bool same =
        again->epoch == rebuilding.order.epoch && again->serial == rebuilding.order.serial;
    if (!waits && same) return step.ignore("already under way");
    if (const auto why = objection_to(state, *again)) {
        return refuse(step, order, Reason::server_failed, *why);
    }
    rebuilding.order = *again;
    begin_anew(step);
}

void on_exit_while_rebuilding(Step& step, const std::string& how)
{
    switch (std::get<Rebuilding>(step.state.phase).stage) {
        case Stage::stopping: return go_ahead(step);
        case Stage::cloning:  // Its last word; whether it has cloned, the operation says.
        case Stage::cloned: return go_on_cloned(step);
        case Stage::recipient:
        case Stage::starting:
        case Stage::finishing:
        case Stage::recording: return give_up(step, how);
        case Stage::saving:
        case Stage::marking:
        case Stage::replacing:
        case Stage::waiting: return;
    }
}

void on_answer_while_rebuilding(Step& step)
{
    auto& rebuilding = std::get<Rebuilding>(step.state.phase);
    if (rebuilding.stage == Stage::recipient) {
        rebuilding.stage = Stage::cloning;
        const OpId op = begin(step, rebuilding.order);
        step.order(CloneData{op, rebuilding.order});
    } else if (rebuilding.stage == Stage::starting) {
        rebuilding.stage = Stage::finishing;
        const OpId op = begin(step, rebuilding.order);
        step.order(FinishRebuild{op, rebuilding.order});
    }
}

void go_on_rebuilding(Step& step)
{
    const auto* rebuilding = in_phase<Rebuilding>(step.state);
    if (rebuilding != nullptr && rebuilding->stage == Stage::stopping) go_ahead(step);
}

void go_on_cloned(Step& step)
{
    if (under_way(step, Stage::cloned) != nullptr) start_clone(step);
}

void rebuild_failed(Step& step, std::string why)
{
    const auto& rebuilding = std::get<Rebuilding>(step.state.phase);
    // Of an order that another has taken the place of.
    if (rebuilding.stage == Stage::stopping) return go_ahead(step);
    if (rebuilding.stage != Stage::waiting) give_up(step, std::move(why));
}

void rebuild_recorded(Step& step, const EpochRecord& record)
{
    State& state = step.state;
    auto* rebuilding = in_phase<Rebuilding>(state);
    if (rebuilding == nullptr || record != state.record || state.saving) return;
    if (rebuilding->stage == Stage::marking) return replace(step);
    if (rebuilding->stage != Stage::recording) return;
    const control::Rebuilt rebuilt{
        rebuilding->order.epoch,
        rebuilding->order.serial,
        state.server.seen.position,
        rebuilding->errant};
    step.order(
        Report{Report::Level::info, "rebuilt from server " + id_text(rebuilding->order.donor)});
    state.phase = Fenced{};
    state.ever_answered = true;
    state.has_data = true;
    state.made_data = false;
    state.server.up_since = step.now;
    state.rebuilt = rebuilt;
    say(step, rebuilt);
}

void rebuild_not_recorded(Step& step, const std::string& why)
{
    const auto* rebuilding = in_phase<Rebuilding>(step.state);
    if (rebuilding == nullptr) return;
    if (rebuilding->stage != Stage::marking && rebuilding->stage != Stage::recording) return;
    give_up(step, "the epoch cannot be saved: " + why);
}

void on(Step& step, const ErrantSaved& in)
{
    const auto done = finish(step, in.op);
    if (!done) return;
    State& state = step.state;
    state.errant += in.transactions;
    if (in.transactions > 0) {
        step.order(Report{
            Report::Level::warning,
            "saved " + std::to_string(in.transactions) +
                " transactions that nobody acknowledged: " + in.file});
    }
    auto* rebuilding = in_phase<Rebuilding>(state);
    if (rebuilding == nullptr) return;
    rebuilding->saved = true;
    rebuilding->errant = in.transactions;
    mark(step);
}

void on(Step& step, const DataReplaced& in)
{
    const auto done = finish(step, in.op);
    if (!done) return;
    if (under_way(step, Stage::replacing) == nullptr) return go_on_rebuilding(step);
    if (step.state.task->data.flavor == "mysql") {
        launch(step, StartMode::recipient, Stage::recipient);
    } else {
        launch(step, StartMode::fenced, Stage::starting);
    }
}

void on(Step& step, const DataCloned& in)
{
    const auto done = finish(step, in.op);
    if (!done) return;
    auto* rebuilding = under_way(step, Stage::cloning);
    if (rebuilding == nullptr) return go_on_rebuilding(step);
    rebuilding->stage = Stage::cloned;
    kill_server(
        step);  // What was cloned is in files already, and takes its place at the next start.
    go_on_cloned(step);
}

void on(Step& step, const RebuildProgressed& in)
{
    auto* rebuilding = in_phase<Rebuilding>(step.state);
    const auto& operation = step.state.operation;
    if (rebuilding == nullptr || !operation || operation->id != in.op) {
        return step.ignore("not the operation under way");
    }
    rebuilding->percent = in.percent;
    rebuilding->progress = in.text;
}

void on(Step& step, const RebuildFinished& in)
{
    const auto done = finish(step, in.op);
    if (!done) return;
    State& state = step.state;
    auto* rebuilding = under_way(step, Stage::finishing);
    if (rebuilding == nullptr) return go_on_rebuilding(step);
    state.server.seen.position = in.position;
    rebuilding->stage = Stage::recording;
    save(step, record_of(state, Role::replica, rebuilding->order.epoch));
}

std::string message_of(const Rebuilding& rebuilding)
{
    const std::string donor = "server " + id_text(rebuilding.order.donor);
    switch (rebuilding.stage) {
        case Stage::stopping: return "stops its server to be rebuilt from " + donor;
        case Stage::saving: return "saves what it alone holds before it is rebuilt";
        case Stage::marking:
        case Stage::replacing:
        case Stage::recipient:
        case Stage::cloning:
            return "clones from " + donor +
                   (rebuilding.progress.empty() ? "" : ": " + rebuilding.progress);
        case Stage::cloned:
        case Stage::starting:
        case Stage::finishing:
        case Stage::recording: return "starts on the clone of " + donor;
        case Stage::waiting: break;
    }
    return "its data directory is not whole: it waits to be rebuilt" +
           (rebuilding.why.empty() ? "" : "; the last time: " + rebuilding.why);
}

}  // namespace mysos::executor
