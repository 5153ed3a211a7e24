#include "common/publish/publish.hpp"

#include "common/base/overload.hpp"
#include "common/publish/tree.hpp"

#include <algorithm>
#include <utility>

namespace mysos::publish {
namespace {

using Why = Ignored::Why;

Effects read(State& state)
{
    state.look_again = false;
    state.phase = Reading{++state.serial};
    return {ReadTree{state.serial}};
}

Effects done(const State& state)
{
    if (std::holds_alternative<RemovalWanted>(state.goal)) return {ReportRemoved{}};
    return {ReportPublished{std::get<Wanted>(state.goal).master}};
}

/// From a tree that is known to the goal, which is there.
Effects reconcile(State& state, const Config& config, Tree tree)
{
    const auto* wanted = std::get_if<Wanted>(&state.goal);
    const auto nodes = wanted == nullptr ? std::map<std::string, std::string>{} : nodes_of(*wanted);
    std::vector<Operation> operations = difference(tree, nodes);
    if (operations.empty()) {
        state.phase = Equal{std::move(tree)};
        state.retry = config.retry_min;
        return done(state);
    }
    state.phase = Applying{++state.serial, applied(std::move(tree), operations)};
    return {Apply{state.serial, std::move(operations)}};
}

/// The goal has changed: what is under way is finished first, then compared with it.
Effects pursue(State& state, const Config& config)
{
    if (std::holds_alternative<Unread>(state.phase)) return read(state);
    if (auto* equal = std::get_if<Equal>(&state.phase)) {
        return reconcile(state, config, std::move(equal->tree));
    }
    return {};
}

Effects on(State& state, const Config& config, const WantedChanged& changed, TimePoint)
{
    if (std::holds_alternative<RemovalWanted>(state.goal)) return {Ignored{Why::being_removed}};
    const auto* wanted = std::get_if<Wanted>(&state.goal);
    if (wanted != nullptr && *wanted == changed.wanted) return {Ignored{Why::already_so}};
    state.goal = changed.wanted;
    return pursue(state, config);
}

Effects on(State& state, const Config& config, const RemovalWanted& removal, TimePoint)
{
    if (std::holds_alternative<RemovalWanted>(state.goal)) return {Ignored{Why::already_so}};
    state.goal = removal;
    return pursue(state, config);
}

Effects on(State& state, const Config& config, const TreeRead& found, TimePoint)
{
    const auto* reading = std::get_if<Reading>(&state.phase);
    if (reading == nullptr || reading->serial != found.serial) return {Ignored{Why::not_asked}};
    if (state.look_again) return read(state);
    return reconcile(state, config, found.tree);
}

Effects on(State& state, const Config& config, const Applied& applied, TimePoint)
{
    auto* applying = std::get_if<Applying>(&state.phase);
    if (applying == nullptr || applying->serial != applied.serial) {
        return {Ignored{Why::not_asked}};
    }
    if (state.look_again) return read(state);
    return reconcile(state, config, std::move(applying->then));
}

Effects on(State& state, const Config& config, const Failed& failed, TimePoint now)
{
    const bool awaited = std::visit(
        Overload{
            [&](const Reading& reading) { return reading.serial == failed.serial; },
            [&](const Applying& applying) { return applying.serial == failed.serial; },
            [](const auto&) { return false; }},
        state.phase);
    if (!awaited) return {Ignored{Why::not_asked}};
    const Duration pause = std::clamp(state.retry, config.retry_min, config.retry_max);
    state.phase = Waiting{now + pause};
    state.retry = pause > config.retry_max / 2 ? config.retry_max : pause * 2;
    return {};
}

Effects on(State& state, const Config&, const SessionRenewed&, TimePoint)
{
    if (std::holds_alternative<std::monostate>(state.goal)) return {Ignored{Why::nothing_wanted}};
    const bool is_busy = std::holds_alternative<Reading>(state.phase) ||
                         std::holds_alternative<Applying>(state.phase);
    if (!is_busy) return read(state);
    state.look_again = true;
    return {};
}

Effects on(State& state, const Config&, const DeadlinePassed&, TimePoint now)
{
    const auto* waiting = std::get_if<Waiting>(&state.phase);
    if (waiting == nullptr) return {Ignored{Why::not_asked}};
    if (now < waiting->until) return {Ignored{Why::too_early}};
    return read(state);
}

}  // namespace

Effects step(State& state, const Config& config, const Input& input, TimePoint now)
{
    return std::visit([&](const auto& in) { return on(state, config, in, now); }, input);
}

std::optional<TimePoint> next_deadline(const State& state)
{
    const auto* waiting = std::get_if<Waiting>(&state.phase);
    return waiting == nullptr ? std::nullopt : std::optional{waiting->until};
}

}  // namespace mysos::publish
