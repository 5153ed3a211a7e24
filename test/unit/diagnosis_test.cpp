#include "common/diagnosis/diagnosis.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <string>
#include <vector>

using namespace mysos;
using namespace mysos::diagnosis;
using namespace std::chrono_literals;
using control::Phase;

namespace {

constexpr Config config{.lease = 3s};
constexpr MemberId p{1};
constexpr MemberId r2{2};
constexpr MemberId r3{3};
const TimePoint now = TimePoint{} + 100s;

Member replica()
{
    Member member{.connected = true, .heard_at = now, .observation = mysql::Observation{}};
    member.observation->phase = Phase::replica;
    member.observation->source = p;
    member.observation->receiver_running = true;
    return member;
}

/// Three members, all well, in epoch 4.
View healthy()
{
    Member primary{.connected = true, .heard_at = now, .observation = mysql::Observation{}};
    primary.observation->phase = Phase::primary;
    primary.observation->epoch = Epoch{4};
    primary.observation->writable = true;
    primary.observation->semi_sync_clients = 2;
    return {
        .epoch = Epoch{4},
        .primary = p,
        .electorate = {.members = {p, r2, r3}, .acks = 1},
        .members = {{p, primary}, {r2, replica()}, {r3, replica()}}};
}

void lose(Member& member)
{
    member.connected = false;
    member.heard_at = now - 4s;
}

void lose_source(Member& member)
{
    member.observation->receiver_running = false;
}

}  // namespace

TEST_CASE("diagnosis: each evidence has its verdict", "[diagnosis]")
{
    struct Case {
        std::string name;
        Verdict verdict;
        std::function<void(View&)> change;
    };
    const std::vector<Case> cases{
        {"all well", Verdict::healthy, [](View&) {}},
        {"never a primary", Verdict::no_primary_yet, [](View& v) { v.primary = MemberId{}; }},
        {"its server ended",
         Verdict::primary_crashed,
         [](View& v) { v.members[p].observation->phase = Phase::crashed; }},
        {"its server ended, and Mesos does not know",
         Verdict::primary_crashed,
         [](View& v) {
             v.members[p].observation->phase = Phase::failed;
             v.members[p].task_ended = false;
         }},
        {"its task ended",
         Verdict::primary_crashed,
         [](View& v) {
             v.members[p].task_ended = true;
             v.members[p].connected = false;
         }},
        {"it is no member any more", Verdict::primary_crashed, [](View& v) { v.members.erase(p); }},
        {"it came back shut out",
         Verdict::primary_crashed,
         [](View& v) { v.members[p].observation->phase = Phase::fenced; }},
        {"it came back and starts",
         Verdict::primary_crashed,
         [](View& v) { v.members[p].observation->phase = Phase::start; }},
        {"it leads an older epoch",
         Verdict::primary_crashed,
         [](View& v) { v.members[p].observation->epoch = Epoch{3}; }},
        {"it is being stopped: not ended yet",
         Verdict::primary_shut,
         [](View& v) {
             v.members[p].observation->phase = Phase::stopping;
             v.members[p].observation->writable = false;
         }},
        {"lost to all",
         Verdict::primary_unreachable,
         [](View& v) {
             lose(v.members[p]);
             lose_source(v.members[r2]);
             lose_source(v.members[r3]);
         }},
        {"lost to all, but only just",
         Verdict::primary_silent,
         [](View& v) {
             v.members[p].connected = false;
             v.members[p].heard_at = now - 3s;
             lose_source(v.members[r2]);
             lose_source(v.members[r3]);
         }},
        {"a stream that is open and silent is lost too",
         Verdict::primary_unreachable,
         [](View& v) {
             v.members[p].heard_at = now - 4s;
             lose_source(v.members[r2]);
             lose_source(v.members[r3]);
         }},
        {"one follows somebody else",
         Verdict::primary_unreachable,
         [](View& v) {
             lose(v.members[p]);
             lose_source(v.members[r2]);
             v.members[r3].observation->source = r2;
         }},
        {"one replica still receives",
         Verdict::scheduler_isolated,
         [](View& v) {
             lose(v.members[p]);
             lose_source(v.members[r2]);
         }},
        {"lost to us, served to all",
         Verdict::scheduler_isolated,
         [](View& v) { lose(v.members[p]); }},
        {"one replica lost it, the other is silent",
         Verdict::primary_silent,
         [](View& v) {
             lose(v.members[p]);
             lose_source(v.members[r2]);
             lose(v.members[r3]);
         }},
        {"everybody is silent: the fault is ours",
         Verdict::primary_silent,
         [](View& v) {
             for (auto& [id, member] : v.members) lose(member);
         }},
        {"nothing observed yet",
         Verdict::primary_silent,
         [](View& v) { v.members[p].observation.reset(); }},
        {"a member outside E tells nothing",
         Verdict::primary_silent,
         [](View& v) {
             lose(v.members[p]);
             lose_source(v.members[r2]);
             lose_source(v.members[r3]);
             v.electorate.members.erase(r3);
             v.electorate.members.insert(MemberId{4});
         }},
        {"clients cannot write",
         Verdict::primary_shut,
         [](View& v) { v.members[p].observation->writable = false; }},
        {"nobody acknowledges",
         Verdict::replicas_missing,
         [](View& v) { v.members[p].observation->semi_sync_clients = 0; }},
        {"alone with k = 0",
         Verdict::healthy,
         [](View& v) {
             v.electorate = {.members = {p}, .acks = 0};
             v.members[p].observation->semi_sync_clients = 0;
             v.members.erase(r2);
             v.members.erase(r3);
         }},
        {"alone and silent is never unreachable",
         Verdict::primary_silent,
         [](View& v) {
             v.electorate = {.members = {p}, .acks = 0};
             lose(v.members[p]);
             v.members.erase(r2);
             v.members.erase(r3);
         }},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            View view = healthy();
            c.change(view);
            CHECK(to_text(diagnose(view, config, now)) == std::string{to_text(c.verdict)});
        }
    }
}
