#pragma once

#include "common/election/state.hpp"

#include <optional>
#include <variant>

/// Which of those that answered may become primary, if any.
namespace mysos::election {

/// The candidate, or why there is none yet.
[[nodiscard]] std::variant<LastPrimary, ReportStuck::Why> choose(
    const Called& call, const Answers& answers);

/// Whether, from what has been answered, votes alone can still choose somebody.
[[nodiscard]] bool votes_may_suffice(const Called& call, const Answers& answers);

/// Who would be the best of all answers, whatever is missing; none: nobody has answered.
[[nodiscard]] std::optional<LastPrimary> best_of(const Called& call, const Answers& answers);

/// How much its being the primary is wanted; 0: as much as anybody's.
[[nodiscard]] int preference_of(const Called& call, MemberId member);

/// What is to be said about an election that does not get on.
[[nodiscard]] ReportStuck describe(
    Epoch epoch, ReportStuck::Why why, const Called& call, const Answers& answers);

}  // namespace mysos::election
