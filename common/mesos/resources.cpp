#include "common/mesos/resources.hpp"

#include "common/base/overload.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace mysos::mesos {
namespace {

std::optional<Labels> sorted(std::optional<Labels> labels)
{
    if (labels) std::ranges::sort(*labels);
    return labels;
}

bool covers(const Ranges& pool, const Range& wanted)
{
    return std::ranges::any_of(pool, [&wanted](const Range& range) {
        return range.begin <= wanted.begin && wanted.end <= range.end;
    });
}

Ranges without(const Ranges& pool, const Range& taken)
{
    Ranges rest;
    for (const Range& range : pool) {
        if (range.end < taken.begin || taken.end < range.begin) {
            rest.push_back(range);
            continue;
        }
        if (range.begin < taken.begin) rest.push_back({range.begin, taken.begin - 1});
        if (taken.end < range.end) rest.push_back({taken.end + 1, range.end});
    }
    return rest;
}

/// Takes `wanted`'s amount from `item`, which is the same item; false when there is not enough.
bool take_amount(Resource& item, const Resource& wanted)
{
    if (auto* scalar = std::get_if<Scalar>(&item.value)) {
        const Scalar amount = std::get<Scalar>(wanted.value);
        if (item.persistence && scalar->thousandths != amount.thousandths) return false;
        if (scalar->thousandths < amount.thousandths) return false;
        scalar->thousandths -= amount.thousandths;
        return true;
    }
    if (auto* ranges = std::get_if<Ranges>(&item.value)) {
        const Ranges amount = normalised(std::get<Ranges>(wanted.value));
        const auto covered = [ranges](const Range& range) { return covers(*ranges, range); };
        if (!std::ranges::all_of(amount, covered)) return false;
        for (const Range& range : amount) *ranges = without(*ranges, range);
        return true;
    }
    auto& set = std::get<Set>(item.value);
    Set rest = set;
    for (const std::string& element : std::get<Set>(wanted.value)) {
        const auto found = std::ranges::find(rest, element);
        if (found == rest.end()) return false;
        rest.erase(found);
    }
    set = std::move(rest);
    return true;
}

bool is_nothing(const Resource& item)
{
    return std::visit(
        Overload{
            [](const Scalar& scalar) { return scalar.thousandths == 0; },
            [](const auto& elements) { return elements.empty(); }},
        item.value);
}

std::string to_text(std::int64_t thousandths)
{
    std::array<char, 32> digits{};
    const double units = static_cast<double>(thousandths) / 1000;
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), units);
    return {digits.data(), written.ptr};
}

}  // namespace

bool operator==(const Reservation& a, const Reservation& b)
{
    return a.kind == b.kind && a.role == b.role && a.principal == b.principal &&
           sorted(a.labels) == sorted(b.labels);
}

std::int64_t to_thousandths(double value)
{
    return std::llround(value * 1000);
}

Ranges normalised(Ranges ranges)
{
    std::ranges::sort(ranges, {}, &Range::begin);
    Ranges result;
    for (const Range& range : ranges) {
        // The sum cannot wrap: an end of 2^64-1 is above any later begin.
        if (!result.empty() &&
            (result.back().end >= range.begin || result.back().end + 1 == range.begin)) {
            result.back().end = std::max(result.back().end, range.end);
        } else {
            result.push_back(range);
        }
    }
    return result;
}

bool same_item(const Resource& a, const Resource& b)
{
    if (a.persistence.has_value() != b.persistence.has_value()) return false;
    if (a.persistence && a.persistence->id != b.persistence->id) return false;
    return a.name == b.name && a.value.index() == b.value.index() &&
           a.allocation_role == b.allocation_role && a.reservations == b.reservations &&
           a.foreign == b.foreign;
}

Resource scalar(std::string name, std::int64_t thousandths)
{
    Resource resource;
    resource.name = std::move(name);
    resource.value = Scalar{thousandths};
    return resource;
}

Resource ports(Ranges ranges)
{
    Resource resource;
    resource.name = "ports";
    resource.value = normalised(std::move(ranges));
    return resource;
}

Pool::Pool(const Resources& resources)
{
    for (const Resource& resource : resources) {
        if (!resource.foreign) add(resource);
    }
}

bool Pool::contains(const Resources& wanted) const
{
    Pool rest = *this;
    return std::ranges::all_of(
        wanted, [&rest](const Resource& resource) { return rest.take(resource); });
}

bool Pool::take(const Resource& wanted)
{
    if (is_nothing(wanted)) return true;
    for (auto item = items_.begin(); item != items_.end(); ++item) {
        if (!same_item(*item, wanted) || !take_amount(*item, wanted)) continue;
        if (is_nothing(*item)) items_.erase(item);
        return true;
    }
    return false;
}

void Pool::add(const Resource& resource)
{
    if (is_nothing(resource)) return;
    const auto like = [&resource](const Resource& item) {
        return !resource.persistence && same_item(item, resource);
    };
    const auto item = std::ranges::find_if(items_, like);
    if (item == items_.end()) {
        items_.push_back(resource);
        auto* ranges = std::get_if<Ranges>(&items_.back().value);
        if (ranges != nullptr) *ranges = normalised(*ranges);
        return;
    }
    if (auto* scalar = std::get_if<Scalar>(&item->value)) {
        scalar->thousandths += std::get<Scalar>(resource.value).thousandths;
    } else if (auto* ranges = std::get_if<Ranges>(&item->value)) {
        const auto& more = std::get<Ranges>(resource.value);
        ranges->insert(ranges->end(), more.begin(), more.end());
        *ranges = normalised(*ranges);
    } else {
        auto& set = std::get<Set>(item->value);
        const auto& more = std::get<Set>(resource.value);
        set.insert(set.end(), more.begin(), more.end());
    }
}

std::optional<PersistenceId> labelled(const Resource& resource)
{
    if (resource.reservations.empty() || !resource.reservations.back().labels) return std::nullopt;
    for (const Label& label : *resource.reservations.back().labels) {
        if (label.key == reservation_label && label.value) return PersistenceId{*label.value};
    }
    return std::nullopt;
}

Resource reserved(
    Resource resource,
    const std::string& role,
    const std::optional<std::string>& principal,
    const PersistenceId& id)
{
    Reservation reservation;
    reservation.role = role;
    reservation.principal = principal;
    reservation.labels = Labels{{reservation_label, id.text}};
    resource.reservations.push_back(std::move(reservation));
    return resource;
}

std::string to_text(const Resource& resource)
{
    std::string text = resource.name;
    for (const Reservation& reservation : resource.reservations)
        text += '(' + reservation.role + ')';
    if (resource.persistence) text += '[' + resource.persistence->id.text + ']';
    text += ':';
    if (const auto* scalar = std::get_if<Scalar>(&resource.value)) {
        return text + to_text(scalar->thousandths);
    }
    text += '[';
    const char* separator = "";
    if (const auto* ranges = std::get_if<Ranges>(&resource.value)) {
        for (const Range& range : *ranges) {
            text += separator + std::to_string(range.begin) + '-' + std::to_string(range.end);
            separator = ",";
        }
    } else {
        for (const std::string& element : std::get<Set>(resource.value)) {
            text += separator + element;
            separator = ",";
        }
    }
    return text + ']';
}

}  // namespace mysos::mesos
