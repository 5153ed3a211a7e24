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
using control::Phase;

namespace {

constexpr MemberId p = Ward::p;
constexpr MemberId r2 = Ward::r2;
constexpr MemberId r3 = Ward::r3;
constexpr MemberId r4{4};
constexpr MemberId r5{5};

/// Commits wait for replicas that no packet reaches.
void cut(Ward& w, std::set<MemberId> lost)
{
    w.seen[p].commits_waiting = 3;
    for (const MemberId id : lost) w.lose_source(id);
}

/// What a chain of five waits for.
void grow_to_five(Ward& w)
{
    w.add(r4);
    w.add(r5);
    w.view.electorate = {{p, r2, r3, r4, r5}, 2};
    w.seen[p].semi_sync_clients = 4;
    w.seen[p].acks_required = 2;
}

struct Case {
    std::string name;
    Verdict verdict;
    std::function<void(Ward&)> change;
};

void check(const std::vector<Case>& cases)
{
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            Ward w;
            c.change(w);
            w.look();
            CHECK(std::string{code(diagnose(w.view, w.past, w.config, w.now))} == code(c.verdict));
        }
    }
}

}  // namespace

TEST_CASE("diagnosis: a primary that has ended is replaced at once", "[diagnosis]")
{
    check({
        {"all well", Verdict::healthy, [](Ward&) {}},
        {"never a primary", Verdict::no_primary_yet, [](Ward& w) { w.view.primary = MemberId{}; }},
        {"its server ended", Verdict::primary_crashed, [](Ward& w) { w.end(p); }},
        {"its executor gave up",
         Verdict::primary_crashed,
         [](Ward& w) { w.end(p, Phase::failed); }},
        {"its task ended",
         Verdict::primary_crashed,
         [](Ward& w) {
             w.view.members[p].task_ended = true;
             w.view.members[p].connected = false;
         }},
        {"it is no member any more",
         Verdict::primary_crashed,
         [](Ward& w) { w.view.members.erase(p); }},
        {"it came back shut out",
         Verdict::primary_crashed,
         [](Ward& w) { w.seen[p].phase = Phase::fenced; }},
        {"it came back and starts",
         Verdict::primary_crashed,
         [](Ward& w) { w.end(p, Phase::start); }},
        {"it leads an older epoch",
         Verdict::primary_crashed,
         [](Ward& w) { w.seen[p].epoch = Epoch{3}; }},
        {"it has ended, and nobody could take over: the election finds out",
         Verdict::primary_crashed,
         [](Ward& w) {
             w.end(p);
             w.end(r2);
             w.end(r3);
         }},
        {"it is being stopped: not ended yet",
         Verdict::primary_shut,
         [](Ward& w) {
             w.seen[p].phase = Phase::stopping;
             w.seen[p].writable = false;
         }},
        {"an election is under way",
         Verdict::electing,
         [](Ward& w) {
             w.end(p);
             w.view.election = View::Election::under_way;
         }},
        {"an election lacks answers",
         Verdict::no_quorum,
         [](Ward& w) {
             w.end(p);
             w.view.election = View::Election::stuck;
         }},
    });
}

