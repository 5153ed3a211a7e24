#pragma once

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/diagnosis/view.hpp"

#include <optional>

/// What ails a cluster, from what was observed, how old that is and since when it has been so.
///
/// The verdict is what action follows from, and there is one: an ordered list of rules of which the
/// first that holds counts, so that a sure sign is never outvoted by a vague one below it. What
/// people are told besides is in situations.hpp.
///
/// Safe because an election alone decides who may lead: a wrong verdict costs an election, never a
/// transaction. What it must not do is take down a primary that serves, so silence towards the
/// scheduler is no evidence of anything as long as replicas receive.
///
/// Pure: no I/O, clock, randomness, logging or threads. Equal arguments give equal answers.
namespace mysos::diagnosis {

enum class Verdict {
    no_primary_yet,   ///< There never was one.
    electing,         ///< An election is under way.
    no_quorum,        ///< It lacks answers, or those that it has do not do. Operators may force.
    primary_crashed,  ///< Its server or its task has ended, or it came back shut out.
    primary_unreachable,  ///< Silent, and so many replicas lost it that it can commit nothing.
    scheduler_isolated,   ///< Silent to us, but replicas receive from it. Do nothing.
    primary_silent,       ///< Silent, and the replicas do not tell enough yet. Wait.
    primary_hung,         ///< Its executor lives, its server does not answer, others can lead.
    primary_stalls,       ///< The same, but not for long enough, or nobody else can lead.
    replica_lost,         ///< The only replica is; by the cluster's policy it leaves E.
    replication_cut,      ///< Commits wait for replicas that lost it; these can do without it.
    commits_stall,        ///< Commits wait for what replicas hold, which nobody acknowledges.
    primary_shut,         ///< Runs and answers in its epoch, but clients cannot write.
    replicas_missing,     ///< Runs, but fewer than k acknowledge: commits wait.
    disk_full,            ///< The primary's volume is.
    errant_replica,       ///< One holds what the primary lacks.
    replica_broken,       ///< One cannot go on by itself.
    replica_lagging,
    healthy,
};

[[nodiscard]] Verdict diagnose(
    const View& view, const Past& past, const Config& config, TimePoint now);

/// Whether somebody else is to lead.
[[nodiscard]] bool calls_for_election(Verdict verdict);

/// Notes what has begun or ended by now; to be called whenever something was observed, and before
/// the functions that take a `Past`.
void remember(Past& past, const View& view, const Config& config, TimePoint now);

/// When the verdict may change though nothing is heard; none: not by time alone.
[[nodiscard]] std::optional<TimePoint> next_look(
    const View& view, const Past& past, const Config& config, TimePoint now);

[[nodiscard]] const char* code(Verdict verdict);     ///< "primary_hung"
[[nodiscard]] const char* to_text(Verdict verdict);  ///< For a person.

}  // namespace mysos::diagnosis
