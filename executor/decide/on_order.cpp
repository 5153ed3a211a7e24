#include "common/base/overload.hpp"
#include "executor/decide/rebuild.hpp"

#include <algorithm>

/// The scheduler's side: what is taken on, in which epoch, and when its turn comes.
namespace mysos::executor {
namespace {

using Reason = control::Refused::Reason;

struct No {
    Reason reason;
    std::string why;
};

std::string text(Epoch epoch)
{
    return std::to_string(static_cast<std::uint64_t>(epoch));
}

bool has_server(const State& state)
{
    return is_in<Starting>(state) || is_in<Fenced>(state) || is_in<Replica>(state) ||
           is_in<Primary>(state) || is_in<Crashed>(state);
}

/// The epoch already has this member in the part of a replica or primary.
bool has_part_in(const State& state, Epoch epoch)
{
    if (const auto* replica = std::get_if<Replica>(&state.phase)) {
        return replica->follow.epoch == epoch;
    }
    const auto* primary = std::get_if<Primary>(&state.phase);
    return primary != nullptr && primary->epoch == epoch;
}

// Why an order of a good epoch cannot be taken on.

std::optional<No> objection(const State& state, const control::Prepare& order)
{
    if (!has_part_in(state, order.epoch)) return std::nullopt;
    return No{Reason::old_epoch, "epoch " + text(order.epoch) + " is past its preparation here"};
}

std::optional<No> objection(const State& state, const control::Promote&)
{
    if (state.epoch_unreadable) {
        return No{Reason::lacks_position, "quarantined: the epoch on its volume cannot be read"};
    }
    if (is_in<Crashed>(state)) return No{Reason::server_failed, "the server is down"};
    if (is_in<Primary>(state)) {
        return No{Reason::server_failed, "is the primary of another epoch: prepare it first"};
    }
    return std::nullopt;
}

std::optional<No> objection(const State& state, const control::Follow& order)
{
    if (order.primary == MemberId{state.task->data.server_id}) {
        return No{Reason::server_failed, "asked to follow itself"};
    }
    const auto* primary = std::get_if<Primary>(&state.phase);
    if (primary == nullptr || primary->epoch != order.epoch) return std::nullopt;
    return No{Reason::server_failed, "is the primary of epoch " + text(order.epoch) + " itself"};
}

std::optional<No> objection(const State&, const control::Restart&)
{
    return std::nullopt;
}

std::optional<No> objection(const State& state, const control::Rebuild& order)
{
    const auto why = objection_to(state, order);
    if (!why) return std::nullopt;
    return No{Reason::server_failed, *why};
}

/// What must be on the volume before the order is obeyed.
EpochRecord record_for(const State& state, const control::ToMember& order)
{
    EpochRecord record = latest(state);
    record.epoch = epoch_of(order);
    record.amnesiac = is_amnesiac(state);
    record.boot_id = state.boot_id;
    if (std::holds_alternative<control::Promote>(order)) {
        // Who led last has nothing to lose by it: all it holds is in its own binlog.
        const bool keeps_all = record.role == Role::primary && !record.amnesiac;
        if (!keeps_all) record.role = Role::candidate;
    }
    if (std::holds_alternative<control::Follow>(order)) {
        const bool cut = is_in<Crashed>(state) || is_in<Primary>(state);
        const bool mariadb = state.task->data.flavor == "mariadb";
        record.amnesiac = record.amnesiac || (cut && mariadb);
        record.role = Role::replica;
    }
    return record;
}

/// A newer epoch pushes out an order that waits, and so does the next step of the same epoch.
bool may_replace(const Order& waiting, const control::ToMember& order)
{
    if (epoch_of(order) != waiting.epoch) return epoch_of(order) > waiting.epoch;
    return std::holds_alternative<control::Prepare>(waiting.order);
}

/// Where commits wait for nobody only its end keeps clients from writing: the newer epoch may take
/// long to store, on a volume that stalls for ever.
void end_serving(Step& step)
{
    kill_server(step);
    step.state.phase = Crashed{"ended for a newer epoch"};
}

void accept(Step& step, const control::ToMember& order)
{
    State& state = step.state;
    Order accepted{order, epoch_of(order), record_for(state, order)};
    accepted.saved = accepted.record == state.record && !state.saving;
    state.order = accepted;
    if (waits_for_nobody(state)) end_serving(step);
    const bool waits_for_applier =
        state.operation && (std::holds_alternative<control::Follow>(state.operation->order) ||
                            std::holds_alternative<control::Promote>(state.operation->order));
    if (waits_for_applier) step.order(AbandonOperation{state.operation->id});
    if (!accepted.saved) save(step, accepted.record);
    proceed(step);
}

template <class O>
void take_fencing(Step& step, const O& order)
{
    State& state = step.state;
    if (const auto no = objection(state, order)) return refuse(step, order, no->reason, no->why);
    if (state.order && !may_replace(*state.order, order)) {
        return refuse(step, order, Reason::busy, "an earlier order is under way");
    }
    accept(step, order);
}

void take_promote(Step& step, const control::Promote& order)
{
    auto* primary = in_phase<Primary>(step.state);
    if (primary == nullptr || primary->epoch != order.epoch) return take_fencing(step, order);
    // Said again, since the answer was lost.
    if (step.state.operation) return step.ignore("already being promoted");
    const OpId op = begin(step, order);
    step.order(MakeAccounts{op, order.accounts});
}

/// Said again, in its own words: only `serial` and what the primary holds meanwhile may differ.
bool is_same(const control::Follow& one, control::Follow other)
{
    other.serial = one.serial;
    other.position = one.position;
    return one == other;
}

/// Said again while it is under way; the answer has to carry its serial.
bool is_repetition(const control::ToMember& under_way, const control::ToMember& order)
{
    const auto* one = std::get_if<control::Follow>(&under_way);
    const auto* other = std::get_if<control::Follow>(&order);
    if (one == nullptr || other == nullptr) return under_way == order;
    return one->serial == other->serial && is_same(*one, *other);
}

void take_follow(Step& step, const control::Follow& order)
{
    const State& state = step.state;
    const auto* replica = std::get_if<Replica>(&state.phase);
    const bool done = replica != nullptr && is_same(replica->follow, order) && !state.operation &&
                      !state.order && state.server.seen.receiver_running;
    if (!done) return take_fencing(step, order);
    say(step,
        control::Followed{
            order.epoch, order.acknowledge, order.serial, order.caught_up, order.server_run});
}

/// Said again, it may have crossed the answer: what is whole is not copied once more.
void take_rebuild(Step& step, const control::Rebuild& order)
{
    const auto& done = step.state.rebuilt;
    const bool again = done && done->epoch == order.epoch && done->serial == order.serial;
    if (!again) return take_fencing(step, order);
    say(step, *done);
}

/// Orders to the primary of exactly this epoch.
template <class O>
void take_primary(Step& step, const O& order)
{
    const auto* primary = in_phase<Primary>(step.state);
    if (primary == nullptr || primary->epoch != order.epoch || !primary->promoted) {
        return refuse(
            step, order, Reason::not_primary, "is not the primary of epoch " + text(order.epoch));
    }
    // Something may have shut it since.
    const control::Observation& seen = step.state.server.seen;
    const bool is_open = primary->open && (seen.writable || !seen.answers);
    if (std::is_same_v<O, control::Open> && is_open) {
        return say(step, control::Opened{order.epoch});
    }
    if (step.state.order) {
        const control::ToMember waiting = step.state.order->order;
        // Clients wait for it; whatever else the primary is to do is asked for again.
        const bool gives_way = std::is_same_v<O, control::Open> && is_for_primary(waiting);
        if (!gives_way) {
            return refuse(step, order, Reason::busy, "an earlier order is under way");
        }
        step.state.order.reset();
        refuse(step, waiting, Reason::busy, "clients are let in first");
    }
    Order accepted{order, order.epoch, step.state.record, true};
    step.state.order = std::move(accepted);
    proceed(step);
}

}  // namespace

void take(Step& step, const control::ToMember& order)
{
    State& state = step.state;
    if (is_in<Stopping>(state) || is_in<Ended>(state)) {
        return refuse(step, order, Reason::server_failed, "this member is stopping");
    }
    const auto* rebuilding = in_phase<Rebuilding>(state);
    if (rebuilding == nullptr && !has_server(state)) {
        return refuse(step, order, Reason::busy, "the server is not there yet");
    }
    Epoch promised = latest(state).epoch;
    if (rebuilding != nullptr) promised = std::max(promised, rebuilding->order.epoch);
    if (state.order) promised = std::max(promised, state.order->epoch);
    if (epoch_of(order) < promised) {
        return refuse(step, order, Reason::old_epoch, "epoch " + text(promised) + " is promised");
    }
    if (rebuilding != nullptr) return take_while_rebuilding(step, order);
    const bool again = (state.order && is_repetition(state.order->order, order)) ||
                       (state.operation && is_repetition(state.operation->order, order));
    if (again) return step.ignore("already under way");
    std::visit(
        Overload{
            [&](const control::Prepare& o) { take_fencing(step, o); },
            [&](const control::Promote& o) { take_promote(step, o); },
            [&](const control::Follow& o) { take_follow(step, o); },
            [&](const control::Restart& o) { take_fencing(step, o); },
            [&](const control::Rebuild& o) { take_rebuild(step, o); },
            [&](const control::Open& o) { take_primary(step, o); },
            [&](const control::ShutOut& o) { take_primary(step, o); },
            [&](const control::SetAcknowledgers& o) { take_primary(step, o); },
            [&](const control::LockAccount& o) { take_primary(step, o); },
            [&](const auto&) { step.ignore("not an order of an epoch"); },
        },
        order);
}

void refuse(Step& step, const control::ToMember& order, Reason reason, std::string why)
{
    step.order(
        Report{Report::Level::warning, std::string{"refused to "} + name_of(order) + ": " + why});
    say(step, control::Refused{reason, step.state.record.epoch, std::move(why), name_of(order)});
}

void say(Step& step, control::FromMember message)
{
    // With nobody to tell it is not kept: a scheduler that comes back asks again.
    if (step.state.fencing.stream_up) step.order(SendReport{std::move(message)});
}

const EpochRecord& latest(const State& state)
{
    return state.saving ? *state.saving : state.record;
}

void save(Step& step, const EpochRecord& record)
{
    State& state = step.state;
    if (latest(state) == record) return;
    state.saving = record;
    step.order(SaveEpoch{record});
}

void on(Step& step, const EpochSaved& in)
{
    State& state = step.state;
    state.record = in.record;
    state.epoch_unreadable = false;
    if (state.saving == in.record) state.saving.reset();
    if (state.order && state.order->record == in.record) state.order->saved = true;
    rebuild_recorded(step, in.record);
    proceed(step);
}

void on(Step& step, const EpochNotSaved& in)
{
    State& state = step.state;
    if (state.saving == in.record) state.saving.reset();
    step.order(Report{Report::Level::error, "the epoch file cannot be written: " + in.why});
    rebuild_not_recorded(step, in.why);
    if (!state.order || state.order->saved || state.order->record != in.record) return;
    const control::ToMember order = state.order->order;
    state.order.reset();
    refuse(step, order, Reason::server_failed, "the epoch cannot be saved: " + in.why);
}

void on(Step& step, const StreamOpened&)
{
    step.state.observe_at = step.now;  // The Hello may be older than what has happened since.
    watch(step, fencing::StreamOpened{});
}

void on(Step& step, const StreamLost&)
{
    step.state.observe_at.reset();
    watch(step, fencing::StreamLost{});
}

namespace {

void welcomed(Step& step, const control::Welcome& welcome)
{
    const std::string& token = welcome.token;
    // The scheduler may be quicker than the look at the volume, which may be somebody else's.
    if (step.state.owns_volume) {
        step.order(SaveToken{token});
    } else {
        step.state.token = token;
    }
    step.order(UseToken{token});
    step.order(UsePeerToken{welcome.peer_token});
}

}  // namespace

void on(Step& step, const OrderArrived& in)
{
    std::visit(
        Overload{
            [&](const control::Welcome& welcome) { welcomed(step, welcome); },
            [&](const control::Heartbeat&) {},
            [&](const control::Stop&) {
                if (step.state.leaving) return stop_leaving(step);
                stop(
                    step,
                    mesos::TaskState::finished,
                    "stopped as the scheduler ordered",
                    step.config.shutdown_grace);
            },
            [&](const auto& order) { take(step, order); },
        },
        in.order);
}

}  // namespace mysos::executor