TEST_CASE("diagnosis: silence counts only where replicas bear it out", "[diagnosis]")
{
    check({
        {"lost to all",
         Verdict::primary_unreachable,
         [](Ward& w) {
             w.lose_stream(p);
             w.lose_source(r2);
             w.lose_source(r3);
         }},
        {"lost to all, by the age of the last packet",
         Verdict::primary_unreachable,
         [](Ward& w) {
             w.lose_stream(p);
             w.seen[r2].packet_age = 2100ms;
             w.seen[r3].packet_age = 4s;
         }},
        {"lost to all, but only just",
         Verdict::primary_silent,
         [](Ward& w) {
             w.lose_stream(p);
             w.view.members[p].heard_at = w.now - 1999ms;
             w.lose_source(r2);
             w.lose_source(r3);
         }},
        {"a stream that is open and silent is lost too",
         Verdict::primary_unreachable,
         [](Ward& w) {
             w.view.members[p].heard_at = w.now - 4s;
             w.lose_source(r2);
             w.lose_source(r3);
         }},
        {"one follows somebody else",
         Verdict::primary_unreachable,
         [](Ward& w) {
             w.lose_stream(p);
             w.lose_source(r2);
             w.seen[r3].source = r2;
         }},
        {"one replica still receives",
         Verdict::scheduler_isolated,
         [](Ward& w) {
             w.lose_stream(p);
             w.lose_source(r2);
         }},
        {"lost to us, served to all",
         Verdict::scheduler_isolated,
         [](Ward& w) { w.lose_stream(p); }},
        {"one replica lost it, the other is silent",
         Verdict::primary_silent,
         [](Ward& w) {
             w.lose_stream(p);
             w.lose_source(r2);
             w.lose_stream(r3);
         }},
        {"one replica lost it, the other hangs",
         Verdict::primary_silent,
         [](Ward& w) {
             w.lose_stream(p);
             w.lose_source(r2);
             w.hang(r3, 5s);
         }},
        {"one replica lost it, the other has crashed, which says nothing of the primary",
         Verdict::primary_silent,
         [](Ward& w) {
             w.lose_stream(p);
             w.lose_source(r2);
             w.end(r3);
         }},
        {"one replica lost it, the other waits for orders",
         Verdict::primary_silent,
         [](Ward& w) {
             w.lose_stream(p);
             w.lose_source(r2);
             w.lose_source(r3);
             w.seen[r3].phase = Phase::fenced;
         }},
        {"everybody is silent: the fault is ours",
         Verdict::primary_silent,
         [](Ward& w) {
             for (const MemberId id : {p, r2, r3}) w.lose_stream(id);
         }},
        {"nothing observed yet", Verdict::primary_silent, [](Ward& w) { w.seen.erase(p); }},
        {"a member outside E tells nothing",
         Verdict::primary_silent,
         [](Ward& w) {
             w.lose_stream(p);
             w.lose_source(r2);
             w.lose_source(r3);
             w.view.electorate.members.erase(r3);
             w.view.electorate.members.insert(r4);
         }},
        {"alone and silent is never unreachable",
         Verdict::primary_silent,
         [](Ward& w) {
             w.remove(r2);
             w.remove(r3);
             w.view.electorate.acks = 0;
             w.lose_stream(p);
         }},
        {"of five, three have lost it: it can commit nothing",
         Verdict::primary_unreachable,
         [](Ward& w) {
             grow_to_five(w);
             w.lose_stream(p);
             for (const MemberId id : {r2, r3, r4}) w.lose_source(id);
         }},
        {"of five, two have lost it: it commits",
         Verdict::scheduler_isolated,
         [](Ward& w) {
             grow_to_five(w);
             w.lose_stream(p);
             for (const MemberId id : {r2, r3}) w.lose_source(id);
         }},
    });
}

TEST_CASE("diagnosis: a server that hangs is replaced where others can lead", "[diagnosis]")
{
    check({
        {"for the timeout", Verdict::primary_hung, [](Ward& w) { w.hang(p, 2s); }},
        {"for less", Verdict::primary_stalls, [](Ward& w) { w.hang(p, 1900ms); }},
        {"it refuses to answer: it lives", Verdict::primary_stalls, [](Ward& w) { w.hang(p, 0s); }},
        {"an executor that does not say for how long",
         Verdict::primary_stalls,
         [](Ward& w) {
             w.hang(p, 9s);
             w.seen[p].unanswered.reset();
         }},
        {"one voter too few",
         Verdict::primary_stalls,
         [](Ward& w) {
             w.hang(p, 30s);
             w.seen[r2].amnesiac = true;
         }},
        {"voters that hang are none",
         Verdict::primary_stalls,
         [](Ward& w) {
             w.hang(p, 30s);
             w.hang(r2, 2s);
         }},
        {"voters that are silent are none",
         Verdict::primary_stalls,
         [](Ward& w) {
             w.hang(p, 30s);
             w.lose_stream(r2);
         }},
        {"nobody else can lead, for so long that a start anew is better",
         Verdict::primary_hung,
         [](Ward& w) {
             w.hang(p, 60s);
             w.lose_stream(r2);
         }},
        {"alone, a disk may stall",
         Verdict::primary_stalls,
         [](Ward& w) {
             w.remove(r2);
             w.remove(r3);
             w.view.electorate.acks = 0;
             w.hang(p, 59s);
         }},
    });
}

