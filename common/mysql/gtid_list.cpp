#include "common/mysql/gtid_list.hpp"

#include "common/mysql/errc.hpp"
#include "common/mysql/gtid_text.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

namespace mysos::mysql {
namespace {

using Entry = GtidList::Entry;

std::optional<Entry> parse_entry(std::string_view text)
{
    const auto hyphens = std::ranges::count(text, '-');
    const auto domain = parse_number<std::uint32_t>(take(text, '-'));
    const auto server = parse_number<std::uint32_t>(take(text, '-'));
    const auto sequence = parse_number<std::uint64_t>(trim(text));
    if (hyphens != 2 || !domain || !server || !sequence) return std::nullopt;
    return Entry{*domain, *server, *sequence};
}

/// Of each domain the farther entry.
std::vector<Entry> farthest(std::vector<Entry> entries)
{
    std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
        return std::tie(a.domain, b.sequence, b.server) < std::tie(b.domain, a.sequence, a.server);
    });
    const auto same_domain = [](const Entry& a, const Entry& b) { return a.domain == b.domain; };
    entries.erase(std::unique(entries.begin(), entries.end(), same_domain), entries.end());
    return entries;
}

}  // namespace

Result<GtidList> GtidList::parse(std::string_view text)
{
    std::vector<Entry> read;
    std::string_view rest = trim(text);
    bool more = !rest.empty();
    while (more) {
        more = rest.find(',') != std::string_view::npos;
        const auto entry = parse_entry(take(rest, ','));
        if (!entry) return Errc::position_malformed;
        if (entry->sequence != 0) read.push_back(*entry);
    }
    GtidList list;
    list.entries_ = farthest(std::move(read));
    return list;
}

std::string GtidList::to_text() const
{
    std::string text;
    for (const Entry& entry : entries_) {
        if (!text.empty()) text += ',';
        text += std::to_string(entry.domain) + '-' + std::to_string(entry.server) + '-' +
                std::to_string(entry.sequence);
    }
    return text;
}

bool GtidList::includes(const GtidList& other) const
{
    return std::ranges::all_of(other.entries_, [this](const Entry& theirs) {
        const auto mine = std::ranges::lower_bound(entries_, theirs.domain, {}, &Entry::domain);
        return mine != entries_.end() && mine->domain == theirs.domain &&
               mine->sequence >= theirs.sequence;
    });
}

GtidList GtidList::unite(const GtidList& other) const
{
    std::vector<Entry> all = entries_;
    all.insert(all.end(), other.entries_.begin(), other.entries_.end());
    GtidList list;
    list.entries_ = farthest(std::move(all));
    return list;
}

GtidList GtidList::intersect(const GtidList& other) const
{
    GtidList list;
    for (const Entry& mine : entries_) {
        const auto theirs =
            std::ranges::lower_bound(other.entries_, mine.domain, {}, &Entry::domain);
        if (theirs == other.entries_.end() || theirs->domain != mine.domain) continue;
        const auto key = [](const Entry& e) { return std::tie(e.sequence, e.server); };
        list.entries_.push_back(key(mine) <= key(*theirs) ? mine : *theirs);
    }
    return list;
}

std::uint64_t GtidList::last_of(std::uint32_t domain) const
{
    const auto found = std::ranges::lower_bound(entries_, domain, {}, &Entry::domain);
    return found == entries_.end() || found->domain != domain ? 0 : found->sequence;
}

}  // namespace mysos::mysql
