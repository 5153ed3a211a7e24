#include "scheduler/in/rest_view.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace mysos::scheduler {
namespace {

using control::Phase;
using nlohmann::json;

const char* to_text(control::Flavor flavor)
{
    return flavor == control::Flavor::mysql ? "mysql" : "mariadb";
}

std::string rfc3339(std::int64_t unix_ms)
{
    const std::time_t seconds = unix_ms / 1000;
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    std::array<char, 32> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
    return {text.data(), size};
}

json or_null(const std::string& text)
{
    return text.empty() ? json(nullptr) : json(text);
}

/// Serves its part: a primary that lets clients in, or a replica that receives and applies.
bool serves(const cluster::MemberState& member)
{
    if (!member.stream || !member.observation || !member.observation->answers) return false;
    const control::Observation& seen = *member.observation;
    if (seen.phase == Phase::primary) return seen.writable;
    return seen.phase == Phase::replica && seen.receiver_running && seen.applier_running;
}

bool primary_serves(const cluster::State& state)
{
    if (!state.record.opened) return false;
    const auto primary = state.members.find(state.record.primary);
    if (primary == state.members.end()) return false;
    const cluster::MemberState& member = primary->second;
    if (member.stream) return serves(member);
    // A lost stream alone proves nothing: the database outlives the scheduler's view of it. The end
    // of its task does.
    return !member.task || !mesos::is_terminal(*member.task);
}

json server_view(const control::Observation& seen, Duration silent_for)
{
    const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(silent_for);
    json view{
        {"phase", control::to_text(seen.phase)},
        {"message", or_null(seen.message)},
        {"observed_ms_ago", age.count()},
        {"flavor", to_text(seen.flavor)},
        {"version", or_null(seen.server_version)},
        {"answers", seen.answers},
        {"read_only", seen.read_only},
        {"writable", seen.writable},
        {"epoch", static_cast<std::uint64_t>(seen.epoch)},
        {"marker", static_cast<std::uint64_t>(seen.marker)},
        {"position", or_null(seen.position)},
        {"applied", or_null(seen.applied)},
        {"amnesiac", seen.amnesiac},
        {"acknowledges", seen.acknowledges},
        {"disk_free_bytes", seen.disk_free_bytes}};
    if (seen.phase == Phase::fetch && seen.progress_percent > 0) {
        view["progress_percent"] = seen.progress_percent;
    } else if (seen.phase == Phase::primary) {
        view["semi_sync_clients"] = seen.semi_sync_clients;
        view["commits_waiting"] = seen.commits_waiting;
        view["acks_required"] = seen.acks_required;
    } else if (seen.phase == Phase::replica) {
        view["source"] = number(seen.source);
        view["receiver_running"] = seen.receiver_running;
        view["applier_running"] = seen.applier_running;
        view["replication_error"] = or_null(seen.replication_error);
        view["packet_age_ms"] = seen.packet_age_ms;
        view["lag_seconds"] = seen.lag_seconds ? json(*seen.lag_seconds) : json(nullptr);
        view["receiver_state"] = control::to_text(seen.receiver_state);
    }
    return view;
}

/// The one sentence a person looks for first.
std::string member_message(
    const cluster::Member& record, const cluster::MemberState& member, const std::string& waits_for)
{
    if (!waits_for.empty()) {
        const bool failed = record.failures > 0 && !member.task_message.empty();
        return failed ? waits_for + ": " + member.task_message : waits_for;
    }
    if (member.stream && member.observation) {
        const control::Observation& seen = *member.observation;
        return seen.replication_error.empty() ? seen.message : seen.replication_error;
    }
    if (!member.task_message.empty()) return member.task_message;
    return record.launched ? "launched; its executor is not connected" : "not launched yet";
}

json member_view(
    const cluster::State& cluster,
    MemberId id,
    const cluster::Member& record,
    const cluster::MemberState& member,
    TimePoint now)
{
    const std::string waits_for = cluster::waits_for(cluster, id, now);
    json view{
        {"server_id", number(id)},
        {"role", cluster.record.primary == id ? "primary" : "replica"},
        {"serves", serves(member)},
        {"message", member_message(record, member, waits_for)},
        {"in_electorate", cluster.record.electorate.contains(id)},
        {"host", or_null(record.hostname)},
        {"ip", or_null(record.ip)},
        {"port", record.port},
        {"task_id", or_null(record.task_id.text)},
        {"task_state", member.task ? json(mesos::to_text(*member.task)) : json(nullptr)},
        {"task_reason", or_null(member.task_reason)},
        {"agent_id", or_null(record.agent_id.text)},
        {"region", or_null(record.region)},
        {"zone", or_null(record.zone)},
        {"attributes", record.attributes},
        {"volume", or_null(record.persistence_id.text)},
        {"failures", record.failures},
        {"connected", member.stream.has_value()},
        {"server", nullptr}};
    if (member.stream && member.observation) {
        view["server"] = server_view(*member.observation, now - member.heard_at);
    }
    return view;
}

std::string cluster_message(const cluster::State& state, TimePoint now)
{
    const auto serving =
        std::ranges::count_if(state.members, [](const auto& item) { return serves(item.second); });
    std::string message = std::to_string(serving) + " of " +
                          std::to_string(state.record.num_nodes) + " members serve";
    for (const auto& [id, member] : state.members) {
        const std::string waits_for = cluster::waits_for(state, id, now);
        if (waits_for.empty()) continue;
        message += "; member " + std::to_string(number(id)) + ": " + waits_for;
    }
    return message;
}

json endpoint(const cluster::Member& member)
{
    return {{"host", member.hostname}, {"port", member.port}};
}

json endpoints(const cluster::State& state)
{
    json view{{"primary", nullptr}, {"replicas", json::array()}};
    for (const auto& [id, member] : state.members) {
        const auto record = state.record.members.find(id);
        if (record == state.record.members.end()) continue;
        if (id == state.record.primary) {
            if (primary_serves(state)) view["primary"] = endpoint(record->second);
        } else if (serves(member)) {
            view["replicas"].push_back(endpoint(record->second));
        }
    }
    return view;
}

json verdict_view(const cluster::State& state)
{
    if (!state.verdict) return nullptr;
    return {
        {"code", diagnosis::code(*state.verdict)}, {"message", diagnosis::to_text(*state.verdict)}};
}

/// What an operator has to know before the force.
json stuck_view(const cluster::State& state)
{
    if (!state.stuck) return nullptr;
    json missing = json::array();
    for (const MemberId id : state.stuck->missing) missing.push_back(number(id));
    json forgetful = json::array();
    for (const MemberId id : state.stuck->amnesiacs) forgetful.push_back(number(id));
    json view{
        {"missing", std::move(missing)},
        {"may_have_forgotten", std::move(forgetful)},
        {"force", nullptr}};
    if (const auto& offer = state.stuck->force) {
        view["force"] = {
            {"to", number(offer->member)},
            {"transactions_lost_at_least",
             offer->transactions_lost ? json(*offer->transactions_lost) : json(nullptr)}};
    }
    return view;
}

json situations_view(const cluster::State& state, const diagnosis::Config& config, TimePoint now)
{
    json view = json::array();
    if (state.record.deleting) return view;
    for (const diagnosis::Situation& situation : cluster::situations(state, config, now)) {
        json members = json::array();
        for (const MemberId id : situation.members) members.push_back(number(id));
        view.push_back(
            {{"code", diagnosis::to_text(situation.code)},
             {"members", std::move(members)},
             {"message", diagnosis::meaning(situation.code)},
             {"detail", or_null(situation.detail)}});
    }
    return view;
}

json constraints_view(const placement::Constraints& constraints)
{
    json view = json::array();
    for (const placement::Constraint& one : constraints) view.push_back(placement::words(one));
    return view;
}

std::string megabytes(std::int64_t amount)
{
    return std::to_string(amount) + "mb";
}

}  // namespace

