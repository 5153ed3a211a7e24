#include "test/sim/scheduler_world.hpp"

#include "common/base/expects.hpp"
#include "common/cluster/names.hpp"
#include "common/wire/state.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>

namespace mysos::sim {
namespace {

using control::Phase;

constexpr Duration tick_length = std::chrono::milliseconds{200};

mesos::Resources agent_resources()
{
    mesos::Resources resources{
        mesos::scalar("cpus", 4000),
        mesos::scalar("mem", mesos::whole(4096)),
        mesos::scalar("disk", mesos::whole(16384)),
        mesos::ports({{31000, 31099}})};
    for (mesos::Resource& resource : resources) resource.allocation_role = "mysos";
    return resources;
}

}  // namespace

World::World(std::uint64_t seed, std::size_t agents)
    : seed_{seed}, random_{seed}, mesos_{agents, agent_resources()}
{
    config_.framework.role = "mysos";
    cluster::FrameworkRecord nothing;
    stored_framework_ = wire::encode_framework(nothing);
    start_scheduler();
}

void World::start_scheduler()
{
    state_ = {};
    inbox_.clear();
    crashed_ = false;
    crash_after_ = 0;
    for (auto& [task, member] : members_) {
        member.stream.reset();
        member.stream_accepted = false;
    }
    mesos_.disconnect();
    scheduler::Recovered recovered;
    const auto framework = wire::decode_framework(stored_framework_);
    expects(framework.has_value());
    recovered.framework = *framework;
    for (const std::string& name : framework->clusters) {
        if (stored_clusters_.contains(name)) recovered.clusters.push_back(stored(name));
    }
    recovered.unix_now_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch()).count();
    log_.emplace_back("--- scheduler started");
    take(recovered);
}

void World::restart_scheduler()
{
    start_scheduler();
}

cluster::Record World::stored(const std::string& name) const
{
    const auto record = wire::decode_cluster(stored_clusters_.at(name));
    expects(record.has_value());
    return *record;
}

void World::create(const std::string& name, std::uint32_t num_nodes)
{
    scheduler::CreateRequested request;
    request.request = scheduler::RequestId{++serial_};
    request.form.name = name;
    request.form.cluster_user = "app";
    request.form.num_nodes = std::to_string(num_nodes);
    const std::string digits = std::to_string(100'000'000 + ++serial_);
    request.uuid = digits.substr(1) + "-0000-4000-8000-000000000000";
    take(request);
}

void World::remove(const std::string& name)
{
    take(scheduler::DeleteRequested{
        scheduler::RequestId{++serial_}, name, scheduler::Password::right});
}

void World::take(const scheduler::Input& input)
{
    perform(scheduler::step(state_, config_, input, now_));
}

void World::perform(const scheduler::Effects& effects)
{
    for (const scheduler::Effect& effect : effects) {
        if (crashed_) return;
        if (crash_after_ != 0 && --crash_after_ == 0) {
            crashed_ = true;
            return;
        }
        std::visit([this](const auto& one) { carry_out(one); }, effect);
    }
}

void World::tick(const Faults& faults)
{
    now_ += tick_length;
    ++ticks_;
    tree_failure_ = faults.tree_failure;
    inject(faults);
    if (ticks_ % 10 == 0) mesos_.tick();
    if (ticks_ % 5 == 0) {
        mesos_.make_offers();
        mesos_.make_inverse_offers(now_);
    }
    if (!mesos_.connected() && ticks_ % 7 == 0) {
        mesos_.subscribe(scheduler::subscription(state_, config_));
    }
    start_launched();
    end_killed();
    tick_members();

    // What came in the meantime, in some order; the process may end in the middle.
    std::deque<scheduler::Input> batch;
    std::swap(batch, inbox_);
    while (!mesos_.events().empty()) {
        const mesos::Event event = mesos_.events().front();
        mesos_.events().pop_front();
        take(scheduler::EventArrived{event});
        if (crashed_) break;
    }
    for (const scheduler::Input& input : batch) {
        if (crashed_) break;
        take(input);
    }
    const auto deadline = scheduler::next_deadline(state_);
    if (!crashed_ && deadline && *deadline <= now_) {
        take(scheduler::DeadlinePassed{});
        const auto next = scheduler::next_deadline(state_);
        expects(crashed_ || !next || *next > now_ || !inbox_.empty());  // Else it would spin.
    }
    if (crashed_) start_scheduler();
    check();
}

