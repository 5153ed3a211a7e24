#include "common/electorate/changes.hpp"
#include "test/support/electorate_script.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <vector>

using namespace mysos;
using namespace mysos::electorate;
using namespace mysos::test;
using namespace std::chrono_literals;
using control::Phase;

TEST_CASE("electorate changes: a member joins, and k follows", "[electorate]")
{
    ElectorateScript script = led({{m1}, 0}, {m1, m2, m3});
    CHECK(script.feed(JoinAsked{m2}) == "");
    CHECK(script.see(m2, Phase::start) == "");
    CHECK(script.see(m2, Phase::fenced) == "follow 1: 2 e4 #1");
    // It does not acknowledge: its account is made, and the primary says where it stands.
    CHECK(script.follow(m2, false, 1) == "set 1 e4 k=0 accounts {2} #2");
    CHECK(script.see(m2, 3, false) == "");
    CHECK(script.read(2, 9) == "");
    CHECK(script.see(m2, 8, false) == "");
    CHECK(script.see(m2, 9, false) == "save {1,2} k=0; follow 1: 2 e4 acknowledging caught up");
    CHECK(script.follow(m2, true) == "set 1 e4 k=1 accounts {2} #3");
    CHECK(script.read(3, 11) == "");
    CHECK(script.see(m2, 10, true) == "");
    CHECK(script.see(m2, 11, true) == "save {1,2} k=1");
    CHECK_FALSE(next_deadline(script.state));

    // The third changes nothing about k.
    CHECK(script.feed(JoinAsked{m3}) == "");
    CHECK(script.see(m3, Phase::fenced) == "follow 1: 3 e4 #4");
    CHECK(script.follow(m3, false, 4) == "set 1 e4 k=1 accounts {2,3} #5");
    CHECK(script.read(5, 12) == "");
    CHECK(script.see(m3, 12, false) == "save {1,2,3} k=1; follow 1: 3 e4 acknowledging caught up");
    CHECK(script.see(m3, 12, true) == "");
    CHECK(script.state.electorate == Electorate{{m1, m2, m3}, 1});
    CHECK(script.state.to_join.empty());
}

TEST_CASE("electorate changes: members join one at a time", "[electorate]")
{
    ElectorateScript script = led({{m1}, 0}, {m1, m2, m3});
    (void)script.feed(JoinAsked{m2});
    (void)script.feed(JoinAsked{m3});
    (void)script.see(m2, Phase::fenced);
    (void)script.see(m3, Phase::fenced);
    CHECK(script.follow(m3, false, 2) == "set 1 e4 k=0 accounts {3} #3");
    CHECK(script.follow(m2, false, 1) == "set 1 e4 k=0 accounts {2,3} #4");
    (void)script.see(m2, 3, false);
    (void)script.see(m3, 3, false);
    CHECK(script.read(4, 5) == "");  // Asked after both: it answers both.
    CHECK(script.see(m3, 5, false) == "save {1,3} k=0; follow 1: 3 e4 acknowledging caught up");
    CHECK(script.see(m2, 5, false) == "");
    CHECK(script.see(m3, 5, true) == "set 1 e4 k=1 accounts {2,3} #5");
    CHECK(
        script.read(5, 5) ==
        "save {1,3} k=1; save {1,2,3} k=1; "
        "follow 1: 2 e4 acknowledging caught up");
}

TEST_CASE("electorate changes: one that may have forgotten is proven anew", "[electorate]")
{
    ElectorateScript script = steady({{m1, m2, m3}, 1});
    // Told to acknowledge, as it is in E; having forgotten, it does so without a vote.
    const std::string again = "; follow 1: 2 e4 acknowledging";
    CHECK(script.see(m2, Phase::fenced) == "set 1 e4 k=1 accounts {2,3} #1" + again);
    CHECK(script.read(0, 5) == "");  // An answer to an earlier question proves nothing.
    CHECK(script.read(1, 7) == "");
    CHECK(script.see(m2, 6, true, true) == "");
    CHECK(script.wait(1s) == "");
    CHECK_FALSE(next_deadline(script.state));
    CHECK(script.feed(Followed{e4, m2, true, 0, false}) == "ignored: not asked");
    CHECK(script.see(m2, 7, true, true) == "follow 1: 2 e4 acknowledging caught up");
    SECTION("it is believed")
    {
        CHECK(script.follow(m2, true) == "");
        CHECK(script.see(m2, 7, true) == "");
    }
    SECTION("it restarted before it answered")
    {
        CHECK(script.see(m2, Phase::fenced) == "set 1 e4 k=1 accounts {2,3} #2" + again);
        CHECK(script.follow(m2, true) == "ignored: not asked");
    }
    SECTION("it is gone")
    {
        CHECK(script.see(m2, Phase::start) == "");
        CHECK_FALSE(next_deadline(script.state));
    }
}

