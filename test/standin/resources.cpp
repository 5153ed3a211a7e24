#include "test/standin/resources.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace mysos::standin {

namespace {

double from_milli(Milli value)
{
    return static_cast<double>(value) / 1000.0;
}

bool same_reservation(
    const v1::Resource::ReservationInfo& a, const v1::Resource::ReservationInfo& b)
{
    return a.type() == b.type() && a.role() == b.role() && a.has_principal() == b.has_principal() &&
           a.principal() == b.principal() &&
           same_labels(a.has_labels(), a.labels(), b.has_labels(), b.labels());
}

bool same_reservations(const v1::Resource& a, const v1::Resource& b)
{
    if (a.reservations_size() != b.reservations_size()) return false;
    for (int i = 0; i < a.reservations_size(); ++i)
        if (!same_reservation(a.reservations(i), b.reservations(i))) return false;
    return true;
}

bool same_source(const v1::Resource::DiskInfo& a, const v1::Resource::DiskInfo& b)
{
    if (a.has_source() != b.has_source()) return false;
    if (!a.has_source()) return true;
    const auto& x = a.source();
    const auto& y = b.source();
    return x.type() == y.type() && x.path().root() == y.path().root() &&
           x.has_path() == y.has_path() && x.has_mount() == y.has_mount() &&
           x.mount().root() == y.mount().root() && x.vendor() == y.vendor() && x.id() == y.id() &&
           x.profile() == y.profile() &&
           same_labels(x.has_metadata(), x.metadata(), y.has_metadata(), y.metadata());
}

bool same_disk(const v1::Resource& a, const v1::Resource& b)
{
    if (a.has_disk() != b.has_disk()) return false;
    if (!a.has_disk()) return true;
    return same_source(a.disk(), b.disk()) &&
           a.disk().has_persistence() == b.disk().has_persistence() &&
           a.disk().persistence().id() == b.disk().persistence().id();
}

bool same_kind(const v1::Resource& a, const v1::Resource& b)
{
    return a.name() == b.name() && a.type() == b.type() &&
           a.has_allocation_info() == b.has_allocation_info() &&
           a.allocation_info().role() == b.allocation_info().role() && same_reservations(a, b) &&
           same_disk(a, b) && a.has_revocable() == b.has_revocable() &&
           a.has_shared() == b.has_shared() && a.has_provider_id() == b.has_provider_id() &&
           a.provider_id().value() == b.provider_id().value();
}

/// Goes whole or not at all, and never merges with its like.
bool is_indivisible(const v1::Resource& resource)
{
    if (is_volume(resource)) return true;
    if (!resource.disk().has_source()) return false;
    using Source = v1::Resource::DiskInfo::Source;
    const auto& source = resource.disk().source();
    return source.type() == Source::MOUNT || source.type() == Source::BLOCK ||
           (source.type() == Source::RAW && source.has_id());
}

std::set<std::string> items_of(const v1::Value::Set& set)
{
    return {set.item().begin(), set.item().end()};
}

void write(v1::Value::Ranges& ranges, const Intervals& intervals)
{
    ranges.clear_range();
    for (const auto& [begin, end] : intervals) {
        auto& range = *ranges.add_range();
        range.set_begin(begin);
        range.set_end(end);
    }
}

bool is_nothing(const v1::Resource& resource)
{
    switch (resource.type()) {
        case v1::Value::SCALAR: return to_milli(resource.scalar().value()) <= 0;
        case v1::Value::RANGES: return resource.ranges().range_size() == 0;
        case v1::Value::SET: return resource.set().item_size() == 0;
        case v1::Value::TEXT: break;
    }
    return false;
}

void add_amount(v1::Resource& to, const v1::Resource& what)
{
    if (to.type() == v1::Value::SCALAR) {
        to.mutable_scalar()->set_value(
            from_milli(to_milli(to.scalar().value()) + to_milli(what.scalar().value())));
    } else if (to.type() == v1::Value::RANGES) {
        write(*to.mutable_ranges(), unite(intervals_of(to.ranges()), intervals_of(what.ranges())));
    } else if (to.type() == v1::Value::SET) {
        auto all = items_of(to.set());
        for (const auto& item : what.set().item())
            if (all.insert(item).second) to.mutable_set()->add_item(item);
    }
}

void remove_amount(v1::Resource& from, const v1::Resource& what)
{
    if (from.type() == v1::Value::SCALAR) {
        from.mutable_scalar()->set_value(
            from_milli(to_milli(from.scalar().value()) - to_milli(what.scalar().value())));
    } else if (from.type() == v1::Value::RANGES) {
        write(
            *from.mutable_ranges(), cut(intervals_of(from.ranges()), intervals_of(what.ranges())));
    } else if (from.type() == v1::Value::SET) {
        const auto gone = items_of(what.set());
        const auto before = from.set();
        from.mutable_set()->clear_item();
        for (const auto& item : before.item())
            if (!gone.contains(item)) from.mutable_set()->add_item(item);
    }
}

bool has_amount(const v1::Resource& pool, const v1::Resource& wanted)
{
    if (wanted.type() == v1::Value::SCALAR) {
        const Milli have = to_milli(pool.scalar().value());
        const Milli want = to_milli(wanted.scalar().value());
        return is_indivisible(pool) ? have == want : want <= have;
    }
    if (wanted.type() == v1::Value::RANGES)
        return covers(intervals_of(pool.ranges()), intervals_of(wanted.ranges()));
    if (wanted.type() == v1::Value::SET) {
        const auto have = items_of(pool.set());
        const auto want = items_of(wanted.set());
        return std::ranges::includes(have, want);
    }
    return false;
}

}  // namespace