void World::inject(const Faults& faults)
{
    const auto happens = [this](std::uint64_t rate) { return rate != 0 && random_.one_in(rate); };
    if (happens(faults.scheduler_crash)) crash_after_ = 1 + random_.below(12);
    if (happens(faults.master_loss) && mesos_.connected()) {
        mesos_.disconnect();
        take(scheduler::MesosDisconnected{"lost"});
    }
    for (std::size_t i = 0; i < mesos_.agents().size(); ++i) {
        if (mesos_.agents()[i].reachable) {
            if (happens(faults.agent_loss)) mesos_.lose_agent(i);
        } else if (random_.one_in(50) || faults.agent_loss == 0) {
            mesos_.return_agent(i, random_.one_in(3));
        }
    }
    inject_maintenance(faults);
    FakeMember* member = random_member();
    if (member == nullptr) return;
    if (happens(faults.server_crash) && member->phase != Phase::start) member->crash();
    if (happens(faults.stream_loss) && member->stream) {
        inbox_.emplace_back(scheduler::StreamClosed{*member->stream});
        member->stream.reset();
        member->stream_accepted = false;
    }
    if (happens(faults.kill)) return kill_task(mesos::TaskId{member->task});
    if (happens(faults.task_failure)) {
        end_member(member->task, mesos::TaskState::failed, "fault");
    }
}

