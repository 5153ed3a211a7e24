#include "common/mysql/position.hpp"

#include "common/base/overload.hpp"

#include <algorithm>
#include <utility>

namespace mysos::mysql {
namespace {

/// MariaDB: sequence numbers leap at each marker, so only within one epoch do they count.
std::optional<std::uint64_t> count_beyond(const GtidList& list, const GtidList& other)
{
    std::uint64_t sum = 0;
    for (const GtidList::Entry& mine : list.entries()) {
        const std::uint64_t theirs = other.last_of(mine.domain);
        if (theirs >= mine.sequence) continue;
        const bool one_epoch = mine.sequence >> marker_shift == theirs >> marker_shift;
        if (!one_epoch) return std::nullopt;
        sum += mine.sequence - theirs;
    }
    return sum;
}

}  // namespace

Position::Position(GtidSet set)
{
    if (!set.empty()) held_ = std::move(set);
}

Position::Position(GtidList list)
{
    if (!list.empty()) held_ = std::move(list);
}

Result<Position> Position::parse(Flavor flavor, std::string_view text)
{
    if (flavor == Flavor::mysql) {
        auto set = GtidSet::parse(text);
        if (set.has_error()) return set.error();
        return Position{std::move(*set)};
    }
    auto list = GtidList::parse(text);
    if (list.has_error()) return list.error();
    return Position{std::move(*list)};
}

std::string Position::to_text() const
{
    return std::visit(
        Overload{
            [](const Nothing&) { return std::string{}; },
            [](const auto& held) { return held.to_text(); }},
        held_);
}

bool Position::includes(const Position& other) const
{
    if (other.empty()) return true;
    return std::visit(
        Overload{
            [](const GtidSet& a, const GtidSet& b) { return a.includes(b); },
            [](const GtidList& a, const GtidList& b) { return a.includes(b); },
            [](const auto&, const auto&) { return false; }},
        held_,
        other.held_);
}

bool Position::diverged_from(const Position& other) const
{
    return includes(other) == other.includes(*this) && *this != other;
}

Position Position::unite(const Position& other) const
{
    if (empty()) return other;
    return std::visit(
        Overload{
            [](const GtidSet& a, const GtidSet& b) { return Position{a.unite(b)}; },
            [](const GtidList& a, const GtidList& b) { return Position{a.unite(b)}; },
            [this](const auto&, const auto&) { return *this; }},
        held_,
        other.held_);
}

Position Position::intersect(const Position& other) const
{
    return std::visit(
        Overload{
            [](const GtidSet& a, const GtidSet& b) { return Position{a.intersect(b)}; },
            [](const GtidList& a, const GtidList& b) { return Position{a.intersect(b)}; },
            [](const auto&, const auto&) { return Position{}; }},
        held_,
        other.held_);
}

std::optional<std::uint64_t> Position::beyond(const Position& other) const
{
    using Count = std::optional<std::uint64_t>;
    return std::visit(
        Overload{
            [](const Nothing&, const auto&) -> Count { return 0; },
            [](const GtidSet& a, const Nothing&) -> Count { return a.count(); },
            [](const GtidSet& a, const GtidSet& b) -> Count { return a.subtract(b).count(); },
            [](const GtidList& a, const Nothing&) -> Count { return count_beyond(a, {}); },
            [](const GtidList& a, const GtidList& b) -> Count { return count_beyond(a, b); },
            [](const auto&, const auto&) -> Count { return std::nullopt; }},
        held_,
        other.held_);
}

Epoch Position::marker(const Uuid& cluster) const
{
    return std::visit(
        Overload{
            [](const Nothing&) { return Epoch{0}; },
            [&cluster](const GtidSet& set) { return Epoch{set.last_of(cluster)}; },
            [](const GtidList& list) { return Epoch{list.last_of(0) >> marker_shift}; }},
        held_);
}

}  // namespace mysos::mysql
