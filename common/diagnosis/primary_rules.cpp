#include "common/diagnosis/rules.hpp"

#include <algorithm>
#include <array>

// Situations of the cluster, of its primary, and of replication as a whole.
namespace mysos::diagnosis {

bool has_led(const Case& c)
{
    return c.view.ever_opened && !c.never_was_one();
}

bool is_replica_of_electorate(const Case& c, MemberId id)
{
    return !c.is_primary(id) && c.in_electorate(id);
}

bool is_writable(const Case& c, MemberId, const Member& member)
{
    return c.answers(member) && member.observation->writable;
}

namespace {

// Whom a situation concerns.

bool nobody(const Case&, MemberId, const Member&)
{
    return false;
}

bool the_primary(const Case& c, MemberId id, const Member&)
{
    return c.is_primary(id);
}

bool dead_of_electorate(const Case& c, MemberId id, const Member& member)
{
    return c.is_primary(id) || (is_replica_of_electorate(c, id) && c.is_down(member));
}

bool primary_and_broken(const Case& c, MemberId id, const Member& member)
{
    return c.is_primary(id) || c.is_broken(member);
}

bool primary_and_lagging(const Case& c, MemberId id, const Member& member)
{
    return c.is_primary(id) || c.lags(member);
}

bool primary_and_lost(const Case& c, MemberId id, const Member& member)
{
    return c.is_primary(id) ||
           (is_replica_of_electorate(c, id) && c.link(member) != Link::receives);
}

bool not_replicating(const Case& c, MemberId id, const Member& member)
{
    return is_replica_of_electorate(c, id) && c.link(member) != Link::receives;
}

// Of the cluster as a whole.

template <class Predicate>
std::size_t count(const Case& c, const Predicate& holds)
{
    return static_cast<std::size_t>(std::ranges::count_if(
        c.view.members, [&](const auto& entry) { return holds(c, entry.first, entry.second); }));
}

bool no_quorum(const Case& c)
{
    return c.view.election == View::Election::stuck;
}

bool election_under_way(const Case& c)
{
    return c.view.election == View::Election::under_way;
}

bool no_primary_yet(const Case& c)
{
    return !has_led(c);
}

/// Where the primary is merely silent, it may be writable all the same.
bool no_writable_primary(const Case& c)
{
    if (!has_led(c) || count(c, is_writable) > 0) return false;
    return c.has_ended() || c.heard(*c.primary);
}

bool several_writable(const Case& c)
{
    return count(c, is_writable) > 1;
}

bool without_replicas(const Case& c)
{
    return c.view.members.size() > 1 && c.replicas() == 0 && has_led(c);
}

// Of the primary.

bool is_dead(const Case& c)
{
    return has_led(c) && c.has_ended();
}

bool dead_alone(const Case& c)
{
    return is_dead(c) && c.replicas() == 0;
}

std::size_t dead_replicas(const Case& c)
{
    return count(c, [](const Case& of, MemberId id, const Member& member) {
        return is_replica_of_electorate(of, id) && of.is_down(member);
    });
}

bool dead_with_all(const Case& c)
{
    return is_dead(c) && dead_replicas(c) == c.replicas();
}

bool dead_with_some(const Case& c)
{
    return is_dead(c) && dead_replicas(c) > 0;
}

bool unreachable_with_broken(const Case& c)
{
    return c.lost_to_all() &&
           count(c, [](const Case& of, MemberId, const Member& m) { return of.is_broken(m); }) > 0;
}

bool unreachable_with_lagging(const Case& c)
{
    return c.lost_to_all() &&
           count(c, [](const Case& of, MemberId, const Member& m) { return of.lags(m); }) > 0;
}

bool unreachable(const Case& c)
{
    return c.lost_to_all();
}

bool isolated(const Case& c)
{
    return c.lost_to_us_only();
}

bool silent(const Case& c)
{
    return has_led(c) && !c.heard(*c.primary);
}

bool hung(const Case& c)
{
    return has_led(c) && c.hangs(*c.primary, c.config.hang_timeout);
}

bool does_not_answer(const Case& c)
{
    return has_led(c) && !c.answers(*c.primary);
}

bool locked(const Case& c)
{
    return c.past.cut_since && c.now - *c.past.cut_since >= c.config.cut_timeout;
}

bool perhaps_locked(const Case& c)
{
    return c.past.cut_since.has_value();
}

bool too_few(const Case& c)
{
    return has_led(c) && c.short_of_replicas();
}

bool is_read_only(const Case& c)
{
    return has_led(c) && !election_under_way(c) && c.leads() && !c.primary->observation->writable;
}

// Of replication as a whole, while its primary is well.

bool primary_is_there(const Case& c)
{
    return has_led(c) && !c.has_ended() && c.replicas() > 0;
}

bool all_dead(const Case& c)
{
    return primary_is_there(c) && dead_replicas(c) == c.replicas();
}

bool all_not_replicating(const Case& c)
{
    return primary_is_there(c) && dead_replicas(c) == 0 && c.replicas(Link::receives) == 0 &&
           c.replicas(Link::unknown) == 0;
}

bool all_not_replicating_or_dead(const Case& c)
{
    return primary_is_there(c) && c.replicas(Link::receives) == 0 && c.replicas(Link::unknown) == 0;
}

constexpr std::array of_cluster{
    Whole{Code::no_quorum, no_quorum, nobody},
    Whole{Code::election_under_way, election_under_way, nobody},
    Whole{Code::no_primary_yet, no_primary_yet, nobody},
    Whole{Code::no_writable_primary, no_writable_primary, nobody},
    Whole{Code::several_writable_members, several_writable, is_writable},
    Whole{Code::primary_without_replicas, without_replicas, the_primary},
};

/// The first that holds.
constexpr std::array of_primary{
    Whole{Code::dead_primary_without_replicas, dead_alone, the_primary},
    Whole{Code::dead_primary_and_replicas, dead_with_all, dead_of_electorate},
    Whole{Code::dead_primary_and_some_replicas, dead_with_some, dead_of_electorate},
    Whole{Code::dead_primary, is_dead, the_primary},
    Whole{
        Code::unreachable_primary_with_broken_replicas,
        unreachable_with_broken,
        primary_and_broken},
    Whole{
        Code::unreachable_primary_with_lagging_replicas,
        unreachable_with_lagging,
        primary_and_lagging},
    Whole{Code::unreachable_primary, unreachable, the_primary},
    Whole{Code::scheduler_isolated, isolated, the_primary},
    Whole{Code::silent_primary, silent, the_primary},
    Whole{Code::hung_primary, hung, the_primary},
    Whole{Code::primary_does_not_answer, does_not_answer, the_primary},
    Whole{Code::locked_semi_sync_primary, locked, primary_and_lost},
    Whole{Code::locked_semi_sync_primary_hypothesis, perhaps_locked, primary_and_lost},
    Whole{Code::read_only_primary, is_read_only, the_primary},
    Whole{Code::too_few_acknowledgers, too_few, primary_and_lost},
};

/// The first that holds.
constexpr std::array of_replication{
    Whole{Code::all_replicas_dead, all_dead, not_replicating},
    Whole{Code::all_replicas_not_replicating, all_not_replicating, not_replicating},
    Whole{Code::all_replicas_not_replicating_or_dead, all_not_replicating_or_dead, not_replicating},
};

}  // namespace

std::span<const Whole> rules_of_cluster()
{
    return of_cluster;
}

std::span<const Whole> rules_of_primary()
{
    return of_primary;
}

std::span<const Whole> rules_of_replication()
{
    return of_replication;
}

}  // namespace mysos::diagnosis
