#include "common/base/overload.hpp"
#include "executor/decide/rebuild.hpp"

/// An order whose epoch is on the volume: what it needs of the server, and when its turn comes.
namespace mysos::executor {
namespace {

using Reason = control::Refused::Reason;

// Obeying. Returns whether the order has been dealt with.

bool obey(Step& step, const Order&, const control::Prepare& prepare)
{
    State& state = step.state;
    // A MariaDB that is killed while it applies what it received forgets that; it gives up soon.
    const auto* primary = in_phase<Primary>(state);
    if (primary != nullptr && !primary->begun && state.operation) return false;
    if (is_in<Crashed>(state) || is_in<Primary>(state)) {
        // What it holds is untouched, and nothing here waits on a commit.
        start_server(step, StartMode::fenced);
    }
    if (is_in<Starting>(state) || state.operation) return false;
    const OpId op = begin(step, prepare);
    step.order(StopReceiver{op});
    return true;
}

bool obey(Step& step, const Order&, const control::Promote& promote)
{
    State& state = step.state;
    if (is_in<Crashed>(state)) {
        refuse(step, promote, Reason::server_failed, "the server is down");
        return true;
    }
    if (is_in<Starting>(state) || state.operation) return false;
    const OpId op = begin(step, promote);
    PromoteServer order{op, promote.epoch, promote.position, promote.acks, {}};
    for (const control::AccountSpec& spec : promote.accounts) {
        if (spec.kind != control::AccountSpec::Kind::replication) continue;
        order.replicas.insert(spec.account.user);
    }
    step.order(std::move(order));
    state.phase = Primary{.epoch = promote.epoch, .acks = promote.acks};
    return true;
}

bool obey(Step& step, const Order&, const control::Follow& follow)
{
    State& state = step.state;
    if (is_in<Crashed>(state) || is_in<Primary>(state)) start_server(step, StartMode::as_replica);
    if (is_in<Starting>(state) || state.operation) return false;
    // Seen to have caught up in another run, it may have forgotten since what it acknowledged then.
    control::Follow doing = follow;
    doing.caught_up = follow.caught_up && RunId{follow.server_run} == state.server.run;
    const OpId op = begin(step, doing);
    step.order(FollowPrimary{op, doing});
    return true;
}

bool obey(Step& step, const Order& order, const control::Restart& restart)
{
    State& state = step.state;
    if (!order.restarted) {
        state.order->restarted = true;
        start_server(step, StartMode::fenced);
    }
    if (is_in<Starting>(state)) return false;
    say(step, control::Restarted{restart.epoch, state.server.seen.position});
    return true;
}

bool obey(Step& step, const Order&, const control::Rebuild& rebuild)
{
    begin_rebuild(step, rebuild);
    return true;
}

bool obey(Step& step, const Order&, const control::Open& open)
{
    if (step.state.operation) return false;
    const bool async = step.state.task->data.async;
    std::get<Primary>(step.state.phase).relaxed = async;  // Whatever becomes of it.
    const OpId op = begin(step, open);
    step.order(OpenServer{op, async});
    return true;
}

bool obey(Step& step, const Order&, const control::ShutOut& shut_out)
{
    if (step.state.operation) return false;
    std::get<Primary>(step.state.phase).open = false;  // Or half so, should it fail.
    const OpId op = begin(step, shut_out);
    step.order(ShutServer{op});
    return true;
}

bool obey(Step& step, const Order&, const control::SetAcknowledgers& set)
{
    if (step.state.operation) return false;
    const OpId op = begin(step, set);
    // Where commits wait for nobody the number is for the books: who votes, and what fences.
    const std::uint32_t in_force = waits_for_nobody(step.state) ? 0 : set.acks;
    step.order(ChangeAcknowledgers{op, in_force, set.accounts});
    return true;
}

bool obey(Step& step, const Order&, const control::LockAccount& lock)
{
    if (step.state.operation) return false;
    const OpId op = begin(step, lock);
    step.order(BarAccount{op, lock.user});
    return true;
}

}  // namespace

bool is_for_primary(const control::ToMember& order)
{
    return std::holds_alternative<control::Open>(order) ||
           std::holds_alternative<control::ShutOut>(order) ||
           std::holds_alternative<control::SetAcknowledgers>(order) ||
           std::holds_alternative<control::LockAccount>(order);
}

void proceed(Step& step)
{
    State& state = step.state;
    if (!state.order || !state.order->saved) return;
    const Order order = *state.order;
    if (is_for_primary(order.order) && !is_in<Primary>(state)) {
        state.order.reset();
        return refuse(step, order.order, Reason::not_primary, "is not the primary any more");
    }
    const bool done = std::visit(
        Overload{
            [&](const control::Welcome&) { return true; },
            [&](const control::Heartbeat&) { return true; },
            [&](const control::Stop&) { return true; },
            [&](const auto& o) { return obey(step, order, o); },
        },
        order.order);
    if (done) state.order.reset();
}

}  // namespace mysos::executor
