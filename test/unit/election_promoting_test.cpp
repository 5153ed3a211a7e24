#include "test/support/election_script.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace mysos;
using namespace mysos::election;
using namespace mysos::test;
using namespace std::chrono_literals;
using control::Phase;
using Reason = control::Refused::Reason;
using What = Refused::Order;

namespace {

/// Member 2 is the candidate of epoch 4, member 3 follows it; member 1 led before.
ElectionScript promoting()
{
    ElectionScript script;
    (void)script.feed(called());
    (void)script.answer(m3, 9);
    REQUIRE(
        script.answer(m2, 9) ==
        "promote 2 e4 at 0-1-9 k=1; "
        "follow 2: 3 e4");
    return script;
}

mysql::Observation leading(bool writable)
{
    mysql::Observation seen = in_phase(Phase::primary, 4);
    seen.marker = Epoch{4};
    seen.writable = writable;
    return seen;
}

const std::string admitted_and_open = "save candidate 2 e4 at 0-1-9; admit 2 e4; open 2 e4";
const std::string again_after_1 =
    "dismiss; save e5 after 1; begun e5: candidate failed; prepare 2 e5; prepare 3 e5";
const std::string again_after_2 =
    "dismiss; save e5 after 2; begun e5: candidate failed; prepare 1 e5; prepare 3 e5";

}  // namespace

TEST_CASE("election: clients are let in last, and only then is it published", "[election]")
{
    ElectionScript script = promoting();
    CHECK(script.feed(Promoted{Epoch{4}, m2}) == "");
    CHECK(script.feed(Followed{Epoch{4}, m3}) == "");
    CHECK(script.see(m3, replica_of(m2, 4, 3)) == "");  // It follows, but has no marker yet.
    CHECK(script.see(m3, replica_of(m2, 4, 4)) == admitted_and_open);
    CHECK(script.feed(Opened{Epoch{4}, m2}) == "save opened 2 e4; publish 2 e4");
    CHECK(script.state == State{.epoch = Epoch{4}, .phase = Idle{}});
    CHECK_FALSE(next_deadline(script.state));
}

TEST_CASE("election: what is seen does as well as what was answered", "[election]")
{
    ElectionScript script = promoting();
    CHECK(script.see(m3, replica_of(m2, 4, 4)) == "");  // Marker first: it must be written too.
    CHECK(script.see(m2, in_phase(Phase::fenced, 4)) == "");
    CHECK(script.see(m2, in_phase(Phase::primary, 4)) == "");  // At it, no marker yet.
    CHECK(script.see(m2, leading(false)) == admitted_and_open);
    CHECK(script.see(m2, leading(true)) == "save opened 2 e4; publish 2 e4");
}

TEST_CASE("election: the marker of a stranger or of the candidate does not count", "[election]")
{
    ElectionScript script = promoting();
    (void)script.feed(Promoted{Epoch{4}, m2});
    CHECK(script.see(m2, leading(false)) == "");
    CHECK(script.see(m5, replica_of(m2, 4, 4)) == "");
    CHECK(script.see(m3, replica_of(m2, 4, 4)) == admitted_and_open);
}

TEST_CASE("election: a fresh cluster is opened when it has grown", "[election]")
{
    Called call = called({m1}, 0);
    call.last.position = {};
    call.open_rule = {.members_min = 2, .acks_min = 1};
    ElectionScript script;
    script.state.epoch = Epoch{0};
    CHECK(script.feed(call) == "dismiss; save e1 after 1; begun e1: called; prepare 1 e1");
    CHECK(script.answer(m1, 0, 0) == "promote 1 e1 at nothing k=0");
    CHECK(script.feed(Promoted{Epoch{1}, m1}) == "save candidate 1 e1 at nothing; admit 1 e1");
    CHECK(script.feed(ElectorateChanged{{{m1, m2}, 0}}) == "");
    CHECK(script.see(m2, replica_of(m1, 1, 0)) == "");
    CHECK(script.feed(ElectorateChanged{{{m1, m2}, 1}}) == "");
    CHECK(script.see(m2, replica_of(m1, 1, 1)) == "open 1 e1");
    CHECK(script.feed(Opened{Epoch{1}, m1}) == "save opened 1 e1; publish 1 e1");
}

