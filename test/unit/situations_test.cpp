#include "common/diagnosis/situations.hpp"

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

/// "dead_primary 1, wrong_source 2 3"
std::string text(const std::vector<Situation>& found)
{
    std::string line;
    for (const Situation& situation : found) {
        if (!line.empty()) line += ", ";
        line += to_text(situation.code);
        for (const MemberId id : situation.members) line += " " + std::to_string(number(id));
    }
    return line;
}

struct Case {
    std::string found;
    std::function<void(Ward&)> change;
};

void check(const std::vector<Case>& cases)
{
    for (const Case& c : cases) {
        DYNAMIC_SECTION((c.found.empty() ? "nothing" : c.found))
        {
            Ward w;
            c.change(w);
            w.look();
            CHECK(text(situations(w.view, w.past, w.config, w.now)) == c.found);
        }
    }
}

void silence(Ward& w)
{
    w.lose_stream(p);
    w.lose_source(r2);
    w.lose_source(r3);
}

constexpr auto nobody_replicates = "all_replicas_not_replicating 2 3, replica_cannot_connect 2 3";

}  // namespace

TEST_CASE("situations: of a primary that has ended", "[diagnosis]")
{
    check({
        {"", [](Ward&) {}},
        {"no_writable_primary, dead_primary 1", [](Ward& w) { w.end(p); }},
        {"no_writable_primary, dead_primary_and_some_replicas 1 3, dead_replica 3",
         [](Ward& w) {
             w.end(p);
             w.end(r3);
         }},
        {"no_writable_primary, dead_primary_and_replicas 1 2 3, dead_replica 2 3",
         [](Ward& w) {
             for (const MemberId id : {p, r2, r3}) w.end(id);
         }},
        {"no_writable_primary, dead_primary_without_replicas 1",
         [](Ward& w) {
             w.remove(r2);
             w.remove(r3);
             w.end(p);
         }},
        {"election_under_way, no_writable_primary, dead_primary 1",
         [](Ward& w) {
             w.end(p);
             w.view.election = View::Election::under_way;
         }},
        {"no_quorum, no_writable_primary, dead_primary_and_some_replicas 1 3, dead_replica 3",
         [](Ward& w) {
             w.end(p);
             w.end(r3);
             w.view.election = View::Election::stuck;
         }},
        {"no_primary_yet",
         [](Ward& w) {
             w.view.ever_opened = false;
             for (const MemberId id : {p, r2, r3}) {
                 w.end(id, Phase::fenced);
                 w.seen[id].answers = true;
             }
         }},
    });
}

TEST_CASE("situations: of a primary that is silent or hangs", "[diagnosis]")
{
    check({
        {"unreachable_primary 1, " + std::string{nobody_replicates}, silence},
        {"unreachable_primary_with_lagging_replicas 1 3, " + std::string{nobody_replicates} +
             ", lagging_replica 3",
         [](Ward& w) {
             silence(w);
             w.seen[r3].lag = 1min;
         }},
        {"unreachable_primary_with_broken_replicas 1 2, all_replicas_not_replicating 2 3, "
         "broken_replica 2, replica_cannot_connect 2 3",
         [](Ward& w) {
             silence(w);
             w.seen[r2].applier_running = false;
             w.seen[r2].applier_error = "1062: duplicate";
         }},
        {"scheduler_isolated 1", [](Ward& w) { w.lose_stream(p); }},
        {"silent_primary 1, silent_member 2 3",
         [](Ward& w) {
             for (const MemberId id : {p, r2, r3}) w.lose_stream(id);
         }},
        {"no_writable_primary, hung_primary 1", [](Ward& w) { w.hang(p, 3s); }},
        {"no_writable_primary, primary_does_not_answer 1", [](Ward& w) { w.hang(p, 0s); }},
    });
}

