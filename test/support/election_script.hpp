#pragma once

#include "common/election/election.hpp"
#include "test/support/builders.hpp"
#include "test/support/printing.hpp"

#include <chrono>
#include <string>

/// Feeds an election and tells its orders in words.
namespace mysos::test {

inline constexpr MemberId m1{1};
inline constexpr MemberId m2{2};
inline constexpr MemberId m3{3};
inline constexpr MemberId m4{4};
inline constexpr MemberId m5{5};

inline constexpr election::Config election_config{
    .ask_again_after = std::chrono::seconds{1},
    .ask_last_after = std::chrono::seconds{2},
    .stuck_after = std::chrono::seconds{10},
    .candidate_silence_max = std::chrono::seconds{5}};

/// Everything up to transaction `n`.
[[nodiscard]] inline mysql::Position up_to(std::uint64_t n)
{
    return n == 0 ? mysql::Position{} : mariadb_position("0-1-" + std::to_string(n));
}

/// Member 1 has led epoch 3; it was chosen at transaction 5.
[[nodiscard]] inline election::Called called(
    std::set<MemberId> members = {m1, m2, m3}, std::size_t acks = 1)
{
    return {
        .electorate = {.members = std::move(members), .acks = acks},
        .last = {.member = m1, .position = up_to(5)},
        .high_water = {},
        .preference = {},
        .open_rule = {}};
}

struct ElectionScript {
    election::State state{.epoch = Epoch{3}, .phase = election::Idle{}};
    TimePoint now{};

    std::string feed(const election::Input& input)
    {
        return to_text(election::step(state, election_config, input, now));
    }
    std::string wait(Duration duration)
    {
        now += duration;
        return feed(election::DeadlinePassed{});
    }
    /// An answer in the current epoch.
    std::string answer(
        MemberId member, std::uint64_t holds, std::uint64_t marker = 3, bool amnesiac = false)
    {
        return feed(election::Prepared{state.epoch, member, up_to(holds), Epoch{marker}, amnesiac});
    }
    std::string refuse(
        MemberId member, election::Refused::Order order, control::Refused::Reason reason)
    {
        return feed(election::Refused{state.epoch, member, order, reason});
    }
    std::string see(MemberId member, const mysql::Observation& seen)
    {
        return feed(election::Observed{member, seen});
    }
};

/// A replica of `source` that has the marker of `epoch`, or the one before.
[[nodiscard]] inline mysql::Observation replica_of(
    MemberId source, std::uint64_t epoch, std::uint64_t marker)
{
    mysql::Observation seen;
    seen.phase = control::Phase::replica;
    seen.epoch = Epoch{epoch};
    seen.marker = Epoch{marker};
    seen.source = source;
    seen.receiver_running = true;
    return seen;
}

[[nodiscard]] inline mysql::Observation in_phase(control::Phase phase, std::uint64_t epoch)
{
    mysql::Observation seen;
    seen.phase = phase;
    seen.epoch = Epoch{epoch};
    return seen;
}

}  // namespace mysos::test
