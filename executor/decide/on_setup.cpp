#include "executor/decide/rebuild.hpp"

#include <utility>

/// From the volume to a data directory that a server can be started on.
namespace mysos::executor {
namespace {

std::string id_text(MemberId member)
{
    return std::to_string(static_cast<std::uint32_t>(member));
}

std::string describe(const Identity& identity)
{
    return "server " + id_text(identity.member) + " of cluster '" + identity.cluster + "' (" +
           identity.cluster_uuid + ")";
}

/// Why the volume must not be touched; empty: it may.
std::string objection(const Volume& volume, const Identity& ours)
{
    if (!volume.identity) {
        return volume.has_data ? "the volume holds a data directory that nobody has signed" : "";
    }
    const Identity& theirs = *volume.identity;
    if (theirs.cluster_uuid == ours.cluster_uuid && theirs.member == ours.member) return "";
    return "the volume belongs to " + describe(theirs) + ", this task is " + describe(ours);
}

}  // namespace

void on(Step& step, const VolumeInspected& in)
{
    State& state = step.state;
    if (!is_in<Inspecting>(state)) return step.ignore("nothing was being inspected");
    const wire::TaskData& data = state.task->data;
    const Identity ours{data.cluster, data.cluster_uuid, MemberId{data.server_id}};
    const Volume& volume = in.volume;
    if (std::string why = objection(volume, ours); !why.empty()) return fail(step, std::move(why));

    state.boot_id = volume.boot_id;
    state.has_data = volume.has_data;
    state.errant = volume.errant;
    // Data without a readable epoch: what it promised is not known. It may only follow.
    state.epoch_unreadable = volume.has_data && !volume.record;
    state.record = volume.record.value_or(EpochRecord{});
    const bool rebooted = volume.record && volume.record->boot_id != volume.boot_id;
    const Role role = state.record.role;
    const bool lost_by_reboot = rebooted && (role == Role::replica || role == Role::candidate);
    state.forgot = volume.has_data && (forgets(state, role) || lost_by_reboot);

    if (!volume.identity) step.order(ClaimVolume{ours});
    state.owns_volume = true;
    if (state.token) step.order(SaveToken{*std::exchange(state.token, {})});
    if (!state.epoch_unreadable) {
        EpochRecord record = state.record;
        record.amnesiac = is_amnesiac(state);
        record.boot_id = state.boot_id;
        if (record != volume.record) save(step, record);
    }
    state.phase = Installing{};
    step.order(InstallServer{});
}

void on(Step& step, const SetupFailed& in)
{
    if (!is_in<Inspecting>(step.state) && !is_in<Installing>(step.state) &&
        !is_in<Initialising>(step.state)) {
        return step.ignore("no setup under way");
    }
    fail(step, in.why);
}

void on(Step& step, const InstallProgressed& in)
{
    auto* installing = in_phase<Installing>(step.state);
    if (installing == nullptr) return step.ignore("no installation under way");
    installing->step = in.step;
    installing->percent = in.percent;
}

void on(Step& step, const Installed& in)
{
    State& state = step.state;
    if (!is_in<Installing>(state)) return step.ignore("no installation under way");
    state.server.seen.server_version = in.server_version;
    if (latest(state).role == Role::rebuilding) {
        state.phase = Rebuilding{};
        return;
    }
    if (!state.has_data) {
        state.phase = Initialising{};
        return step.order(InitialiseData{});
    }
    if (state.record.role == Role::primary || state.record.role == Role::candidate) {
        // Started now it would keep for good what nobody acknowledged.
        state.phase =
            Crashed{"was the primary when it last ran; waits for orders with its data untouched"};
        return;
    }
    start_server(step, StartMode::fenced);
}

void on(Step& step, const DataInitialised&)
{
    State& state = step.state;
    if (!is_in<Initialising>(state)) return step.ignore("no initialisation under way");
    state.has_data = true;
    state.made_data = true;
    start_server(step, StartMode::fenced);
}

}  // namespace mysos::executor
