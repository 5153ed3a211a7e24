#include "test/support/election_script.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace mysos;
using namespace mysos::election;
using namespace mysos::test;
using namespace std::chrono_literals;

TEST_CASE("election: a new epoch is saved before anybody is asked", "[election]")
{
    struct Case {
        std::string name;
        Called call;
        std::string then;
    };
    const std::string begun = "dismiss; save e4 after 1; begun e4: called; ";
    const std::vector<Case> cases{
        {"three", called(), begun + "prepare 2 e4; prepare 3 e4"},
        {"two", called({m1, m2}, 1), begun + "prepare 2 e4"},
        {"one: only itself can go on", called({m1}, 0), begun + "prepare 1 e4"},
        {"two with k = 0: what only the last has may be acknowledged",
         called({m1, m2}, 0),
         begun + "prepare 2 e4; prepare 1 e4"},
        {"five",
         called({m1, m2, m3, m4, m5}, 2),
         begun + "prepare 2 e4; prepare 3 e4; prepare 4 e4; prepare 5 e4"},
        {"the last primary is no member of E",
         called({m2, m3}, 1),
         begun + "prepare 2 e4; prepare 3 e4"},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            ElectionScript script;
            CHECK(script.feed(c.call) == c.then);
            CHECK(script.state.epoch == Epoch{4});
        }
    }
}

TEST_CASE("election: the answer that completes the quorum decides", "[election]")
{
    struct Case {
        std::string name;
        std::uint64_t m2_holds;
        std::uint64_t m2_marker;
        std::uint64_t m3_holds;
        std::uint64_t m3_marker;
        std::string then;
    };
    const std::string two_at_9 = "promote 2 e4 at 0-1-9 k=1";
    const std::vector<Case> cases{
        {"first is ahead", 9, 3, 7, 3, two_at_9 + "; follow 2: 3 e4"},
        {"second is ahead",
         7,
         3,
         9,
         3,
         "promote 3 e4 at 0-1-9 k=1; "
         "follow 3: 2 e4"},
        {"equal: the lower id", 9, 3, 9, 3, two_at_9 + "; follow 2: 3 e4"},
        {"nobody holds anything",
         0,
         0,
         0,
         0,
         "promote 2 e4 at nothing k=1; "
         "follow 2: 3 e4"},
        {"a newer marker counts more than a longer tail: that one is not followed yet",
         9,
         3,
         11,
         2,
         two_at_9},
        {"a newer marker and more", 9, 3, 7, 2, two_at_9 + "; follow 2: 3 e4"},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            ElectionScript script;
            (void)script.feed(called());
            CHECK(script.answer(m2, c.m2_holds, c.m2_marker) == "");
            CHECK(script.answer(m3, c.m3_holds, c.m3_marker) == c.then);
        }
    }
}

TEST_CASE("election: among equals the preferred one is promoted", "[election]")
{
    Called call = called();
    call.preference = {{m2, -1}};
    ElectionScript script;
    (void)script.feed(call);
    (void)script.answer(m2, 9);
    CHECK(
        script.answer(m3, 9) ==
        "promote 3 e4 at 0-1-9 k=1; "
        "follow 3: 2 e4");
}

TEST_CASE("election: among equals the one with fewer primaries beside it is promoted", "[election]")
{
    Called call = called();
    call.primaries_beside = {{m2, 2}, {m3, 1}};
    SECTION("of those that hold the same")
    {
        ElectionScript script;
        (void)script.feed(call);
        (void)script.answer(m2, 9);
        CHECK(
            script.answer(m3, 9) ==
            "promote 3 e4 at 0-1-9 k=1; "
            "follow 3: 2 e4");
    }
    SECTION("never before one that holds more")
    {
        ElectionScript script;
        (void)script.feed(call);
        (void)script.answer(m2, 9);
        CHECK(script.answer(m3, 8).starts_with("promote 2 e4 at 0-1-9"));
    }
    SECTION("nor before one that is preferred")
    {
        call.preference = {{m2, 1}};
        ElectionScript script;
        (void)script.feed(call);
        (void)script.answer(m3, 9);
        CHECK(script.answer(m2, 9).starts_with("promote 2 e4 at 0-1-9"));
    }
}

TEST_CASE("election: positions that diverged promote nobody", "[election]")
{
    ElectionScript script;
    (void)script.feed(called());
    (void)script.answer(m2, 9);
    const auto other = mariadb_position("0-2-9");
    CHECK(
        script.feed(Prepared{Epoch{4}, m3, other, Epoch{3}, false}) ==
        "stuck e4: diverged, missing {1} amnesiac {} lacking 0, force 2 loses 0");
}

