#include "scheduler/decide/agenda.hpp"

#include <algorithm>

namespace mysos::scheduler {

void Agenda::put(
    const std::string& cluster, std::optional<TimePoint> wake_at, std::set<MemberId> wanting)
{
    if (const auto known = wake_at_.find(cluster); known != wake_at_.end()) {
        if (known->second != wake_at) {
            order_.erase({known->second, cluster});
            wake_at_.erase(known);
        }
    }
    if (wake_at && wake_at_.emplace(cluster, *wake_at).second) order_.emplace(*wake_at, cluster);

    const auto before = wanting_.find(cluster);
    for (const MemberId member : wanting) {
        const bool is_known = before != wanting_.end() && before->second.contains(member);
        if (!is_known) added_.emplace(cluster, member);
    }
    if (!wanting.empty()) {
        wanting_.insert_or_assign(cluster, std::move(wanting));
    } else if (before != wanting_.end()) {
        wanting_.erase(before);
    }
}

std::optional<TimePoint> Agenda::first() const
{
    if (order_.empty()) return std::nullopt;
    return order_.begin()->first;
}

std::vector<std::string> Agenda::due(TimePoint now) const
{
    std::vector<std::string> names;
    for (const auto& [at, name] : order_) {
        if (at > now) break;
        names.push_back(name);
    }
    std::ranges::sort(
        names);  // The order in which clusters are told must not hang on microseconds.
    return names;
}

std::vector<std::string> Agenda::wanting() const
{
    std::vector<std::string> names;
    names.reserve(wanting_.size());
    for (const auto& [name, members] : wanting_) names.push_back(name);
    return names;
}

bool Agenda::take_wants_more()
{
    const bool wants_more = std::ranges::any_of(added_, [this](const auto& entry) {
        const auto found = wanting_.find(entry.first);
        return found != wanting_.end() && found->second.contains(entry.second);
    });
    added_.clear();
    return wants_more;
}

}  // namespace mysos::scheduler
