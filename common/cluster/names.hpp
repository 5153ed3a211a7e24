#pragma once

#include "common/base/ids.hpp"
#include "common/cluster/record.hpp"
#include "common/mesos/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The names that a cluster gives to things outside of it. They carry the beginning of the
/// cluster's UUID, so that a cluster deleted and created anew under its old name shares no name
/// with the old.
namespace mysos::cluster {

/// `mysos-<cluster>-<server id>-<uuid8>.<serial>`; the executor's id as well.
[[nodiscard]] mesos::TaskId task_id(const Record& record, MemberId member, std::uint64_t serial);

/// `mysos-<cluster>-<server id>-<uuid8>.<serial>`, the serial of the launch that first wanted it.
[[nodiscard]] mesos::PersistenceId persistence_id(
    const Record& record, MemberId member, std::uint64_t serial);

struct Name {
    std::string cluster;
    MemberId member{};
    std::string uuid8;
    friend bool operator==(const Name&, const Name&) = default;
};
/// What such a name says; none when it is not of ours.
[[nodiscard]] std::optional<Name> parse_name(std::string_view text);

/// The first eight digits of the cluster's UUID.
[[nodiscard]] std::string uuid8(const Record& record);

/// Of the replication account that a member connects with to its primary.
[[nodiscard]] std::string replication_user(MemberId member);

/// Of the account that a member copies another's data with (MySQL).
[[nodiscard]] std::string clone_user();

[[nodiscard]] std::string to_text(MemberId member);

}  // namespace mysos::cluster