TEST_CASE("electorate changes: what was read proves nothing for a later run", "[electorate]")
{
    ElectorateScript script = steady({{m1, m2, m3}, 1});
    mysql::Observation seen = replica_of(m1, 4, 4);
    seen.acknowledges = true;
    seen.amnesiac = true;
    seen.position = up_to(7);
    const auto see_in_run = [&](std::uint64_t run) {
        seen.server_run = run;
        return script.feed(Observed{m2, seen});
    };
    const auto followed_in_run = [&](std::uint64_t run) {
        return script.feed(Followed{e4, m2, true, 0, true, run});
    };
    const std::string caught_up = "follow 1: 2 e4 acknowledging caught up in run ";
    CHECK(see_in_run(8) == "set 1 e4 k=1 accounts {2,3} #1");
    CHECK(script.read(1, 7) == "");
    CHECK(see_in_run(9) == "set 1 e4 k=1 accounts {2,3} #2");
    CHECK(see_in_run(9) == "");
    CHECK(script.read(2, 7) == "");
    CHECK(see_in_run(9) == caught_up + "9");
    CHECK(followed_in_run(8) == "ignored: not asked");
    CHECK(see_in_run(10) == "set 1 e4 k=1 accounts {2,3} #3");
    CHECK(followed_in_run(9) == "ignored: not asked");
    CHECK(script.read(3, 7) == "");
    CHECK(see_in_run(10) == caught_up + "10");
    CHECK(followed_in_run(10) == "");
    CHECK(script.state.leadership->followers.at(m2).standing == Standing::acknowledging);
}

TEST_CASE("electorate changes: what shows that a member does not acknowledge", "[electorate]")
{
    struct Case {
        std::string name;
        bool acknowledges;
        bool amnesiac;
        MemberId source;
        std::uint64_t epoch;
        std::string orders;
    };
    const std::string read = "set 1 e4 k=1 accounts {2,3} #1";
    const std::string follow = "; follow 1: 2 e4 acknowledging";
    const std::vector<Case> cases{
        {"all is well", true, false, m1, 4, ""},
        {"switched off", false, false, m1, 4, read + follow},
        {"amnesiac", true, true, m1, 4, read},
        {"amnesiac and switched off", false, true, m1, 4, read + follow},
        {"follows another", true, false, m3, 4, read + follow},
        {"follows in an older epoch", true, false, m1, 3, read + follow},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            ElectorateScript script = steady({{m1, m2, m3}, 1});
            mysql::Observation seen = replica_of(c.source, c.epoch, 3);
            seen.acknowledges = c.acknowledges;
            seen.amnesiac = c.amnesiac;
            CHECK(script.feed(Observed{m2, seen}) == c.orders);
        }
    }
    // A link that is down for a while forgets nothing.
    ElectorateScript script = steady({{m1, m2, m3}, 1});
    mysql::Observation cut = replica_of(m1, 4, 4);
    cut.acknowledges = true;
    cut.receiver_running = false;
    CHECK(script.feed(Observed{m2, cut}) == "");
}

TEST_CASE("electorate changes: k is raised only with those who can acknowledge", "[electorate]")
{
    ElectorateScript script = led({{m1, m2, m3, m4}, 1}, {m1, m2, m3, m4});
    CHECK(script.see(m2, 5, true) == "");
    CHECK(script.see(m3, 5, true) == "set 1 e4 k=2 accounts {2,3,4} #1");
    CHECK(script.wait(1s) == "set 1 e4 k=2 accounts {2,3,4} #1");
    CHECK(script.read(1, 8) == "");
    CHECK(script.see(m2, 9, true) == "");
    // Who does not follow any more does not count, whatever it held.
    CHECK(
        script.see(m2, Phase::fenced) ==
        "set 1 e4 k=2 accounts {2,3,4} #2; follow 1: 2 e4 acknowledging");
    CHECK(script.see(m3, 8, true) == "");
    (void)script.read(2, 9);
    CHECK(
        script.see(m2, 9, false, true) ==
        "follow 1: 2 e4 acknowledging caught up; save {1,2,3,4} k=2");
}

