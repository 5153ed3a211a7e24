#include "test/support/election_script.hpp"

#include <catch2/catch.hpp>

#include <string>

// Members that have received more than they have applied.

using namespace mysos;
using namespace mysos::election;
using namespace mysos::test;
using namespace std::chrono_literals;
using control::Phase;

namespace {

Prepared lagging(MemberId member)
{
    return Prepared{Epoch{4}, member, up_to(9), Epoch{3}, false, true};
}

mysql::Observation leading()
{
    mysql::Observation seen = in_phase(Phase::primary, 4);
    seen.marker = Epoch{4};
    return seen;
}

const std::string admitted_and_open = "save candidate 2 e4 at 0-1-9; admit 2 e4; open 2 e4";

}  // namespace

TEST_CASE("election: nobody connects to a candidate that has yet to apply", "[election]")
{
    ElectionScript script;
    (void)script.feed(called({m1, m2, m3}, 1));
    (void)script.answer(m3, 8);
    const std::string promote = "promote 2 e4 at 0-1-9 k=1";
    REQUIRE(script.feed(lagging(m2)) == promote);
    CHECK(script.feed(Appeared{m3}) == "ignored: nothing to do");
    CHECK(script.wait(1s) == "prepare 1 e4; " + promote);
    CHECK(script.answer(m1, 8) == "");
    SECTION("but as soon as it is promoted")
    {
        CHECK(script.feed(Promoted{Epoch{4}, m2}) == "follow 2: 1 e4; follow 2: 3 e4");
        CHECK(script.feed(Followed{Epoch{4}, m3}) == "");
        CHECK(script.see(m3, replica_of(m2, 4, 4)) == admitted_and_open);
    }
    SECTION("or seen to be")
    {
        CHECK(script.see(m2, leading()) == "follow 2: 1 e4; follow 2: 3 e4");
    }
}

TEST_CASE("election: of two that hold the same, who has applied it is chosen", "[election]")
{
    ElectionScript script;
    (void)script.feed(called({m1, m2, m3}, 1));
    CHECK(script.feed(lagging(m2)) == "");
    CHECK(script.answer(m3, 9) == "promote 3 e4 at 0-1-9 k=1; follow 3: 2 e4");
}

TEST_CASE("election: those that a lag kept from following have all the time after it", "[election]")
{
    ElectionScript script;
    Called call = called({m1, m2}, 1);
    SECTION("until the candidate goes on alone")
    {
        call.alone_after = 5s;
    }
    SECTION("until an operator is asked"){}(void)script.feed(call);
    (void)script.wait(2s);
    REQUIRE(script.feed(lagging(m2)) == "promote 2 e4 at 0-1-9 k=1");
    (void)script.answer(m1, 9);
    for (int second = 0; second < 20; ++second) {
        (void)script.see(m2, in_phase(Phase::primary, 4));
        (void)script.wait(1s);
    }
    CHECK(script.feed(Promoted{Epoch{4}, m2}) == "follow 2: 1 e4");
    for (int second = 0; second < 4; ++second) {
        (void)script.see(m2, leading());
        CHECK(script.wait(1s) == "follow 2: 1 e4");
    }
    CHECK(script.see(m1, replica_of(m2, 4, 4)) == admitted_and_open);
}
