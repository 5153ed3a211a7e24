#pragma once

#include "common/base/time.hpp"
#include "scheduler/decide/state.hpp"

#include <nlohmann/json.hpp>

#include <string>

/// What GET shows of the scheduler's state. Pure: reads the state and the time it is handed.
namespace mysos::scheduler {

/// How a cluster is, in one word that a person and a script can act on.
enum class Health {
    creating,     ///< Clients were never let in yet.
    running,      ///< Clients can write, and every member serves.
    degraded,     ///< Clients can write; some member does not serve.
    unavailable,  ///< Clients cannot write: no primary, or it does not answer.
    deleting,
};

[[nodiscard]] Health health(const cluster::State& state);
[[nodiscard]] const char* to_text(Health health);

/// "zk://host:port/mysos/discover/<cluster>", where clients find the members. `zk_url` is without
/// credentials.
[[nodiscard]] std::string cluster_url(const std::string& zk_url, const std::string& cluster);

/// One cluster, whole: the body of GET /v1/clusters/<name>. Positions are the servers' own text.
[[nodiscard]] nlohmann::json cluster_view(
    const cluster::State& state,
    const std::string& zk_url,
    const diagnosis::Config& config,
    TimePoint now);

/// The body of GET /v1/clusters: what the dashboard shows.
[[nodiscard]] nlohmann::json clusters_view(
    const State& state, const std::string& zk_url, const diagnosis::Config& config, TimePoint now);

}  // namespace mysos::scheduler