TEST_CASE("electorate changes: a member leaves", "[electorate]")
{
    SECTION("three to two: k stays")
    {
        ElectorateScript script = steady({{m1, m2, m3}, 1});
        CHECK(script.feed(LeaveAsked{m3, LeaveAsked::By::automatic}) == "lock 3 on 1 e4 #1");
        CHECK(script.wait(1s) == "lock 3 on 1 e4 #1");
        CHECK(script.feed(AccountLocked{e4, 1, up_to(6)}) == "");
        CHECK(script.see(m3, 6, true) == "");  // The one that leaves does not count.
        CHECK(script.see(m2, 6, true) == "save {1,2} k=1");
        // It stays shut out until it has said that it does not acknowledge.
        CHECK(script.see(m3, 6, true) == "follow 1: 3 e4 #2");
        CHECK(script.follow(m3, true, 2) == "ignored: not asked");
        CHECK(script.follow(m3, false, 1) == "ignored: not asked");
        CHECK(script.follow(m3, false, 2) == "set 1 e4 k=1 accounts {2,3} #3");
    }
    SECTION("four to three: k is lowered at the primary last")
    {
        ElectorateScript script = steady({{m1, m2, m3, m4}, 2});
        CHECK(script.feed(LeaveAsked{m4, LeaveAsked::By::operators}) == "lock 4 on 1 e4 #1");
        CHECK(
            script.feed(AccountLocked{e4, 1, up_to(5)}) ==
            "save {1,2,3} k=1; set 1 e4 k=1 accounts {2,3} #2");
        CHECK(script.feed(LeaveAsked{m3, LeaveAsked::By::automatic}) == "ignored: change running");
        CHECK(script.wait(1s) == "set 1 e4 k=1 accounts {2,3} #2");
        CHECK(script.read(2, 9) == "");
        CHECK_FALSE(next_deadline(script.state));
    }
    SECTION("a leave never raises k")
    {
        ElectorateScript script = led({{m1, m2, m3, m4, m5}, 1}, {m1, m2, m3, m4, m5});
        CHECK(script.see(m2, 5, true) == "");
        CHECK(script.feed(LeaveAsked{m5, LeaveAsked::By::operators}) == "lock 5 on 1 e4 #1");
        CHECK(script.feed(AccountLocked{e4, 1, up_to(5)}) == "save {1,2,3,4} k=1");
    }
    SECTION("two to one, as the two-node policy does")
    {
        ElectorateScript script = steady({{m1, m2}, 1});
        CHECK(script.feed(LeaveAsked{m2, LeaveAsked::By::automatic}) == "ignored: below floor");
        CHECK(script.feed(LeaveAsked{m2, LeaveAsked::By::two_node_policy}) == "lock 2 on 1 e4 #1");
        CHECK(
            script.feed(AccountLocked{e4, 1, up_to(9)}) ==
            "save {1} k=0; set 1 e4 k=0 accounts {} #2");
        // And back, as any member joins: first it must say that it does not acknowledge.
        CHECK(script.read(2, 12) == "");
        CHECK(script.state.to_join == std::set<MemberId>{m2});
        CHECK(script.see(m2, 9, true) == "follow 1: 2 e4 #3");
        CHECK(script.follow(m2, false, 3) == "set 1 e4 k=0 accounts {2} #4");
        CHECK(script.read(4, 12) == "");
        CHECK(
            script.see(m2, 12, false) == "save {1,2} k=0; follow 1: 2 e4 acknowledging caught up");
        CHECK(script.follow(m2, true) == "set 1 e4 k=1 accounts {2} #5");
        CHECK(script.read(5, 12) == "save {1,2} k=1");
    }
}