TEST_CASE("election: a candidate that lacks the position gives way to a new epoch", "[election]")
{
    ElectionScript script = promoting();
    CHECK(
        script.refuse(m2, What::promote, Reason::lacks_position) ==
        "dismiss; save e5 after 1; begun e5: candidate refused; prepare 2 e5; prepare 3 e5");
}

TEST_CASE("election: a candidate that fails leaves a new epoch behind it", "[election]")
{
    struct Case {
        std::string name;
        Input input;
    };
    mysql::Observation amnesiac = in_phase(Phase::fenced, 4);
    amnesiac.amnesiac = true;
    const std::vector<Case> before_marker{
        {"its server crashed", Observed{m2, in_phase(Phase::crashed, 4)}},
        {"it starts", Observed{m2, in_phase(Phase::start, 4)}},
        {"it failed", Observed{m2, in_phase(Phase::failed, 4)}},
        {"it is stopping", Observed{m2, in_phase(Phase::stopping, 4)}},
        {"it restarted and may have forgotten", Observed{m2, amnesiac}},
        {"its task ended", Ended{m2}},
        {"its server gave an error", Refused{Epoch{4}, m2, What::promote, Reason::server_failed}},
    };
    for (const Case& c : before_marker) {
        DYNAMIC_SECTION(c.name)
        {
            ElectionScript script = promoting();
            CHECK(script.feed(c.input) == again_after_1);
        }
    }
    const std::vector<Case> after_marker{
        {"it is shut out again", Observed{m2, in_phase(Phase::fenced, 4)}},
        {"it follows somebody", Observed{m2, in_phase(Phase::replica, 4)}},
        {"it does not know that it leads", Refused{Epoch{4}, m2, What::open, Reason::not_primary}},
        {"its task ended", Ended{m2}},
    };
    for (const Case& c : after_marker) {
        DYNAMIC_SECTION("with the marker written: " << c.name)
        {
            ElectionScript script = promoting();
            (void)script.feed(Promoted{Epoch{4}, m2});
            CHECK(script.feed(c.input) == again_after_1);
        }
        DYNAMIC_SECTION("with the marker held, as it may be open: " << c.name)
        {
            ElectionScript script = promoting();
            (void)script.feed(Promoted{Epoch{4}, m2});
            REQUIRE(script.see(m3, replica_of(m2, 4, 4)) == admitted_and_open);
            CHECK(script.feed(c.input) == again_after_2);
        }
    }
}

TEST_CASE("election: a candidate that nobody may have written to blocks nobody", "[election]")
{
    ElectionScript script = promoting();
    (void)script.feed(Promoted{Epoch{4}, m2});
    REQUIRE(script.feed(Ended{m2}) == again_after_1);
    SECTION("who led last goes on, though the other has forgotten")
    {
        REQUIRE(script.answer(m3, 9, 3, true) == "prepare 1 e5");
        CHECK(script.answer(m1, 12) == "promote 1 e5 at 0-1-12 k=1; follow 1: 3 e5");
    }
    SECTION("the candidate itself does, come back with its marker")
    {
        CHECK(script.answer(m2, 9, 4) == "promote 2 e5 at 0-1-9 k=1");
    }
    SECTION("whoever has that marker does, as it has all that was before it")
    {
        CHECK(script.answer(m3, 9, 4, true) == "promote 3 e5 at 0-1-9 k=1");
        CHECK(script.answer(m1, 12) == "");
        mysql::Observation still_amnesiac = in_phase(Phase::fenced, 5);
        still_amnesiac.amnesiac = true;
        CHECK(script.see(m3, still_amnesiac) == "");
    }
    SECTION("not so once somebody else has begun an epoch")
    {
        REQUIRE(
            script.feed(Refused{Epoch{8}, m3, What::prepare, Reason::old_epoch}) ==
            "dismiss; save e9 after 1; begun e9: epoch behind; prepare 2 e9; prepare 3 e9");
        CHECK(script.answer(m2, 9, 4) == "");
    }
}

TEST_CASE("election: what a scheduler did in vain, the next one knows", "[election]")
{
    Called call = called();
    call.since = Epoch{2};
    ElectionScript script;
    REQUIRE(
        script.feed(call) ==
        "dismiss; save e4 after 1; begun e4: called; prepare 2 e4; "
        "prepare 3 e4");
    CHECK(script.answer(m3, 9, 2) == "promote 3 e4 at 0-1-9 k=1");
}

