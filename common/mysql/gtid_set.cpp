#include "common/mysql/gtid_set.hpp"

#include "common/mysql/errc.hpp"
#include "common/mysql/gtid_text.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

namespace mysos::mysql {
namespace {

using Interval = GtidSet::Interval;
using Intervals = GtidSet::Intervals;
using Source = GtidSet::Source;

constexpr std::uint64_t number_max = std::numeric_limits<std::int64_t>::max() - 1;
constexpr std::size_t tag_length_max = 32;

bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

std::optional<std::string> parse_tag(std::string_view text)
{
    if (text.empty() || text.size() > tag_length_max || !is_letter(text.front())) {
        return std::nullopt;
    }
    std::string tag;
    for (const char c : text) {
        if (!is_letter(c) && !is_digit(c)) return std::nullopt;
        tag += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return tag;
}

std::optional<Interval> parse_interval(std::string_view text)
{
    const bool is_range = text.find('-') != std::string_view::npos;
    const auto first = parse_number<std::uint64_t>(take(text, '-'));
    const auto last = is_range ? parse_number<std::uint64_t>(trim(text)) : first;
    if (!first || !last) return std::nullopt;
    if (*first < 1 || *last < *first || *last > number_max) return std::nullopt;
    return Interval{*first, *last};
}

/// Reads one `uuid:…` and appends a source for each tag in it.
bool parse_source(std::string_view text, std::vector<Source>& into)
{
    bool more = text.find(':') != std::string_view::npos;
    const auto uuid = parse_uuid(take(text, ':'));
    if (!uuid) return false;
    Source source{.uuid = *uuid, .tag = {}, .intervals = {}};
    bool tag_is_bare = true;  // So is the source itself before its first interval.
    while (more) {
        more = text.find(':') != std::string_view::npos;
        const std::string_view piece = take(text, ':');
        if (piece.empty()) return false;
        if (is_digit(piece.front())) {
            const auto interval = parse_interval(piece);
            if (!interval) return false;
            source.intervals.push_back(*interval);
            tag_is_bare = false;
            continue;
        }
        auto tag = parse_tag(piece);
        if (!tag || (tag_is_bare && !source.tag.empty())) return false;
        if (!source.intervals.empty()) into.push_back(source);
        source.tag = std::move(*tag);
        source.intervals.clear();
        tag_is_bare = true;
    }
    into.push_back(std::move(source));
    return !tag_is_bare;
}

bool before(const Source& a, const Source& b)
{
    return std::tie(a.uuid, a.tag) < std::tie(b.uuid, b.tag);
}

/// Sorts, and joins what touches or overlaps.
void normalise(Intervals& intervals)
{
    std::ranges::sort(intervals, {}, &Interval::first);
    Intervals joined;
    for (const Interval& next : intervals) {
        if (!joined.empty() && next.first <= joined.back().last + 1) {
            joined.back().last = std::max(joined.back().last, next.last);
        } else {
            joined.push_back(next);
        }
    }
    intervals = std::move(joined);
}

Intervals unite(const Intervals& a, const Intervals& b)
{
    Intervals all = a;
    all.insert(all.end(), b.begin(), b.end());
    normalise(all);
    return all;
}

Intervals subtract(const Intervals& a, const Intervals& b)
{
    Intervals left;
    auto taken = b.begin();
    for (Interval rest : a) {
        while (taken != b.end() && taken->last < rest.first) ++taken;
        auto cut = taken;
        while (cut != b.end() && cut->first <= rest.last) {
            if (cut->first > rest.first) left.push_back({rest.first, cut->first - 1});
            rest.first = cut->last + 1;
            if (rest.first > rest.last) break;
            ++cut;
        }
        if (rest.first <= rest.last) left.push_back(rest);
    }
    return left;
}

/// Walks both sets in order and keeps what `combine` makes of each source's intervals.
template <class Combine>
std::vector<Source> merge(
    const std::vector<Source>& a, const std::vector<Source>& b, const Combine& combine)
{
    static const Intervals none;
    std::vector<Source> merged;
    auto in_a = a.begin();
    auto in_b = b.begin();
    while (in_a != a.end() || in_b != b.end()) {
        const bool from_a = in_b == b.end() || (in_a != a.end() && !before(*in_b, *in_a));
        const bool from_b = in_a == a.end() || (in_b != b.end() && !before(*in_a, *in_b));
        const Source& key = from_a ? *in_a : *in_b;
        Intervals kept = combine(from_a ? in_a->intervals : none, from_b ? in_b->intervals : none);
        if (!kept.empty()) merged.push_back({key.uuid, key.tag, std::move(kept)});
        if (from_a) ++in_a;
        if (from_b) ++in_b;
    }
    return merged;
}

bool includes_all(const Intervals& a, const Intervals& b)
{
    auto mine = a.begin();
    return std::ranges::all_of(b, [&](const Interval& theirs) {
        while (mine != a.end() && mine->last < theirs.last) ++mine;
        return mine != a.end() && mine->first <= theirs.first;
    });
}

}  // namespace

Result<GtidSet> GtidSet::parse(std::string_view text)
{
    std::vector<Source> read;
    std::string_view rest = trim(text);
    bool more = !rest.empty();
    while (more) {
        more = rest.find(',') != std::string_view::npos;
        if (!parse_source(take(rest, ','), read)) return Errc::position_malformed;
    }
    std::ranges::stable_sort(read, before);
    GtidSet set;
    for (Source& source : read) {
        if (!set.sources_.empty() && !before(set.sources_.back(), source)) {
            Intervals& known = set.sources_.back().intervals;
            known.insert(known.end(), source.intervals.begin(), source.intervals.end());
        } else {
            set.sources_.push_back(std::move(source));
        }
    }
    for (Source& source : set.sources_) normalise(source.intervals);
    return set;
}

std::string GtidSet::to_text() const
{
    std::string text;
    const Source* previous = nullptr;
    for (const Source& source : sources_) {
        if (previous == nullptr || previous->uuid != source.uuid) {
            if (previous != nullptr) text += ',';
            text += mysos::to_text(source.uuid);
        }
        if (!source.tag.empty()) text += ':' + source.tag;
        for (const Interval& interval : source.intervals) {
            text += ':' + std::to_string(interval.first);
            if (interval.last != interval.first) text += '-' + std::to_string(interval.last);
        }
        previous = &source;
    }
    return text;
}

std::uint64_t GtidSet::count() const
{
    std::uint64_t sum = 0;
    for (const Source& source : sources_) {
        for (const Interval& interval : source.intervals) {
            const std::uint64_t length = interval.last - interval.first + 1;
            if (sum > std::numeric_limits<std::uint64_t>::max() - length) {
                return std::numeric_limits<std::uint64_t>::max();
            }
            sum += length;
        }
    }
    return sum;
}

bool GtidSet::includes(const GtidSet& other) const
{
    auto mine = sources_.begin();
    return std::ranges::all_of(other.sources_, [&](const Source& theirs) {
        while (mine != sources_.end() && before(*mine, theirs)) ++mine;
        return mine != sources_.end() && !before(theirs, *mine) &&
               includes_all(mine->intervals, theirs.intervals);
    });
}

GtidSet GtidSet::unite(const GtidSet& other) const
{
    GtidSet set;
    set.sources_ = merge(sources_, other.sources_, mysql::unite);
    return set;
}

GtidSet GtidSet::subtract(const GtidSet& other) const
{
    GtidSet set;
    set.sources_ = merge(sources_, other.sources_, mysql::subtract);
    return set;
}

GtidSet GtidSet::intersect(const GtidSet& other) const
{
    return subtract(subtract(other));
}

std::uint64_t GtidSet::last_of(const Uuid& uuid) const
{
    const auto found = std::ranges::find_if(
        sources_, [&uuid](const Source& s) { return s.uuid == uuid && s.tag.empty(); });
    return found == sources_.end() ? 0 : found->intervals.back().last;
}

}  // namespace mysos::mysql
