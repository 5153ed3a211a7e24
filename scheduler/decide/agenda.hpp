#pragma once

#include "common/base/ids.hpp"
#include "common/base/time.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mysos::scheduler {

/// What each cluster waits for: the time at which it wants to be woken, and the members that an
/// offer could launch. Kept up to date cluster by cluster, so that an input for one of ten thousand
/// clusters does not cost a look at all of them.
class Agenda {
  public:
    void put(
        const std::string& cluster, std::optional<TimePoint> wake_at, std::set<MemberId> wanting);
    void erase(const std::string& cluster) { put(cluster, std::nullopt, {}); }

    [[nodiscard]] std::optional<TimePoint> first() const;
    [[nodiscard]] std::vector<std::string> due(TimePoint now) const;

    [[nodiscard]] bool is_anybody_wanting() const { return !wanting_.empty(); }
    /// Names of the clusters with such members.
    [[nodiscard]] std::vector<std::string> wanting() const;
    /// Whether some member wants an offer that did not when this was asked last.
    [[nodiscard]] bool take_wants_more();

    friend bool operator==(const Agenda&, const Agenda&) = default;

  private:
    std::map<std::string, TimePoint> wake_at_;
    std::set<std::pair<TimePoint, std::string>> order_;  ///< The same by time.
    std::map<std::string, std::set<MemberId>> wanting_;  ///< No empty sets.
    std::set<std::pair<std::string, MemberId>> added_;   ///< Since it was asked.
};

}  // namespace mysos::scheduler
