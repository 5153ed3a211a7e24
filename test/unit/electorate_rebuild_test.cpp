#include "common/electorate/changes.hpp"
#include "test/support/electorate_script.hpp"

#include <catch2/catch.hpp>

using namespace mysos;
using namespace mysos::electorate;
using namespace mysos::test;
using namespace std::chrono_literals;
using control::Phase;

namespace {

mysql::Observation half_copied()
{
    mysql::Observation seen = in_phase(Phase::fenced, 4);
    seen.needs_rebuild = true;
    return seen;
}

}  // namespace

TEST_CASE("electorate rebuild: outside of E it begins at once", "[electorate]")
{
    ElectorateScript script = led({{m1, m2}, 1}, {m1, m2, m3});
    (void)script.see(m2, 5, true);
    (void)script.see(m3, Phase::fenced);
    // From a replica: it costs the primary nothing.
    CHECK(script.feed(Errant{e4, m3}) == "rebuild 3 e4 from 2 #2");
    CHECK(script.wait(1s) == "rebuild 3 e4 from 2 #2");
    CHECK(script.see(m3, Phase::clone) == "");
    CHECK_FALSE(next_deadline(script.state));

    SECTION("it comes back like a new member")
    {
        CHECK(script.feed(Rebuilt{e4, m3, 1}) == "ignored: not asked");
        CHECK(script.feed(Rebuilt{e4, m3, 2}) == "");
        CHECK(script.see(m3, Phase::fenced) == "follow 1: 3 e4 #3");
    }
    SECTION("it has stopped copying and does not say why: it is told again")
    {
        CHECK(script.see(m3, Phase::fenced) == "");
        CHECK(script.wait(0s) == "rebuild 3 e4 from 2 #2");
    }
    SECTION("it is gone, and half copied when it is back")
    {
        CHECK(script.see(m3, Phase::start) == "");
        CHECK(script.feed(Observed{m3, half_copied()}) == "rebuild 3 e4 from 2 #3");
    }
    CHECK(script.feed(Errant{Epoch{3}, m3}) == "ignored: other epoch");
    CHECK(script.feed(Errant{e4, m5}) == "ignored: not a member");
    CHECK(script.feed(Rebuilt{Epoch{3}, m3, 2}) == "ignored: other epoch");
    CHECK(script.feed(RebuildRefused{e4, m5}) == "ignored: not a member");
}

TEST_CASE(
    "electorate rebuild: refused, it tries the next donor after a longer pause", "[electorate]")
{
    ElectorateScript script = led({{m1, m2}, 1}, {m1, m2, m3});
    (void)script.see(m2, 5, true);
    (void)script.see(m3, Phase::fenced);
    CHECK(script.feed(Errant{e4, m3}) == "rebuild 3 e4 from 2 #2");
    CHECK(script.feed(RebuildRefused{e4, m3}) == "");
    CHECK(script.feed(RebuildRefused{e4, m3}) == "ignored: not asked");
    CHECK(script.wait(999ms) == "ignored: too early");
    CHECK(script.wait(1ms) == "rebuild 3 e4 from 1 #3");
    CHECK(script.feed(RebuildRefused{e4, m3}) == "");
    CHECK(script.wait(1s) == "ignored: too early");
    CHECK(script.wait(1s) == "rebuild 3 e4 from 2 #4");
    for (int i = 0; i < 5; ++i) {
        CHECK(script.feed(RebuildRefused{e4, m3}) == "");
        CHECK(script.wait(4s).starts_with("rebuild 3 e4 from"));  // At most so long.
    }
}

TEST_CASE(
    "electorate rebuild: a member of E leaves first, where E can do without it", "[electorate]")
{
    ElectorateScript script = steady({{m1, m2, m3}, 1});
    CHECK(script.see(m3, Phase::fenced) != "");
    CHECK(script.feed(Errant{e4, m3}) == "lock 3 on 1 e4 #2");
    CHECK(script.feed(AccountLocked{e4, 2, up_to(5)}) == "save {1,2} k=1; rebuild 3 e4 from 2 #3");
    CHECK(script.state.to_join.contains(m3));
    CHECK(script.feed(Rebuilt{e4, m3, 3}) == "");
    CHECK(script.see(m3, Phase::fenced) == "follow 1: 3 e4 #4");
    CHECK(script.follow(m3, false, 4) == "set 1 e4 k=1 accounts {2,3} #5");
    CHECK(script.read(5, 6) == "");
    CHECK(script.see(m3, 6, false) == "save {1,2,3} k=1; follow 1: 3 e4 acknowledging caught up");
}

TEST_CASE("electorate rebuild: E cannot do without it: it is rebuilt in E", "[electorate]")
{
    SECTION("at the floor")
    {
        ElectorateScript script = steady({{m1, m2}, 1});
        CHECK(script.see(m2, Phase::fenced) != "");
        CHECK(script.feed(Errant{e4, m2}) == "rebuild 2 e4 from 1 #2");
    }
    SECTION("the only one that could stand in does not acknowledge")
    {
        ElectorateScript script = led({{m1, m2, m3}, 1}, {m1, m2, m3});
        CHECK(script.see(m3, Phase::fenced) != "");
        CHECK(script.feed(Errant{e4, m3}) == "rebuild 3 e4 from 1 #2");
    }
    SECTION("a change runs, which may itself wait for it")
    {
        ElectorateScript script = steady({{m1, m2, m3, m4}, 2});
        CHECK(script.feed(LeaveAsked{m4, LeaveAsked::By::operators}) == "lock 4 on 1 e4 #1");
        CHECK(script.see(m3, Phase::fenced) != "");
        CHECK(script.feed(Errant{e4, m3}) == "rebuild 3 e4 from 2 #3");
    }
}

TEST_CASE("electorate rebuild: one member at a time", "[electorate]")
{
    ElectorateScript script = led({{m1}, 0}, {m1, m2, m3});
    (void)script.see(m2, Phase::fenced);
    (void)script.see(m3, Phase::fenced);
    CHECK(script.feed(Errant{e4, m3}) == "rebuild 3 e4 from 1 #3");
    CHECK(script.feed(Errant{e4, m2}) == "");
    CHECK(script.feed(Rebuilt{e4, m3, 3}) == "rebuild 2 e4 from 1 #4");
}
