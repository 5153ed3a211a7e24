#pragma once

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/diagnosis/view.hpp"

#include <set>
#include <string>
#include <vector>

/// What an operator would call what is going on: named situations, as many at once as there are.
/// None of them decides anything; what is done about each follows from the verdict
/// (diagnosis.hpp), the election and the electorate, and its text says what that is.
///
/// Pure: no I/O, clock, randomness, logging or threads.
namespace mysos::diagnosis {

enum class Code {
    // Of the cluster as a whole.
    no_quorum,
    election_under_way,
    no_primary_yet,
    no_writable_primary,
    several_writable_members,
    primary_without_replicas,

    // Of the primary: at most one of these.
    dead_primary_without_replicas,
    dead_primary_and_replicas,
    dead_primary_and_some_replicas,
    dead_primary,
    unreachable_primary_with_broken_replicas,
    unreachable_primary_with_lagging_replicas,
    unreachable_primary,
    scheduler_isolated,
    silent_primary,
    hung_primary,
    primary_does_not_answer,
    locked_semi_sync_primary,
    locked_semi_sync_primary_hypothesis,
    too_few_acknowledgers,
    read_only_primary,

    // Of replication as a whole: at most one of these.
    all_replicas_dead,
    all_replicas_not_replicating,
    all_replicas_not_replicating_or_dead,

    // Of members, each.
    weak_primary,
    circular_replication,
    errant_replica,
    rebuilding_member,
    writable_replica,
    wrong_source,
    broken_replica,
    replica_cannot_connect,
    replication_stopped,
    lagging_replica,
    delayed_replica,
    hung_replica,
    dead_replica,
    silent_member,
    idle_member,
    unacknowledging_replica,
    acknowledges_outside_electorate,
    outside_electorate,
    amnesiac_member,
    quarantined_member,
    member_of_newer_epoch,
    disk_full,
};

struct Situation {
    Code code{};
    std::set<MemberId> members;  ///< Whom it concerns; none: the cluster as a whole.
    std::string detail;          ///< What the servers say themselves, by member; may be empty.
    friend bool operator==(const Situation&, const Situation&) = default;
};

/// In the order of the codes. Nothing for a cluster that is well.
[[nodiscard]] std::vector<Situation> situations(
    const View& view, const Past& past, const Config& config, TimePoint now);

[[nodiscard]] const char* to_text(Code code);  ///< "dead_primary"
/// What it means, and what is done about it.
[[nodiscard]] const char* meaning(Code code);

}  // namespace mysos::diagnosis
