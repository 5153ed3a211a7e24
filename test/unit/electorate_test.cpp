#include "common/electorate/electorate.hpp"

#include "common/base/prng.hpp"
#include "test/support/election_script.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>
#include <vector>

using namespace mysos;
using namespace mysos::electorate;
using namespace mysos::test;

TEST_CASE("electorate: k is half of the members, as far as the server can wait", "[electorate]")
{
    const std::vector<std::size_t> unlimited{0, 0, 1, 1, 2, 2, 3, 3};
    for (std::size_t n = 0; n < unlimited.size(); ++n) {
        CHECK(acks_for(n, 65535) == unlimited[n]);
        CHECK(acks_for(n, 1) == std::min<std::size_t>(unlimited[n], 1));
    }
}

TEST_CASE("electorate: the floor is a majority of the requested size", "[electorate]")
{
    const std::vector<std::size_t> expected{1, 1, 2, 2, 3, 3, 4, 4};
    for (std::size_t n = 0; n < expected.size(); ++n) CHECK(members_min(n) == expected[n]);
}

TEST_CASE("electorate: how many have to answer", "[electorate]")
{
    struct Case {
        std::set<MemberId> members;
        std::size_t acks;
        std::size_t needed;
    };
    const std::vector<Case> cases{
        {{m1}, 0, 1},      // Nobody can: only the last primary itself.
        {{m1, m2}, 0, 2},  // The same while k is not raised yet.
        {{m1, m2}, 1, 1},
        {{m1, m2, m3}, 1, 2},
        {{m1, m2, m3, m4}, 2, 2},
        {{m1, m2, m3, m4}, 1, 3},  // MariaDB, or k not raised yet.
        {{m1, m2, m3, m4, m5}, 2, 3},
        {{m2, m3}, 1, 2},  // The last primary is no member.
        {{m1}, 1, 1},      // Could never commit.
    };
    for (const Case& c : cases) {
        CHECK(votes_needed({c.members, c.acks}, m1) == c.needed);
    }
}

TEST_CASE("electorate: any acknowledgers and any answers share a member", "[electorate]")
{
    for (std::uint32_t size = 1; size <= 7; ++size) {
        for (std::size_t acks = 1; acks < size; ++acks) {
            Electorate electorate{{}, acks};
            for (std::uint32_t id = 1; id <= size; ++id) electorate.members.insert(MemberId{id});
            const std::size_t voters = size - 1;
            // So many can be left out of both: none.
            CHECK(acks + votes_needed(electorate, m1) > voters);
            // And one answer fewer would not be enough.
            CHECK(acks + votes_needed(electorate, m1) - 1 <= voters);
        }
    }
}

TEST_CASE("electorate: the high water is what k replicas surely hold", "[electorate]")
{
    struct Case {
        std::string name;
        std::uint64_t before;
        std::uint64_t primary;
        std::map<MemberId, mysql::Position> replicas;
        std::size_t acks;
        std::uint64_t expected;
    };
    const std::vector<Case> cases{
        {"the first of two", 0, 9, {{m2, up_to(7)}, {m3, up_to(8)}}, 1, 8},
        {"the second of three", 0, 9, {{m2, up_to(5)}, {m3, up_to(8)}, {m4, up_to(6)}}, 2, 6},
        {"capped by the primary", 0, 7, {{m2, up_to(9)}}, 1, 7},
        {"too few replicas", 3, 9, {{m2, up_to(7)}}, 2, 3},
        {"never back", 8, 9, {{m2, up_to(7)}}, 1, 8},
        {"nobody waits for anybody", 3, 9, {{m2, up_to(7)}}, 0, 9},
        {"nothing reported", 0, 9, {}, 1, 0},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            CHECK(
                high_water(up_to(c.before), up_to(c.primary), c.replicas, c.acks) ==
                up_to(c.expected));
        }
    }
}

TEST_CASE("electorate: a high water is held by k replicas and the primary", "[electorate]")
{
    Prng prng{11};
    for (int i = 0; i < 2'000; ++i) {
        const std::size_t acks = 1 + prng.below(3);
        const std::uint64_t primary = prng.below(20);
        std::map<MemberId, mysql::Position> replicas;
        for (std::uint32_t id = 2; id < 2 + acks + prng.below(3); ++id) {
            replicas[MemberId{id}] = up_to(prng.below(22));
        }
        const auto mark = high_water({}, up_to(primary), replicas, acks);
        const auto holders = std::ranges::count_if(
            replicas, [&mark](const auto& entry) { return entry.second.includes(mark); });
        REQUIRE(up_to(primary).includes(mark));
        REQUIRE(static_cast<std::size_t>(holders) >= acks);
    }
}
