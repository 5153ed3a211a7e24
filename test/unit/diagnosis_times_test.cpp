#include "common/diagnosis/diagnosis.hpp"
#include "test/support/builders.hpp"
#include "test/support/diagnosis.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <set>
#include <string>
#include <vector>

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
        REQUIRE(next() == w.now + 2s);
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
        CHECK(next() == w.now + 2s);  // Anybody may fall silent before.
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

namespace {

/// Of two, where the primary may go on alone.
Ward pair()
{
    Ward w;
    w.view.members.erase(Ward::r3);
    w.seen.erase(Ward::r3);
    w.view.electorate = {{Ward::p, Ward::r2}, 1};
    w.view.may_go_alone = true;
    w.seen[Ward::p].semi_sync_clients = 1;
    return w;
}

}  // namespace

TEST_CASE("diagnosis: of two, what counts as a lost replica", "[diagnosis]")
{
    struct Case {
        std::string name;
        std::function<void(Ward&)> change;
        Verdict before;  ///< For five seconds.
        Verdict after;
    };
    const std::vector<Case> cases{
        {"all is well", [](Ward&) {}, Verdict::healthy, Verdict::healthy},
        {"its receiver is not connected",
         [](Ward& w) { w.seen[Ward::p].semi_sync_clients = 0; },
         Verdict::replicas_missing,
         Verdict::replica_lost},
        {"its task has ended",
         [](Ward& w) { w.view.members[Ward::r2].task_ended = true; },
         Verdict::replica_lost,
         Verdict::replica_lost},
        {"it holds what waits, and does not acknowledge it",
         [](Ward& w) { w.seen[Ward::p].commits_waiting = 1; },
         Verdict::healthy,
         Verdict::replica_lost},
        {"it has gone without a word, and commits wait",
         [](Ward& w) {
             w.seen[Ward::p].commits_waiting = 1;
             w.lose_stream(Ward::r2);
         },
         Verdict::healthy,
         Verdict::replica_lost},
        {"it has gone without a word, and nobody writes",
         [](Ward& w) { w.lose_stream(Ward::r2); },
         Verdict::healthy,
         Verdict::healthy},
        {"a large transaction is on its way to it",
         [](Ward& w) {
             w.seen[Ward::p].commits_waiting = 1;
             w.seen[Ward::p].position = mariadb_position("0-1-7");
         },
         Verdict::healthy,
         Verdict::healthy},
        {"the primary waits for nobody anyway",
         [](Ward& w) {
             w.seen[Ward::p].semi_sync_clients = 0;
             w.seen[Ward::p].acks_required = 0;
             w.view.electorate.acks = 0;
         },
         Verdict::healthy,
         Verdict::healthy},
        {"k is in force and not saved yet",
         [](Ward& w) {
             w.seen[Ward::p].semi_sync_clients = 0;
             w.view.electorate.acks = 0;
         },
         Verdict::replicas_missing,
         Verdict::replica_lost},
        {"writes are to wait for it",
         [](Ward& w) {
             w.seen[Ward::p].semi_sync_clients = 0;
             w.view.may_go_alone = false;
         },
         Verdict::replicas_missing,
         Verdict::replicas_missing},
        {"the primary has crashed as well",
         [](Ward& w) {
             w.view.members[Ward::r2].task_ended = true;
             w.end(Ward::p);
         },
         Verdict::primary_crashed,
         Verdict::primary_crashed},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            Ward w = pair();
            c.change(w);
            const auto wait = [&w](Duration duration) {
                w.wait(duration);
                return diagnose(w.view, w.past, w.config, w.now);
            };
            CHECK(wait(4900ms) == c.before);
            CHECK(wait(100ms) == c.after);
        }
    }
}

TEST_CASE("diagnosis: of two, a replica that acknowledges now and then is not lost", "[diagnosis]")
{
    Ward w = pair();
    w.seen[Ward::p].commits_waiting = 1;
    for (int i = 0; i < 20; ++i) {
        ++w.seen[Ward::p].commits_acknowledged;
        w.wait(4s);
        CHECK(diagnose(w.view, w.past, w.config, w.now) == Verdict::healthy);
    }
}
