#pragma once

#include "common/cluster/cluster.hpp"
#include "common/cluster/names.hpp"
#include "test/support/offers.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

/// Clusters in the states that tests begin from, and ways to look at effects.
namespace mysos::test {

inline constexpr TimePoint t0{std::chrono::seconds{1000}};

inline cluster::Config config()
{
    return {};
}

inline cluster::Record record(std::uint32_t num_nodes)
{
    cluster::Record result;
    result.name = "demo";
    result.uuid = "0c6f0d5e-0000-4000-8000-000000000001";
    result.num_nodes = num_nodes;
    result.cluster_user = "app";
    for (std::uint32_t id = 1; id <= num_nodes; ++id) result.members[MemberId{id}] = {};
    result.next_server_id = num_nodes + 1;
    return result;
}

inline cluster::State fresh(std::uint32_t num_nodes)
{
    cluster::State state = cluster::restored(record(num_nodes));
    static_cast<void>(step(state, config(), cluster::Started{}, t0));
    return state;
}

inline cluster::Effects give(cluster::State& state, const cluster::Input& input)
{
    return step(state, config(), input, t0);
}

/// One member, its ACCEPT sent, nothing heard yet.
inline cluster::State launched()
{
    cluster::State state = fresh(1);
    static_cast<void>(give(state, cluster::OfferArrived{big_offer(1)}));
    return state;
}

/// A status by the agent or executor: it has to be acknowledged.
inline mesos::TaskStatus told(mesos::TaskState state)
{
    mesos::TaskStatus status;
    status.state = state;
    status.agent_id.text = "agent-1";
    status.source = mesos::TaskStatus::Source::agent;
    status.uuid = "0123456789abcdef";
    return status;
}

template <class Kind>
std::optional<std::size_t> index_of(const cluster::Effects& effects)
{
    for (std::size_t i = 0; i < effects.size(); ++i) {
        if (std::holds_alternative<Kind>(effects[i])) return i;
    }
    return std::nullopt;
}

template <class Kind>
std::optional<Kind> find(const cluster::Effects& effects)
{
    const auto index = index_of<Kind>(effects);
    if (!index) return std::nullopt;
    return std::get<Kind>(effects[*index]);
}

template <class Kind>
std::optional<std::size_t> index_of_call(const cluster::Effects& effects)
{
    for (std::size_t i = 0; i < effects.size(); ++i) {
        const auto* call = std::get_if<cluster::SendCall>(&effects[i]);
        if (call != nullptr && std::holds_alternative<Kind>(call->call)) return i;
    }
    return std::nullopt;
}

}  // namespace mysos::test
