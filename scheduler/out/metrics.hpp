#pragma once

#include "common/base/time.hpp"
#include "scheduler/decide/state.hpp"

#include <nlohmann/json.hpp>

#include <string>

/// The scheduler's numbers for monitoring. Pure: made from the state when asked for.
namespace mysos::scheduler {

/// GET /vars.json: Cotton's metrics, by Cotton's names.
[[nodiscard]] nlohmann::json cotton_metrics(const State& state, Duration uptime);

/// GET /metrics.
///
/// Shape:  Prometheus text format 0.0.4: # HELP, # TYPE, then the samples of each metric.
/// Units:  seconds and bytes, as Prometheus wants them; counters end in _total.
/// Source: prometheus.io, "Exposition formats".
[[nodiscard]] std::string prometheus_metrics(const State& state, Duration uptime);

}  // namespace mysos::scheduler
