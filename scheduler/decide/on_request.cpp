#include "common/cluster/cluster.hpp"
#include "scheduler/decide/requests.hpp"
#include "scheduler/decide/stepping.hpp"

#include <utility>

namespace mysos::scheduler {
namespace {

void refuse(Stepping& step, RequestId request, Refused refused)
{
    step.act(Reply{request, std::move(refused)});
}

const Refused not_connected{
    Refused::Why::not_connected, "the scheduler is not connected to Mesos, try again"};

/// Else the request is refused.
bool is_there(Stepping& step, RequestId request, const std::string& name)
{
    if (!step.state.recovered) {
        refuse(step, request, not_connected);
        return false;
    }
    if (step.state.clusters.contains(name)) return true;
    refuse(step, request, {Refused::Why::not_found, "there is no cluster '" + name + "'"});
    return false;
}

cluster::Record new_record(const Stepping& step, const CreateRequested& in, const Asked& asked)
{
    cluster::Record record;
    record.name = in.form.name;
    record.uuid = in.uuid;
    record.flavor = asked.flavor;
    record.num_nodes = asked.num_nodes;
    record.size = asked.size;
    record.cluster_user = asked.cluster_user;
    record.constraints = asked.constraints;
    record.colocate = asked.colocate;
    record.two_node_policy = asked.two_node_policy;
    record.durability = asked.durability;
    record.sealed_secrets = in.sealed_secrets;
    record.created_at_unix_ms = step.unix_ms();
    for (std::uint32_t id = 1; id <= asked.num_nodes; ++id) record.members[MemberId{id}] = {};
    record.next_server_id = asked.num_nodes + 1;
    return record;
}

}  // namespace

void on(Stepping& step, const CreateRequested& in)
{
    const std::variant<Asked, Refused> checked = check(in.form, step.config);
    if (const auto* refused = std::get_if<Refused>(&checked)) {
        refuse(step, in.request, *refused);
        return;
    }
    const std::string& name = in.form.name;
    if (step.state.clusters.contains(name)) {
        refuse(step, in.request, {Refused::Why::exists, "cluster '" + name + "' exists already"});
        return;
    }
    if (!step.state.recovered || !step.is_subscribed()) {
        refuse(step, in.request, not_connected);
        return;
    }
    const cluster::Record record = new_record(step, in, std::get<Asked>(checked));
    step.state.framework.clusters.insert(name);
    step.save_framework();
    step.state.clusters.emplace(name, cluster::restored(record));
    step.act(SaveCluster{record});
    step.act(Reply{in.request, Created{name}});
    tell_cluster(step, name, cluster::Started{});
}

void on(Stepping& step, const DeleteRequested& in)
{
    if (!is_there(step, in.request, in.name)) return;
    if (in.password != Password::right) {
        const char* what = in.password == Password::missing ? "password: is missing"
                                                            : "password: is not the cluster's";
        refuse(step, in.request, {Refused::Why::wrong_password, what});
        return;
    }
    if (!step.is_subscribed()) {
        refuse(step, in.request, not_connected);
        return;
    }
    tell_cluster(step, in.name, cluster::DeleteOrdered{});
    step.act(Reply{in.request, DeletionBegun{in.name}});
}

void on(Stepping& step, const ScaleRequested& in)
{
    if (!is_there(step, in.request, in.name)) return;
    if (step.state.clusters.at(in.name).record.deleting) {
        refuse(
            step, in.request, {Refused::Why::exists, "cluster '" + in.name + "' is being deleted"});
    } else if (in.num_nodes < 1 || in.num_nodes > step.config.num_nodes_max) {
        refuse(
            step,
            in.request,
            {Refused::Why::bad_value,
             "num_nodes: must be a number from 1 to " + std::to_string(step.config.num_nodes_max)});
    } else {
        tell_cluster(step, in.name, cluster::ScaleOrdered{in.num_nodes});
        step.act(Reply{in.request, ScalingBegun{in.name}});
    }
}

void on(Stepping& step, const SwitchoverRequested& in)
{
    if (!is_there(step, in.request, in.name)) return;
    const auto request = static_cast<std::uint64_t>(in.request);
    tell_cluster(step, in.name, cluster::SwitchoverOrdered{request, in.to});
}

void on(Stepping& step, const ForceRequested& in)
{
    if (!is_there(step, in.request, in.name)) return;
    const auto request = static_cast<std::uint64_t>(in.request);
    tell_cluster(step, in.name, cluster::ForceOrdered{request, in.to});
}

}  // namespace mysos::scheduler
