#pragma once

#include "common/base/ids.hpp"
#include "common/election/input.hpp"
#include "common/mysql/position.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <variant>
#include <vector>

/// What an election orders, strictly from left to right. `Save…` is a barrier: durable before
/// anything behind it starts; one that fails ends the scheduler's leadership.
namespace mysos::election {

struct DismissPrimary {  ///< Nobody leads any more: electorate::Deposed, before anything else.
    friend bool operator==(const DismissPrimary&, const DismissPrimary&) = default;
};
struct SaveEpoch {  ///< The record's epoch, its last primary, no candidate, not opened.
    Epoch epoch{};
    LastPrimary last;
    Epoch since{};  ///< As in `Called`, for whoever has to call again.
    friend bool operator==(const SaveEpoch&, const SaveEpoch&) = default;
};
/// As an operator wants it, or the policy of two: E is this from now on, and `last` is who
/// acknowledged last, whatever was true before. What `last` lacks is lost.
struct SaveForced {
    Epoch epoch{};
    LastPrimary last;
    Epoch since{};
    Electorate electorate;
    friend bool operator==(const SaveForced&, const SaveForced&) = default;
};
struct SendPrepare {
    Epoch epoch{};
    MemberId member{};
    friend bool operator==(const SendPrepare&, const SendPrepare&) = default;
};
struct SaveCandidate {  ///< Its marker is held: from here on it may acknowledge, and be the last.
    Epoch epoch{};
    LastPrimary candidate;
    friend bool operator==(const SaveCandidate&, const SaveCandidate&) = default;
};
struct SendPromote {
    Epoch epoch{};
    MemberId member{};
    mysql::Position position;  ///< What the member must hold, or refuse.
    std::size_t acks = 0;
    friend bool operator==(const SendPromote&, const SendPromote&) = default;
};
/// To a member of E that surely has no tail to lose, and is to acknowledge. The others follow after
/// `AdmitFollowers`.
struct SendFollow {
    Epoch epoch{};
    MemberId member{};
    MemberId primary{};
    friend bool operator==(const SendFollow&, const SendFollow&) = default;
};
struct AdmitFollowers {  ///< The marker is acknowledged: everybody may follow, electorate::Led.
    Epoch epoch{};
    MemberId primary{};
    friend bool operator==(const AdmitFollowers&, const AdmitFollowers&) = default;
};
struct SendOpen {
    Epoch epoch{};
    MemberId member{};
    friend bool operator==(const SendOpen&, const SendOpen&) = default;
};
struct SendRebuild {  ///< From the candidate: its tail cannot be cut, and nobody else acknowledges.
    Epoch epoch{};
    MemberId member{};
    MemberId candidate{};
    friend bool operator==(const SendRebuild&, const SendRebuild&) = default;
};
struct SaveOpened {  ///< The candidate of this epoch is its primary, and open.
    Epoch epoch{};
    MemberId primary{};
    friend bool operator==(const SaveOpened&, const SaveOpened&) = default;
};
struct Publish {
    Epoch epoch{};
    MemberId primary{};
    friend bool operator==(const Publish&, const Publish&) = default;
};
struct ReportBegun {  ///< A new epoch, and why.
    enum class Why {
        called,
        candidate_refused,
        candidate_failed,  ///< Restarted, ended, silent, or its server gave an error.
        forced,            ///< An operator lets it go on with fewer members.
        alone,             ///< Of two it goes on without the other, as is the policy.
        epoch_behind,      ///< A member knows a higher epoch: state was lost or restored.
    };
    Epoch epoch{};
    Why why = Why::called;
    friend bool operator==(const ReportBegun&, const ReportBegun&) = default;
};
struct ForceOffer {  ///< Who would be promoted by `Forced`, and what is known to be lost by it.
    MemberId member{};
    std::optional<std::uint64_t> transactions_lost;  ///< At least; none: not known.
    friend bool operator==(const ForceOffer&, const ForceOffer&) = default;
};
struct ReportStuck {
    enum class Why {
        no_quorum,
        diverged,          ///< Of the answers with the highest marker none includes the others.
        below_high_water,  ///< What was acknowledged is on none of those that answered.
        unacknowledged,    ///< Too few are left to acknowledge the new primary's marker.
    };
    Epoch epoch{};
    Why why = Why::no_quorum;
    std::set<MemberId> missing;    ///< Have not answered, or do not hold the marker.
    std::set<MemberId> amnesiacs;  ///< Have answered, and do not count.
    std::size_t votes_lacking = 0;
    std::optional<ForceOffer> force;  ///< None: nobody has answered.
    friend bool operator==(const ReportStuck&, const ReportStuck&) = default;
};
struct Ignored {
    enum class Why {
        no_election,
        other_epoch,
        not_a_voter,
        not_the_candidate,
        not_stuck,  ///< `Forced` where nobody was told of a loss, or of the promotion of another.
        nothing_to_do,
        already_so,
        order_repeats,  ///< Refused for now; the next repetition asks again.
        not_leading,
        too_early,
    };
    Why why;
    friend bool operator==(const Ignored&, const Ignored&) = default;
};

using Effect = std::variant<
    DismissPrimary,
    SaveEpoch,
    SaveForced,
    SendPrepare,
    SaveCandidate,
    SendPromote,
    SendFollow,
    SendRebuild,
    AdmitFollowers,
    SendOpen,
    SaveOpened,
    Publish,
    ReportBegun,
    ReportStuck,
    Ignored>;
using Effects = std::vector<Effect>;

}  // namespace mysos::election
