#include "common/cluster/cluster.hpp"
#include "scheduler/decide/stepping.hpp"

#include <algorithm>

// To the cluster that an input concerns, and back.
namespace mysos::scheduler {
namespace {

/// Lifts one cluster's effects, in their order.
class Lift {
  public:
    Lift(Stepping& step, const std::string& name) : step_{step}, name_{name} {}

    void operator()(const cluster::Save& effect) { step_.act(SaveCluster{effect.record}); }
    void operator()(const cluster::Retire& effect)
    {
        std::vector<cluster::RetiredVolume>& retired = step_.state.framework.retired_volumes;
        for (std::size_t i = 0; i < effect.volumes.size(); ++i) {
            const mesos::PersistenceId& id = effect.volumes[i];
            if (std::ranges::count(retired, id, &cluster::RetiredVolume::persistence_id) != 0)
                continue;
            retired.push_back({id, effect.agents.at(i), step_.unix_ms(), name_, {}});
        }
        step_.save_framework();
    }
    void operator()(const cluster::Forget&)
    {
        step_.act(RemoveCluster{name_});
        step_.state.framework.clusters.erase(name_);
        step_.save_framework();
        is_gone_ = true;
    }
    void operator()(const cluster::AcceptOffer& effect)
    {
        ++step_.state.counters.tasks_launched;
        took_offer_ = true;
        AcceptOffer accept{effect.accept, effect.data};
        // Others may have use for the rest: then it is offered again at once.
        if (step_.state.agenda.is_anybody_wanting()) accept.accept.refuse = Duration::zero();
        step_.act(std::move(accept));
    }
    void operator()(const cluster::SendCall& effect) { step_.call(effect.call); }
    void operator()(const cluster::Reconcile& effect)
    {
        tell_reconcile(step_, mesos::reconcile::Doubted{effect.task});
    }
    void operator()(const cluster::AcceptStream& effect)
    {
        step_.state.streams.insert_or_assign(effect.stream, name_);
        step_.act(AcceptStream{name_, effect});
    }
    void operator()(const cluster::RefuseStream& effect) { step_.act(RefuseStream{effect}); }
    void operator()(const cluster::CloseStream& effect)
    {
        step_.state.streams.erase(effect.stream);
        step_.act(CloseStream{effect.stream});
    }
    void operator()(const cluster::SendOrder& effect) { step_.act(SendOrder{name_, effect}); }
    void operator()(const publish::ReadTree& effect) { step_.act(ReadTree{name_, effect}); }
    void operator()(const publish::Apply& effect) { step_.act(ApplyTree{name_, effect}); }
    void operator()(const cluster::RequestEnded& effect)
    {
        const RequestId request{effect.request};
        if (effect.why_not.empty()) {
            step_.act(Reply{request, Done{name_}});
        } else {
            step_.act(Reply{request, Refused{Refused::Why::cannot, effect.why_not}});
        }
    }
    void operator()(const cluster::Report& effect) { step_.act(Report{name_, effect}); }
    void operator()(const cluster::Ignored& effect) { step_.act(Ignored{name_, effect.why}); }

    [[nodiscard]] bool is_gone() const { return is_gone_; }
    [[nodiscard]] bool took_offer() const { return took_offer_; }

