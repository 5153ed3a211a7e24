#include "common/electorate/electorate.hpp"

#include <algorithm>
#include <vector>

namespace mysos::electorate {

using mysql::Position;

std::size_t acks_for(std::size_t members, std::size_t acks_max)
{
    return std::min(members / 2, acks_max);
}

std::size_t votes_needed(const Electorate& electorate, MemberId last_primary)
{
    const std::size_t voters = electorate.members.size() - electorate.members.count(last_primary);
    // An electorate that could not commit at all has acknowledged nothing; still somebody must say
    // what he holds.
    return voters < electorate.acks ? 1 : voters - electorate.acks + 1;
}

std::size_t members_min(std::size_t num_nodes)
{
    return num_nodes / 2 + 1;
}

Position high_water(
    const Position& before,
    const Position& primary,
    const std::map<MemberId, Position>& replicas,
    std::size_t acks)
{
    if (acks == 0) return primary;
    std::vector<Position> held;
    held.reserve(replicas.size());
    for (const auto& [member, position] : replicas) held.push_back(position.intersect(primary));

    // With an order among them, the k-th from the top is the highest that k of them include.
    Position highest = before;
    for (const Position& candidate : held) {
        const auto holders = std::ranges::count_if(
            held, [&candidate](const Position& other) { return other.includes(candidate); });
        const bool acknowledged = static_cast<std::size_t>(holders) >= acks;
        if (acknowledged && candidate.includes(highest)) highest = candidate;
    }
    return highest;
}

}  // namespace mysos::electorate
