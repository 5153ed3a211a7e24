#include "common/base/backoff.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace mysos;
using namespace std::chrono_literals;

TEST_CASE("backoff: waits double up to the maximum, each in the upper half", "[backoff]")
{
    Backoff backoff{{.first = 100ms, .max = 1s}, Prng{7}};
    for (const Duration bound : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms, 1000ms}) {
        const Duration wait = backoff.next();
        CHECK(wait >= bound / 2);
        CHECK(wait < bound);
    }
    backoff.reset();
    CHECK(backoff.next() < 100ms);
}

TEST_CASE("backoff: never above the maximum, however large", "[backoff]")
{
    Backoff backoff{{.first = 1h, .max = Duration::max()}, Prng{7}};
    for (int i = 0; i < 100; ++i) CHECK(backoff.next() > Duration::zero());
}

TEST_CASE("backoff: two clients of different seeds do not walk in step", "[backoff]")
{
    std::set<Duration> waits;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        waits.insert(Backoff{{}, Prng{seed}}.next());
    }
    CHECK(waits.size() > 90);
}
