#include "scheduler/decide/scheduler.hpp"

#include "common/cluster/cluster.hpp"
#include "scheduler/decide/stepping.hpp"

#include <algorithm>

namespace mysos::scheduler {
namespace {

/// Retired volumes old enough to be destroyed, and when the next one will be.
void find_due(Stepping& step)
{
    State& state = step.state;
    state.due.clear();
    state.next_due_at.reset();
    const auto age_min =
        std::chrono::duration_cast<std::chrono::milliseconds>(step.config.retire_after).count();
    for (const cluster::RetiredVolume& volume : state.framework.retired_volumes) {
        const std::int64_t wait_ms = volume.retired_at_unix_ms + age_min - step.unix_ms();
        if (wait_ms <= 0) {
            state.due.insert(volume.persistence_id);
            continue;
        }
        const TimePoint at = step.now + std::chrono::milliseconds{wait_ms};
        state.next_due_at = state.next_due_at ? std::min(*state.next_due_at, at) : at;
    }
}

}  // namespace

void Stepping::call(mesos::Call call)
{
    // What matters is repeated: kills by us, statuses by the agents, questions upon subscription.
    if (is_subscribed()) act(SendCall{std::move(call)});
}

void Stepping::report(cluster::Report::Level level, std::string text)
{
    act(Report{{}, {level, MemberId{}, std::move(text)}});
}

std::int64_t Stepping::unix_ms() const
{
    const auto since =
        std::chrono::duration_cast<std::chrono::milliseconds>(now - state.recovered_at);
    return state.unix_ms_at_recovery + since.count();
}

TimePoint Stepping::at_unix_ms(std::int64_t unix_ms) const
{
    return state.recovered_at + std::chrono::milliseconds{unix_ms - state.unix_ms_at_recovery};
}

void tell_reconcile(Stepping& step, const mesos::reconcile::Input& input)
{
    auto calls =
        mesos::reconcile::step(step.state.reconcile, step.config.reconcile, input, step.now);
    for (mesos::Reconcile& call : calls) step.call(std::move(call));
}

std::vector<mesos::ReconcileTask> live_tasks(const State& state, TimePoint now)
{
    std::vector<mesos::ReconcileTask> result;
    for (const auto& [name, one] : state.clusters) {
        const std::vector<mesos::ReconcileTask> more = cluster::live_tasks(one, now);
        result.insert(result.end(), more.begin(), more.end());
    }
    return result;
}

void settle(Stepping& step)
{
    State& state = step.state;
    const bool is_one_due = state.next_due_at && *state.next_due_at <= step.now;
    if (step.is_framework_changed || is_one_due) find_due(step);
    step.is_framework_changed = false;
    const bool wants_more = state.agenda.take_wants_more();
    if (!step.is_subscribed()) return;
    release_agents(step);

    const bool wants_none = !state.agenda.is_anybody_wanting() && state.due.empty();
    if (wants_none) {
        if (state.suppressed != true) step.call(mesos::Suppress{});
    } else if (state.suppressed != false || wants_more) {
        // Not only after SUPPRESS: what was declined for the others is now looked at again.
        step.call(mesos::Revive{});
    }
    state.suppressed = wants_none;
}

void on(Stepping& step, const Recovered& in)
{
    State& state = step.state;
    if (state.recovered) {
        step.ignore("recovered already");
        return;
    }
    state.recovered = true;
    state.framework = in.framework;
    state.unix_ms_at_recovery = in.unix_now_ms;
    state.recovered_at = step.now;
    find_due(step);

    std::set<std::string> names;
    for (const cluster::Record& record : in.clusters) {
        names.insert(record.name);
        state.clusters.emplace(record.name, cluster::restored(record));
    }
    state.primaries = count_primaries(state);
    if (names != state.framework.clusters) {
        // A name without a record: its creation was not finished and not answered, or its deletion
        // was all but finished.
        state.framework.clusters = names;
        step.save_framework();
    }
    for (const std::string& name : names) tell_cluster(step, name, cluster::Started{});
    step.report(
        cluster::Report::Level::info, "recovered " + std::to_string(names.size()) + " clusters");
}

void on(Stepping& step, const DeadlinePassed&)
{
    State& state = step.state;
    go_on_with_maintenance(step);
    for (const std::string& name : state.agenda.due(step.now)) {
        tell_cluster(step, name, cluster::DeadlinePassed{});
    }

    const auto reconcile_at = mesos::reconcile::next_deadline(state.reconcile);
    if (reconcile_at && *reconcile_at <= step.now) {
        tell_reconcile(step, mesos::reconcile::DeadlinePassed{live_tasks(state, step.now)});
    }
}

Effects step(State& state, const Config& config, const Input& input, TimePoint now)
{
    Stepping stepping{state, config, now};
    std::visit([&stepping](const auto& in) { on(stepping, in); }, input);
    settle(stepping);
    return stepping.finish();
}

std::optional<TimePoint> next_deadline(const State& state)
{
    std::optional<TimePoint> first = mesos::reconcile::next_deadline(state.reconcile);
    const auto consider = [&first](const std::optional<TimePoint>& at) {
        if (at) first = first ? std::min(*first, *at) : *at;
    };
    consider(state.next_due_at);
    consider(maintenance_deadline(state));
    consider(state.agenda.first());
    return first;
}

mesos::Subscribe subscription(const State& state, const Config& config)
{
    const bool wants_none = !state.agenda.is_anybody_wanting() && state.due.empty();
    return {config.framework, state.framework.framework_id, wants_none};
}

}  // namespace mysos::scheduler