TEST_CASE("electorate changes: the two-node policy does not wait for a raise", "[electorate]")
{
    // k = 1 is in force, and the one that it waits for is lost before it holds anything.
    ElectorateScript script = led({{m1, m2}, 0}, {m1, m2});
    CHECK(script.see(m2, 5, true) == "set 1 e4 k=1 accounts {2} #1");
    CHECK(script.read(1, 9) == "");
    CHECK(script.feed(LeaveAsked{m2, LeaveAsked::By::operators}) == "ignored: change running");
    CHECK(script.feed(LeaveAsked{m2, LeaveAsked::By::two_node_policy}) == "lock 2 on 1 e4 #2");
    CHECK(script.see(m2, 9, true) == "");  // Too late: its account is locked by now.
    CHECK(
        script.feed(AccountLocked{e4, 2, up_to(9)}) == "save {1} k=0; set 1 e4 k=0 accounts {} #3");
}

TEST_CASE(
    "electorate changes: what an earlier scheduler left half done is put right", "[electorate]")
{
    SECTION("a leave: nobody of E stays locked")
    {
        ElectorateScript script;
        const Led adopted{e4, m1, {{m1, m2, m3}, 1}, 1, {m1, m2, m3}, true};
        CHECK(script.feed(adopted) == "set 1 e4 k=1 accounts {2,3} #1");
        CHECK(script.feed(LeaveAsked{m3, LeaveAsked::By::automatic}) == "ignored: change running");
        CHECK(script.wait(1s) == "set 1 e4 k=1 accounts {2,3} #1");
        CHECK(script.read(1, 5) == "");
    }
    SECTION("a leave that was persisted, its k not lowered")
    {
        ElectorateScript script;
        const Led adopted{e4, m1, {{m1, m2, m3}, 1}, 2, {m1, m2, m3, m4}, true};
        CHECK(script.feed(adopted) == "set 1 e4 k=2 accounts {2,3} #1");
        CHECK(script.read(1, 5) == "set 1 e4 k=1 accounts {2,3} #2");
    }
    SECTION("a raise: k is in force and not persisted")
    {
        ElectorateScript script;
        const Led adopted{e4, m1, {{m1, m2, m3, m4}, 1}, 2, {m1, m2, m3, m4}, true};
        CHECK(script.feed(adopted) == "set 1 e4 k=2 accounts {2,3,4} #1");
        CHECK(script.see(m2, 5, true) == "");
        CHECK(script.see(m3, 5, true) == "");
        CHECK(script.read(1, 5) == "set 1 e4 k=2 accounts {2,3,4} #2");
        CHECK(script.read(2, 5) == "save {1,2,3,4} k=2");
    }
    SECTION("a join: it is in E and does not acknowledge")
    {
        ElectorateScript script = led({{m1, m2}, 0}, {m1, m2});
        CHECK(
            script.see(m2, 5, false) ==
            "set 1 e4 k=0 accounts {2} #1; follow 1: 2 e4 acknowledging");
        CHECK(script.read(1, 5) == "");
        CHECK(script.see(m2, 5, true) == "follow 1: 2 e4 acknowledging caught up");
        CHECK(script.follow(m2, true) == "set 1 e4 k=1 accounts {2} #2");
    }
    SECTION("outside of E, and it still acknowledges")
    {
        ElectorateScript script = led({{m1, m2}, 1}, {m1, m2, m3});
        CHECK(script.see(m3, 5, true) == "follow 1: 3 e4 #1");
    }
}

TEST_CASE("electorate changes: orders without an answer are repeated", "[electorate]")
{
    ElectorateScript script = led({{m1, m2}, 1}, {m1, m2, m3});
    (void)script.see(m3, Phase::fenced);
    CHECK(script.wait(500ms) == "ignored: too early");
    CHECK(script.wait(500ms) == "follow 1: 3 e4 #1");
    (void)script.follow(m3, false, 1);
    CHECK(script.wait(1s) == "set 1 e4 k=1 accounts {2,3} #2");
    CHECK(script.read(2, 5) == "");
    CHECK_FALSE(next_deadline(script.state));
    CHECK(script.see(m3, Phase::fenced) == "follow 1: 3 e4");  // Its link is gone: told again.
    CHECK(script.wait(1s) == "follow 1: 3 e4");
    (void)script.see(m3, 4, false);
    CHECK(script.wait(1s) == "");
    CHECK_FALSE(next_deadline(script.state));

    ElectorateScript other = led({{m1, m2}, 1}, {m1, m2});
    (void)other.see(m2, 5, false);
    CHECK(other.wait(1s) == "set 1 e4 k=1 accounts {2} #1; follow 1: 2 e4 acknowledging");
    (void)other.read(1, 5);
    CHECK(other.wait(1s) == "follow 1: 2 e4 acknowledging");
    CHECK(other.see(m2, 5, true) == "follow 1: 2 e4 acknowledging caught up");
    CHECK(other.wait(1s) == "follow 1: 2 e4 acknowledging caught up");
}