TEST_CASE("election: a silent candidate is given up, a talking one is not", "[election]")
{
    ElectionScript script = promoting();
    script.now += 3s;
    (void)script.see(m2, in_phase(Phase::fenced, 4));
    script.now += 4s;
    CHECK(
        script.feed(DeadlinePassed{}) ==
        "prepare 1 e4; promote 2 e4 at 0-1-9 k=1; "
        "follow 2: 3 e4");
    CHECK(script.wait(1s) == again_after_1);
}

TEST_CASE("election: with too few who may follow, the old primary's tail goes", "[election]")
{
    // Two members: who led last is the only one that can acknowledge.
    ElectionScript script;
    (void)script.feed(called({m1, m2}, 1));
    REQUIRE(script.answer(m2, 9) == "promote 2 e4 at 0-1-9 k=1");
    CHECK(script.feed(Promoted{Epoch{4}, m2}) == "follow 2: 1 e4");
    CHECK(script.see(m1, replica_of(m2, 4, 4)) == admitted_and_open);
}

TEST_CASE("election: a tail is kept while others can acknowledge, for a while", "[election]")
{
    ElectionScript script = promoting();
    CHECK(script.feed(Promoted{Epoch{4}, m2}) == "");
    (void)script.feed(Followed{Epoch{4}, m3});
    CHECK(script.wait(1s) == "follow 2: 1 e4");
}

TEST_CASE("election: an old primary without a tail follows at once", "[election]")
{
    ElectionScript script;
    (void)script.feed(called({m1, m2}, 1));
    REQUIRE(script.wait(2s) == "prepare 1 e4; prepare 2 e4");
    REQUIRE(script.answer(m2, 9) == "promote 2 e4 at 0-1-9 k=1");
    SECTION("it holds what the candidate holds")
    {
        CHECK(script.answer(m1, 9) == "follow 2: 1 e4");
    }
    SECTION("it holds more: that waits until the marker is written")
    {
        CHECK(script.answer(m1, 10) == "");
        CHECK(script.feed(Promoted{Epoch{4}, m2}) == "follow 2: 1 e4");
    }
    SECTION("it holds less by number, but of an epoch before: a leap can hide a tail")
    {
        CHECK(script.answer(m1, 8, 2) == "");
        CHECK(script.feed(Promoted{Epoch{4}, m2}) == "follow 2: 1 e4");
    }
}

TEST_CASE("election: a receiver that ended with an error is started again", "[election]")
{
    ElectionScript script = promoting();
    (void)script.feed(Promoted{Epoch{4}, m2});
    (void)script.feed(Followed{Epoch{4}, m1});
    (void)script.feed(Followed{Epoch{4}, m3});
    CHECK(script.wait(1s) == "");
    mysql::Observation refused = replica_of(m2, 4, 3);
    refused.receiver_running = false;
    refused.receiver_state = control::ReceiverState::stopped;
    CHECK(script.see(m3, refused) == "");
    CHECK(script.wait(1s) == "");  // Ended by hand: its executor sees to that.
    CHECK(script.see(m2, leading(false)) == "");
    refused.receiver_error = "1236: it is not in the binlog";
    CHECK(script.see(m3, refused) == "");
    CHECK(script.wait(1s) == "follow 2: 3 e4");
    CHECK(script.wait(1s) == "follow 2: 3 e4");
    CHECK(script.see(m3, replica_of(m2, 4, 3)) == "");
    CHECK(script.wait(1s) == "");
}

TEST_CASE("election: orders without an answer are repeated", "[election]")
{
    ElectionScript script = promoting();
    CHECK(script.wait(1s) == "prepare 1 e4; promote 2 e4 at 0-1-9 k=1; follow 2: 3 e4");
    CHECK(script.wait(100ms) == "ignored: too early");
    CHECK(
        script.feed(Promoted{Epoch{4}, m2}) ==
        "follow 2: 1 e4; "
        "follow 2: 3 e4");
    (void)script.feed(Followed{Epoch{4}, m1});
    (void)script.feed(Followed{Epoch{4}, m3});
    CHECK(script.wait(900ms) == "");
    // It restarted before it had the marker: it is told again, now as one that may have forgotten.
    mysql::Observation back = in_phase(Phase::fenced, 4);
    back.amnesiac = true;
    CHECK(script.see(m3, back) == "");
    CHECK(script.wait(1s) == "follow 2: 3 e4");
    (void)script.see(m3, replica_of(m2, 4, 4));
    CHECK(script.wait(1s) == "open 2 e4");
}

