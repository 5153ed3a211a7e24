#include "common/cluster/names.hpp"
#include "common/cluster/places.hpp"
#include "common/cluster/stepping.hpp"
#include "common/placement/placement.hpp"
#include "common/volume/volume.hpp"

#include <algorithm>
#include <utility>

namespace mysos::cluster {
namespace {

/// A machine may come back under another id, its old tasks unreachable for ever. A volume that is
/// offered proves that no task uses it any more.
void find_stranded(Stepping& step, const mesos::Offer& offer)
{
    for (auto& [id, member] : step.record().members) {
        const bool is_unreachable =
            member.launched && step.seen(id).task == mesos::TaskState::unreachable;
        if (!is_unreachable ||
            volume::trace(offer, member.persistence_id) != volume::Trace::volume) {
            continue;
        }
        end_task(step, id, mesos::TaskState::unreachable, "its volume is offered without it");
    }
}

/// Which member the offer is for: one whose volume or reservations it holds before a fresh one.
std::optional<MemberId> choose(Stepping& step, const OfferArrived& in)
{
    const std::set<MemberId> wanting = wanting_offers(step.state, step.now);
    for (const MemberId id : wanting) {
        const Member& member = step.member(id);
        if (member.launched) continue;
        if (volume::trace(in.offer, member.persistence_id) == volume::Trace::none) continue;
        if (member.volume_created) return id;
        if (!in.closing && suits(step.state, step.config, id, in)) return id;
    }
    if (in.closing) return std::nullopt;
    for (const MemberId id : wanting) {
        const Member& member = step.member(id);
        if (member.launched || member.volume_created) continue;
        if (suits(step.state, step.config, id, in)) return id;
    }
    return std::nullopt;
}

/// The volume to use there. An attempt on another agent may have left one behind that nobody needs:
/// that one is retired, as one id must never stand for two volumes.
mesos::PersistenceId volume_for(Stepping& step, MemberId id, const mesos::Offer& offer)
{
    const Member& member = step.member(id);
    const bool is_first = member.persistence_id.empty();
    const bool moves = !is_first && !member.volume_created && member.agent_id != offer.agent_id &&
                       volume::trace(offer, member.persistence_id) == volume::Trace::none;
    if (!is_first && !moves) return member.persistence_id;
    return persistence_id(step.record(), id, step.record().task_serial + 1);
}

volume::Want want(Stepping& step, MemberId id, const OfferArrived& in)
{
    const mesos::Offer& offer = in.offer;
    const Member& member = step.member(id);
    const MemberState& seen = step.seen(id);
    volume::Want result;
    result.id = volume_for(step, id, offer);
    result.need = need(step.record());
    result.role = step.config.role;
    result.unreserved = step.config.unreserved;
    result.principal = step.config.principal;
    result.port = member.port;
    result.peer_port = member.peer_port;
    result.taken_ports = in.taken_ports;
    result.has_data = member.volume_created;
    result.top_up = seen.partial_since && step.now - *seen.partial_since >= step.config.partial_max;
    return result;
}

mesos::Labels labels(const Record& record, MemberId id)
{
    return {
        {"mysos.cluster", record.name},
        {"mysos.server_id", to_text(id)},
        {"mysos.flavor", record.flavor}};
}

mesos::Task task(Stepping& step, MemberId id, const volume::Plan& plan)
{
    const Record& record = step.record();
    const Member& member = step.member(id);
    mesos::Task result;
    result.id = member.task_id;
    result.name = "mysos-" + record.name + '-' + to_text(id);
    result.agent_id = member.agent_id;
    result.resources = plan.task;
    result.labels = labels(record, id);
    result.kill_grace = step.config.kill_grace;
    result.discovery.name = record.name;
    result.discovery.ports = {{member.port, "mysql"}, {member.peer_port, "peer"}};
    result.discovery.labels = labels(record, id);
    result.executor.id.text = member.task_id.text;
    result.executor.name = "mysos.executor";
    result.executor.source = step.config.source_prefix + '.' + record.name + '.' + to_text(id);
    result.executor.command = step.config.executor_command;
    result.executor.resources = plan.executor;
    result.executor.labels = labels(record, id);
    result.executor.shutdown_grace = step.config.kill_grace + std::chrono::seconds{10};
    return result;
}

LaunchData launch_data(const Record& record, MemberId id)
{
    const Member& member = record.members.at(id);
    return {
        record.name,
        record.uuid,
        id,
        member.task_id,
        record.flavor,
        member.hostname,
        member.ip,
        member.port,
        member.peer_port,
        record.size.mem_mb - volume::executor_share.mem_mb,
        record.size.disk_mb - volume::executor_share.disk_mb,
        record.durability == Durability::async};
}

void launch(
    Stepping& step,
    MemberId id,
    const mesos::Offer& offer,
    const mesos::PersistenceId& volume_id,
    volume::Plan plan)
{
    Record& record = step.record();
    Member& member = step.member(id);
    const mesos::PersistenceId old_volume = member.persistence_id;
    const mesos::AgentId old_agent = member.agent_id;
    ++record.task_serial;
    member.task_id = task_id(record, id, record.task_serial);
    member.agent_id = offer.agent_id;
    member.hostname = offer.hostname;
    placement::Place place = place_of(offer, record.constraints);
    member.region = std::move(place.region);
    member.zone = std::move(place.zone);
    member.attributes = std::move(place.attributes);
    member.ip = offer.ip.empty() ? offer.hostname : offer.ip;
    member.port = plan.port;
    member.peer_port = plan.peer_port;
    member.persistence_id = volume_id;
    member.launched = true;
    member.token_exchanged = false;
    step.changed();
    // Only now that the record no longer names it may it be given up.
    if (!old_volume.empty() && old_volume != volume_id) step.act(Retire{{old_volume}, {old_agent}});

    MemberState& seen = step.seen(id);
    seen = {};
    seen.launched_at = step.now;
    seen.heard_at = step.now;
    step.report(Report::Level::info, id, "launched on " + offer.hostname);

    mesos::Accept accept{{offer.id}, std::move(plan.operations), step.config.refuse};
    accept.operations.emplace_back(mesos::Launch{task(step, id, plan)});
    step.act(AcceptOffer{std::move(accept), launch_data(record, id)});
}

}  // namespace

void on(Stepping& step, const OfferArrived& in)
{
    const mesos::Offer& offer = in.offer;
    find_stranded(step, offer);
    if (wanting_offers(step.state, step.now).empty()) {
        step.ignore("no member wants an offer");
        return;
    }
    step.state.offered.insert_or_assign(
        offer.agent_id,
        placement::Offered{
            placement::available(offer, step.config.role, step.config.unreserved),
            place_of(offer, constraints_in_force(step.state)),
            in.closing});
    const std::optional<MemberId> id = choose(step, in);
    if (!id) {
        step.ignore("the offer suits no member");
        return;
    }
    const volume::Want wanted = want(step, *id, in);
    std::variant<volume::Plan, volume::Unfit> planned = volume::plan(offer, wanted);
    if (auto* plan = std::get_if<volume::Plan>(&planned)) {
        launch(step, *id, offer, wanted.id, std::move(*plan));
        return;
    }
    MemberState& seen = step.seen(*id);
    const bool is_partial = std::get<volume::Unfit>(planned).why == volume::Unfit::Why::partial;
    if (is_partial && !seen.partial_since) seen.partial_since = step.now;
    step.ignore("the offer is too small for the member");
}

placement::Amounts need(const Record& record)
{
    return {record.size.milli_cpus, record.size.mem_mb, record.size.disk_mb, 2};
}

std::set<MemberId> wanting_offers(const State& state, TimePoint now)
{
    std::set<MemberId> result;
    for (const auto& [id, member] : state.record.members) {
        const MemberState& seen = state.members.at(id);
        if (member.launched) {
            if (seen.task == mesos::TaskState::unreachable) result.insert(id);
            continue;
        }
        if (state.record.deleting || seen.going) continue;
        if (seen.launch_not_before && *seen.launch_not_before > now) continue;
        result.insert(id);
    }
    return result;
}

std::string waits_for(const State& state, MemberId member, TimePoint now)
{
    const auto found = state.record.members.find(member);
    if (found == state.record.members.end() || state.record.deleting) return {};
    const Member& recorded = found->second;
    const MemberState& seen = state.members.at(member);
    if (recorded.launched) {
        if (seen.task == mesos::TaskState::unreachable) return "its agent to come back";
        return seen.moving
                   ? "another member to take its place: maintenance is planned for its agent"
                   : "";
    }
    if (seen.launch_not_before && *seen.launch_not_before > now) {
        const auto pause =
            std::chrono::ceil<std::chrono::seconds>(*seen.launch_not_before - now).count();
        return "launched again in " + std::to_string(pause) + " s, after " +
               std::to_string(recorded.failures) + " failures in a row";
    }
    if (recorded.volume_created) {
        if (seen.partial_since) return "the rest of what is reserved beside its volume";
        return "its volume, on agent " + recorded.agent_id.text + ", to be offered";
    }
    return explain_placement(state, member);
}

std::vector<mesos::ReconcileTask> live_tasks(const State& state, TimePoint now)
{
    // A master that has not yet carried out the ACCEPT would say that it knows no such task.
    constexpr Duration on_its_way = std::chrono::seconds{15};
    std::vector<mesos::ReconcileTask> result;
    for (const auto& [id, member] : state.record.members) {
        if (!member.launched) continue;
        const MemberState& seen = state.members.at(id);
        const bool is_fresh = seen.launched_at && now - *seen.launched_at < on_its_way;
        if (is_fresh && !seen.task) continue;
        result.push_back({member.task_id, member.agent_id});
    }
    return result;
}

}  // namespace mysos::cluster
