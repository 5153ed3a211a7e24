#include "test/sim/failover_world.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>

using namespace mysos;
using namespace mysos::sim;
using namespace std::chrono_literals;

// Where commits wait for nobody: one thing goes wrong in a cluster at rest.

namespace {

struct Ending {
    std::string wrong;
    std::size_t played = 0;
    std::size_t replaced = 0;
};

/// In many worlds of both flavours; the first that goes wrong ends it.
Ending play(Broken broken, Duration duration, const std::function<void(World&, MemberId)>& fault)
{
    Ending ending;
    for (std::uint64_t seed = 1; ending.played < 40; ++seed) {
        World world{seed, broken, World::Kind::async};
        if (!world.settle().empty() || world.electorate().size() < 3) continue;
        ++ending.played;
        const MemberId before = *world.primary();
        fault(world, before);
        ending.wrong = world.pass(duration, true);
        if (!ending.wrong.empty()) return ending;
        if (world.primary() && world.primary() != before) ++ending.replaced;
        ending.wrong = world.settle();
        if (!ending.wrong.empty()) return ending;
    }
    return ending;
}

/// Nearly always: a candidate's server may die of its promotion, and what it forgets then decides.
bool is_replaced(const Ending& ending)
{
    return ending.replaced * 10 >= ending.played * 9;
}

void cut_off(World& world, MemberId one)
{
    for (const MemberId other : world.electorate()) world.cut(one, other);
}

void lose(World& world, MemberId primary)
{
    cut_off(world, primary);
    world.cut_stream(primary);
}

}  // namespace

TEST_CASE("sim: async, a primary that everybody lost ends itself before another leads", "[sim]")
{
    const Ending ending = play(Broken::nothing, 40s, lose);
    CHECK(ending.wrong == "");
    CHECK(is_replaced(ending));
}

TEST_CASE("sim: async, what ends the old primary is needed", "[sim]")
{
    const std::string two = "two primaries let clients in";
    CHECK(play(Broken::async_half_open, 40s, lose).wrong == two);
    CHECK(play(Broken::async_never_fences, 40s, lose).wrong == two);
    CHECK(play(Broken::async_not_awaited, 40s, lose).wrong == two);
}

TEST_CASE("sim: async, a primary that somebody still has is left alone", "[sim]")
{
    SECTION("the scheduler")
    {
        const Ending ending = play(Broken::nothing, 2min, cut_off);
        CHECK(ending.wrong == "");
        CHECK(ending.replaced == 0);
    }
    SECTION("its replicas")
    {
        const Ending ending = play(Broken::nothing, 2min, [](World& world, MemberId primary) {
            world.cut_stream(primary);
        });
        CHECK(ending.wrong == "");
        CHECK(ending.replaced == 0);
    }
}

TEST_CASE("sim: async, a machine that dies is replaced", "[sim]")
{
    const Ending ending =
        play(Broken::nothing, 40s, [](World& world, MemberId primary) { world.lose(primary); });
    CHECK(ending.wrong == "");
    CHECK(is_replaced(ending));
}
