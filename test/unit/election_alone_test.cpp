#include "test/support/election_script.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>

// Of two members, a candidate that goes on without the other.
using namespace mysos;
using namespace mysos::election;
using namespace mysos::test;
using namespace std::chrono_literals;
using control::Phase;

namespace {

/// Of two, member 2 is promoted. `alone_after`: it need not wait for the other for ever.
ElectionScript taking_over(std::optional<Duration> alone_after)
{
    ElectionScript script;
    Called call = called({m1, m2});
    call.alone_after = alone_after;
    (void)script.feed(call);
    REQUIRE(script.answer(m2, 9) == "promote 2 e4 at 0-1-9 k=1");
    return script;
}

/// The candidate is heard of each second.
std::string pass(ElectionScript& script, int seconds)
{
    std::string said;
    for (int i = 0; i < seconds && said.find("save") == std::string::npos; ++i) {
        mysql::Observation seen = in_phase(Phase::primary, 4);
        seen.marker = Epoch{4};
        (void)script.see(m2, seen);
        said = script.wait(1s);
    }
    return said;
}

}  // namespace

TEST_CASE("election: of two, the candidate goes on alone if that is the policy", "[election]")
{
    const std::string alone =
        "save forced e4 after 2 {2} k=0; dismiss; save e5 after 2; begun e5: alone; prepare 2 e5";
    SECTION("when the other has not acknowledged its marker in time")
    {
        ElectionScript script = taking_over(5s);
        CHECK(script.feed(Promoted{Epoch{4}, m2}) == "follow 2: 1 e4");
        CHECK(pass(script, 4).find("save") == std::string::npos);
        CHECK(pass(script, 1) == alone);
        CHECK(script.answer(m2, 9, 4) == "promote 2 e5 at 0-1-9 k=0");
        CHECK(
            script.feed(Promoted{Epoch{5}, m2}) ==
            "save candidate 2 e5 at 0-1-9; admit 2 e5; open 2 e5");
    }
    SECTION("not before its own marker is written")
    {
        ElectionScript script = taking_over(2s);
        for (int i = 0; i < 6; ++i) {
            (void)script.see(m2, in_phase(Phase::primary, 4));
            CHECK(script.wait(1s) == "prepare 1 e4; promote 2 e4 at 0-1-9 k=1");
        }
        CHECK(script.feed(Promoted{Epoch{4}, m2}) == "follow 2: 1 e4");
        CHECK(next_deadline(script.state) <= script.now);
        CHECK(script.wait(0s) == alone);
    }
    SECTION("not when the other has acknowledged it")
    {
        ElectionScript script = taking_over(5s);
        CHECK(script.feed(Promoted{Epoch{4}, m2}) == "follow 2: 1 e4");
        CHECK(
            script.see(m1, replica_of(m2, 4, 4)) ==
            "save candidate 2 e4 at 0-1-9; admit 2 e4; open 2 e4");
        CHECK(pass(script, 10).find("alone") == std::string::npos);
    }
    SECTION("and whoever fails after that was the last primary, all by itself")
    {
        ElectionScript script = taking_over(1s);
        CHECK(script.feed(Promoted{Epoch{4}, m2}) == "follow 2: 1 e4");
        CHECK(pass(script, 1) == alone);
        CHECK(script.answer(m2, 9, 4) == "promote 2 e5 at 0-1-9 k=0");
        CHECK(
            script.feed(Ended{m2}) ==
            "dismiss; save e6 after 2; begun e6: candidate failed; prepare 2 e6");
        CHECK(script.answer(m1, 20) == "ignored: not a voter");
    }
}

TEST_CASE("election: it waits for the other for ever if that is the policy", "[election]")
{
    ElectionScript script = taking_over(std::nullopt);
    CHECK(script.feed(Promoted{Epoch{4}, m2}) == "follow 2: 1 e4");
    CHECK(pass(script, 100).find("save") == std::string::npos);
}

TEST_CASE("election: of three nobody goes on alone", "[election]")
{
    ElectionScript script;
    Called call = called();
    call.alone_after = 1s;
    (void)script.feed(call);
    (void)script.answer(m3, 9);
    (void)script.answer(m2, 9);
    CHECK(script.feed(Promoted{Epoch{4}, m2}) == "");
    CHECK(pass(script, 20).find("save") == std::string::npos);
}