Milli to_milli(double value)
{
    return std::llround(value * 1000.0);
}

Intervals intervals_of(const v1::Value::Ranges& ranges)
{
    Intervals all;
    for (const auto& range : ranges.range()) all.emplace_back(range.begin(), range.end());
    return unite(std::move(all), {});
}

Intervals unite(Intervals a, const Intervals& b)
{
    a.insert(a.end(), b.begin(), b.end());
    std::ranges::sort(a);
    Intervals merged;
    for (const auto& [begin, end] : a) {
        if (!merged.empty() && (begin <= merged.back().second || begin - merged.back().second == 1))
            merged.back().second = std::max(merged.back().second, end);
        else
            merged.emplace_back(begin, end);
    }
    return merged;
}

Intervals cut(const Intervals& from, const Intervals& what)
{
    Intervals left = from;
    for (const auto& [begin, end] : what) {
        Intervals next;
        for (const auto& [low, high] : left) {
            if (end < low || high < begin) {
                next.emplace_back(low, high);
                continue;
            }
            if (low < begin) next.emplace_back(low, begin - 1);
            if (end < high) next.emplace_back(end + 1, high);
        }
        left = std::move(next);
    }
    return left;
}

bool covers(const Intervals& whole, const Intervals& part)
{
    return cut(part, whole).empty();
}

Resources::Resources(const List& list)
{
    for (const auto& resource : list) add(resource);
}

void Resources::add(const v1::Resource& resource)
{
    if (is_nothing(resource)) return;
    if (!is_indivisible(resource)) {
        for (auto& item : items_) {
            if (!same_kind(item, resource)) continue;
            add_amount(item, resource);
            return;
        }
    }
    items_.push_back(resource);
    if (resource.type() == v1::Value::RANGES) {
        auto& ranges = *items_.back().mutable_ranges();
        write(ranges, intervals_of(resource.ranges()));
    }
}

void Resources::add(const Resources& others)
{
    for (const auto& item : others.items_) add(item);
}

void Resources::remove(const v1::Resource& resource)
{
    for (auto item = items_.begin(); item != items_.end(); ++item) {
        if (!same_kind(*item, resource)) continue;
        if (is_indivisible(*item) && !has_amount(*item, resource)) continue;
        remove_amount(*item, resource);
        if (is_nothing(*item)) items_.erase(item);
        return;
    }
}

void Resources::remove(const Resources& others)
{
    for (const auto& item : others.items_) remove(item);
}

bool Resources::contains(const v1::Resource& wanted) const
{
    if (is_nothing(wanted)) return true;
    return std::ranges::any_of(items_, [&](const v1::Resource& item) {
        return same_kind(item, wanted) && has_amount(item, wanted);
    });
}

bool Resources::contains(const Resources& wanted) const
{
    Resources left = *this;
    for (const auto& item : wanted.items_) {
        if (!left.contains(item)) return false;
        left.remove(item);
    }
    return true;
}

Milli Resources::scalar(std::string_view name) const
{
    Milli sum = 0;
    for (const auto& item : items_)
        if (item.name() == name && item.type() == v1::Value::SCALAR)
            sum += to_milli(item.scalar().value());
    return sum;
}

Resources Resources::allocated(const std::optional<std::string>& role) const
{
    Resources result;
    for (auto item : items_) {
        if (role)
            item.mutable_allocation_info()->set_role(*role);
        else
            item.clear_allocation_info();
        result.add(item);
    }
    return result;
}

std::set<std::string> Resources::allocation_roles() const
{
    std::set<std::string> roles;
    for (const auto& item : items_) roles.insert(item.allocation_info().role());
    return roles;
}

Resources operator+(Resources a, const Resources& b)
{
    a.add(b);
    return a;
}

Resources operator-(Resources a, const Resources& b)
{
    a.remove(b);
    return a;
}

bool is_volume(const v1::Resource& resource)
{
    return resource.disk().has_persistence();
}

bool is_dynamically_reserved(const v1::Resource& resource)
{
    return resource.reservations_size() > 0 &&
           resource.reservations(resource.reservations_size() - 1).type() ==
               v1::Resource::ReservationInfo::DYNAMIC;
}

std::string reservation_role(const v1::Resource& resource)
{
    const int count = resource.reservations_size();
    return count == 0 ? "*" : resource.reservations(count - 1).role();
}

bool allocatable_to(const v1::Resource& resource, const std::string& role)
{
    const std::string owner = reservation_role(resource);
    return owner == "*" || owner == role || role.starts_with(owner + "/");
}

bool same_labels(bool has_a, const v1::Labels& a, bool has_b, const v1::Labels& b)
{
    if (has_a != has_b) return false;
    using Text = std::pair<std::string, std::optional<std::string>>;
    const auto sorted = [](const v1::Labels& labels) {
        std::multiset<Text> all;
        for (const auto& label : labels.labels()) {
            std::optional<std::string> value;
            if (label.has_value()) value = label.value();
            all.emplace(label.key(), std::move(value));
        }
        return all;
    };
    return sorted(a) == sorted(b);
}

}  // namespace mysos::standin
