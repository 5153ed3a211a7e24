#pragma once

#include "common/base/ids.hpp"
#include "common/mysql/position.hpp"

#include <cstddef>
#include <map>
#include <set>

/// The arithmetic of (E, k): a commit needs k replicas of E, an election answers from so many of
/// the others that the two always share a member.
namespace mysos::electorate {

/// Who may acknowledge commits, and how many of them a commit waits for. Persisted as one value,
/// and at every moment a safe bound on what is in force at the primary.
struct Electorate {
    std::set<MemberId> members;
    std::size_t acks = 0;
    friend bool operator==(const Electorate&, const Electorate&) = default;
};

/// k for n members: floor(n/2), or what the server can wait for at most (mysql::acks_max).
[[nodiscard]] std::size_t acks_for(std::size_t members, std::size_t acks_max);

/// How many of E without its last primary must answer before anybody is promoted. May exceed their
/// number, and does with k = 0: then only the last primary itself can go on.
[[nodiscard]] std::size_t votes_needed(const Electorate& electorate, MemberId last_primary);

/// Below this an automatic leave never takes E: floor(n/2) + 1 of the requested size.
[[nodiscard]] std::size_t members_min(std::size_t num_nodes);

/// What is surely acknowledged: the k-th highest of the replicas' positions, capped by the
/// primary's, together with what was known before. A candidate that lacks it is refused. Empty
/// while the replicas' positions have no order.
/// @param replicas  last reported positions of E without the primary, in the primary's epoch.
[[nodiscard]] mysql::Position high_water(
    const mysql::Position& before,
    const mysql::Position& primary,
    const std::map<MemberId, mysql::Position>& replicas,
    std::size_t acks);

}  // namespace mysos::electorate
