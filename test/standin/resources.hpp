#pragma once

#include <cstdint>
#include <mesos/v1/mesos.pb.h>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mysos::standin {

namespace v1 = ::mesos::v1;

/// Thousandths: the master compares, adds and subtracts scalars only in these.
using Milli = std::int64_t;
[[nodiscard]] Milli to_milli(double value);

/// Inclusive intervals, sorted, apart from each other.
using Intervals = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
[[nodiscard]] Intervals intervals_of(const v1::Value::Ranges& ranges);
[[nodiscard]] Intervals unite(Intervals a, const Intervals& b);
[[nodiscard]] Intervals cut(const Intervals& from, const Intervals& what);
[[nodiscard]] bool covers(const Intervals& whole, const Intervals& part);

/// A pool of resources with the arithmetic of a Mesos master, in the form with `reservations[]`.
///
/// A wanted item must fit into one single item of the pool; nothing is assembled from a reserved
/// and an unreserved part. Persistent volumes and MOUNT, BLOCK and RAW disks go whole or not at
/// all. `disk.volume` and the principal of a persistence do not count in comparisons.
class Resources {
  public:
    using List = google::protobuf::RepeatedPtrField<v1::Resource>;

    Resources() = default;
    explicit Resources(const List& list);

    void add(const v1::Resource& resource);
    void add(const Resources& others);
    /// Takes off what matches; amounts beyond what is there are cut to what is there.
    void remove(const v1::Resource& resource);
    void remove(const Resources& others);

    [[nodiscard]] bool contains(const v1::Resource& wanted) const;
    [[nodiscard]] bool contains(const Resources& wanted) const;

    [[nodiscard]] bool empty() const { return items_.empty(); }
    [[nodiscard]] const std::vector<v1::Resource>& items() const { return items_; }
    [[nodiscard]] Milli scalar(std::string_view name) const;
    /// The same with every item allocated to `role`; or to nobody, without one.
    [[nodiscard]] Resources allocated(const std::optional<std::string>& role) const;
    /// The roles the items are allocated to; an item without one counts as "".
    [[nodiscard]] std::set<std::string> allocation_roles() const;

    template <class Predicate>
    [[nodiscard]] Resources filter(Predicate predicate) const
    {
        Resources kept;
        for (const auto& item : items_)
            if (predicate(item)) kept.items_.push_back(item);
        return kept;
    }

  private:
    std::vector<v1::Resource> items_;
};

[[nodiscard]] Resources operator+(Resources a, const Resources& b);
[[nodiscard]] Resources operator-(Resources a, const Resources& b);

[[nodiscard]] bool is_volume(const v1::Resource& resource);
[[nodiscard]] bool is_dynamically_reserved(const v1::Resource& resource);
/// The effective role of the reservation, "*" for none.
[[nodiscard]] std::string reservation_role(const v1::Resource& resource);
/// May be offered to `role`: unreserved, or reserved for it or an ancestor.
[[nodiscard]] bool allocatable_to(const v1::Resource& resource, const std::string& role);

/// Equal contents whatever the order, and equally present.
[[nodiscard]] bool same_labels(bool has_a, const v1::Labels& a, bool has_b, const v1::Labels& b);

/// `cpus(allocated: web)(reservations: [(DYNAMIC,web,p)]):0.9; ...`, as a master prints them.
[[nodiscard]] std::string to_text(const v1::Resource& resource);
[[nodiscard]] std::string to_text(const Resources& resources);

}  // namespace mysos::standin
