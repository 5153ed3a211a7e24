#include "test/sim/failover_world.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
#include <string>

// Replicas that have received everything and applied nothing of the last of it.

using namespace mysos;
using namespace mysos::sim;
using namespace std::chrono_literals;

namespace {

/// Of 40 clusters whose primary dies while no replica applies for a while: those that have a new
/// one a few seconds after they go on, before an operator would be asked.
int recovered(Broken broken)
{
    int count = 0;
    int played = 0;
    for (std::uint64_t seed = 1; played < 40; ++seed) {
        World world{seed, broken};
        if (!world.settle().empty() || world.electorate().size() < 3) continue;
        ++played;
        const MemberId before = *world.primary();
        world.hold_appliers(true);
        REQUIRE(world.pass(1s, true) == "");
        world.lose(before);
        REQUIRE(world.pass(3s, false) == "");
        world.hold_appliers(false);
        REQUIRE(world.pass(6s, true) == "");
        if (world.primary() && world.primary() != before) ++count;
    }
    return count;
}

}  // namespace

TEST_CASE("sim: a candidate that has yet to apply loses none of its followers", "[sim]")
{
    CHECK(recovered(Broken::nothing) >= 36);  // A candidate's server may die of its promotion.
    CHECK(recovered(Broken::lag_untold) < 36);
}