TEST_CASE("election: five members need three of the four others when k is 2", "[election]")
{
    ElectionScript script;
    (void)script.feed(called({m1, m2, m3, m4, m5}, 2));
    CHECK(script.answer(m5, 9) == "");
    CHECK(script.answer(m4, 7) == "");
    CHECK(script.answer(m4, 7) == "");  // Said twice, counted once.
    CHECK(
        script.answer(m3, 8) ==
        "promote 5 e4 at 0-1-9 k=2; "
        "follow 5: 3 e4; follow 5: 4 e4");
}

TEST_CASE("election: without a quorum nobody is promoted and the silent are asked", "[election]")
{
    ElectionScript script;
    (void)script.feed(called());
    CHECK(script.answer(m2, 9) == "");
    REQUIRE(next_deadline(script.state) == script.now + 1s);
    CHECK(script.wait(1s) == "prepare 3 e4");
    CHECK(script.wait(500ms) == "ignored: too early");
    CHECK(script.wait(500ms) == "prepare 1 e4; prepare 3 e4");  // Now the last primary too.
    CHECK(script.wait(1s) == "prepare 1 e4; prepare 3 e4");
    script.now += 6s;
    CHECK(
        script.wait(1s) ==
        "prepare 1 e4; prepare 3 e4; "
        "stuck e4: no quorum, missing {1,3} amnesiac {} lacking 1, force 2 loses 0");
    CHECK(script.wait(1s) == "prepare 1 e4; prepare 3 e4");  // The same is not said again.
    CHECK(
        script.answer(m3, 12, 3, true) ==
        "stuck e4: no quorum, missing {1} amnesiac {3} lacking 1, force 3 loses 0");
}

TEST_CASE("election: nobody has answered at all", "[election]")
{
    ElectionScript script;
    (void)script.feed(called());
    script.now += 9s;
    CHECK(
        script.wait(1s) ==
        "prepare 1 e4; prepare 2 e4; prepare 3 e4; "
        "stuck e4: no quorum, missing {1,2,3} amnesiac {} lacking 2");
    CHECK(script.feed(Forced{}) == "ignored: not stuck");
}

TEST_CASE("election: an amnesiac neither votes nor is chosen", "[election]")
{
    ElectionScript script;
    (void)script.feed(called());
    CHECK(script.answer(m2, 9, 3, true) == "prepare 1 e4");
    CHECK(script.answer(m3, 7) == "");
    // Proven since, it may say so.
    CHECK(
        script.answer(m2, 9) ==
        "promote 2 e4 at 0-1-9 k=1; "
        "follow 2: 3 e4");
}

TEST_CASE("election: an amnesiac does not vote, and follows like any other", "[election]")
{
    ElectionScript script;
    (void)script.feed(called({m1, m2, m3, m4}, 2));
    CHECK(script.answer(m4, 6, 3, true) == "");
    CHECK(script.answer(m2, 9) == "");
    CHECK(
        script.answer(m3, 8) ==
        "promote 2 e4 at 0-1-9 k=2; "
        "follow 2: 3 e4; follow 2: 4 e4");
}

TEST_CASE("election: the last primary comes back and needs no vote but its own", "[election]")
{
    struct Case {
        std::string name;
        std::uint64_t holds;
        std::uint64_t marker;
        bool amnesiac;
        std::string then;
    };
    const std::vector<Case> cases{
        {"with its data",
         12,
         3,
         false,
         "promote 1 e4 at 0-1-12 k=1; "
         "follow 1: 2 e4"},
        {"exactly where it was chosen", 5, 3, false, "promote 1 e4 at 0-1-5 k=1"},
        {"it lacks what it had to hold", 4, 3, false, ""},
        {"somebody has a newer marker", 12, 2, false, ""},
        {"it may have been cut", 12, 3, true, ""},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            ElectionScript script;
            (void)script.feed(called());
            (void)script.answer(m2, 9);
            REQUIRE(script.wait(2s) == "prepare 1 e4; prepare 3 e4");
            CHECK(script.answer(m1, c.holds, c.marker, c.amnesiac) == c.then);
        }
    }
}

TEST_CASE("election: a cluster of one elects its only member again and again", "[election]")
{
    ElectionScript script;
    (void)script.feed(called({m1}, 0));
    CHECK(script.answer(m1, 9) == "promote 1 e4 at 0-1-9 k=0");
    CHECK(
        script.feed(Promoted{Epoch{4}, m1}) ==
        "save candidate 1 e4 at 0-1-9; admit 1 e4; open 1 e4");
    CHECK(script.feed(Opened{Epoch{4}, m1}) == "save opened 1 e4; publish 1 e4");
}