TEST_CASE("situations: of a primary that cannot commit", "[diagnosis]")
{
    check({
        {"locked_semi_sync_primary 1 2 3, " + std::string{nobody_replicates},
         [](Ward& w) {
             w.seen[p].commits_waiting = 1;
             w.lose_source(r2);
             w.lose_source(r3);
             w.wait(5s);
         }},
        {"locked_semi_sync_primary_hypothesis 1 2 3, " + std::string{nobody_replicates},
         [](Ward& w) {
             w.seen[p].commits_waiting = 1;
             w.lose_source(r2);
             w.lose_source(r3);
             w.wait(4s);
         }},
        {"too_few_acknowledgers 1 2 3, " + std::string{nobody_replicates},
         [](Ward& w) {
             w.lose_source(r2);
             w.lose_source(r3);
         }},
        {"no_writable_primary, read_only_primary 1", [](Ward& w) { w.seen[p].writable = false; }},
        {"weak_primary 1", [](Ward& w) { w.seen[p].acks_required = 0; }},
        {"primary_without_replicas 1, outside_electorate 2 3",
         [](Ward& w) {
             w.view.electorate = {{p}, 0};
             w.seen[p].acks_required = 0;
             w.seen[r2].acknowledges = w.seen[r3].acknowledges = false;
         }},
        {"several_writable_members 1 2, writable_replica 2",
         [](Ward& w) { w.seen[r2].writable = true; }},
    });
}

TEST_CASE("situations: of replication as a whole", "[diagnosis]")
{
    check({
        {"too_few_acknowledgers 1 2 3, all_replicas_dead 2 3, dead_replica 2 3",
         [](Ward& w) {
             w.end(r2);
             w.end(r3);
         }},
        {"too_few_acknowledgers 1 2 3, all_replicas_not_replicating_or_dead 2 3, "
         "replica_cannot_connect 3, dead_replica 2",
         [](Ward& w) {
             w.end(r2);
             w.lose_source(r3);
         }},
        {"too_few_acknowledgers 1 2 3, all_replicas_not_replicating 2 3, replication_stopped 2 3",
         [](Ward& w) {
             for (const MemberId id : {r2, r3}) {
                 w.seen[id].receiver_running = false;
                 w.seen[id].receiver_state = control::ReceiverState::stopped;
             }
         }},
    });
}

TEST_CASE("situations: of single members", "[diagnosis]")
{
    check({
        {"too_few_acknowledgers 1 2 3, all_replicas_not_replicating 2 3, "
         "circular_replication 2 3, wrong_source 2 3",
         [](Ward& w) {
             w.seen[r2].source = r3;
             w.seen[r3].source = r2;
         }},
        {"circular_replication 1 2", [](Ward& w) { w.seen[p].source = r2; }},
        {"wrong_source 2", [](Ward& w) { w.seen[r2].source = r3; }},
        {"wrong_source 3",
         [](Ward& w) {
             w.seen[r3].source_host = "10.0.0.9";
             w.seen[r3].source_port = 3306;
         }},
        {"errant_replica 3", [](Ward& w) { w.view.members[r3].refuses_as_errant = true; }},
        {"rebuilding_member 2", [](Ward& w) { w.end(r2, Phase::clone); }},
        {"rebuilding_member 3",
         [](Ward& w) {
             w.end(r3, Phase::failed);
             w.seen[r3].phase = Phase::fenced;
             w.seen[r3].needs_rebuild = true;
         }},
        {"broken_replica 2",
         [](Ward& w) {
             w.seen[r2].applier_running = false;
             w.seen[r2].applier_error = "1062: duplicate";
         }},
        {"replica_cannot_connect 2", [](Ward& w) { w.lose_source(r2); }},
        {"replication_stopped 2", [](Ward& w) { w.seen[r2].applier_running = false; }},
        {"lagging_replica 3", [](Ward& w) { w.seen[r3].lag = 31s; }},
        {"delayed_replica 3",
         [](Ward& w) {
             w.seen[r3].lag = 3600s;
             w.seen[r3].delay = 1h;
         }},
        {"hung_replica 2", [](Ward& w) { w.hang(r2, 3s); }},
        {"dead_replica 2", [](Ward& w) { w.end(r2, Phase::start); }},
        {"silent_member 2", [](Ward& w) { w.lose_stream(r2); }},
        {"idle_member 2", [](Ward& w) { w.seen[r2].phase = Phase::fenced; }},
        {"unacknowledging_replica 2", [](Ward& w) { w.seen[r2].acknowledges = false; }},
        {"acknowledges_outside_electorate 3, outside_electorate 3",
         [](Ward& w) { w.view.electorate.members.erase(r3); }},
        {"amnesiac_member 3",
         [](Ward& w) {
             w.seen[r3].amnesiac = true;
             w.seen[r3].acknowledges = false;
         }},
        {"quarantined_member 3",
         [](Ward& w) {
             w.seen[r3].amnesiac = true;
             w.seen[r3].quarantined = true;
             w.seen[r3].acknowledges = false;
         }},
        {"member_of_newer_epoch 3", [](Ward& w) { w.seen[r3].epoch = Epoch{9}; }},
        {"disk_full 1 2",
         [](Ward& w) {
             w.seen[p].disk_free_bytes = 0;
             w.seen[r2].disk_free_bytes = 1;
         }},
    });
}

