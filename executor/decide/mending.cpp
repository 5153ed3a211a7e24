#include "executor/decide/parts.hpp"

/// The order to follow stands until another one comes: what a hand has changed on the server
/// meanwhile is put back.
namespace mysos::executor {
namespace {

using control::ReceiverState;

/// What keeps the server from replicating as ordered; empty: nothing does. A receiver that cannot
/// connect and a thread with an error are no work of a hand: whether to order again is for others.
std::string deviation(const control::Observation& seen, const control::Follow& follow)
{
    if (seen.receiver_state == ReceiverState::unknown) return {};  // It did not say.
    if (seen.writable) return "lets clients write";
    if (seen.source_host.empty()) return "follows nobody";
    if (seen.source_host != follow.host || seen.source_port != follow.port) {
        return "follows " + seen.source_host + ":" + std::to_string(seen.source_port);
    }
    const bool stopped = seen.receiver_state == ReceiverState::stopped;
    if (stopped && seen.receiver_error.value_or("").empty()) return "does not receive";
    if (!seen.applier_running && seen.applier_error == "") return "does not apply";
    return {};
}

}  // namespace

void mend(Step& step)
{
    State& state = step.state;
    auto* replica = in_phase<Replica>(state);
    if (replica == nullptr) return;
    const control::Observation& seen = state.server.seen;
    const std::string why = deviation(seen, replica->follow);
    if (why.empty()) {
        replica->mend_at.reset();
        return;
    }
    // A probe may tell of a time before the order was carried out.
    if (!replica->mend_at) replica->mend_at = step.now + step.config.mend_after;
    if (step.now < *replica->mend_at || state.operation || state.order) return;
    replica->mend_at.reset();
    step.order(
        Report{Report::Level::warning, "the server " + why + ", against its order: follows again"});
    // With neither thread running, MariaDB drops what it received as soon as one starts.
    if (seen.receiver_state == ReceiverState::stopped && !seen.applier_running) {
        note_forgotten(step);
    }
    const control::Follow follow = replica->follow;
    const OpId op = begin(step, follow);
    step.order(FollowPrimary{op, follow});
}

}  // namespace mysos::executor