TEST_CASE("election: who lacks what was surely acknowledged is refused", "[election]")
{
    Called call = called();
    call.high_water = up_to(10);
    ElectionScript script;
    (void)script.feed(call);
    (void)script.answer(m2, 9);
    CHECK(
        script.answer(m3, 9) ==
        "stuck e4: below high water, missing {1} amnesiac {} lacking 0, force 2 loses 1");
    SECTION("nor may the last primary without it")
    {
        (void)script.wait(2s);
        CHECK(
            script.answer(m1, 9) ==
            "stuck e4: below high water, missing {} amnesiac {} lacking 0, force 1 loses 1");
    }
    SECTION("until somebody comes who has it")
    {
        (void)script.wait(2s);
        CHECK(
            script.answer(m1, 10) ==
            "promote 1 e4 at 0-1-10 k=1; "
            "follow 1: 2 e4; follow 1: 3 e4");
    }
}

TEST_CASE("election: where nobody ever led, nobody has forgotten anything", "[election]")
{
    ElectionScript script;
    script.state.epoch = Epoch{0};
    Called call = called({m1}, 0);
    call.last.position = {};
    REQUIRE(script.feed(call) == "dismiss; save e1 after 1; begun e1: called; prepare 1 e1");
    CHECK(script.answer(m1, 0, 0, true) == "promote 1 e1 at nothing k=0");
    SECTION("it may fail once more")
    {
        REQUIRE(
            script.feed(Ended{m1}) ==
            "dismiss; save e2 after 1; begun e2: candidate failed; prepare 1 e2");
        CHECK(script.answer(m1, 0, 0, true) == "promote 1 e2 at nothing k=0");
    }
    SECTION("but once it led, it may have acknowledged")
    {
        REQUIRE(
            script.feed(Promoted{Epoch{1}, m1}) ==
            "save candidate 1 e1 at nothing; admit 1 e1; open 1 e1");
        REQUIRE(
            script.feed(Ended{m1}) ==
            "dismiss; save e2 after 1; begun e2: candidate failed; prepare 1 e2");
        CHECK(script.answer(m1, 0, 0, true) == "");
    }
}

TEST_CASE("election: who led last is asked as soon as the others cannot do it", "[election]")
{
    ElectionScript script;
    (void)script.feed(called({m1, m2, m3, m4, m5}, 2));  // Three of four.
    CHECK(script.answer(m2, 9, 3, true) == "");
    CHECK(script.answer(m3, 9, 3, true) == "prepare 1 e4");
    CHECK(script.answer(m4, 9) == "");
}

TEST_CASE("election: an operator may accept the loss, but only when told of it", "[election]")
{
    Called call = called({m1, m2, m3, m4, m5}, 2);
    call.high_water = up_to(12);
    ElectionScript script;
    (void)script.feed(call);
    (void)script.answer(m2, 9);
    (void)script.answer(m3, 10, 3, true);
    CHECK(script.feed(Forced{m3}) == "ignored: not stuck");
    script.now += 9s;
    CHECK(
        script.wait(1s) ==
        "prepare 1 e4; prepare 4 e4; prepare 5 e4; "
        "stuck e4: no quorum, missing {1,4,5} amnesiac {3} lacking 2, force 3 loses 2");
    CHECK(script.feed(Forced{m2}) == "ignored: not stuck");
    CHECK(
        script.feed(Forced{m3}) ==
        "save forced e4 after 3 {2,3} k=1; "
        "promote 3 e4 at 0-1-10 k=1; "
        "follow 3: 2 e4");
    CHECK(script.feed(Forced{m3}) == "ignored: not stuck");

    // What it holds is all there is from now on, whoever has to finish it.
    const Called& after = std::get<Promoting>(script.state.phase).call;
    CHECK(after.last == LastPrimary{m3, up_to(10)});
    CHECK(after.high_water == up_to(10));
    CHECK(after.since == Epoch{4});
}

TEST_CASE("election: forced, the last that is left opens alone", "[election]")
{
    ElectionScript script;
    (void)script.feed(called({m1, m2, m3}, 1));
    (void)script.answer(m2, 9);
    script.now += 9s;
    REQUIRE_THAT(script.wait(1s), Catch::Contains("force 2 loses"));
    CHECK(
        script.feed(Forced{m2}) ==
        "save forced e4 after 2 {2} k=0; "
        "promote 2 e4 at 0-1-9 k=0");
    CHECK_THAT(script.feed(Promoted{Epoch{4}, m2}), Catch::Contains("open 2 e4"));
}

TEST_CASE("election: forced, who holds what the chosen one lacks is left out of E", "[election]")
{
    ElectionScript script;
    (void)script.feed(called({m1, m2, m3, m4, m5}, 2));
    (void)script.answer(m2, 9, 3);
    (void)script.answer(m4, 12, 2);
    script.now += 9s;
    REQUIRE_THAT(script.wait(1s), Catch::Contains("force 2 loses"));
    CHECK(
        script.feed(Forced{m2}) ==
        "save forced e4 after 2 {2} k=0; "
        "promote 2 e4 at 0-1-9 k=0");
}

