#include "common/diagnosis/situations.hpp"

#include "common/diagnosis/rules.hpp"

#include <algorithm>
#include <utility>

namespace mysos::diagnosis {
namespace {

Situation describe(const Case& c, Code code, Concerns concerns, Detail detail)
{
    Situation situation{code, {}, {}};
    for (const auto& [id, member] : c.view.members) {
        if (!concerns(c, id, member)) continue;
        situation.members.insert(id);
        const std::string said = detail == nullptr ? std::string{} : detail(c, id, member);
        if (said.empty()) continue;
        if (!situation.detail.empty()) situation.detail += "; ";
        situation.detail += "member " + std::to_string(number(id)) + ": " + said;
    }
    return situation;
}

void add_first(std::vector<Situation>& found, const Case& c, std::span<const Whole> rules)
{
    const auto rule = std::ranges::find_if(rules, [&c](const Whole& r) { return r.holds(c); });
    if (rule == rules.end()) return;
    found.push_back(describe(c, rule->code, rule->concerns, nullptr));
}

}  // namespace

std::vector<Situation> situations(
    const View& view, const Past& past, const Config& config, TimePoint now)
{
    const Case c{view, past, config, now};
    std::vector<Situation> found;
    for (const Whole& rule : rules_of_cluster()) {
        if (rule.holds(c)) found.push_back(describe(c, rule.code, rule.concerns, nullptr));
    }
    add_first(found, c, rules_of_primary());
    add_first(found, c, rules_of_replication());
    for (const Each& rule : rules_of_members()) {
        Situation situation = describe(c, rule.code, rule.concerns, rule.detail);
        if (!situation.members.empty()) found.push_back(std::move(situation));
    }
    return found;
}

}  // namespace mysos::diagnosis
