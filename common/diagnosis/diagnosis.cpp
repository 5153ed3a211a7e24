#include "common/diagnosis/diagnosis.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace mysos::diagnosis {
namespace {

/// What the rules look at.
struct Case {
    const View& view;
    const Config& config;
    TimePoint now;
    const Member* primary;  ///< Null: there never was one, or it is no member any more.

    [[nodiscard]] bool silent(const Member& member) const
    {
        return !member.connected || now - member.heard_at > config.lease;
    }

    /// Replicas of E that speak to us and do, or do not, receive from the primary.
    [[nodiscard]] std::size_t replicas(bool receiving) const
    {
        return static_cast<std::size_t>(
            std::ranges::count_if(view.electorate.members, [&](MemberId id) {
                const auto found = view.members.find(id);
                if (id == view.primary || found == view.members.end()) return false;
                const Member& member = found->second;
                if (silent(member) || !member.observation) return false;
                const auto& seen = *member.observation;
                return (seen.receiver_running && seen.source == view.primary) == receiving;
            }));
    }
};

bool never_was_one(const Case& c)
{
    return c.view.primary == MemberId{};
}

bool has_ended(const Case& c)
{
    return c.primary == nullptr || c.primary->task_ended;
}

/// Its executor says that the server ended, or that what runs now does not lead this epoch.
bool says_it_leads_no_more(const Case& c)
{
    using control::Phase;
    if (!c.primary->connected || !c.primary->observation) return false;
    const auto& seen = *c.primary->observation;
    if (seen.phase == Phase::stopping) return false;
    return seen.phase != Phase::primary || seen.epoch != c.view.epoch;
}

bool is_lost_to_all(const Case& c)
{
    const bool lease_over = c.now - c.primary->heard_at > c.config.lease;
    return c.silent(*c.primary) && lease_over &&
           c.replicas(false) >= electorate::votes_needed(c.view.electorate, c.view.primary);
}

bool is_lost_to_us_only(const Case& c)
{
    const bool lease_over = c.now - c.primary->heard_at > c.config.lease;
    return c.silent(*c.primary) && lease_over && c.replicas(true) > 0;
}

bool is_silent(const Case& c)
{
    return c.silent(*c.primary) || !c.primary->observation;
}

bool is_shut(const Case& c)
{
    return !c.primary->observation->writable;
}

bool lacks_replicas(const Case& c)
{
    return c.primary->observation->semi_sync_clients < c.view.electorate.acks;
}

struct Rule {
    bool (*holds)(const Case&);
    Verdict verdict;
};

/// In this order: what a rule takes for granted is what those above have ruled out.
constexpr std::array rules{
    Rule{never_was_one, Verdict::no_primary_yet},
    Rule{has_ended, Verdict::primary_crashed},
    Rule{says_it_leads_no_more, Verdict::primary_crashed},
    Rule{is_lost_to_all, Verdict::primary_unreachable},
    Rule{is_lost_to_us_only, Verdict::scheduler_isolated},
    Rule{is_silent, Verdict::primary_silent},
    Rule{is_shut, Verdict::primary_shut},
    Rule{lacks_replicas, Verdict::replicas_missing},
};

}  // namespace

Verdict diagnose(const View& view, const Config& config, TimePoint now)
{
    const auto primary = view.members.find(view.primary);
    const Case facts{
        .view = view,
        .config = config,
        .now = now,
        .primary = primary == view.members.end() ? nullptr : &primary->second};
    const auto* const rule =
        std::ranges::find_if(rules, [&facts](const Rule& r) { return r.holds(facts); });
    return rule == rules.end() ? Verdict::healthy : rule->verdict;
}

const char* to_text(Verdict verdict)
{
    switch (verdict) {
        case Verdict::no_primary_yet: return "no primary yet";
        case Verdict::primary_crashed: return "the primary has crashed";
        case Verdict::primary_unreachable: return "the primary is unreachable";
        case Verdict::scheduler_isolated:
            return "the primary serves, but is silent to the scheduler";
        case Verdict::primary_silent: return "the primary is silent";
        case Verdict::primary_shut: return "the primary takes no writes";
        case Verdict::replicas_missing: return "too few replicas acknowledge: writes wait";
        case Verdict::healthy: return "healthy";
    }
    return "unknown";
}

}  // namespace mysos::diagnosis