Health health(const cluster::State& state)
{
    if (state.record.deleting) return Health::deleting;
    if (!state.record.ever_opened) return Health::creating;
    if (!primary_serves(state)) return Health::unavailable;
    const bool all =
        std::ranges::all_of(state.members, [](const auto& item) { return serves(item.second); });
    const bool complete = all && state.members.size() >= state.record.num_nodes;
    return complete ? Health::running : Health::degraded;
}

const char* to_text(Health health)
{
    switch (health) {
        case Health::creating: return "creating";
        case Health::running: return "running";
        case Health::degraded: return "degraded";
        case Health::unavailable: return "unavailable";
        case Health::deleting: return "deleting";
    }
    return "unknown";
}

std::string cluster_url(const std::string& zk_url, const std::string& cluster)
{
    return zk_url + "/discover/" + cluster;
}

json cluster_view(
    const cluster::State& state,
    const std::string& zk_url,
    const diagnosis::Config& config,
    TimePoint now)
{
    const cluster::Record& record = state.record;
    json electorate = json::array();
    for (const MemberId id : record.electorate) electorate.push_back(number(id));
    json members = json::array();
    const cluster::MemberState nothing_known;
    for (const auto& [id, member] : record.members) {
        const auto known = state.members.find(id);
        const auto& live = known == state.members.end() ? nothing_known : known->second;
        members.push_back(member_view(state, id, member, live, now));
    }
    const bool has_primary = record.primary != MemberId{};
    return {
        {"name", record.name},
        {"state", to_text(health(state))},
        {"message", cluster_message(state, now)},
        {"cluster_url", cluster_url(zk_url, record.name)},
        {"cluster_user", record.cluster_user},
        {"flavor", record.flavor},
        {"num_nodes", record.num_nodes},
        {"size",
         {{"cpus", static_cast<double>(record.size.milli_cpus) / 1000},
          {"mem", megabytes(record.size.mem_mb)},
          {"disk", megabytes(record.size.disk_mb)}}},
        {"constraints", constraints_view(record.constraints)},
        {"colocate", record.colocate},
        {"two_node_policy", to_text(record.two_node_policy)},
        {"durability", to_text(record.durability)},
        {"uuid", record.uuid},
        {"created_at", rfc3339(record.created_at_unix_ms)},
        {"epoch", static_cast<std::uint64_t>(record.epoch)},
        {"primary", has_primary ? json(number(record.primary)) : json(nullptr)},
        {"opened", record.opened},
        {"electorate", std::move(electorate)},
        {"acks", record.acks},
        {"verdict", verdict_view(state)},
        {"stuck", stuck_view(state)},
        {"situations", situations_view(state, config, now)},
        {"endpoints", endpoints(state)},
        {"members", std::move(members)}};
}

json clusters_view(
    const State& state, const std::string& zk_url, const diagnosis::Config& config, TimePoint now)
{
    json clusters = json::array();
    for (const auto& [name, cluster] : state.clusters) {
        clusters.push_back(cluster_view(cluster, zk_url, config, now));
    }
    const bool connected = state.subscription == Subscription::subscribed;
    return {
        {"clusters", std::move(clusters)},
        {"framework",
         {{"id", or_null(state.framework.framework_id.text)},
          {"connected", connected},
          {"master", connected ? or_null(state.master) : json(nullptr)},
          {"retired_volumes", state.framework.retired_volumes.size()}}}};
}

}  // namespace mysos::scheduler
