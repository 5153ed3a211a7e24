#include "common/cluster/names.hpp"
#include "common/cluster/orders.hpp"
#include "common/cluster/stepping.hpp"

#include <algorithm>
#include <tuple>

// A primary that has to go, and can still be asked: another one leads before it does.
namespace mysos::cluster {
namespace {

bool is_leaving(const State& state, MemberId id)
{
    const auto seen = state.members.find(id);
    return seen != state.members.end() && seen->second.stream && seen->second.observation &&
           seen->second.observation->leaving;
}

/// Whether it has to go: told to end, or its agent is to rest.
bool has_to_go(const State& state, MemberId id)
{
    return is_leaving(state, id) || is_closing(state, id);
}

/// Whether there is anybody to hand over to, now or later.
bool may_hand_over(const Record& record)
{
    return !record.deleting && record.electorate.size() > 1;
}

/// Whoever leaves and need not lead any longer, since another does or nobody else could.
void release(Stepping& step)
{
    for (auto& [id, seen] : step.state.members) {
        if (!is_leaving(step.state, id) || seen.released) continue;
        const bool leads = !is_led(step) || step.record().primary == id;
        if (leads && may_hand_over(step.record())) continue;
        seen.released = true;
        order(step, id, control::Stop{});
    }
}

/// Of those who could lead at once: who stays, the least behind, where the fewest primaries are.
std::optional<MemberId> choose_successor(const Stepping& step)
{
    const State& state = step.state;
    const auto cost = [&state](MemberId id) {
        const auto beside = state.primaries_beside.find(id);
        return std::tuple{
            is_closing(state, id),
            state.members.at(id).observation->lag_seconds.value_or(0),
            beside == state.primaries_beside.end() ? 0 : beside->second,
            id};
    };
    std::optional<MemberId> chosen;
    const bool is_urgent = is_leaving(state, state.record.primary);
    for (const MemberId id : state.record.electorate) {
        if (!objection(step, id).empty()) continue;
        if (is_closing(state, id) && !is_urgent) continue;  // It would be moved again.
        if (!chosen || cost(id) < cost(*chosen)) chosen = id;
    }
    return chosen;
}

}  // namespace

void note_hand_over(Stepping& step, bool worked)
{
    State& state = step.state;
    if (worked) {
        state.hand_over_at.reset();
        state.hand_over_pause = {};
        return;
    }
    state.hand_over_pause = std::clamp(
        state.hand_over_pause * 2,
        step.config.hand_over_pause_min,
        step.config.hand_over_pause_max);
    state.hand_over_at = step.now + state.hand_over_pause;
}

void hand_over(Stepping& step)
{
    State& state = step.state;
    if (state.hand_over_at && *state.hand_over_at <= step.now) state.hand_over_at.reset();
    release(step);
    const MemberId primary = step.record().primary;
    if (state.switchover || state.hand_over_at || !is_led(step)) return;
    if (!state.record.members.contains(primary) || !has_to_go(state, primary)) return;
    if (!may_hand_over(step.record())) return;
    const std::optional<MemberId> successor = choose_successor(step);
    if (!successor) return;  // Whoever can, tells so at least every second.
    step.report(
        Report::Level::info,
        *successor,
        "is to become the primary: member " + to_text(primary) +
            (is_leaving(state, primary) ? " was told to end" : "'s agent is to rest"));
    begin_switchover(step, 0, *successor);
}

}  // namespace mysos::cluster
