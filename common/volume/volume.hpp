#pragma once

#include "common/mesos/call.hpp"
#include "common/mesos/event.hpp"
#include "common/mesos/ids.hpp"
#include "common/mesos/resources.hpp"
#include "common/placement/placement.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

/// A member's persistent volume: what to reserve, create and use on an offer, and what to give
/// back.
///
/// Safe because a volume is known by its persistence id alone, which is unique for all time and was
/// written down before the volume was made; because a member that has data is launched on exactly
/// that volume or not at all; and because only an id recorded as retired is ever destroyed.
namespace mysos::volume {

/// What an executor needs for itself; part of an instance's size, as Cotton counted.
inline constexpr placement::Amounts executor_share{10, 32, 1, 0};

struct Want {
    mesos::PersistenceId id;
    placement::Amounts need;  ///< The whole instance, executor's share and ports included.
    std::string role;
    std::optional<std::string> principal;
    placement::Unreserved unreserved = placement::Unreserved::used;
    std::uint16_t port = 0;                 ///< Kept where still offered; 0: any.
    std::uint16_t peer_port = 0;            ///< Likewise.
    std::set<std::uint16_t> taken_ports{};  ///< Chosen only when there are no others.
    bool has_data = false;                  ///< The volume is there or nothing is done.
    bool top_up = false;  ///< What is missing beside an existing volume may be reserved anew.
};

struct Plan {
    std::vector<mesos::Operation> operations;  ///< RESERVE and CREATE as needed, in order.
    mesos::Resources task;                     ///< The volume, the ports and the server's share.
    mesos::Resources executor;
    std::uint16_t port = 0;
    std::uint16_t peer_port = 0;
    friend bool operator==(const Plan&, const Plan&) = default;
};
struct Unfit {
    enum class Why {
        no_volume,  ///< It has data, and its volume is not in this offer.
        lacking,    ///< Some resource is short.
        partial,    ///< Part of what is reserved for it is still in use: the next offer has it.
    };
    Why why = Why::lacking;
    std::vector<placement::Lack> lacks;
    friend bool operator==(const Unfit&, const Unfit&) = default;
};

/// How one member would be launched on one offer.
[[nodiscard]] std::variant<Plan, Unfit> plan(const mesos::Offer& offer, const Want& want);

/// What an offer holds for an id.
enum class Trace { none, reservations, volume };
[[nodiscard]] Trace trace(const mesos::Offer& offer, const mesos::PersistenceId& id);

/// How to give back all that the offer holds for a retired id. While it is not `due`, a volume
/// stays, and so does what is reserved beside it (without that it would not be offered);
/// reservations without a volume go at once. Empty: nothing to do.
[[nodiscard]] std::vector<mesos::Operation> release(
    const mesos::Offer& offer, const mesos::PersistenceId& id, bool due);

/// Ids of all volumes and of all reservations labelled by us, in the role.
[[nodiscard]] std::vector<mesos::PersistenceId> ids(
    const mesos::Offer& offer, const std::string& role);

}  // namespace mysos::volume
