#pragma once

#include "common/mesos/ids.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// Resources as Mesos counts them: scalars in thousandths, ports as inclusive ranges, reservations
/// as a stack ("post" form, RESERVATION_REFINEMENT). The pool of an offer is a list of
/// distinguishable items; what is wanted must fit into one single item, never be assembled from
/// several. Whatever is taken is copied from the offer word for word, only the amount changes:
/// that is why the master's own comparison agrees with ours.
namespace mysos::mesos {

struct Label {
    std::string key;
    std::optional<std::string> value;
    friend bool operator==(const Label&, const Label&) = default;
    friend auto operator<=>(const Label&, const Label&) = default;
};
using Labels = std::vector<Label>;

struct Reservation {
    enum class Kind { fixed, dynamic };  ///< By the agent's flag, or by RESERVE.
    Kind kind = Kind::dynamic;
    std::string role;
    std::optional<std::string> principal;
    std::optional<Labels> labels;  ///< Presence counts when Mesos compares; order does not.
    friend bool operator==(const Reservation& a, const Reservation& b);
};

struct Scalar {
    std::int64_t thousandths = 0;
    friend bool operator==(const Scalar&, const Scalar&) = default;
};
struct Range {  ///< Both ends belong to it.
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    friend bool operator==(const Range&, const Range&) = default;
};
using Ranges = std::vector<Range>;  ///< Sorted, disjoint, coalesced, as `normalised` makes them.
using Set = std::vector<std::string>;

struct Persistence {
    PersistenceId id;
    std::optional<std::string> principal;  ///< Not compared by Mesos.
    friend bool operator==(const Persistence&, const Persistence&) = default;
};
struct Volume {
    std::string container_path;
    bool read_only = false;
    friend bool operator==(const Volume&, const Volume&) = default;
};

struct Resource {
    std::string name;
    std::variant<Scalar, Ranges, Set> value;
    std::optional<std::string> allocation_role;
    std::vector<Reservation> reservations;  ///< Outermost first; the last one is in force.
    std::optional<Persistence> persistence;
    std::optional<Volume> volume;  ///< Not compared by Mesos; must be there when a task uses it.
    bool foreign = false;  ///< Disk with a source, revocable, shared or a provider's: never used.
    friend bool operator==(const Resource&, const Resource&) = default;
};
using Resources = std::vector<Resource>;

/// Thousandths of a cpu or megabyte, rounded as Mesos rounds.
[[nodiscard]] std::int64_t to_thousandths(double value);
[[nodiscard]] constexpr std::int64_t whole(std::int64_t units)
{
    return units * 1000;
}
[[nodiscard]] Ranges normalised(Ranges ranges);

/// Equal in everything that Mesos compares except the amount.
[[nodiscard]] bool same_item(const Resource& a, const Resource& b);

[[nodiscard]] Resource scalar(std::string name, std::int64_t thousandths);
[[nodiscard]] Resource ports(Ranges ranges);

/// A list of items out of which resources are taken, one by one.
class Pool {
  public:
    explicit Pool(const Resources& resources);

    /// Whether each of `wanted` can be taken off, one after the other.
    [[nodiscard]] bool contains(const Resources& wanted) const;

    /// Takes one item off; false, and nothing changed, when no single item holds it. A persistent
    /// volume goes whole or not at all.
    bool take(const Resource& wanted);

    /// Puts back; equal items merge, except volumes.
    void add(const Resource& resource);

    [[nodiscard]] const Resources& items() const { return items_; }

  private:
    Resources items_;
};

/// The label by which our reservations come back apart from each other.
inline constexpr const char* reservation_label = "mysos";

/// The persistence id that our label on the reservation in force names, if there is one.
[[nodiscard]] std::optional<PersistenceId> labelled(const Resource& resource);

/// `resource` with one more dynamic reservation, labelled for `id`: the target form of RESERVE.
[[nodiscard]] Resource reserved(
    Resource resource,
    const std::string& role,
    const std::optional<std::string>& principal,
    const PersistenceId& id);

/// `cpus:1.5(mysos);ports:[1-2,5-5]`, for logs and reasons.
[[nodiscard]] std::string to_text(const Resource& resource);

}  // namespace mysos::mesos
