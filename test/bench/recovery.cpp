#include "common/base/overload.hpp"
#include "common/cluster/names.hpp"
#include "scheduler/decide/scheduler.hpp"
#include "test/sim/fake_member.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <malloc.h>
#include <map>
#include <string>

/// What the scheduler's decisions cost with many clusters: from its start, with everything running,
/// until every primary is adopted and published; then by the second, with each member reporting as
/// often as executors do. Its own time and memory alone: the members, Mesos and ZooKeeper are
/// simulated, and neither sockets nor protobuf are in it.
namespace mysos::bench {
namespace {

using namespace std::chrono_literals;
using sim::FakeMember;

constexpr MemberId primary_id{1};
constexpr std::uint32_t nodes = 3;
constexpr std::uint64_t sequence = 1'099'511'627'776;  // The marker of epoch 1.

std::string name_of(std::size_t index)
{
    return "cluster" + std::to_string(index);
}

std::string address_of(std::size_t index)
{
    return "10.1." + std::to_string(index / 250 % 250) + '.' + std::to_string(index % 250 + 1);
}

cluster::Record record_of(std::size_t index)
{
    cluster::Record record;
    record.name = name_of(index);
    const std::string digits = std::to_string(100'000'000 + index);
    record.uuid = digits.substr(1) + "-0000-4000-8000-000000000000";
    record.cluster_user = "app";
    record.num_nodes = nodes;
    record.next_server_id = nodes + 1;
    record.epoch = Epoch{1};
    record.primary = primary_id;
    record.opened = true;
    record.ever_opened = true;
    record.acks = 1;
    record.sealed_secrets = std::string(200, 's');
    for (std::uint32_t id = 1; id <= nodes; ++id) {
        cluster::Member& member = record.members[MemberId{id}];
        const std::size_t agent = index * nodes + id;
        member.task_id.text = "mysos-" + record.name + '-' + std::to_string(id) + "-1";
        member.agent_id.text = "0c6f0d5e-0000-4000-8000-000000000001-S" + std::to_string(agent);
        member.ip = address_of(agent);
        member.hostname = member.ip;
        member.port = 31000;
        member.peer_port = 31001;
        member.persistence_id.text =
            "mysos-" + record.name + '-' + std::to_string(id) + "-0a1b2c3d";
        member.volume_created = true;
        member.launched = true;
        member.token_exchanged = true;
        record.electorate.insert(MemberId{id});
    }
    return record;
}

FakeMember member_of(const cluster::Record& record, MemberId id)
{
    const cluster::Member& stored = record.members.at(id);
    const cluster::Member& leader = record.members.at(primary_id);
    FakeMember member;
    member.cluster = record.name;
    member.id = id;
    member.task = stored.task_id;
    member.ip = stored.ip;
    member.port = stored.port;
    member.disk = {1, sequence, true, id == primary_id};
    member.starting = 0;
    member.phase = id == primary_id ? control::Phase::primary : control::Phase::replica;
    member.writable = id == primary_id;
    member.acks = id == primary_id ? 1 : 0;
    member.acknowledges = id != primary_id;
    if (id != primary_id) {
        member.source = primary_id;
        member.source_ip = leader.ip;
        member.source_port = leader.port;
    }
    return member;
}

class World {
  public:
    explicit World(std::size_t clusters)
    {
        for (std::size_t index = 0; index < clusters; ++index) {
            const cluster::Record record = record_of(index);
            recovered_.framework.clusters.insert(record.name);
            recovered_.clusters.push_back(record);
            for (const auto& [id, stored] : record.members) {
                const cluster::StreamId stream{++streams_};
                members_.emplace(stream, member_of(record, id)).first->second.stream = stream;
            }
        }
        recovered_.framework.framework_id.text = "F";
        config_.framework.role = "mysos";
    }

    void start()
    {
        take(std::move(recovered_));
        take(scheduler::EventArrived{mesos::Subscribed{{"F"}, 15s, "m:5050"}});
        for (const auto& [stream, member] : members_) {
            take(scheduler::StreamOpened{stream, cluster::Token::permanent, member.hello()});
        }
    }

    void second()
    {
        now_ += 1s;
        for (auto& [stream, member] : members_) {
            member.disk.sequence += 10;
            take(scheduler::StreamSaid{stream, member.observe()});
        }
        const auto due = scheduler::next_deadline(state_);
        if (due && *due <= now_) take(scheduler::DeadlinePassed{});
    }

    [[nodiscard]] bool all_led() const
    {
        std::size_t led = 0;
        for (const auto& [name, cluster] : state_.clusters) {
            const auto tree = trees_.find(name);
            const bool published = tree != trees_.end() && tree->second.size() >= nodes;
            if (cluster.electorate.leadership && published) ++led;
        }
        return led == state_.clusters.size();
    }

