#pragma once

#include "common/base/ids.hpp"
#include "common/mesos/ids.hpp"
#include "common/placement/constraint.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// What of one cluster must outlive this process, as plain values. It is saved before any call that
/// acts on it, so a scheduler that is killed anywhere finds at least as much here as it had
/// ordered. The stored form is proto/mysos/state.proto (common/wire/state.hpp).
namespace mysos::cluster {

struct Size {
    std::int64_t milli_cpus = 1000;
    std::int64_t mem_mb = 512;
    std::int64_t disk_mb = 2048;
    friend bool operator==(const Size&, const Size&) = default;
};

/// What a cluster of two does while one of them is down.
enum class TwoNodePolicy {
    consistent,  ///< Writes wait for it: every transaction that was acknowledged is on both.
    available,   ///< The other goes on alone: what it acknowledges then is on it only.
};
[[nodiscard]] const char* to_text(TwoNodePolicy policy);
/// None: no policy is called so.
[[nodiscard]] std::optional<TwoNodePolicy> two_node_policy_named(std::string_view name);

/// What a commit waits for.
enum class Durability {
    semisync,  ///< For enough replicas that it survives whatever an election may have to decide.
    async,     ///< For nobody: a failover may lose what was committed last.
};
[[nodiscard]] const char* to_text(Durability durability);
/// None: nothing is called so.
[[nodiscard]] std::optional<Durability> durability_named(std::string_view name);

struct Member {
    mesos::TaskId task_id;    ///< Of the latest launch; empty before the first.
    mesos::AgentId agent_id;  ///< Where that was.
    std::string hostname;     ///< What applications are told.
    std::string ip;           ///< What the other members replicate from.
    std::uint16_t port = 0;
    std::uint16_t peer_port = 0;
    mesos::PersistenceId persistence_id;  ///< Its volume; written here before it is made.
    bool volume_created = false;          ///< It holds data: this member lives there or nowhere.
    bool launched = false;                ///< An ACCEPT may be under way, or the task may live.
    bool token_exchanged = false;         ///< The one-time token of `task_id` is void.
    std::uint32_t failures = 0;           ///< Launches in a row that never ran.
    bool to_copy = false;                 ///< Added later: it begins with a copy of another's data.
    std::string region;                   ///< Of the agent of the latest launch, as are these:
    std::string zone;
    std::map<std::string, std::string> attributes;  ///< Those that constraints name.
    std::string unknown_fields;  ///< Written by a newer version, kept as they are.
    friend bool operator==(const Member&, const Member&) = default;
};

struct Record {
    std::string name;
    std::string uuid;
    std::string flavor = "mariadb";
    std::uint32_t num_nodes = 1;
    Size size;
    std::string cluster_user;
    std::string sealed_secrets;  ///< Only shells open it.
    Epoch epoch{};
    std::set<MemberId> electorate;
    std::uint32_t acks = 0;
    MemberId primary{};   ///< Of `epoch` when opened, else of an epoch before; 0: never one.
    bool opened = false;  ///< Clients were let in to that primary, in `epoch`.
    std::string primary_position;  ///< What it, or the candidate if there is one, had to hold.
    MemberId candidate{};  ///< Of `epoch`, its marker is held, and it may be open; 0: not so far.
    Epoch since{};         ///< First epoch begun since the last that came so far; 0: none was.
    std::uint32_t next_server_id = 1;
    std::map<MemberId, Member> members;
    bool deleting = false;
    std::int64_t created_at_unix_ms = 0;
    std::uint64_t task_serial = 0;  ///< Makes each launch's task id unique.
    bool ever_opened = false;
    placement::Constraints constraints;  ///< Where members may be, see common/placement.
    bool colocate = false;               ///< An agent may hold more than one member.
    TwoNodePolicy two_node_policy = TwoNodePolicy::consistent;
    Durability durability = Durability::semisync;
    MemberId serving{};  ///< Who was allowed to let clients in last; 0: nobody, or not known.
    std::string unknown_fields;
    friend bool operator==(const Record&, const Record&) = default;
};

/// Only what stands in such an entry is ever destroyed.
struct RetiredVolume {
    mesos::PersistenceId persistence_id;
    mesos::AgentId agent_id;
    std::int64_t retired_at_unix_ms = 0;
    std::string cluster;
    std::string unknown_fields;
    friend bool operator==(const RetiredVolume&, const RetiredVolume&) = default;
};

struct FrameworkRecord {
    mesos::FrameworkId framework_id;  ///< Empty before the first subscription.
    std::vector<RetiredVolume> retired_volumes;
    std::set<std::string> clusters;  ///< A name is written here before its own record is.
    std::string unknown_fields;
    friend bool operator==(const FrameworkRecord&, const FrameworkRecord&) = default;
};

}  // namespace mysos::cluster
