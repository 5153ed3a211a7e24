#pragma once

#include "common/base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// Which of the masters that announce themselves in ZooKeeper leads, and where it listens.
namespace mysos::mesos {

/// A master, as it describes itself.
struct Master {
    std::string id;        ///< One process: a restarted master has another. Empty: not known.
    std::string ip;        ///< Connect here; the name may mean nothing to us.
    std::string hostname;  ///< What a certificate is made out to.
    std::uint16_t port = 0;
    friend bool operator==(const Master&, const Master&) = default;
};

/// Each is final until the nodes change.
enum class DetectionErrc {
    label_unknown = 1,  ///< A member we cannot judge may lead. A person has to look.
    master_too_old,     ///< The leader announces itself in a form from before Mesos 0.24.
    master_malformed,   ///< The leader's data is no MasterInfo in JSON.
};

[[nodiscard]] const boost::system::error_category& detection_category() noexcept;

[[nodiscard]] inline ErrorCode make_error_code(DetectionErrc e) noexcept
{
    return {static_cast<int>(e), detection_category()};
}

/// The leading child: of those whose part after the last "_" is an int32 the one with the smallest.
/// Others (log_replicas) are no members. None: nobody leads.
/// Shape:  [ label "_" ] int32; the label is the part before the first "_".
/// Errors: label_unknown when any member has a label other than json.info, info or none.
///         master_too_old when the leader's is not json.info.
/// Source: Mesos, src/zookeeper/group.cpp, src/master/detector/zookeeper.cpp.
[[nodiscard]] Result<std::optional<std::string>> leading_member(
    const std::vector<std::string>& children);

/// Shape:  JSON of mesos.MasterInfo: `address` {`hostname`, `ip`, `port`}; in its absence
/// `hostname`,
///         `port` (5050 where absent) and `pid` "master@ip:port". Other keys, in any order, are
///         ignored.
/// Errors: master_malformed.
[[nodiscard]] Result<Master> parse_master_info(std::string_view json);

}  // namespace mysos::mesos

template <>
struct boost::system::is_error_code_enum<mysos::mesos::DetectionErrc> : std::true_type {};
