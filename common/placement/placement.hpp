#pragma once

#include "common/mesos/event.hpp"
#include "common/mesos/ids.hpp"
#include "common/placement/constraint.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

/// Whether an agent offers enough for one more member, and if none does, which resource is short:
/// as data, so that a person can be told instead of guessing why nothing happens.
namespace mysos::placement {

struct Amounts {
    std::int64_t milli_cpus = 0;
    std::int64_t mem_mb = 0;
    std::int64_t disk_mb = 0;
    std::int64_t ports = 0;
    friend bool operator==(const Amounts&, const Amounts&) = default;
};

struct Lack {
    enum class Kind { cpus, mem, disk, ports };
    Kind kind = Kind::cpus;
    std::int64_t needed = 0;  ///< In the unit of `Amounts`.
    std::int64_t offered = 0;
    friend bool operator==(const Lack&, const Lack&) = default;
};

/// What is reserved to our role is always used, and first. What is reserved for nobody may be left
/// to other frameworks.
enum class Unreserved { used, left };

/// What a new member could take from the offer: of each kind the largest single item that is
/// reserved to our role for nobody in particular, or free.
[[nodiscard]] Amounts available(
    const mesos::Offer& offer, const std::string& role, Unreserved unreserved);

/// What an agent offered last, and where it is.
struct Offered {
    Amounts amounts;
    Place place;
    bool closing = false;  ///< It is to rest: no place for anything new.
    friend bool operator==(const Offered&, const Offered&) = default;
};

/// What is short, in the order of `Lack::Kind`; empty: it fits.
[[nodiscard]] std::vector<Lack> lacks(const Amounts& need, const Amounts& offered);

/// Why nothing fits, given what each agent offered last; agents in `occupied` hold a member
/// already, `others` is where members are. "no agent offers 64 cpus; largest offered 4". Empty when
/// some agent would do.
[[nodiscard]] std::string explain(
    const Amounts& need,
    const std::map<mesos::AgentId, Offered>& offered,
    const std::set<mesos::AgentId>& occupied,
    const Constraints& constraints,
    const Places& others);

/// "64 cpus", "0.5 cpus", "512 MB of memory".
[[nodiscard]] std::string to_text(Lack::Kind kind, std::int64_t amount);

}  // namespace mysos::placement