TEST_CASE("situations: what the servers say goes with it, by member", "[diagnosis]")
{
    Ward w;
    const auto detail = [&w](Code code) {
        w.look();
        for (const Situation& situation : situations(w.view, w.past, w.config, w.now)) {
            if (situation.code == code) return situation.detail;
        }
        return std::string{"not there"};
    };
    for (const MemberId id : {r2, r3}) {
        w.seen[id].applier_running = false;
        w.seen[id].applier_error = "1062: duplicate " + std::to_string(number(id));
        w.lose_source(id);
    }
    CHECK(
        detail(Code::broken_replica) == "member 2: 1062: duplicate 2; member 3: 1062: duplicate 3");
    CHECK(
        detail(Code::replica_cannot_connect) ==
        "member 2: 2003: cannot connect; member 3: 2003: cannot connect");
    w.seen[r2].source = r3;
    CHECK(detail(Code::wrong_source) == "member 2: follows member 3");
    w.seen[r2].source = MemberId{};
    w.seen[r2].source_host = "h";
    w.seen[r2].source_port = 1;
    CHECK(detail(Code::wrong_source) == "member 2: follows h:1");
    w.seen[r3].lag = 99s;
    CHECK(detail(Code::lagging_replica) == "member 3: 99 s");
    w.seen[p].disk_free_bytes = 3ULL << 20U;
    CHECK(detail(Code::disk_full) == "member 1: 3 MiB free");
    w.seen[r3].position = holds(4, 9);
    w.seen[p].position = holds(4, 7);
    w.wait(10s);
    CHECK(detail(Code::errant_replica) == "member 3: 2 transactions");
}

TEST_CASE("situations: an older executor's silence is not taken for a value", "[diagnosis]")
{
    Ward w;
    for (auto& [id, seen] : w.seen) {
        seen.unanswered.reset();
        seen.receiver_state = control::ReceiverState::unknown;
        seen.receiver_error.reset();
        seen.applier_error.reset();
        seen.source_host.clear();
        seen.source_port = 0;
        seen.lag.reset();
        seen.delay.reset();
        seen.disk_free_bytes = 0;
        seen.disk_total_bytes.reset();
    }
    w.look();
    CHECK(text(situations(w.view, w.past, w.config, w.now)).empty());
}

TEST_CASE("situations: each has a name of its own, and says what is done", "[diagnosis]")
{
    std::set<std::string> names;
    const int last = static_cast<int>(Code::disk_full);
    for (int i = 0; i <= last; ++i) {
        const auto code = static_cast<Code>(i);
        names.insert(to_text(code));
        CHECK(std::string{meaning(code)}.size() > 60);
        CHECK(std::string{meaning(code)}.back() == '.');
    }
    CHECK(names.size() == static_cast<std::size_t>(last) + 1);
}
