#include "common/base/expects.hpp"
#include "common/wire/state.hpp"
#include "test/sim/scheduler_world.hpp"

#include <algorithm>

// What the scheduler's effects do to the simulated world, and what they must never do.
namespace mysos::sim {

void World::carry_out(const scheduler::SaveFramework& effect)
{
    const auto before = wire::decode_framework(stored_framework_);
    expects(before->framework_id.empty() || before->framework_id == effect.record.framework_id);
    stored_framework_ = wire::encode_framework(effect.record);
}

void World::carry_out(const scheduler::SaveCluster& effect)
{
    // A name is stored before its record, so that no record is ever lost sight of.
    const auto framework = wire::decode_framework(stored_framework_);
    expects(framework->clusters.contains(effect.record.name));
    const auto before = stored_clusters_.find(effect.record.name);
    if (before != stored_clusters_.end()) {
        expects(stored(effect.record.name).epoch <= effect.record.epoch);
    }
    stored_clusters_[effect.record.name] = wire::encode_cluster(effect.record);
}

void World::carry_out(const scheduler::RemoveCluster& effect)
{
    expects(!trees_.contains(effect.name));  // The tree goes before the record.
    const auto framework = wire::decode_framework(stored_framework_);
    for (const auto& [id, member] : stored(effect.name).members) {
        if (member.persistence_id.empty()) continue;
        expects(
            std::ranges::count(
                framework->retired_volumes,
                member.persistence_id,
                &cluster::RetiredVolume::persistence_id) == 1);
    }
    stored_clusters_.erase(effect.name);
}

void World::carry_out(const scheduler::SendCall& effect)
{
    if (const auto* accept = std::get_if<mesos::Accept>(&effect.call)) {
        const auto framework = wire::decode_framework(stored_framework_);
        for (const mesos::Operation& operation : accept->operations) {
            const auto* destroy = std::get_if<mesos::Destroy>(&operation);
            if (destroy == nullptr) continue;
            for (const mesos::Resource& volume : destroy->volumes) {
                // Only what is recorded as retired is ever destroyed.
                expects(
                    std::ranges::count(
                        framework->retired_volumes,
                        volume.persistence->id,
                        &cluster::RetiredVolume::persistence_id) == 1);
                disks_.erase(volume.persistence->id);
            }
        }
    }
    if (const auto* acknowledge = std::get_if<mesos::Acknowledge>(&effect.call)) {
        // The end of a task is acknowledged after it is stored.
        const FakeAgent* agent = mesos_.agent_of(acknowledge->task_id);
        if (agent != nullptr) {
            const FakeTask& task = agent->tasks.at(acknowledge->task_id);
            const bool is_end = !task.updates.empty() &&
                                task.updates.front().uuid == acknowledge->uuid &&
                                is_terminal(task.updates.front().state);
            for (const auto& [name, bytes] : stored_clusters_) {
                for (const auto& [id, member] : stored(name).members) {
                    if (member.task_id == acknowledge->task_id && is_end) expects(!member.launched);
                }
            }
        }
    }
    if (const auto* accept = std::get_if<mesos::AcceptInverse>(&effect.call)) {
        for (const mesos::AgentId& agent : mesos_.accept_inverse(*accept, now_)) {
            agent_released(agent);
        }
    }
    mesos_.receive(effect.call);
}

void World::carry_out(const scheduler::AcceptOffer& effect)
{
    // The record knows of the task before Mesos does, and no task id is used twice.
    const cluster::Member member = stored(effect.data.cluster).members.at(effect.data.member);
    expects(member.launched && member.task_id == effect.data.task_id);
    expects(!mesos_.ever_launched().contains(effect.data.task_id));
    expects(std::holds_alternative<mesos::Launch>(effect.accept.operations.back()));
    expects(std::get<mesos::Launch>(effect.accept.operations.back()).task.data.empty());
    mesos_.receive(effect.accept);
}

void World::carry_out(const scheduler::AcceptStream& effect)
{
    FakeMember* member = on_stream(effect.stream.stream);
    if (member == nullptr) return;
    expects(member->cluster == effect.cluster && member->id == effect.stream.member);
    member->stream_accepted = true;
    expects(!member->obey(effect.stream.welcome));
}

void World::carry_out(const scheduler::RefuseStream& effect)
{
    FakeMember* member = on_stream(effect.stream.stream);
    if (member != nullptr) member->stream.reset();
}

void World::carry_out(const scheduler::CloseStream& effect)
{
    FakeMember* member = on_stream(effect.stream);
    if (member == nullptr) return;
    member->stream.reset();
    member->stream_accepted = false;
}

void World::carry_out(const scheduler::SendOrder& effect)
{
    FakeMember* member = on_stream(effect.order.stream);
    if (member == nullptr) return;
    const auto answer = member->obey(effect.order.order);
    if (answer) inbox_.emplace_back(scheduler::StreamSaid{effect.order.stream, *answer});
}

void World::carry_out(const scheduler::ReadTree& effect)
{
    const auto tree = trees_.find(effect.cluster);
    publish::TreeRead read{effect.read.serial, {}};
    if (tree != trees_.end()) read.tree = tree->second;
    inbox_.emplace_back(scheduler::TreeAnswered{effect.cluster, read});
}

void World::carry_out(const scheduler::ApplyTree& effect)
{
    if (tree_failure_ != 0 && random_.one_in(tree_failure_)) {
        inbox_.emplace_back(
            scheduler::TreeAnswered{effect.cluster, publish::Failed{effect.apply.serial}});
        return;
    }
    publish::Tree& tree = trees_[effect.cluster];
    for (const publish::Operation& operation : effect.apply.operations) {
        if (const auto* create = std::get_if<publish::Create>(&operation)) {
            expects(tree.emplace(create->path, publish::Node{create->data, 0}).second);
        } else if (const auto* remove = std::get_if<publish::Remove>(&operation)) {
            expects(tree.at(remove->path).version == remove->version);
            tree.erase(remove->path);
        } else {
            const auto& write = std::get<publish::Write>(operation);
            publish::Node& node = tree.at(write.path);
            expects(node.version == write.version);
            node = {write.data, node.version + 1};
        }
    }
    if (tree.empty()) trees_.erase(effect.cluster);
    inbox_.emplace_back(
        scheduler::TreeAnswered{effect.cluster, publish::Applied{effect.apply.serial}});
}

void World::carry_out(const scheduler::Reply& effect)
{
    answers_.push_back(effect.answer);
}

void World::carry_out(const scheduler::Report& effect)
{
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch()).count();
    log_.push_back(
        std::to_string(ms) + ' ' + effect.cluster + ' ' +
        std::to_string(static_cast<std::uint32_t>(effect.report.member)) + ' ' +
        effect.report.text);
    if (log_.size() > 200) log_.pop_front();
}

void World::carry_out(const scheduler::Stop&)
{
    expects(false);
}

void World::carry_out(const scheduler::Ignored&) {}

}  // namespace mysos::sim
