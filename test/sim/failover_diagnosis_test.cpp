#include "test/sim/failover_world.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <set>
#include <string>

using namespace mysos;
using namespace mysos::sim;
using namespace std::chrono_literals;
using diagnosis::Verdict;

// One thing goes wrong in a cluster at rest: who is replaced, by which verdict, and who is not.

namespace {

std::string text(std::optional<Verdict> verdict)
{
    return verdict ? diagnosis::code(*verdict) : "nobody is replaced";
}

std::string story(const World& world)
{
    std::string text;
    for (const std::string& line : world.story()) text += "  " + line + "\n";
    return text;
}

struct Scene {
    std::string expected;
    Duration duration;
    bool writes = true;
    std::size_t members_min = 3;
    std::size_t members_max = 5;
};

/// In many worlds of both flavours.
void play(const Scene& scene, const std::function<void(World&, MemberId)>& fault)
{
    int played = 0;
    for (std::uint64_t seed = 1; played < 12; ++seed) {
        World world{seed, Broken::nothing};
        if (!world.settle().empty()) continue;
        const std::size_t size = world.electorate().size();
        if (size < scene.members_min || size > scene.members_max) continue;
        ++played;
        const MemberId before = *world.primary();
        fault(world, before);
        const std::string wrong = world.pass(scene.duration, scene.writes);
        INFO("seed " << seed << "\n" << story(world));
        REQUIRE(wrong == "");
        REQUIRE(text(world.called_for()) == scene.expected);
        REQUIRE(world.primary().has_value());
        const bool is_replaced = scene.expected != text(std::nullopt) && size > 1;
        REQUIRE((world.primary() != before) == is_replaced);
        REQUIRE(world.settle() == "");
    }
}

void cut_off(World& world, MemberId one)
{
    for (const MemberId other : world.electorate()) world.cut(one, other);
}

const std::string nobody = text(std::nullopt);

}  // namespace

TEST_CASE("sim: a primary that hangs is replaced", "[sim]")
{
    play({"primary_hung", 10s}, [](World& world, MemberId primary) { world.hang(primary); });
}

TEST_CASE("sim: a primary that hangs for a moment is not", "[sim]")
{
    play({nobody, 30s}, [](World& world, MemberId primary) {
        world.hang(primary);
        CHECK(world.pass(1s, true) == "");
        world.resume(primary);
    });
}

TEST_CASE("sim: a primary that only the scheduler lost is left alone", "[sim]")
{
    play({nobody, 1min}, [](World& world, MemberId primary) { world.cut_stream(primary); });
}

TEST_CASE("sim: a scheduler that lost everybody does nothing", "[sim]")
{
    play({nobody, 1min}, [](World& world, MemberId) {
        for (const MemberId id : world.electorate()) world.cut_stream(id);
    });
}

TEST_CASE("sim: a primary that everybody lost is replaced", "[sim]")
{
    play({"primary_unreachable", 12s}, [](World& world, MemberId primary) {
        cut_off(world, primary);
        world.cut_stream(primary);
    });
}

TEST_CASE("sim: a primary cut off from its replicas alone is replaced when commits wait", "[sim]")
{
    play({"replication_cut", 30s}, cut_off);
}

TEST_CASE("sim: a primary cut off from its replicas without work is left alone", "[sim]")
{
    play({nobody, 1min, false}, cut_off);
}

TEST_CASE("sim: a primary that lost one of two replicas is left alone", "[sim]")
{
    play({nobody, 1min, true, 3, 3}, [](World& world, MemberId primary) {
        const auto& members = world.electorate();
        const auto other =
            std::ranges::find_if(members, [&](MemberId id) { return id != primary; });
        world.cut(primary, *other);
    });
}

TEST_CASE("sim: of two, a cut helps nobody", "[sim]")
{
    play({nobody, 1min, true, 2, 2}, cut_off);
}

TEST_CASE("sim: a server that hangs and cannot be replaced is started anew in the end", "[sim]")
{
    const auto hang_alone = [](World& world, MemberId primary) {
        for (const MemberId id : world.electorate()) {
            if (id != primary) world.cut_stream(id);
        }
        world.hang(primary);
    };
    play({nobody, 9s, true, 3, 3}, hang_alone);
    play({"primary_hung", 30s, true, 1, 1}, hang_alone);
}

// Of two, where one may go on without the other.
TEST_CASE("sim: of two, the primary goes on without its replica, which comes back", "[sim]")
{
    for (std::uint64_t seed = 1; seed <= 24; ++seed) {
        World world{seed, Broken::nothing, World::Kind::pair};
        REQUIRE(world.settle() == "");
        const MemberId primary = *world.primary();
        const MemberId replica{3 - number(primary)};
        if (seed % 2 == 0) {
            world.lose(replica);
        } else {
            world.cut(primary, replica);
        }
        REQUIRE(world.pass(12s, false) == "");
        const std::size_t before = world.acknowledged();
        REQUIRE(world.pass(10s, true) == "");
        INFO("seed " << seed << "\n" << story(world));
        CHECK(text(world.called_for()) == nobody);
        CHECK(world.electorate() == std::set<MemberId>{primary});
        CHECK(world.acknowledged() > before);
        REQUIRE(world.settle() == "");
        CHECK(world.primary() == primary);
        CHECK(world.electorate().size() == 2);
    }
}

TEST_CASE("sim: of two, the replica takes over alone when the primary is lost", "[sim]")
{
    int took_over = 0;
    for (std::uint64_t seed = 1; seed <= 24; ++seed) {
        World world{seed, Broken::nothing, World::Kind::pair};
        REQUIRE(world.settle() == "");
        const MemberId primary = *world.primary();
        const MemberId replica{3 - number(primary)};
        if (seed % 2 == 0) {
            world.lose(primary);
        } else {  // It lives, and can commit nothing.
            world.cut_stream(primary);
            world.cut(primary, replica);
        }
        REQUIRE(world.pass(20s, true) == "");
        const std::size_t before = world.acknowledged();
        REQUIRE(world.pass(10s, true) == "");
        INFO("seed " << seed << "\n" << story(world));
        // A replica that dies of its promotion may have forgotten what it acknowledged.
        if (story(world).find(" dies of ") != std::string::npos) continue;
        ++took_over;
        CHECK(world.primary() == replica);
        CHECK(world.electorate() == std::set<MemberId>{replica});
        CHECK(world.acknowledged() > before);
        REQUIRE(world.settle() == "");
        CHECK(world.primary() == replica);
        CHECK(world.electorate().size() == 2);
    }
    CHECK(took_over > 18);
}

TEST_CASE("sim: of two, who goes on alone is nobody's successor", "[sim]")
{
    World world{1, Broken::nothing, World::Kind::pair};
    REQUIRE(world.settle() == "");
    const MemberId primary = *world.primary();
    const MemberId replica{3 - number(primary)};
    world.lose(replica);
    REQUIRE(world.pass(15s, true) == "");
    REQUIRE(world.electorate() == std::set<MemberId>{primary});
    world.lose(primary);
    world.bring_back(replica);
    world.mend_stream(replica);
    REQUIRE(world.pass(60s, true) == "");
    INFO(story(world));
    CHECK(world.primary() != replica);  // It lacks what was acknowledged without it.
    REQUIRE(world.settle() == "");
    CHECK(world.primary() == primary);
}
