#include "common/diagnosis/diagnosis.hpp"
#include "test/support/builders.hpp"
#include "test/support/diagnosis.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>

using namespace mysos;
using namespace mysos::test;
using namespace mysos::diagnosis;
using namespace std::chrono_literals;

namespace {

constexpr MemberId p = Ward::p;
constexpr MemberId r2 = Ward::r2;
constexpr MemberId r3 = Ward::r3;

}  // namespace

TEST_CASE("diagnosis: elections follow from these verdicts and no others", "[diagnosis]")
{
    std::set<std::string> found;
    for (int i = 0; i <= static_cast<int>(Verdict::healthy); ++i) {
        const auto verdict = static_cast<Verdict>(i);
        if (calls_for_election(verdict)) found.insert(code(verdict));
        CHECK(code(verdict) != std::string{"unknown"});
        CHECK(to_text(verdict) != std::string{"unknown"});
    }
    CHECK(
        found == std::set<std::string>{
                     "commits_stall",
                     "primary_crashed",
                     "primary_hung",
                     "primary_unreachable",
                     "replication_cut"});
}

TEST_CASE("diagnosis: commits stall when replicas hold them and nobody acknowledges", "[diagnosis]")
{
    Ward w;
    w.seen[p].commits_waiting = 3;
    const auto verdict = [&w] { return diagnose(w.view, w.past, w.config, w.now); };

    SECTION("for long enough")
    {
        w.wait(4900ms);
        CHECK(verdict() == Verdict::healthy);
        w.wait(100ms);
        CHECK(verdict() == Verdict::commits_stall);
    }
    SECTION("unless one after the other is acknowledged")
    {
        for (int i = 0; i < 60; ++i) {
            ++w.seen[p].commits_acknowledged;
            w.wait(1s);
        }
        CHECK(verdict() == Verdict::healthy);
    }
    SECTION("unless it is a large transaction, on its way still")
    {
        w.seen[p].position = mysql::Position::parse(mysql::Flavor::mariadb, "0-1-7").value();
        w.wait(1min);
        CHECK(verdict() == Verdict::healthy);
        for (const MemberId id : {r2, r3}) w.seen[id].position = w.seen[p].position;
        w.wait(4900ms);
        CHECK(verdict() == Verdict::healthy);
        w.wait(100ms);
        CHECK(verdict() == Verdict::commits_stall);
    }
    SECTION("unless k is being raised, and not enough of them hold what waits")
    {
        w.view.electorate.acks = 1;
        w.seen[p].acks_required = 2;
        w.seen[p].position = mysql::Position::parse(mysql::Flavor::mariadb, "0-1-7").value();
        w.seen[r2].position = w.seen[p].position;
        w.wait(1min);
        CHECK(verdict() == Verdict::healthy);
    }
    SECTION("but not while the epoch is new, or nobody can take over")
    {
        w.past.epoch_since = w.now;
        w.wait(29s);
        CHECK(verdict() == Verdict::healthy);
        w.wait(1s);
        CHECK(verdict() == Verdict::commits_stall);
        for (const MemberId id : {r2, r3}) w.seen[id].amnesiac = true;
        CHECK(verdict() == Verdict::healthy);
    }
}

TEST_CASE("diagnosis: who looks when it says so misses nothing", "[diagnosis]")
{
    Ward w;
    const auto next = [&w] { return next_look(w.view, w.past, w.config, w.now); };
    const auto verdict = [&w] { return diagnose(w.view, w.past, w.config, w.now); };

    SECTION("the lease of the primary")
    {
        w.view.members[p].connected = false;
        w.lose_source(r2);
        w.lose_source(r3);
        w.look();
        CHECK(verdict() == Verdict::primary_silent);
        REQUIRE(next() == w.now + 3s);
        for (const MemberId id : {r2, r3}) w.view.members[id].heard_at += 1s;
        w.now = *next();
        CHECK(verdict() == Verdict::primary_unreachable);
        CHECK(next() == std::nullopt);
    }
    SECTION("commits that wait")
    {
        w.seen[p].commits_waiting = 3;
        for (const MemberId id : {r2, r3}) w.lose_source(id);
        w.look();
        CHECK(next() == w.now + 3s);  // Anybody may fall silent before.
        w.wait(4s);
        CHECK(next() == w.now + 1s);
    }
    SECTION("what a replica holds too much")
    {
        w.seen[r2].position = holds(4, 9);
        w.look();
        w.wait(9s);
        CHECK(verdict() == Verdict::healthy);
        CHECK(next() == w.now + 1s);
    }
}
