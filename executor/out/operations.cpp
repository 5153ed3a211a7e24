#include "executor/out/operations.hpp"

#include <chrono>
#include <utility>

namespace mysos::executor {
namespace {

using namespace std::chrono_literals;

/// How long each may take before it counts as failed.
constexpr auto quick = 10s;     // Nothing in it waits on another member.
constexpr auto thorough = 30s;  // Applies what came in since the last look, connects elsewhere.
constexpr auto shared = 60s;    // Waits for acknowledgements of others.
constexpr auto apply_step = 1s;
constexpr auto apply_max = 60s;
constexpr auto shut_max = 3s;  // It hangs when a commit waits: that is the answer then.

struct Held {
    std::string position;
    Epoch marker{};
    bool lags = false;
    bool neither_runs = false;
};

OpFailed failed(OpId op, const Failure& failure)
{
    using Reason = control::Refused::Reason;
    Reason reason = Reason::server_failed;
    if (failure.code == ControlErrc::lacks_position) reason = Reason::lacks_position;
    if (failure.code == ControlErrc::errant) reason = Reason::errant;
    return {op, reason, failure.text};
}

Outcome<Held> held_by(ServerControl& control, const std::string& cluster_uuid)
{
    const auto seen = control.observe(cluster_uuid, Clock::now() + quick);
    if (seen.has_error()) return seen.error();
    const bool neither_runs = !seen->source_host.empty() && !seen->applier_running &&
                              seen->receiver_state == control::ReceiverState::stopped;
    return Held{seen->position, seen->marker, seen->applied != seen->position, neither_runs};
}

}  // namespace

Operations::Operations(io::Offload& offload, io::Tasks& tasks, Post post)
    : offload_{offload}, tasks_{tasks}, post_{std::move(post)}
{}

template <class Work, class Done>
io::Awaitable<void> Operations::run(OpId op, Control control, Work work, Done done)
{
    auto bound = [control = std::move(control), work = std::move(work)] { return work(*control); };
    const auto outcome = co_await offload_.run(std::move(bound));
    if (outcome.has_error()) {
        post_(failed(op, outcome.error()));
    } else {
        post_(done(outcome));
    }
}

void Operations::start(const StopReceiver& order)
{
    auto work = [uuid = data_.cluster_uuid](ServerControl& control) -> Outcome<Held> {
        const auto stopped = control.stop_receiver(Clock::now() + quick);
        if (stopped.has_error()) return stopped.error();
        return held_by(control, uuid);
    };
    auto done = [op = order.op](const Outcome<Held>& held) {
        return ReceiverStopped{op, held->position, held->marker, held->lags, held->neither_runs};
    };
    tasks_.spawn(run(order.op, control_, std::move(work), std::move(done)));
}

void Operations::start(const MakeAccounts& order)
{
    auto work = [accounts = order.accounts](ServerControl& control) {
        return control.make_accounts(accounts, Clock::now() + shared);
    };
    auto done = [op = order.op](const Outcome<void>&) { return AccountsMade{op}; };
    tasks_.spawn(run(order.op, control_, std::move(work), std::move(done)));
}

void Operations::start(const OpenServer& order)
{
    auto work = [async = order.async](ServerControl& control) {
        return control.open(async, Clock::now() + quick);
    };
    auto done = [op = order.op](const Outcome<void>&) { return ServerOpened{op}; };
    tasks_.spawn(run(order.op, control_, work, std::move(done)));
}

void Operations::start(const ChangeAcknowledgers& order)
{
    auto work = [order](ServerControl& control) -> Outcome<std::string> {
        const auto made = control.make_accounts(order.accounts, Clock::now() + shared);
        if (made.has_error()) return made.error();
        return control.set_acks(order.acks, Clock::now() + quick);
    };
    auto done = [op = order.op](const Outcome<std::string>& position) {
        return AcknowledgersChanged{op, *position};
    };
    tasks_.spawn(run(order.op, control_, std::move(work), std::move(done)));
}

void Operations::start(const BarAccount& order)
{
    auto work = [order, uuid = data_.cluster_uuid](ServerControl& control) -> Outcome<Held> {
        const auto locked = control.lock_account(order.user, Clock::now() + quick);
        if (locked.has_error()) return locked.error();
        return held_by(control, uuid);
    };
    auto done = [op = order.op](const Outcome<Held>& held) {
        return AccountBarred{op, held->position};
    };
    tasks_.spawn(run(order.op, control_, std::move(work), std::move(done)));
}

void Operations::start(const ShutServer& order)
{
    auto work = [uuid = data_.cluster_uuid](ServerControl& control) -> Outcome<Held> {
        const auto shut = control.shut(Clock::now() + shut_max);
        if (shut.has_error()) return shut.error();
        return held_by(control, uuid);
    };
    auto done = [op = order.op](const Outcome<Held>& held) {
        return ServerShut{op, held->position};
    };
    tasks_.spawn(run(order.op, control_, std::move(work), std::move(done)));
}

void Operations::start(const PromoteServer& order)
{
    tasks_.spawn(promote(order, control_));
}

void Operations::start(const FollowPrimary& order)
{
    tasks_.spawn(follow(order, control_));
}

void Operations::abandon(OpId op)
{
    abandoned_ = op;
}

void Operations::push()
{
    tasks_.spawn(push_with(control_));
}

io::Awaitable<void> Operations::push_with(Control control)
{
    auto work = [control = std::move(control)] { return control->push(Clock::now() + quick); };
    const Outcome<void> outcome = co_await offload_.run(std::move(work));
    if (outcome.has_error()) post_(PushFailed{outcome.error().text});
}

/// Whether all that was received is applied; else OpFailed has been posted. One that needs longer
/// goes on applying, and may be asked again.
io::Awaitable<bool> Operations::applied(OpId op, Control control)
{
    const TimePoint give_up = Clock::now() + apply_max;
    for (;;) {
        auto work = [control] { return control->apply_received(Clock::now() + apply_step); };
        const Outcome<void> outcome = co_await offload_.run(std::move(work));
        if (abandoned_ == op) {
            post_(OpFailed{op, control::Refused::Reason::busy, "given up for a newer order"});
            co_return false;
        }
        if (outcome.has_value()) co_return true;
        if (outcome.error().code != ControlErrc::not_applied) {
            post_(failed(op, outcome.error()));
            co_return false;
        }
        if (Clock::now() >= give_up) {
            post_(OpFailed{op, control::Refused::Reason::busy, outcome.error().text});
            co_return false;
        }
    }
}

io::Awaitable<void> Operations::promote(PromoteServer order, Control control)
{
    const bool ready = co_await applied(order.op, control);
    if (!ready) co_return;
    post_(PromotionBegun{order.op});
    PromoteOrder promotion;
    promotion.epoch = static_cast<std::uint64_t>(order.epoch);
    promotion.position = order.position;
    promotion.acks = order.acks;
    promotion.cluster_uuid = data_.cluster_uuid;
    promotion.server_id = data_.server_id;
    promotion.replicas = std::move(order.replicas);
    auto work = [promotion = std::move(promotion)](ServerControl& server) {
        return server.promote(promotion, Clock::now() + thorough);
    };
    auto done = [op = order.op](const Outcome<std::string>& position) {
        return ServerPromoted{op, *position};
    };
    auto rest = run(order.op, std::move(control), std::move(work), std::move(done));
    co_await std::move(rest);
}

io::Awaitable<void> Operations::follow(FollowPrimary order, Control control)
{
    const bool ready = co_await applied(order.op, control);
    if (!ready) co_return;
    FollowOrder following;
    following.host = order.follow.host;
    following.port = order.follow.port;
    following.account = order.follow.account;
    following.acknowledge = order.follow.acknowledge;
    following.epoch = static_cast<std::uint64_t>(order.follow.epoch);
    following.position = order.follow.position;
    auto work = [following = std::move(following)](ServerControl& server) {
        return server.follow(following, Clock::now() + thorough);
    };
    auto done = [op = order.op](const Outcome<void>&) { return PrimaryFollowed{op}; };
    auto rest = run(order.op, std::move(control), std::move(work), std::move(done));
    co_await std::move(rest);
}

}  // namespace mysos::executor
