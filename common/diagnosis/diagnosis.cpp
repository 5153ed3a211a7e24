#include "common/diagnosis/diagnosis.hpp"

#include "common/diagnosis/case.hpp"

#include <algorithm>
#include <array>

namespace mysos::diagnosis {
namespace {

template <class Predicate>
bool any_member(const Case& c, const Predicate& holds)
{
    return std::ranges::any_of(
        c.view.members, [&](const auto& entry) { return holds(entry.first, entry.second); });
}

bool is_electing(const Case& c)
{
    return c.view.election == View::Election::under_way;
}

bool is_stuck(const Case& c)
{
    return c.view.election == View::Election::stuck;
}

bool is_silent(const Case& c)
{
    return !c.heard(*c.primary);
}

/// Without anybody to take over, an election could only start the server anew, which takes longer
/// than most hangs: a disk that stalls, a host that swaps.
bool is_hung(const Case& c)
{
    const bool others_can = c.can_take_over();
    return c.hangs(*c.primary, others_can ? c.config.hang_timeout : c.config.hang_alone_max);
}

bool stalls(const Case& c)
{
    return !c.answers(*c.primary) && c.primary->observation->phase == control::Phase::primary;
}

bool has_just_begun(const Case& c)
{
    return c.past.epoch_since && c.now - *c.past.epoch_since < c.config.failover_block;
}

/// Cheaper than an election, so it comes first: the primary lives.
bool has_lost_replica(const Case& c)
{
    const Member* replica = c.only_replica();
    if (replica == nullptr) return false;
    const bool is_late = c.past.loss && c.now - c.past.loss->since >= c.config.cut_timeout;
    return replica->task_ended || is_late;
}

bool is_cut(const Case& c)
{
    if (!c.past.cut_since || c.now - *c.past.cut_since < c.config.cut_timeout) return false;
    return !has_just_begun(c) && c.can_do_without_primary();
}

bool is_held(const Case& c, const Past::Stall& stall)
{
    return c.holders(stall.position) >= c.acks_awaited();
}

/// Replicas acknowledge what arrives, and what they hold does not arrive again: a MariaDB whose
/// commits wait for just that can write nothing that would make them speak. A large transaction
/// that is on its way looks different, as nobody holds it.
bool commits_stall(const Case& c)
{
    if (!c.past.stall || c.now - c.past.stall->since < c.config.cut_timeout) return false;
    return !has_just_begun(c) && c.can_take_over() && is_held(c, *c.past.stall);
}

bool is_shut(const Case& c)
{
    return !c.primary->observation->writable;
}

bool has_full_disk(const Case& c)
{
    return c.disk_is_full(*c.primary);
}

bool has_errant(const Case& c)
{
    return any_member(c, [&c](MemberId id, const Member& m) { return c.is_errant(id, m); });
}

bool has_broken(const Case& c)
{
    return any_member(c, [&c](MemberId, const Member& m) { return c.is_broken(m); });
}

bool has_lagging(const Case& c)
{
    return any_member(c, [&c](MemberId, const Member& m) { return c.lags(m); });
}

struct Rule {
    bool (*holds)(const Case&);
    Verdict verdict;
};

/// In this order: what a rule takes for granted is what those above have ruled out.
constexpr std::array rules{
    Rule{is_stuck, Verdict::no_quorum},
    Rule{is_electing, Verdict::electing},
    Rule{[](const Case& c) { return c.never_was_one(); }, Verdict::no_primary_yet},
    Rule{[](const Case& c) { return c.has_ended(); }, Verdict::primary_crashed},
    Rule{[](const Case& c) { return c.lost_to_all(); }, Verdict::primary_unreachable},
    Rule{[](const Case& c) { return c.lost_to_us_only(); }, Verdict::scheduler_isolated},
    Rule{is_silent, Verdict::primary_silent},
    Rule{is_hung, Verdict::primary_hung},
    Rule{stalls, Verdict::primary_stalls},
    Rule{has_lost_replica, Verdict::replica_lost},
    Rule{is_cut, Verdict::replication_cut},
    Rule{commits_stall, Verdict::commits_stall},
    Rule{is_shut, Verdict::primary_shut},
    Rule{[](const Case& c) { return c.short_of_replicas(); }, Verdict::replicas_missing},
    Rule{has_full_disk, Verdict::disk_full},
    Rule{has_errant, Verdict::errant_replica},
    Rule{has_broken, Verdict::replica_broken},
    Rule{has_lagging, Verdict::replica_lagging},
};

/// What a member holds beyond its primary. Reports of two members cross, so that a replica is often
/// ahead of what is known of its primary: only what stays is an excess.
void note_excess(Past& past, const Case& c, MemberId id, const mysql::Position& held)
{
    const mysql::Position& all = c.primary->observation->position;
    const auto lacks = [&all](const mysql::Position& position) {
        return !all.includes(position) || all.diverged_from(position);
    };
    const auto known = past.excess.find(id);
    if (known != past.excess.end()) {
        if (lacks(known->second.position)) return;
        past.excess.erase(known);
    }
    if (lacks(held)) past.excess.emplace(id, Past::Excess{held, c.now});
}

void note_epoch(Past& past, const View& view, TimePoint now)
{
    if (past.epoch == view.epoch) return;
    if (past.epoch) past.epoch_since = now;
    past.epoch = view.epoch;
    past.cut_since.reset();
    past.stall.reset();
    past.loss.reset();
    past.excess.clear();
}

void note_stall(Past& past, const Case& c)
{
    if (!c.commits_wait()) {
        past.stall.reset();
        return;
    }
    const mysql::Observation& seen = *c.primary->observation;
    const bool lasts = past.stall && past.stall->acknowledged == seen.commits_acknowledged &&
                       is_held(c, *past.stall);
    if (lasts) return;
    past.stall = Past::Stall{seen.position, seen.commits_acknowledged, c.now};
}

void note_loss(Past& past, const Case& c)
{
    if (!c.does_without_replica()) {
        past.loss.reset();
        return;
    }
    const std::uint64_t acknowledged = c.primary->observation->commits_acknowledged;
    const bool lasts = past.loss && past.loss->acknowledged == acknowledged;
    if (!lasts) past.loss = Past::Loss{acknowledged, c.now};
}

}  // namespace

void remember(Past& past, const View& view, const Config& config, TimePoint now)
{
    note_epoch(past, view, now);
    const Case c{view, past, config, now};
    const bool is_cut = c.commits_wait() && c.short_of_replicas();
    if (!is_cut) {
        past.cut_since.reset();
    } else if (!past.cut_since) {
        past.cut_since = now;
    }
    note_stall(past, c);
    note_loss(past, c);
    std::erase_if(past.excess, [&view](const auto& entry) {
        return !view.members.contains(entry.first) || entry.first == view.primary;
    });
    if (!c.leads()) return;
    for (const auto& [id, member] : view.members) {
        if (!c.is_primary(id) && c.replicates(member)) {
            note_excess(past, c, id, member.observation->position);
        }
    }
}

Verdict diagnose(const View& view, const Past& past, const Config& config, TimePoint now)
{
    const Case facts{view, past, config, now};
    const auto* const rule =
        std::ranges::find_if(rules, [&facts](const Rule& r) { return r.holds(facts); });
    return rule == rules.end() ? Verdict::healthy : rule->verdict;
}

bool calls_for_election(Verdict verdict)
{
    return verdict == Verdict::primary_crashed || verdict == Verdict::primary_unreachable ||
           verdict == Verdict::primary_hung || verdict == Verdict::replication_cut ||
           verdict == Verdict::commits_stall;
}

std::optional<TimePoint> next_look(
    const View& view, const Past& past, const Config& config, TimePoint now)
{
    std::optional<TimePoint> first;
    const auto consider = [&](TimePoint at) {
        if (at > now && (!first || at < *first)) first = at;
    };
    const Case facts{view, past, config, now};
    if (facts.primary != nullptr) consider(facts.primary->heard_at + config.lease);
    if (past.cut_since) consider(*past.cut_since + config.cut_timeout);
    if (past.stall) consider(past.stall->since + config.cut_timeout);
    if (past.loss) consider(past.loss->since + config.cut_timeout);
    if ((past.cut_since || past.stall) && past.epoch_since) {
        consider(*past.epoch_since + config.failover_block);
    }
    for (const auto& [id, excess] : past.excess) consider(excess.since + config.errant_after);
    return first;
}

const char* code(Verdict verdict)
{
    switch (verdict) {
        case Verdict::no_primary_yet: return "no_primary_yet";
        case Verdict::electing: return "electing";
        case Verdict::no_quorum: return "no_quorum";
        case Verdict::primary_crashed: return "primary_crashed";
        case Verdict::primary_unreachable: return "primary_unreachable";
        case Verdict::scheduler_isolated: return "scheduler_isolated";
        case Verdict::primary_silent: return "primary_silent";
        case Verdict::primary_hung: return "primary_hung";
        case Verdict::primary_stalls: return "primary_stalls";
        case Verdict::replica_lost: return "replica_lost";
        case Verdict::replication_cut: return "replication_cut";
        case Verdict::commits_stall: return "commits_stall";
        case Verdict::primary_shut: return "primary_shut";
        case Verdict::replicas_missing: return "replicas_missing";
        case Verdict::disk_full: return "disk_full";
        case Verdict::errant_replica: return "errant_replica";
        case Verdict::replica_broken: return "replica_broken";
        case Verdict::replica_lagging: return "replica_lagging";
        case Verdict::healthy: return "healthy";
    }
    return "unknown";
}

const char* to_text(Verdict verdict)
{
    switch (verdict) {
        case Verdict::no_primary_yet: return "no primary yet";
        case Verdict::electing: return "an election is under way";
        case Verdict::no_quorum: return "the election cannot be decided";
        case Verdict::primary_crashed: return "the primary has crashed";
        case Verdict::primary_unreachable: return "the primary is unreachable";
        case Verdict::scheduler_isolated:
            return "the primary serves, but is silent to the scheduler";
        case Verdict::primary_silent: return "the primary is silent";
        case Verdict::primary_hung: return "the primary's server hangs";
        case Verdict::primary_stalls: return "the primary's server does not answer";
        case Verdict::replica_lost:
            return "the primary has lost its only replica, and goes on alone";
        case Verdict::replication_cut:
            return "the primary is cut off from the replicas that its commits wait for";
        case Verdict::commits_stall:
            return "the primary's commits wait for what replicas hold and do not acknowledge again";
        case Verdict::primary_shut: return "the primary takes no writes";
        case Verdict::replicas_missing: return "too few replicas acknowledge: writes wait";
        case Verdict::disk_full: return "the primary's volume is full";
        case Verdict::errant_replica: return "a replica holds what the primary lacks";
        case Verdict::replica_broken: return "a replica cannot go on by itself";
        case Verdict::replica_lagging: return "a replica lags";
        case Verdict::healthy: return "healthy";
    }
    return "unknown";
}

}  // namespace mysos::diagnosis
