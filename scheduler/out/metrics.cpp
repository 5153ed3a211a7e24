#include "scheduler/out/metrics.hpp"

#include "common/base/version.hpp"
#include "scheduler/in/rest_view.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace mysos::scheduler {
namespace {

using nlohmann::json;

struct Requested {
    double cpus = 0;
    std::int64_t mem_mb = 0;
    std::int64_t disk_mb = 0;
};

Requested requested(const State& state)
{
    Requested sum;
    for (const auto& [name, cluster] : state.clusters) {
        const cluster::Record& record = cluster.record;
        const std::int64_t nodes = record.num_nodes;
        sum.cpus += static_cast<double>(nodes * record.size.milli_cpus) / 1000;
        sum.mem_mb += nodes * record.size.mem_mb;
        sum.disk_mb += nodes * record.size.disk_mb;
    }
    return sum;
}

double seconds(Duration duration)
{
    return std::chrono::duration<double>(duration).count();
}

/// Writes one metric after the other.
class Exposition {
  public:
    using Label = std::pair<const char*, std::string>;

    void begin(const std::string& name, const char* type, const char* help)
    {
        name_ = name;
        text_ += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
    }

    void sample(const json& value, const std::vector<Label>& labels = {})
    {
        text_ += name_;
        for (std::size_t i = 0; i < labels.size(); ++i) {
            text_ += i == 0 ? "{" : ",";
            text_ += std::string{labels[i].first} + "=\"" + escaped(labels[i].second) + "\"";
        }
        text_ += (labels.empty() ? " " : "} ") + value.dump() + "\n";
    }

    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    static std::string escaped(const std::string& value)
    {
        std::string out;
        for (const char c : value) {
            if (c == '\\' || c == '"' || c == '\n') out.push_back('\\');
            out.push_back(c == '\n' ? 'n' : c);
        }
        return out;
    }

    std::string name_;
    std::string text_;
};

void expose_framework(Exposition& out, const State& state, Duration uptime)
{
    out.begin("mysos_build_info", "gauge", "Version of this scheduler");
    out.sample(1, {{"version", version_text}});
    out.begin("mysos_uptime_seconds", "gauge", "Time since this scheduler started");
    out.sample(seconds(uptime));
    out.begin("mysos_framework_registered", "gauge", "1 while subscribed to a Mesos master");
    out.sample(state.subscription == Subscription::subscribed ? 1 : 0);

    const Counters& counters = state.counters;
    out.begin("mysos_tasks_total", "counter", "Tasks by what became of them");
    out.sample(counters.tasks_launched, {{"event", "launched"}});
    out.sample(counters.tasks_finished, {{"event", "finished"}});
    out.sample(counters.tasks_failed, {{"event", "failed"}});
    out.sample(counters.tasks_killed, {{"event", "killed"}});
    out.sample(counters.tasks_lost, {{"event", "lost"}});
    out.begin("mysos_offers_total", "counter", "Offers received");
    out.sample(counters.resource_offers);
    out.begin("mysos_offers_declined_total", "counter", "Offers declined, by reason");
    out.sample(counters.offers_incompatible_role, {{"reason", "role"}});
    out.sample(counters.offers_unused, {{"reason", "unused"}});

    const Requested sum = requested(state);
    out.begin("mysos_requested_cpus", "gauge", "Cpus that all clusters ask for");
    out.sample(sum.cpus);
    out.begin("mysos_requested_memory_bytes", "gauge", "Memory that all clusters ask for");
    out.sample(sum.mem_mb * 1024 * 1024);
    out.begin("mysos_requested_disk_bytes", "gauge", "Disk that all clusters ask for");
    out.sample(sum.disk_mb * 1024 * 1024);
    out.begin("mysos_retired_volumes", "gauge", "Volumes kept until they may be destroyed");
    out.sample(state.framework.retired_volumes.size());
}

void expose_clusters(Exposition& out, const State& state)
{
    constexpr std::array healths{
        Health::creating, Health::running, Health::degraded, Health::unavailable, Health::deleting};
    out.begin("mysos_clusters", "gauge", "Clusters by state");
    for (const Health wanted : healths) {
        std::uint64_t count = 0;
        for (const auto& [name, cluster] : state.clusters) {
            count += health(cluster) == wanted ? 1U : 0U;
        }
        out.sample(count, {{"state", to_text(wanted)}});
    }
    out.begin("mysos_cluster_up", "gauge", "1 while clients can write");
    for (const auto& [name, cluster] : state.clusters) {
        const Health how = health(cluster);
        const bool up = how == Health::running || how == Health::degraded;
        out.sample(up ? 1 : 0, {{"cluster", name}});
    }
    out.begin("mysos_cluster_epoch", "gauge", "Counts the primaries of a cluster");
    for (const auto& [name, cluster] : state.clusters) {
        out.sample(static_cast<std::uint64_t>(cluster.record.epoch), {{"cluster", name}});
    }
}

/// One sample for each connected member of which something is known (not null).
void expose_members(
    Exposition& out,
    const State& state,
    const std::function<json(const control::Observation&)>& value)
{
    for (const auto& [name, cluster] : state.clusters) {
        for (const auto& [id, member] : cluster.members) {
            if (!member.stream || !member.observation) continue;
            const json known = value(*member.observation);
            if (known.is_null()) continue;
            const std::string server_id = std::to_string(number(id));
            out.sample(known, {{"cluster", name}, {"server_id", server_id}});
        }
    }
}

void expose_phases(Exposition& out, const State& state)
{
    for (const auto& [name, cluster] : state.clusters) {
        for (const auto& [id, member] : cluster.members) {
            if (!member.stream || !member.observation) continue;
            const std::string server_id = std::to_string(number(id));
            const char* const phase = control::to_text(member.observation->phase);
            out.sample(1, {{"cluster", name}, {"server_id", server_id}, {"phase", phase}});
        }
    }
}

}  // namespace