void World::inject_maintenance(const Faults& faults)
{
    const auto unix_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch()).count();
    for (const FakeAgent& agent : mesos_.agents()) {
        if (mesos_.maintenance().is_planned(agent.id)) {
            if (planned_.contains(agent.id)) continue;
            if (faults.maintenance == 0 || random_.one_in(400)) mesos_.end_maintenance(agent.id);
        } else if (faults.maintenance != 0 && random_.one_in(faults.maintenance)) {
            mesos_.plan_maintenance(agent.id, unix_ms + static_cast<int>(random_.below(60'000)));
        }
    }
}

void World::plan_maintenance(const mesos::AgentId& agent)
{
    const auto unix_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch()).count();
    mesos_.plan_maintenance(agent, unix_ms);
    planned_.insert(agent);
}

void World::end_maintenance(const mesos::AgentId& agent)
{
    planned_.erase(agent);
    mesos_.end_maintenance(agent);
}

void World::agent_released(const mesos::AgentId& agent)
{
    ++agents_released_;
    for (const auto& [task, member] : members_) {
        const FakeAgent* its = mesos_.agent_of(task);
        if (its == nullptr || its->id != agent || !state_.clusters.contains(member.cluster))
            continue;
        if (state_.clusters.at(member.cluster).record.deleting) continue;
        const bool leads = member.phase == Phase::primary && member.writable && can_commit(member);
        rule(!leads || member.leaving > 0, "the agent of a primary was given back");
    }
}

FakeMember* World::random_member()
{
    if (members_.empty()) return nullptr;
    auto found = members_.begin();
    std::advance(found, static_cast<std::ptrdiff_t>(random_.below(members_.size())));
    return &found->second;
}

void World::start_launched()
{
    for (const mesos::Task& task : mesos_.take_launched()) {
        ++launches_;
        const auto name = cluster::parse_name(task.id.text);
        expects(name.has_value());
        FakeMember member;
        member.cluster = name->cluster;
        member.id = name->member;
        member.task = task.id;
        member.port = task.discovery.ports.at(0).number;
        member.ip = mesos_.agent_of(task.id)->ip;
        mesos::PersistenceId volume;
        for (const mesos::Resource& resource : task.resources) {
            if (resource.persistence) volume = resource.persistence->id;
        }
        expects(!volume.empty());
        for (const auto& [other, id] : disk_of_) {
            expects(!members_.contains(other) || id != volume);  // One task a volume.
        }
        disk_of_[task.id] = volume;
        member.disk = disks_[volume];
        member.run = runs_ += 1'000;
        member.amnesiac = member.disk.sequence != 0 && !member.disk.was_primary;
        members_.emplace(task.id, std::move(member));
        mesos_.update(task.id, mesos::TaskState::starting, "starting");
    }
}

void World::end_killed()
{
    for (const mesos::TaskId& task : mesos_.take_killed()) kill_task(task);
}

void World::kill_task(const mesos::TaskId& task)
{
    constexpr int grace_ticks = 250;  // 50 s
    const auto found = members_.find(task);
    if (found == members_.end()) return;
    FakeMember& member = found->second;
    const bool leads = member.phase == Phase::primary && member.writable && member.stream_accepted;
    const bool is_orphan = mesos_.agent_of(task) == nullptr;  // Its agent came up without it.
    if (is_orphan || (!leads && member.leaving == 0)) {
        end_member(task, mesos::TaskState::killed, "killed");
    } else if (member.leaving == 0) {
        member.leaving = grace_ticks;
    }
}

void World::end_member(const mesos::TaskId& task, mesos::TaskState state, const std::string& why)
{
    const auto found = members_.find(task);
    if (found == members_.end()) return;
    FakeMember& member = found->second;
    disks_[disk_of_.at(task)] = member.disk;
    if (member.stream) inbox_.emplace_back(scheduler::StreamClosed{*member.stream});
    mesos_.update(task, state, why);
    members_.erase(task);
}

void World::tick_members()
{
    std::vector<mesos::TaskId> tasks;
    for (const auto& [task, member] : members_) tasks.push_back(task);
    for (const mesos::TaskId& task : tasks) {
        FakeMember& member = members_.at(task);
        if (member.cluster == broken_ && member.phase == Phase::start) {
            end_member(task, mesos::TaskState::failed, "no such program: mariadbd");
            continue;
        }
        tick_member(member);
    }
}

void World::tick_member(FakeMember& member)
{
    if (member.leaving > 0 && (member.released || --member.leaving == 0)) {
        if (member.released && member.phase != Phase::primary) ++handed_over_;
        end_member(mesos::TaskId{member.task}, mesos::TaskState::killed, "killed");
        return;
    }
    if (member.phase == Phase::start && --member.starting <= 0) {
        member.phase = Phase::fenced;
        mesos_.update(member.task, mesos::TaskState::running, "running");
    }
    if (member.phase == Phase::crashed && !member.disk.was_primary) {
        member.phase = Phase::fenced;  // A replica's server is started again by its executor.
    }
    if (member.phase == Phase::replica) {
        for (const auto& [task, other] : members_) {
            if (other.cluster == member.cluster && other.id == member.source &&
                other.ip == member.source_ip && other.port == member.source_port &&
                other.phase == Phase::primary && other.disk.epoch == member.disk.epoch) {
                member.disk.sequence = other.disk.sequence;
            }
        }
    }
    if (member.phase == Phase::primary && member.writable && random_.one_in(3)) {
        if (can_commit(member)) ++member.disk.sequence;
    }
    if (!member.stream) {
        if (!random_.one_in(3)) return;
        member.stream = cluster::StreamId{++serial_};
        const auto token =
            member.disk.permanent_token ? cluster::Token::permanent : cluster::Token::launch;
        inbox_.emplace_back(scheduler::StreamOpened{*member.stream, token, member.hello()});
    } else if (member.stream_accepted && (ticks_ + member.port) % 3 == 0) {
        inbox_.emplace_back(scheduler::StreamSaid{*member.stream, member.observe()});
    }
}

void World::crash_server(const std::string& cluster, MemberId id)
{
    for (auto& [task, member] : members_) {
        if (member.cluster == cluster && member.id == id) member.crash();
    }
}

FakeMember* World::on_stream(cluster::StreamId stream)
{
    const auto found = std::ranges::find_if(
        members_, [stream](const auto& entry) { return entry.second.stream == stream; });
    return found == members_.end() ? nullptr : &found->second;
}

bool World::is_gone(const std::string& name) const
{
    if (stored_clusters_.contains(name) || state_.clusters.contains(name)) return false;
    if (trees_.contains(name)) return false;
    return std::ranges::none_of(
        members_, [&name](const auto& entry) { return entry.second.cluster == name; });
}

bool World::is_whole(const std::string& name) const
{
    const auto found = state_.clusters.find(name);
    if (found == state_.clusters.end()) return false;
    const cluster::Record& record = found->second.record;
    if (!record.opened || record.electorate.size() != record.num_nodes) return false;
    std::size_t primaries = 0;
    std::size_t replicas = 0;
    for (const auto& [task, member] : members_) {
        if (member.cluster != name) continue;
        if (member.phase == Phase::primary && member.writable) ++primaries;
        if (member.phase == Phase::replica && member.acknowledges) ++replicas;
    }
    const auto tree = trees_.find(name);
    if (tree == trees_.end()) return false;
    std::size_t masters = 0;
    std::size_t slaves = 0;
    for (const auto& [path, node] : tree->second) {
        if (path.starts_with("master/")) ++masters;
        if (path.starts_with("slaves/")) ++slaves;
    }
    const std::size_t others = record.num_nodes - 1;
    return primaries == 1 && replicas == others && masters == 1 && slaves == others;
}

bool World::can_commit(const FakeMember& primary) const
{
    const auto acknowledgers = std::ranges::count_if(members_, [&primary](const auto& entry) {
        const FakeMember& other = entry.second;
        return other.cluster == primary.cluster && other.acknowledges &&
               other.phase == Phase::replica && other.source == primary.id;
    });
    return acknowledgers >= static_cast<std::ptrdiff_t>(primary.acks);
}

void World::check() const
{
    std::set<std::string> writable;
    std::set<std::pair<std::string, MemberId>> alive;
    std::set<std::pair<std::string, std::string>> places;
    for (const auto& [task, member] : members_) {
        rule(alive.emplace(member.cluster, member.id).second, "a member is doubled");
        rule(places.emplace(member.cluster, member.ip).second, "two members share a machine");
        // An old one may still be open for a moment, cut off from those who acknowledge.
        if (member.phase == Phase::primary && member.writable && can_commit(member)) {
            rule(writable.insert(member.cluster).second, "two primaries are open");
        }
    }
    for (const auto& [name, tree] : trees_) {
        const auto masters = std::ranges::count_if(
            tree, [](const auto& entry) { return entry.first.starts_with("master/"); });
        rule(masters <= 1, "two masters are published");
    }
}

void World::rule(bool holds, const char* what) const
{
    if (holds) return;
    std::fputs((describe() + "seed " + std::to_string(seed_) + ": " + what + '\n').c_str(), stderr);
    std::abort();
}

std::string World::describe() const
{
    std::string text;
    for (const std::string& line : log_) text += line + '\n';
    for (const auto& [name, one] : state_.clusters) {
        text += name + ": epoch " + std::to_string(static_cast<std::uint64_t>(one.record.epoch)) +
                (one.record.opened ? " opened" : "") + " E";
        for (const MemberId id : one.record.electorate) text += ' ' + cluster::to_text(id);
        text += " k " + std::to_string(one.record.acks) + '\n';
        for (const auto& [id, member] : one.record.members) {
            text += "  " + cluster::to_text(id) + ' ' + member.task_id.text +
                    (member.launched ? " launched " : " - ") + waits_for(one, id, now_) +
                    (member.volume_created ? " has data, " : ", ") + member.agent_id.text + ' ' +
                    (one.members.at(id).task ? to_text(*one.members.at(id).task) : "?") + '\n';
        }
    }
    for (const FakeAgent& agent : mesos_.agents()) {
        text += agent.id.text + (agent.reachable ? "" : " unreachable");
        for (const mesos::Resource& item : agent.free.items()) text += ' ' + to_text(item);
        text += '\n';
    }
    for (const auto& [task, member] : members_) {
        text += task.text + ' ' + to_text(member.phase) + " epoch " +
                std::to_string(member.disk.epoch) + " at " + member.position() +
                (member.stream ? " connected" : "") + (member.acknowledges ? " acks" : "") +
                (member.amnesiac ? " amnesiac" : "") + '\n';
    }
    return text;
}

}  // namespace mysos::sim