TEST_CASE("electorate changes: a crashed old primary is told to follow", "[electorate]")
{
    ElectorateScript script = led({{m1, m2, m3}, 1}, {m1, m2, m3});
    CHECK(
        script.see(m2, Phase::crashed) ==
        "set 1 e4 k=1 accounts {2,3} #1; follow 1: 2 e4 acknowledging");
    CHECK(script.read(1, 5) == "");
    CHECK(script.wait(1s) == "follow 1: 2 e4 acknowledging");
}

TEST_CASE("electorate changes: a new member is followed up", "[electorate]")
{
    ElectorateScript script = led({{m1, m2}, 1}, {m1, m2});
    CHECK(script.see(m3, Phase::fenced) == "ignored: not a member");
    CHECK(script.feed(MemberAdded{m3}) == "");
    CHECK(script.see(m3, Phase::fenced) == "follow 1: 3 e4 #1");
    CHECK(script.feed(MemberAdded{m3}) == "ignored: already so");
    CHECK(script.feed(MemberAdded{m1}) == "ignored: the primary");
}

TEST_CASE("electorate changes: without a primary nothing changes", "[electorate]")
{
    ElectorateScript script = steady({{m1, m2, m3}, 1});
    CHECK(script.feed(Deposed{}) == "");
    const std::vector<Input> inputs{
        Deposed{},
        Observed{m2, {}},
        MemberAdded{m4},
        Errant{e4, m2},
        LeaveAsked{m2, {}},
        Followed{e4, m2, true, 0},
        AcknowledgersSet{e4, 1, {}},
        AccountLocked{e4, 1, {}},
        DeadlinePassed{}};
    for (const Input& input : inputs) {
        const State before = script.state;
        CHECK(script.feed(input) == "ignored: no primary");
        CHECK(script.state == before);
    }
    CHECK_FALSE(next_deadline(script.state));
    CHECK(script.feed(JoinAsked{m4}) == "");  // For later.
    CHECK(script.state.to_join == std::set<MemberId>{m4});
}

TEST_CASE("electorate changes: what does not apply changes nothing", "[electorate]")
{
    struct Case {
        std::string name;
        Input input;
        std::string why;
    };
    const std::vector<Case> cases{
        {"the primary seen", Observed{m1, {}}, "the primary"},
        {"a stranger seen", Observed{m5, {}}, "not a member"},
        {"already in E", JoinAsked{m2}, "already so"},
        {"the primary leaves", LeaveAsked{m1, LeaveAsked::By::operators}, "the primary"},
        {"a stranger leaves", LeaveAsked{m5, LeaveAsked::By::operators}, "not a member"},
        {"followed, unasked", Followed{e4, m2, true, 0}, "not asked"},
        {"followed by a stranger", Followed{e4, m5, true, 0}, "not a member"},
        {"followed in an older epoch", Followed{Epoch{3}, m2, true, 0}, "other epoch"},
        {"a position nobody asked for", AcknowledgersSet{e4, 9, up_to(5)}, "not asked"},
        {"a position of an older epoch", AcknowledgersSet{Epoch{3}, 0, {}}, "other epoch"},
        {"locked, unasked", AccountLocked{e4, 9, {}}, "not asked"},
        {"locked in an older epoch", AccountLocked{Epoch{3}, 0, {}}, "other epoch"},
        {"nothing is due", DeadlinePassed{}, "too early"},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            ElectorateScript script = steady({{m1, m2, m3}, 1});
            const State before = script.state;
            CHECK(script.feed(c.input) == "ignored: " + c.why);
            CHECK(script.state == before);
        }
    }
}