json cotton_metrics(const State& state, Duration uptime)
{
    const Requested sum = requested(state);
    const Counters& counters = state.counters;
    return {
        {"scheduler.cluster_count", state.clusters.size()},
        {"scheduler.total_requested_cpus", sum.cpus},
        {"scheduler.total_requested_mem_mb", sum.mem_mb},
        {"scheduler.total_requested_disk_mb", sum.disk_mb},
        {"scheduler.framework_registered", state.subscription == Subscription::subscribed ? 1 : 0},
        {"scheduler.uptime", seconds(uptime)},
        {"scheduler.tasks_launched", counters.tasks_launched},
        {"scheduler.tasks_lost", counters.tasks_lost},
        {"scheduler.tasks_finished", counters.tasks_finished},
        {"scheduler.tasks_failed", counters.tasks_failed},
        {"scheduler.tasks_killed", counters.tasks_killed},
        {"scheduler.resource_offers", counters.resource_offers},
        {"scheduler.offers_incompatible_role", counters.offers_incompatible_role},
        {"scheduler.offers_unused", counters.offers_unused}};
}

std::string prometheus_metrics(const State& state, Duration uptime)
{
    Exposition out;
    expose_framework(out, state, uptime);
    expose_clusters(out, state);
    out.begin("mysos_member_phase", "gauge", "1 for the phase that a connected member is in");
    expose_phases(out, state);
    out.begin("mysos_member_lag_seconds", "gauge", "How far a replica is behind its primary");
    expose_members(out, state, [](const control::Observation& seen) {
        return seen.lag_seconds ? json(*seen.lag_seconds) : json(nullptr);
    });
    out.begin("mysos_member_disk_free_bytes", "gauge", "What is free on a member's volume");
    expose_members(
        out, state, [](const control::Observation& seen) { return json(seen.disk_free_bytes); });
    out.begin(
        "mysos_member_commits_waiting", "gauge", "Commits of a primary that wait for replicas");
    expose_members(out, state, [](const control::Observation& seen) {
        const bool primary = seen.phase == control::Phase::primary;
        return primary ? json(seen.commits_waiting) : json(nullptr);
    });
    return out.text();
}

}  // namespace mysos::scheduler