TEST_CASE("diagnosis: a primary cut off from its replicas is replaced after a while", "[diagnosis]")
{
    check({
        {"commits have waited for the timeout",
         Verdict::replication_cut,
         [](Ward& w) {
             cut(w, {r2, r3});
             w.wait(5s);
         }},
        {"they count as connected at the primary still",
         Verdict::replication_cut,
         [](Ward& w) {
             cut(w, {});
             w.seen[r2].packet_age = 4s;
             w.seen[r3].packet_age = 4s;
             w.wait(5s);
         }},
        {"the primary counts none, though they believe to receive",
         Verdict::replication_cut,
         [](Ward& w) {
             cut(w, {});
             w.seen[p].semi_sync_clients = 0;
             w.wait(5s);
         }},
        {"for less",
         Verdict::replicas_missing,
         [](Ward& w) {
             cut(w, {r2, r3});
             w.wait(4900ms);
         }},
        {"no commit waits",
         Verdict::replicas_missing,
         [](Ward& w) {
             cut(w, {r2, r3});
             w.seen[p].commits_waiting = 0;
             w.wait(1min);
         }},
        {"one replica is enough to acknowledge",
         Verdict::healthy,
         [](Ward& w) {
             cut(w, {r2});
             w.wait(1min);
             ++w.seen[p].commits_acknowledged;
             w.wait(4s);
         }},
        {"it was well in between",
         Verdict::replicas_missing,
         [](Ward& w) {
             cut(w, {r2, r3});
             w.wait(4s);
             w.seen[p].commits_waiting = 0;
             w.wait(1s);
             w.seen[p].commits_waiting = 1;
             w.wait(4s);
         }},
        {"a silent replica may acknowledge",
         Verdict::healthy,
         [](Ward& w) {
             cut(w, {r2});
             w.lose_stream(r3);
             w.wait(1min);
         }},
        {"a silent replica does not when the primary counts none, and cannot vote either",
         Verdict::replicas_missing,
         [](Ward& w) {
             cut(w, {r2});
             w.seen[p].semi_sync_clients = 0;
             w.lose_stream(r3);
             w.wait(1min);
         }},
        {"the replicas have no votes",
         Verdict::replicas_missing,
         [](Ward& w) {
             cut(w, {r2, r3});
             w.seen[r3].amnesiac = true;
             w.wait(1min);
         }},
        {"of two, the other one could not commit alone either",
         Verdict::replicas_missing,
         [](Ward& w) {
             w.remove(r3);
             cut(w, {r2});
             w.wait(1min);
         }},
        {"a new primary is given time",
         Verdict::replicas_missing,
         [](Ward& w) {
             w.past.epoch_since = w.now;
             cut(w, {r2, r3});
             w.wait(29s);
         }},
        {"but not for ever",
         Verdict::replication_cut,
         [](Ward& w) {
             w.past.epoch_since = w.now;
             cut(w, {r2, r3});
             w.wait(30s);
         }},
        {"what was so in an earlier epoch does not count",
         Verdict::replicas_missing,
         [](Ward& w) {
             cut(w, {r2, r3});
             w.wait(4s);
             w.view.epoch = Epoch{5};
             for (auto& [id, seen] : w.seen) seen.epoch = Epoch{5};
             w.wait(2s);
         }},
    });
}

TEST_CASE("diagnosis: what is less than that is said, or mended", "[diagnosis]")
{
    check({
        {"clients cannot write",
         Verdict::primary_shut,
         [](Ward& w) { w.seen[p].writable = false; }},
        {"nobody acknowledges",
         Verdict::replicas_missing,
         [](Ward& w) { w.seen[p].semi_sync_clients = 0; }},
        {"they receive, and do not acknowledge",
         Verdict::replicas_missing,
         [](Ward& w) {
             w.seen[r2].acknowledges = false;
             w.seen[r3].acknowledges = false;
         }},
        {"alone with k = 0",
         Verdict::healthy,
         [](Ward& w) {
             w.remove(r2);
             w.remove(r3);
             w.view.electorate.acks = 0;
             w.seen[p].acks_required = 0;
             w.seen[p].semi_sync_clients = 0;
         }},
        {"its disk is full",
         Verdict::disk_full,
         [](Ward& w) { w.seen[p].disk_free_bytes = 1ULL << 20U; }},
        {"a replica's disk is another matter",
         Verdict::healthy,
         [](Ward& w) { w.seen[r2].disk_free_bytes = 0; }},
        {"how large the disk is, is not known",
         Verdict::healthy,
         [](Ward& w) {
             w.seen[p].disk_free_bytes = 0;
             w.seen[p].disk_total_bytes.reset();
         }},
        {"a replica holds more, for long",
         Verdict::errant_replica,
         [](Ward& w) {
             w.seen[r2].position = holds(4, 9);
             w.seen[p].position = holds(4, 8);
             w.wait(10s);
         }},
        {"a replica is ahead of what was last heard of the primary",
         Verdict::healthy,
         [](Ward& w) {
             for (std::uint64_t n = 1; n < 100; ++n) {
                 w.seen[p].position = holds(4, n);
                 w.seen[r2].position = holds(4, n + 2);
                 w.wait(1s);
             }
         }},
        {"a replica said so itself",
         Verdict::errant_replica,
         [](Ward& w) { w.view.members[r3].refuses_as_errant = true; }},
        {"a replica's applier failed",
         Verdict::replica_broken,
         [](Ward& w) {
             w.seen[r2].applier_running = false;
             w.seen[r2].applier_error = "1062: duplicate";
         }},
        {"a replica lags", Verdict::replica_lagging, [](Ward& w) { w.seen[r2].lag = 31s; }},
        {"on purpose",
         Verdict::healthy,
         [](Ward& w) {
             w.seen[r2].lag = 3620s;
             w.seen[r2].delay = 1h;
         }},
        {"more than on purpose",
         Verdict::replica_lagging,
         [](Ward& w) {
             w.seen[r2].lag = 3640s;
             w.seen[r2].delay = 1h;
         }},
    });
}