TEST_CASE("election: members whose stream is up again hear what they missed", "[election]")
{
    ElectionScript script = promoting();
    CHECK(script.feed(Appeared{m3}) == "follow 2: 3 e4");
    CHECK(script.feed(Appeared{m1}) == "prepare 1 e4");
    CHECK(script.feed(Appeared{m5}) == "ignored: nothing to do");
    (void)script.feed(Promoted{Epoch{4}, m2});
    CHECK(script.feed(Appeared{m2}) == "ignored: nothing to do");
    (void)script.see(m3, replica_of(m2, 4, 4));
    CHECK(script.feed(Appeared{m2}) == "open 2 e4");
    CHECK(script.feed(Appeared{m1}) == "ignored: nothing to do");  // Others see to it now.
}

TEST_CASE("election: who was silent while it was decided follows too", "[election]")
{
    ElectionScript script;
    (void)script.feed(called({m1, m2, m3, m4, m5}, 2));
    (void)script.answer(m2, 9);
    (void)script.answer(m3, 9);
    (void)script.answer(m4, 9);
    CHECK(script.answer(m5, 8) == "follow 2: 5 e4");
    CHECK(script.answer(m5, 8) == "ignored: already so");
    CHECK(script.answer(m2, 9) == "ignored: already so");
}

TEST_CASE("election: one that ended is not asked to follow", "[election]")
{
    ElectionScript script = promoting();
    CHECK(script.feed(Ended{m3}) == "");
    CHECK(script.feed(Ended{m5}) == "ignored: nothing to do");
    CHECK(script.wait(1s) == "prepare 1 e4; promote 2 e4 at 0-1-9 k=1; prepare 3 e4");
}

TEST_CASE("election: an errant member is rebuilt when nobody else can acknowledge", "[election]")
{
    ElectionScript script = promoting();
    // What it holds may yet be needed: the candidate has not written its marker.
    CHECK(script.refuse(m3, What::follow, Reason::errant) == "");
    CHECK(script.wait(1s) == "prepare 1 e4; promote 2 e4 at 0-1-9 k=1");
    CHECK(script.feed(Promoted{Epoch{4}, m2}) == "follow 2: 1 e4; rebuild 3 e4 from 2");
    CHECK(script.wait(1s) == "follow 2: 1 e4; rebuild 3 e4 from 2");
    CHECK(script.feed(Rebuilt{Epoch{4}, m1}) == "ignored: already so");
    CHECK(script.feed(Rebuilt{Epoch{4}, m3}) == "follow 2: 3 e4");
    CHECK(script.feed(Rebuilt{Epoch{4}, m3}) == "ignored: already so");
}

TEST_CASE("election: while promoting, too, a higher epoch is begun above", "[election]")
{
    SECTION("the candidate has promised it, and so was not promoted")
    {
        ElectionScript script = promoting();
        CHECK(
            script.feed(Refused{Epoch{8}, m2, What::promote, Reason::old_epoch}) ==
            "dismiss; save e9 after 1; begun e9: epoch behind; prepare 2 e9; prepare 3 e9");
    }
    SECTION("another has promised it")
    {
        ElectionScript script = promoting();
        CHECK(
            script.feed(Refused{Epoch{8}, m3, What::follow, Reason::old_epoch}) ==
            "dismiss; save e9 after 1; begun e9: epoch behind; prepare 2 e9; prepare 3 e9");
    }
    SECTION("the candidate shows it")
    {
        ElectionScript script = promoting();
        CHECK(
            script.see(m2, in_phase(Phase::fenced, 8)) ==
            "dismiss; save e9 after 1; begun e9: epoch behind; prepare 2 e9; prepare 3 e9");
    }
}

/// Time passes, and the candidate says that it waits, until the election is called stuck.
std::string wait_until_stuck(ElectionScript& script)
{
    std::string said;
    for (int second = 0; second < 15 && said.find("stuck") == std::string::npos; ++second) {
        (void)script.see(m2, leading(false));
        said = script.wait(1s);
    }
    return said;
}

