#include "test/sim/failover_world.hpp"

#include <catch2/catch.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

using namespace mysos;
using namespace mysos::sim;

namespace {

constexpr int steps = 800;

std::string tail_of(const World& world)
{
    std::string text;
    for (const std::string& line : world.story()) text += "  " + line + "\n";
    return text;
}

/// The first of these worlds that goes wrong; 0: none of them does.
std::uint64_t first_wrong(Broken broken, std::uint64_t from, std::uint64_t to)
{
    for (std::uint64_t seed = from; seed <= to; ++seed) {
        World world{seed, broken};
        for (int i = 0; i < steps; ++i) {
            if (!world.advance().empty()) return seed;
        }
        if (!world.settle().empty()) return seed;
    }
    return 0;
}

}  // namespace

TEST_CASE("sim: no acknowledged transaction is lost, and the cluster comes to rest", "[sim]")
{
    std::size_t acknowledged = 0;
    std::size_t promotions = 0;
    std::size_t forced = 0;
    const char* const from_environment = std::getenv("MYSOS_SIM_SEEDS");
    const std::uint64_t seeds = from_environment != nullptr ? std::stoull(from_environment) : 500;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        World world{seed, Broken::nothing};
        std::string wrong;
        for (int i = 0; i < steps && wrong.empty(); ++i) wrong = world.advance();
        if (wrong.empty()) wrong = world.settle();
        INFO("seed " << seed << "\n" << tail_of(world));
        REQUIRE(wrong == "");
        acknowledged += world.acknowledged();
        promotions += world.promotions();
        if (world.was_forced()) ++forced;
    }
    if (from_environment != nullptr)
        WARN(
            seeds << " worlds: " << acknowledged << " transactions acknowledged, " << promotions
                  << " promotions, " << forced << " ended by an operator's force");
    CHECK(acknowledged > seeds * 2);
    CHECK(promotions > seeds);
    CHECK(forced == 0);  // All members came back: what was acknowledged is there to be found.
}

// Searched from world 1; rare ones begin a little before the world that a search found. After a
// change of the simulated world, search again: MYSOS_SIM_SEEDS gives how many worlds to try.
TEST_CASE("sim: each way to break the protocol is noticed", "[sim]")
{
    struct Case {
        std::string name;
        Broken broken;
        std::uint64_t from;
        std::uint64_t to;
    };
    const std::vector<Case> cases{
        {"no prepare fencing", Broken::no_prepare_fencing, 1, 500},
        {"quorum off by one", Broken::quorum_off_by_one, 1, 500},
        {"amnesiacs vote", Broken::amnesiacs_vote, 1, 500},
        {"position alone", Broken::position_alone, 1, 500},
        {"followed epoch instead of marker", Broken::followed_epoch, 1, 500},
        {"promote without check", Broken::promote_without_check, 1, 1'000},
        {"candidate not persisted", Broken::candidate_not_persisted, 1, 500},
        {"epoch not persisted", Broken::epoch_not_persisted, 1, 500},
        {"acknowledgements of older epochs count", Broken::old_acks_count, 2'200, 2'700},
        {"re-point forgets", Broken::repoint_forgets, 400, 900},
        {"tail cut early", Broken::tail_cut_early, 1, 500},
        {"raise k without the wait", Broken::raise_without_wait, 1, 1'000},
        {"leave without the wait", Broken::leave_without_wait, 1, 1'000},
        {"errant check skipped", Broken::errant_check_skipped, 1, 500},
        {"a rebuilt member votes at once", Broken::rebuilt_votes, 1, 1'000},
        {"runs of a server are not numbered", Broken::runs_unnumbered, 28'400, 28'700},
        {"opened before the marker is acknowledged", Broken::opened_before_marker, 1, 500},
        {"silence towards the scheduler counts alone", Broken::silence_counts, 1, 500},
    };
    const char* const from_environment = std::getenv("MYSOS_SIM_SEEDS");
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            const std::uint64_t from = from_environment != nullptr ? 1 : c.from;
            const std::uint64_t to =
                from_environment != nullptr ? std::stoull(from_environment) : c.to;
            const std::uint64_t found = first_wrong(c.broken, from, to);
            if (from_environment != nullptr) WARN(c.name << ": noticed in world " << found);
            CHECK(found != 0);
        }
    }
}
