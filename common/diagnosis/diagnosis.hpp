#pragma once

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/electorate/electorate.hpp"
#include "common/mysql/observation.hpp"

#include <map>
#include <optional>

/// What ails a cluster, from what was observed and how old that is.
///
/// One ordered list of rules; the first that holds gives the verdict, so that a sure sign is never
/// outvoted by a vague one below it. Whether to act is the caller's: only `primary_crashed` and
/// `no_primary_yet` ask for an election today.
///
/// Pure: no I/O, clock, randomness, logging or threads.
namespace mysos::diagnosis {

struct Config {
    Duration lease;  ///< Silence of a stream for longer is evidence.
};

struct Member {
    bool connected = false;   ///< Its control stream is up.
    bool task_ended = false;  ///< Mesos says so: it serves nothing any more.
    TimePoint heard_at;       ///< Last word on the stream, or when we began to listen.
    std::optional<mysql::Observation> observation;  ///< Last one; stale without a stream.
};

struct View {
    Epoch epoch{};
    MemberId primary{};  ///< Recorded, and opened or being so; 0: never one.
    electorate::Electorate electorate;
    std::map<MemberId, Member> members;
};

enum class Verdict {
    no_primary_yet,       ///< There never was one.
    primary_crashed,      ///< Its server or its task has ended, or it came back shut out.
    primary_unreachable,  ///< Silent, and so many replicas lost it that it can commit nothing.
    scheduler_isolated,   ///< Silent to us, but replicas receive from it. Do nothing.
    primary_silent,       ///< Silent, and the replicas do not tell enough yet. Wait.
    primary_shut,         ///< Runs and answers in its epoch, but clients cannot write.
    replicas_missing,     ///< Runs, but fewer than k acknowledge: commits wait.
    healthy,
};

[[nodiscard]] Verdict diagnose(const View& view, const Config& config, TimePoint now);

[[nodiscard]] const char* to_text(Verdict verdict);

}  // namespace mysos::diagnosis