TEST_CASE("election: what is known of a higher epoch is begun above", "[election]")
{
    SECTION("a marker that nobody can have written yet: our state is from before")
    {
        ElectionScript script;
        (void)script.feed(called());
        CHECK(
            script.answer(m2, 9, 7) ==
            "dismiss; save e8 after 1; begun e8: epoch behind; prepare 2 e8; prepare 3 e8");
    }
    SECTION("a promise to somebody else")
    {
        ElectionScript script;
        (void)script.feed(called());
        CHECK(
            script.feed(Refused{
                Epoch{6}, m2, Refused::Order::prepare, control::Refused::Reason::old_epoch}) ==
            "dismiss; save e7 after 1; begun e7: epoch behind; prepare 2 e7; prepare 3 e7");
    }
}

TEST_CASE("election: a member whose stream is up again is asked again", "[election]")
{
    ElectionScript script;
    (void)script.feed(called());
    (void)script.answer(m2, 9);
    CHECK(script.feed(Appeared{m3}) == "prepare 3 e4");
    CHECK(script.feed(Appeared{m2}) == "ignored: already so");
    CHECK(script.feed(Appeared{m4}) == "ignored: not a voter");
    CHECK(script.feed(Appeared{m1}) == "ignored: not a voter");
    (void)script.wait(2s);
    CHECK(script.feed(Appeared{m1}) == "prepare 1 e4");
}

TEST_CASE("election: a member that ended can be no candidate", "[election]")
{
    ElectionScript script;
    (void)script.feed(called());
    (void)script.answer(m2, 9);
    CHECK(script.feed(Ended{m2}) == "");
    CHECK(script.answer(m3, 7) == "");
    CHECK(script.feed(Ended{m1}) == "ignored: nothing to do");
}

TEST_CASE("election: a second call begins anew", "[election]")
{
    ElectionScript script;
    (void)script.feed(called());
    (void)script.answer(m2, 9);
    CHECK(
        script.feed(called({m1, m2}, 1)) ==
        "dismiss; save e5 after 1; begun e5: called; prepare 2 e5");
}

TEST_CASE("election: what does not apply while preparing changes nothing", "[election]")
{
    using Reason = control::Refused::Reason;
    struct Case {
        std::string name;
        Input input;
        std::string why;
    };
    const std::vector<Case> cases{
        {"answer of an older epoch",
         Prepared{Epoch{3}, m3, up_to(9), Epoch{3}, false},
         "other epoch"},
        {"answer of a stranger", Prepared{Epoch{4}, m4, up_to(9), Epoch{3}, false}, "not a voter"},
        {"promoted", Promoted{Epoch{4}, m2}, "not the candidate"},
        {"promoted in an older epoch", Promoted{Epoch{3}, m2}, "other epoch"},
        {"followed", Followed{Epoch{4}, m2}, "nothing to do"},
        {"opened", Opened{Epoch{4}, m2}, "not the candidate"},
        {"observed", Observed{m2, in_phase(control::Phase::fenced, 4)}, "nothing to do"},
        {"electorate", ElectorateChanged{{{m1}, 0}}, "not leading"},
        {"busy", Refused{Epoch{4}, m2, Refused::Order::prepare, Reason::busy}, "order repeats"},
        {"refused in an older epoch",
         Refused{Epoch{3}, m2, Refused::Order::prepare, Reason::busy},
         "other epoch"},
        {"refused for our own epoch",
         Refused{Epoch{4}, m2, Refused::Order::follow, Reason::old_epoch},
         "other epoch"},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            ElectionScript script;
            (void)script.feed(called());
            const State before = script.state;
            CHECK(script.feed(c.input) == "ignored: " + c.why);
            CHECK(script.state == before);
        }
    }
}

TEST_CASE("election: without an election nothing applies", "[election]")
{
    const std::vector<Input> inputs{
        Appeared{m2},
        Ended{m2},
        Observed{m2, {}},
        Prepared{Epoch{3}, m2, {}, {}, false},
        Promoted{Epoch{3}, m2},
        Followed{Epoch{3}, m2},
        Opened{Epoch{3}, m2},
        Refused{Epoch{9}, m2, {}, control::Refused::Reason::old_epoch},
        ElectorateChanged{},
        Forced{},
        DeadlinePassed{}};
    for (const Input& input : inputs) {
        ElectionScript script;
        const State before = script.state;
        CHECK(script.feed(input) == "ignored: no election");
        CHECK(script.state == before);
        CHECK_FALSE(next_deadline(script.state));
    }
}
