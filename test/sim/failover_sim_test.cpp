#include "test/sim/failover_world.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

using namespace mysos;
using namespace mysos::sim;

namespace {

constexpr std::uint64_t steps_usual = 800;

std::optional<std::uint64_t> from_environment(const char* name)
{
    const char* const text = std::getenv(name);
    if (text == nullptr) return std::nullopt;
    return std::stoull(text);
}

std::string tail_of(const World& world)
{
    std::string text;
    for (const std::string& line : world.story()) text += "  " + line + "\n";
    return text;
}

/// What goes wrong in a world; empty: nothing does.
std::string play(World& world, std::uint64_t steps)
{
    for (std::uint64_t i = 0; i < steps; ++i) {
        std::string wrong = world.advance();
        if (!wrong.empty()) return wrong;
    }
    return world.settle();
}

struct Wrong {
    std::uint64_t seed = 0;  ///< 0: none.
    std::string what;
};

/// The first of these worlds that goes wrong.
Wrong first_wrong(
    Broken broken, std::uint64_t from, std::uint64_t to, World::Kind kind = World::Kind::drawn)
{
    for (std::uint64_t seed = from; seed <= to; ++seed) {
        World world{seed, broken, kind};
        std::string what = play(world, steps_usual);
        if (!what.empty()) return {seed, std::move(what)};
    }
    return {};
}

/// That no world of a kind goes wrong, and that much happens in them.
/// MYSOS_SIM_SEEDS: how many worlds; MYSOS_SIM_STEPS: how long each of them is; MYSOS_SIM_SEED: one
/// world alone, as the message of a failure says.
void run_worlds(World::Kind kind, const char* test, std::uint64_t seeds_usual)
{
    std::size_t acknowledged = 0;
    std::size_t promotions = 0;
    std::size_t forced = 0;
    std::size_t went_on = 0;
    Duration simulated{};
    const auto alone = from_environment("MYSOS_SIM_SEED");
    const auto asked = from_environment("MYSOS_SIM_SEEDS");
    const std::uint64_t seeds = asked.value_or(seeds_usual);
    const std::uint64_t steps = from_environment("MYSOS_SIM_STEPS").value_or(steps_usual);
    const auto begun = std::chrono::steady_clock::now();
    for (std::uint64_t seed = alone.value_or(1); seed <= alone.value_or(seeds); ++seed) {
        World world{seed, Broken::nothing, kind};
        const std::string wrong = play(world, steps);
        INFO(
            "again: MYSOS_SIM_SEED=" << seed << " MYSOS_SIM_STEPS=" << steps
                                     << " sim_failover_test '*" << test << "'\n"
                                     << tail_of(world));
        REQUIRE(wrong == "");
        acknowledged += world.acknowledged();
        promotions += world.promotions();
        simulated += world.elapsed();
        if (world.was_forced()) ++forced;
        went_on += world.went_on_alone();
    }
    if (alone) return;
    if (asked) {
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
        const double hours = std::chrono::duration<double, std::ratio<3600>>(simulated).count();
        WARN(
            seeds << " worlds, " << hours << " simulated hours, "
                  << static_cast<double>(seeds * steps) / took.count()
                  << " steps a second: " << acknowledged << " transactions acknowledged, "
                  << promotions << " promotions, " << forced << " ended by an operator's force, "
                  << went_on << " times a primary went on without those that were missing");
    }
    CHECK(acknowledged > seeds * 2);
    CHECK(promotions > seeds);
    CHECK(forced == 0);  // All members came back: what was acknowledged is there to be found.
}

}  // namespace

TEST_CASE("sim: no acknowledged transaction is lost, and the cluster comes to rest", "[sim]")
{
    run_worlds(World::Kind::drawn, "comes to rest", 500);
}

TEST_CASE("sim: no acknowledged transaction is lost where one of two goes on alone", "[sim]")
{
    run_worlds(World::Kind::pair, "goes on alone", 300);
}

TEST_CASE("sim: where commits wait for nobody, no two primaries let clients in", "[sim]")
{
    run_worlds(World::Kind::async, "let clients in", 300);
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
        World::Kind kind = World::Kind::drawn;
    };
    const std::vector<Case> cases{
        {"no prepare fencing", Broken::no_prepare_fencing, 1, 500},
        {"quorum off by one", Broken::quorum_off_by_one, 1, 500},
        {"amnesiacs vote", Broken::amnesiacs_vote, 1, 500},
        {"position alone", Broken::position_alone, 1'500, 2'000},
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
        {"a rebuilt member votes at once", Broken::rebuilt_votes, 2'700, 3'200},
        {"runs of a server are not numbered", Broken::runs_unnumbered, 28'400, 28'700},
        {"opened before the marker is acknowledged", Broken::opened_before_marker, 1, 500},
        {"silence towards the scheduler counts alone", Broken::silence_counts, 1, 500},
        {"applied position instead of received", Broken::applied_position, 1, 500},
        {"commit's return counts for the marker", Broken::commit_return_counts, 1, 500},
        {"semi-sync off while commits wait", Broken::waiters_released, 1, 500},
        {"leave may raise k", Broken::leave_raises, 700, 1'200},
        {"two schedulers write", Broken::deposed_writes, 1, 500},
        {"a promotion shuts nobody out", Broken::promotion_shuts_nobody_out, 1'400, 1'900},
        {"alone before that is saved", Broken::alone_before_saved, 1, 500, World::Kind::pair},
        {"taking over alone, unsaved", Broken::alone_not_saved, 1, 500, World::Kind::pair},
        {"alone with the other unfenced", Broken::alone_unfenced, 1, 500, World::Kind::pair},
        {"not waiting for the old one", Broken::async_not_awaited, 1, 500, World::Kind::async},
        {"the old one never ends", Broken::async_never_fences, 1, 500, World::Kind::async},
        {"who may serve is not saved", Broken::async_not_saved, 1, 1'000, World::Kind::async},
    };
    const auto seeds = from_environment("MYSOS_SIM_SEEDS");
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            const std::uint64_t from = seeds ? 1 : c.from;
            const Wrong found = first_wrong(c.broken, from, seeds.value_or(c.to), c.kind);
            if (seeds) WARN(c.name << ": noticed in world " << found.seed << ", " << found.what);
            CHECK(found.seed != 0);
        }
    }
}
