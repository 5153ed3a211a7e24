#include "executor/decide/rebuild.hpp"

/// What became of orders on the server.
namespace mysos::executor {
namespace {

using Reason = control::Refused::Reason;

/// What comes next, once the outcome has been dealt with.
void go_on(Step& step)
{
    start_if_due(step);
    go_on_rebuilding(step);
    proceed(step);
}

/// The primary that the order was for, if this member still is it.
Primary* primary_of(Step& step, const Operation& done)
{
    auto* primary = in_phase<Primary>(step.state);
    if (primary == nullptr || primary->epoch != epoch_of(done.order)) return nullptr;
    return primary;
}

/// Half promoted, a server is neither: it is taken down and waits, as a crashed primary would.
void on_failed_promotion(Step& step, const OpFailed& in)
{
    State& state = step.state;
    if (!is_in<Primary>(state)) return;
    if (in.reason != Reason::server_failed) {
        state.phase = Fenced{};  // Checked and found wanting: nothing was changed.
        return;
    }
    kill_server(step);
    state.phase = Crashed{"the promotion failed: " + in.why};
}

}  // namespace

std::optional<Operation> finish(Step& step, OpId id)
{
    State& state = step.state;
    if (!state.operation || state.operation->id != id) {
        step.ignore("not the operation under way");
        return std::nullopt;
    }
    Operation done = *std::move(state.operation);
    state.operation.reset();
    probe_soon(step);
    return done;
}

OpId begin(Step& step, control::ToMember order)
{
    State& state = step.state;
    state.last_op = OpId{static_cast<std::uint64_t>(state.last_op) + 1};
    state.operation = Operation{state.last_op, std::move(order)};
    probe_soon(step);
    return state.last_op;
}

void on(Step& step, const ReceiverStopped& in)
{
    const auto done = finish(step, in.op);
    if (!done) return;
    State& state = step.state;
    if (is_in<Replica>(state)) state.phase = Fenced{};
    // What it received and has not applied it cannot show any more, and it may have acknowledged
    // that.
    if (in.neither_runs) note_forgotten(step);
    const Epoch epoch = epoch_of(done->order);
    if (is_in<Fenced>(state) && epoch == state.record.epoch) {
        say(step, control::Prepared{epoch, in.position, in.marker, is_amnesiac(state), in.lags});
    }
    go_on(step);
}

void on(Step& step, const PromotionBegun& in)
{
    const auto& operation = step.state.operation;
    if (!operation || operation->id != in.op) return step.ignore("not the operation under way");
    auto* primary = primary_of(step, *operation);
    if (primary == nullptr) return;
    primary->begun = true;
    proceed(step);  // What waited for it to give up does so no longer.
}

void on(Step& step, const ServerPromoted& in)
{
    auto done = finish(step, in.op);
    if (!done) return;
    auto* primary = primary_of(step, *done);
    if (primary != nullptr) {
        primary->begun = true;
        primary->promoted = true;
        primary->position = in.position;
        note_promoted(step);
        // Accounts that are missing are made in the binlog. With acknowledgements to wait for, the
        // others must be told to follow first.
        const bool said = primary->acks > 0;
        if (said) say(step, control::Promoted{primary->epoch, primary->position});
        const auto& promote = std::get<control::Promote>(done->order);
        const OpId op = begin(step, done->order);
        step.state.operation->accounts_last = said;
        step.order(MakeAccounts{op, promote.accounts});
    }
    go_on(step);
}

void on(Step& step, const AccountsMade& in)
{
    const auto done = finish(step, in.op);
    if (!done) return;
    const auto* primary = primary_of(step, *done);
    if (primary != nullptr && !done->accounts_last) {
        say(step, control::Promoted{primary->epoch, primary->position});
    }
    go_on(step);
}

void on(Step& step, const PrimaryFollowed& in)
{
    const auto done = finish(step, in.op);
    if (!done) return;
    State& state = step.state;
    if (is_in<Fenced>(state) || is_in<Replica>(state)) {
        const auto& follow = std::get<control::Follow>(done->order);
        state.phase = Replica{follow};
        if (follow.caught_up && is_amnesiac(state)) {
            state.forgot = false;
            EpochRecord record = latest(state);
            record.amnesiac = false;
            save(step, record);
        }
        say(step,
            control::Followed{
                follow.epoch,
                follow.acknowledge,
                follow.serial,
                follow.caught_up,
                follow.server_run});
    }
    go_on(step);
}

void on(Step& step, const ServerOpened& in)
{
    const auto done = finish(step, in.op);
    if (!done) return;
    if (auto* primary = primary_of(step, *done)) {
        primary->open = true;
        say(step, control::Opened{primary->epoch});
    }
    go_on(step);
}

void on(Step& step, const AcknowledgersChanged& in)
{
    const auto done = finish(step, in.op);
    if (!done) return;
    if (auto* primary = primary_of(step, *done)) {
        const auto& set = std::get<control::SetAcknowledgers>(done->order);
        primary->acks = set.acks;
        say(step, control::AcknowledgersSet{primary->epoch, set.acks, in.position, set.serial});
    }
    go_on(step);
}

void on(Step& step, const AccountBarred& in)
{
    const auto done = finish(step, in.op);
    if (!done) return;
    if (const auto* primary = primary_of(step, *done)) {
        const auto& lock = std::get<control::LockAccount>(done->order);
        say(step, control::AccountLocked{primary->epoch, lock.member, in.position, lock.serial});
    }
    go_on(step);
}

void on(Step& step, const ServerShut& in)
{
    const auto done = finish(step, in.op);
    if (!done) return;
    if (const auto* order = std::get_if<control::ShutOut>(&done->order)) {
        if (const auto* primary = primary_of(step, *done)) {
            say(step, control::Shut{primary->epoch, in.position, order->serial});
        }
        return go_on(step);
    }
    const auto* stopping = in_phase<Stopping>(step.state);
    if (stopping == nullptr || stopping->killed) return;
    step.order(StopServer{step.state.server.run});
}

void on(Step& step, const OpFailed& in)
{
    const auto done = finish(step, in.op);
    if (!done) return;
    State& state = step.state;
    if (std::holds_alternative<control::Stop>(done->order)) {
        auto* stopping = in_phase<Stopping>(state);
        if (stopping == nullptr || stopping->killed) return;
        stopping->killed = true;
        step.order(Report{Report::Level::warning, "commits may be waiting: " + in.why});
        return kill_server(step);
    }
    if (is_in<Stopping>(state) || is_in<Ended>(state)) return step.ignore("the task is ending");
    if (is_in<Rebuilding>(state) && std::holds_alternative<control::Rebuild>(done->order)) {
        return rebuild_failed(step, in.why);
    }
    if (done->accounts_last) {
        step.order(Report{Report::Level::warning, "accounts were not made: " + in.why});
        return go_on(step);
    }
    if (std::holds_alternative<control::Promote>(done->order)) {
        const auto* primary = in_phase<Primary>(state);
        if (primary == nullptr || !primary->promoted) on_failed_promotion(step, in);
    } else if (std::holds_alternative<control::Follow>(done->order) && is_in<Replica>(state)) {
        state.phase = Fenced{};  // Whom it follows now, if anybody, is not known.
    }
    refuse(step, done->order, in.reason, in.why);
    go_on(step);
}

void on(Step& step, const PushFailed& in)
{
    step.order(Report{Report::Level::warning, "commits wait and cannot be pushed: " + in.why});
}

}  // namespace mysos::executor
