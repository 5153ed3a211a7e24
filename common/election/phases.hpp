#pragma once

#include "common/election/state.hpp"

/// What an election does with each input, by the phase it is in. For election.cpp alone: the phase
/// of `state` is the one of the namespace.
namespace mysos::election {

/// Opens the next epoch above the recorded one. `call.last` says who may have acknowledged last by
/// now. `above`, if any, is an epoch that somebody else has begun: of it nothing is known.
[[nodiscard]] Effects begin(
    State& state,
    const Config& config,
    Called call,
    ReportBegun::Why why,
    TimePoint now,
    Epoch above = {});

namespace preparing {

[[nodiscard]] Effects on(State&, const Config&, const Appeared&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const Ended&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const Observed&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const Prepared&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const Promoted&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const Followed&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const Rebuilt&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const Opened&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const Refused&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const ElectorateChanged&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const Forced&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const DeadlinePassed&, TimePoint now);
[[nodiscard]] TimePoint next_deadline(const Preparing& phase);

}  // namespace preparing

namespace promoting {

/// From Preparing to Promoting.
[[nodiscard]] Effects enter(
    State& state, const Config& config, const LastPrimary& candidate, TimePoint now);

/// The same where an operator takes the candidate's position for all there is: E shrinks to those
/// who can follow it at once, and k with it. The others join again when they are back.
[[nodiscard]] Effects enter_forced(
    State& state, const Config& config, const LastPrimary& candidate, TimePoint now);

/// The candidate holds everything that was acknowledged, and would serve, if others were left to
/// acknowledge: that is said once. A cluster that was never opened waits for its members: nothing
/// is in it yet.
[[nodiscard]] Effects report_stuck(State& state);

/// May follow at once: it answered, and holds nothing that the candidate lacks, so that no tail of
/// it can be cut before the marker is acknowledged. Of the last primary only an equal marker tells
/// that, as MariaDB's sequence numbers leap over a tail.
[[nodiscard]] bool follows_at_once(const Promoting& phase, MemberId member);

/// The candidate had received more than it had applied when it was asked.
[[nodiscard]] bool has_lagged(const Promoting& phase);

/// The candidate has been promoted. Whom its lag kept from following has all the time from now on.
void begin_waiting(Promoting& phase, const Config& config, TimePoint now);

/// Whether it is to be told now. A candidate that has not applied everything yet refuses those who
/// hold more than it has applied (MariaDB, for good): they follow once it is promoted.
[[nodiscard]] bool may_follow(const Promoting& phase, MemberId member);

/// Whether a tail may be cut though nobody has acknowledged the marker yet. The candidate was
/// chosen by a quorum, has written its marker, which tells whoever asks later, so that no such
/// tail can be needed any more; still it is kept while others can acknowledge, as its owner may
/// vote.
[[nodiscard]] bool tails_may_go(const Promoting& phase);

/// As for another election: without whoever is known not to serve any more.
[[nodiscard]] Called call_again(const Promoting& phase);

/// Of two members the other has not acknowledged the marker in time, where it need not.
[[nodiscard]] bool is_left_alone(const Promoting& phase, TimePoint now);
[[nodiscard]] Effects go_alone(State& state, const Config& config, TimePoint now);

[[nodiscard]] Effects on(State&, const Config&, const Appeared&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const Ended&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const Observed&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const Prepared&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const Promoted&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const Followed&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const Rebuilt&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const Opened&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const Refused&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const ElectorateChanged&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const Forced&, TimePoint now);
[[nodiscard]] Effects on(State&, const Config&, const DeadlinePassed&, TimePoint now);
[[nodiscard]] TimePoint next_deadline(const Promoting& phase);

}  // namespace promoting
}  // namespace mysos::election
