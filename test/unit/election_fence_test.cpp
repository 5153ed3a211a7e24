#include "test/support/election_script.hpp"

#include <catch2/catch.hpp>

#include <string>

// Where commits wait for nobody: the old primary is waited for until it does not serve any more.
using namespace mysos;
using namespace mysos::election;
using namespace mysos::test;
using namespace std::chrono_literals;
using control::Phase;

namespace {

const std::string leads = "save candidate 2 e4 at 0-1-9; admit 2 e4; open 2 e4";

Called async(MemberId serving)
{
    Called call = called();
    call.serving = serving;
    call.fenced_after = 8s;
    return call;
}

mysql::Observation led_by(MemberId primary, std::uint64_t epoch)
{
    return replica_of(primary, epoch, epoch);
}

/// Members 2 and 3 have answered, 2 is promoted, and 3 acknowledges its marker.
ElectionScript marked(const Called& call)
{
    ElectionScript script;
    (void)script.feed(call);
    (void)script.answer(m3, 9);
    const std::string promoted = script.answer(m2, 9);
    const bool waits = call.serving != MemberId{};
    CHECK(
        promoted ==
        std::string{"promote 2 e4 at 0-1-9 k=1; follow 2: 3 e4"} + (waits ? "; prepare 1 e4" : ""));
    (void)script.feed(Promoted{Epoch{4}, m2});
    CHECK(script.see(m3, led_by(m2, 4)) == (waits ? "" : leads));
    return script;
}

}  // namespace

TEST_CASE("fence: nobody leads before the old primary has ended itself", "[election]")
{
    ElectionScript script = marked(async(m1));
    REQUIRE(next_deadline(script.state));
    SECTION("as time tells")
    {
        std::string said;
        for (int i = 0; i < 7; ++i) {
            mysql::Observation seen = in_phase(Phase::primary, 4);
            seen.marker = Epoch{4};
            said += script.see(m2, seen);
            said += script.wait(1s);
        }
        CHECK(said.find("open") == std::string::npos);
        CHECK(said.find("follow 2: 1 e4") != std::string::npos);  // It is told again.
        said = script.wait(1s);
        if (said.find(leads) == std::string::npos) said += script.wait(0s);
        CHECK(said.find(leads) != std::string::npos);
    }
    SECTION("as it says itself, fenced")
    {
        CHECK(script.answer(m1, 12).starts_with(leads));
    }
    SECTION("as is seen")
    {
        CHECK(script.see(m1, in_phase(Phase::primary, 3)) == "");
        CHECK(script.see(m1, in_phase(Phase::start, 4)) == leads);
    }
    SECTION("as its task's end tells, if somebody saw it")
    {
        CHECK(script.feed(Ended{m1, false}) == "ignored: nothing to do");
        CHECK(script.feed(Ended{m1, true}) == leads);
    }
}

TEST_CASE("fence: what is known before the promotion counts", "[election]")
{
    ElectionScript script;
    (void)script.feed(async(m1));
    SECTION("its server is down")
    {
        CHECK(script.see(m1, in_phase(Phase::crashed, 3)) == "");
    }
    SECTION("its task has ended")
    {
        (void)script.feed(Ended{m1, true});
    }
    (void)script.answer(m3, 9);
    (void)script.answer(m2, 9);
    (void)script.feed(Promoted{Epoch{4}, m2});
    CHECK(script.see(m3, led_by(m2, 4)) == leads);
}

TEST_CASE("fence: the old primary need not wait for itself, and semi-sync for nobody", "[election]")
{
    SECTION("semi-sync")
    {
        Called call = async(m1);
        call.fenced_after = 0s;
        ElectionScript script;
        (void)script.feed(call);
        (void)script.answer(m3, 9);
        (void)script.answer(m2, 9);
        (void)script.feed(Promoted{Epoch{4}, m2});
        CHECK(script.see(m3, led_by(m2, 4)) == leads);
    }
    SECTION("nobody serves")
    {
        (void)marked(async(MemberId{}));
    }
    SECTION("itself")
    {
        ElectionScript script;
        (void)script.feed(async(m1));
        (void)script.answer(m3, 9);
        (void)script.wait(2s);
        const std::string promoted = script.answer(m1, 12);
        CHECK(promoted.find("promote 1 e4") != std::string::npos);
        CHECK(promoted.find("prepare") == std::string::npos);
    }
}

TEST_CASE("fence: a candidate that fails leaves the wait to the next one", "[election]")
{
    ElectionScript script = marked(async(m1));
    (void)script.feed(Ended{m2, true});
    (void)script.answer(m3, 9);
    (void)script.wait(2s);
    const auto& phase = std::get<Preparing>(script.state.phase);
    CHECK(phase.call.serving == m1);
}

TEST_CASE("fence: who may have been opened is waited for next", "[election]")
{
    ElectionScript script = marked(async(m1));
    CHECK(script.see(m1, in_phase(Phase::start, 4)) == leads);
    (void)script.see(m2, in_phase(Phase::crashed, 4));
    const auto& phase = std::get<Preparing>(script.state.phase);
    CHECK(phase.call.serving == m2);
    CHECK(phase.call.last.member == m2);
}