  private:
    Stepping& step_;
    const std::string& name_;
    bool is_gone_ = false;
    bool took_offer_ = false;
};

/// Where its primary is, as far as that is known to be one.
mesos::AgentId agent_of_primary(const cluster::Record& record)
{
    const auto primary = record.members.find(record.primary);
    const bool has_one = primary != record.members.end() && primary->second.launched;
    return has_one ? primary->second.agent_id : mesos::AgentId{};
}

void move_primary(
    std::map<mesos::AgentId, std::size_t>& primaries,
    const mesos::AgentId& from,
    const mesos::AgentId& to)
{
    if (from == to) return;
    if (const auto found = primaries.find(from); found != primaries.end()) {
        if (--found->second == 0) primaries.erase(found);
    }
    if (!to.empty()) ++primaries[to];
}

/// What becomes of the members there decides whether the agent may go.
void judge_agents(const cluster::Record& record, State& state)
{
    if (state.maintenance.empty()) return;
    for (const auto& [id, member] : record.members) {
        if (state.maintenance.contains(member.agent_id)) state.to_judge.insert(member.agent_id);
    }
}

bool is_closing(const State& state, const mesos::AgentId& agent)
{
    const auto planned = state.maintenance.find(agent);
    return planned != state.maintenance.end() && planned->second.closing;
}

/// Brings up to date what the cluster knows of what is around it.
void look_around(const Stepping& step, cluster::State& state)
{
    state.home_region = step.state.home_region;
    state.primaries_beside.clear();
    state.closing.clear();
    const mesos::AgentId own = agent_of_primary(state.record);
    for (const auto& [id, member] : state.record.members) {
        if (is_closing(step.state, member.agent_id)) state.closing.insert(member.agent_id);
        const auto found = step.state.primaries.find(member.agent_id);
        if (found == step.state.primaries.end()) continue;
        const std::size_t others = found->second - (member.agent_id == own ? 1 : 0);
        if (others > 0) state.primaries_beside.emplace(id, others);
    }
}

}  // namespace

std::map<mesos::AgentId, std::size_t> count_primaries(const State& state)
{
    std::map<mesos::AgentId, std::size_t> primaries;
    for (const auto& [name, one] : state.clusters) {
        move_primary(primaries, {}, agent_of_primary(one.record));
    }
    return primaries;
}

bool tell_cluster(Stepping& step, const std::string& name, const cluster::Input& input)
{
    const std::string kept_name = name;  // `name` may live in the state that is erased below.
    cluster::State& state = step.state.clusters.at(kept_name);
    look_around(step, state);
    judge_agents(state.record, step.state);  // Of before: a member may go in this step.
    const mesos::AgentId before = agent_of_primary(state.record);
    const cluster::Effects effects = cluster::step(state, step.config.cluster, input, step.now);
    move_primary(step.state.primaries, before, agent_of_primary(state.record));
    step.state.agenda.put(
        kept_name, cluster::next_deadline(state), cluster::wanting_offers(state, step.now));
    Lift lift{step, kept_name};
    for (const cluster::Effect& effect : effects) std::visit(lift, effect);
    if (lift.is_gone()) {
        move_primary(step.state.primaries, agent_of_primary(state.record), {});
        step.report(cluster::Report::Level::info, "cluster " + kept_name + " is gone");
        step.state.clusters.erase(kept_name);
        step.state.agenda.erase(kept_name);
        std::erase_if(step.state.streams, [&kept_name](const auto& entry) {
            return entry.second == kept_name;
        });
    }
    return lift.took_offer();
}

void on(Stepping& step, const StreamOpened& in)
{
    using Why = cluster::RefuseStream::Why;
    if (!step.state.recovered) {
        step.act(RefuseStream{{in.stream, Why::not_ready}});
    } else if (!step.state.clusters.contains(in.hello.cluster)) {
        step.act(RefuseStream{{in.stream, Why::unknown_task}});
    } else {
        const cluster::MemberConnected connected{in.stream, in.token, in.hello};
        tell_cluster(step, in.hello.cluster, connected);
    }
}

void on(Stepping& step, const StreamSaid& in)
{
    const auto stream = step.state.streams.find(in.stream);
    if (stream == step.state.streams.end()) {
        step.ignore("word on a stream that is not open");
        return;
    }
    tell_cluster(step, stream->second, cluster::MemberSaid{in.stream, in.message});
}

void on(Stepping& step, const StreamClosed& in)
{
    const auto stream = step.state.streams.find(in.stream);
    if (stream == step.state.streams.end()) {
        step.ignore("end of a stream that is not open");
        return;
    }
    const std::string name = stream->second;
    step.state.streams.erase(stream);
    tell_cluster(step, name, cluster::MemberDisconnected{in.stream});
}

void on(Stepping& step, const TreeAnswered& in)
{
    if (!step.state.clusters.contains(in.cluster)) {
        step.ignore("tree of a cluster that is gone");
        return;
    }
    cluster::TreeAnswered answered;
    std::visit([&answered](const auto& answer) { answered.answer = answer; }, in.answer);
    tell_cluster(step, in.cluster, answered);
}

void on(Stepping& step, const ZooKeeperRenewed&)
{
    std::vector<std::string> names;
    for (const auto& [name, state] : step.state.clusters) names.push_back(name);
    for (const std::string& name : names) {
        tell_cluster(step, name, cluster::TreeAnswered{publish::SessionRenewed{}});
    }
}

}  // namespace mysos::scheduler