TEST_CASE("election: with nobody left to acknowledge an operator may go on without", "[election]")
{
    ElectionScript script = promoting();
    (void)script.feed(Promoted{Epoch{4}, m2});
    (void)script.feed(Ended{m3});
    CHECK(script.feed(Forced{m2}) == "ignored: not stuck");
    CHECK_THAT(
        wait_until_stuck(script),
        Catch::EndsWith(
            "stuck e4: unacknowledged, missing {1,3} amnesiac {} lacking 0, force 2 loses 0"));
    CHECK(script.wait(1s).find("stuck") == std::string::npos);  // It is said once.
    CHECK(script.feed(Forced{m3}) == "ignored: not stuck");
    SECTION("it does, in an epoch of its own: that shuts those out who follow it in this one")
    {
        CHECK(
            script.feed(Forced{m2}) ==
            "save forced e4 after 2 {2} k=0; dismiss; save e5 after 2; begun e5: forced; "
            "prepare 2 e5");
        CHECK(script.answer(m2, 9, 4) == "promote 2 e5 at 0-1-9 k=0");
    }
    SECTION("but not any more once somebody holds the marker")
    {
        CHECK(script.see(m3, replica_of(m2, 4, 4)) == admitted_and_open);
        CHECK(script.feed(Forced{m2}) == "ignored: not stuck");
    }
}

TEST_CASE("election: those that hold the marker stay when an operator goes on", "[election]")
{
    ElectionScript script;
    (void)script.feed(called({m1, m2, m3, m4, m5}, 2));
    for (const MemberId member : {m3, m4}) (void)script.answer(member, 9);
    REQUIRE_THAT(script.answer(m2, 9), Catch::StartsWith("promote 2 e4 at 0-1-9 k=2"));
    (void)script.feed(Promoted{Epoch{4}, m2});
    CHECK(script.see(m3, replica_of(m2, 4, 4)) == "");
    REQUIRE_THAT(
        wait_until_stuck(script),
        Catch::EndsWith("missing {1,4,5} amnesiac {} lacking 0, force 2 loses 0"));
    CHECK(
        script.feed(Forced{m2}) ==
        "save forced e4 after 2 {2,3} k=1; dismiss; save e5 after 2; begun e5: forced; "
        "prepare 3 e5");
}

TEST_CASE("election: of a cluster that was never opened nothing is to be saved", "[election]")
{
    Called call = called();
    call.open_rule = {.members_min = 2, .acks_min = 1};
    ElectionScript script;
    (void)script.feed(call);
    (void)script.answer(m3, 9);
    (void)script.answer(m2, 9);
    (void)script.feed(Promoted{Epoch{4}, m2});
    CHECK(wait_until_stuck(script).find("stuck") == std::string::npos);
}

TEST_CASE("election: what does not apply while promoting changes nothing", "[election]")
{
    struct Case {
        std::string name;
        Input input;
        std::string why;
    };
    const std::vector<Case> cases{
        {"promoted by another", Promoted{Epoch{4}, m3}, "not the candidate"},
        {"promoted in an older epoch", Promoted{Epoch{3}, m2}, "other epoch"},
        {"opened too early", Opened{Epoch{4}, m2}, "not the candidate"},
        {"opened by another", Opened{Epoch{4}, m3}, "not the candidate"},
        {"electorate", ElectorateChanged{{{m1}, 0}}, "not leading"},
        {"force", Forced{}, "not stuck"},
        {"busy", Refused{Epoch{4}, m2, What::promote, Reason::busy}, "order repeats"},
        {"a follower's error",
         Refused{Epoch{4}, m3, What::follow, Reason::server_failed},
         "order repeats"},
        {"late answer of the candidate",
         Prepared{Epoch{4}, m2, up_to(9), Epoch{3}, false},
         "already so"},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            ElectionScript script = promoting();
            const State before = script.state;
            CHECK(script.feed(c.input) == "ignored: " + c.why);
            CHECK(script.state == before);
        }
    }
    ElectionScript script = promoting();
    (void)script.feed(Promoted{Epoch{4}, m2});
    (void)script.feed(Followed{Epoch{4}, m3});
    CHECK(script.feed(Promoted{Epoch{4}, m2}) == "ignored: already so");
    CHECK(script.feed(Followed{Epoch{4}, m3}) == "ignored: already so");
}