    [[nodiscard]] double seconds() const { return std::chrono::duration<double>(spent_).count(); }
    [[nodiscard]] std::uint64_t inputs() const { return inputs_; }
    [[nodiscard]] const scheduler::State& state() const { return state_; }

  private:
    void take(scheduler::Input input)
    {
        inbox_.push_back(std::move(input));
        while (!inbox_.empty()) {
            const scheduler::Input next = std::move(inbox_.front());
            inbox_.pop_front();
            const auto begun = std::chrono::steady_clock::now();
            const scheduler::Effects effects = scheduler::step(state_, config_, next, now_);
            spent_ += std::chrono::steady_clock::now() - begun;
            ++inputs_;
            for (const auto& effect : effects) {
                std::visit([this](const auto& one) { carry_out(one); }, effect);
            }
        }
    }

    template <class Other>
    void carry_out(const Other&)
    {}

    void carry_out(const scheduler::SendOrder& effect)
    {
        const auto answer = members_.at(effect.order.stream).obey(effect.order.order);
        if (answer) inbox_.emplace_back(scheduler::StreamSaid{effect.order.stream, *answer});
    }

    void carry_out(const scheduler::SendCall& effect)
    {
        const auto* reconcile = std::get_if<mesos::Reconcile>(&effect.call);
        if (reconcile == nullptr) return;
        for (const mesos::ReconcileTask& task : reconcile->tasks) {
            mesos::TaskStatus status;
            status.task_id = task.task_id;
            status.agent_id = task.agent_id;
            status.state = mesos::TaskState::running;
            inbox_.emplace_back(scheduler::EventArrived{mesos::StatusUpdated{status}});
        }
    }

    void carry_out(const scheduler::ReadTree& effect)
    {
        inbox_.emplace_back(scheduler::TreeAnswered{
            effect.cluster, publish::TreeRead{effect.read.serial, trees_[effect.cluster]}});
    }

    void carry_out(const scheduler::ApplyTree& effect)
    {
        publish::Tree& tree = trees_[effect.cluster];
        for (const publish::Operation& operation : effect.apply.operations) {
            std::visit(
                Overload{
                    [&](const publish::Create& create) {
                        tree[create.path] = {create.data, 0};
                    },
                    [&](const publish::Remove& remove) { tree.erase(remove.path); },
                    [&](const publish::Write& write) {
                        tree[write.path] = {write.data, write.version + 1};
                    }},
                operation);
        }
        inbox_.emplace_back(
            scheduler::TreeAnswered{effect.cluster, publish::Applied{effect.apply.serial}});
    }

    scheduler::Config config_;
    scheduler::State state_;
    scheduler::Recovered recovered_;
    std::map<cluster::StreamId, FakeMember> members_;
    std::map<std::string, publish::Tree> trees_;
    std::deque<scheduler::Input> inbox_;
    TimePoint now_{1000s};
    std::chrono::steady_clock::duration spent_{};
    std::uint64_t streams_ = 0;
    std::uint64_t inputs_ = 0;
};

/// A copy's size: what the decisions keep, without what the bench itself holds.
double megabytes(const scheduler::State& state)
{
    const std::size_t before = ::mallinfo2().uordblks;
    const scheduler::State copy = state;
    const std::size_t after = ::mallinfo2().uordblks;
    return static_cast<double>(after - before) / 1e6;
}

bool measure(std::size_t clusters)
{
    World world{clusters};
    world.start();
    int waited = 0;
    while (!world.all_led() && waited < 60) {
        world.second();
        ++waited;
    }
    if (!world.all_led()) {
        std::printf("%6zu clusters: not recovered after a simulated minute\n", clusters);
        return false;
    }
    const double recovery = world.seconds();
    constexpr int steady = 20;
    const std::uint64_t before = world.inputs();
    for (int i = 0; i < steady; ++i) world.second();
    const double each = (world.seconds() - recovery) / steady;
    std::printf(
        "%6zu clusters: recovered after %2d s, %6.2f s of them deciding; then %6.1f ms a second "
        "(%4.1f us an input); state %6.1f MB\n",
        clusters,
        waited,
        recovery,
        each * 1e3,
        each * steady * 1e6 / static_cast<double>(world.inputs() - before),
        megabytes(world.state()));
    return true;
}

}  // namespace
}  // namespace mysos::bench

int main(int count, char** words)
{
    if (count < 2) {
        std::fprintf(stderr, "usage: %s CLUSTERS...\n", words[0]);
        return 2;
    }
    bool done = true;
    for (int i = 1; i < count; ++i) {
        const long clusters = std::strtol(words[i], nullptr, 10);
        done = clusters > 0 && mysos::bench::measure(static_cast<std::size_t>(clusters)) && done;
    }
    return done ? 0 : 1;
}
