#pragma once

#include "common/electorate/changes.hpp"
#include "test/support/election_script.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <set>
#include <string>

namespace mysos::test {

inline constexpr electorate::Config electorate_config{
    .ask_again_after = std::chrono::seconds{1},
    .rebuild_pause_max = std::chrono::seconds{4},
    .acks_max = 8,
    .members_min = 2};
inline constexpr Epoch e4{4};

struct ElectorateScript {
    electorate::State state;
    TimePoint now{};

    std::string feed(const electorate::Input& input)
    {
        return to_text(electorate::step(state, electorate_config, input, now));
    }
    std::string wait(Duration duration)
    {
        now += duration;
        return feed(electorate::DeadlinePassed{});
    }
    std::string see(MemberId member, std::uint64_t holds, bool acknowledges, bool amnesiac = false)
    {
        mysql::Observation seen = replica_of(m1, 4, 4);
        seen.position = up_to(holds);
        seen.acknowledges = acknowledges;
        seen.amnesiac = amnesiac;
        return feed(electorate::Observed{member, seen});
    }
    std::string see(MemberId member, control::Phase phase)
    {
        return feed(electorate::Observed{member, in_phase(phase, 4)});
    }
    std::string read(std::uint64_t serial, std::uint64_t position)
    {
        return feed(electorate::AcknowledgersSet{e4, serial, up_to(position)});
    }
    std::string follow(MemberId member, bool acknowledge, std::uint64_t serial = 0)
    {
        return feed(electorate::Followed{e4, member, acknowledge, serial, acknowledge});
    }
};

/// Member 1 leads epoch 4.
[[nodiscard]] inline ElectorateScript led(
    const electorate::Electorate& electorate, const std::set<MemberId>& members)
{
    ElectorateScript script;
    CHECK(script.feed(electorate::Led{e4, m1, electorate, electorate.acks, members}) == "");
    return script;
}

/// All but member 1 acknowledge and hold 5 transactions.
[[nodiscard]] inline ElectorateScript steady(const electorate::Electorate& electorate)
{
    ElectorateScript script = led(electorate, electorate.members);
    for (const MemberId member : electorate.members) {
        if (member != m1) CHECK(script.see(member, 5, true) == "");
    }
    return script;
}

}  // namespace mysos::test
