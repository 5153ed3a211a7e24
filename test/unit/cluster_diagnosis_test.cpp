#include "common/cluster/cluster.hpp"
#include "common/cluster/names.hpp"
#include "test/support/cluster.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>

// What a cluster does about its verdicts. The verdicts themselves: diagnosis_test.cpp.
namespace mysos::cluster {

using namespace mysos::test;
using namespace std::chrono_literals;
using control::Phase;
using diagnosis::Verdict;

namespace {

constexpr MemberId p{1};
constexpr MemberId r2{2};
constexpr MemberId r3{3};

/// Three members in epoch 4, found open by a scheduler that was just started.
class Three {
  public:
    State state;
    TimePoint now = t0;
    std::map<MemberId, control::Observation> says;

    Three()
    {
        Record stored = record(3);
        stored.epoch = Epoch{4};
        stored.electorate = {p, r2, r3};
        stored.acks = 1;
        stored.primary = p;
        stored.opened = true;
        stored.ever_opened = true;
        for (auto& [id, member] : stored.members) {
            member.task_id.text = "task-" + to_text(id);
            member.ip = "10.0.0." + to_text(id);
            member.port = 31000;
            member.launched = true;
            member.volume_created = true;
        }
        state = restored(stored);
        feed(Started{});
        for (const MemberId id : {p, r2, r3}) {
            says[id] = replica();
            if (id == p) says[id] = primary();
            connect(id);
        }
        REQUIRE(state.verdict == Verdict::healthy);
        REQUIRE(state.published == p);
    }

    Effects feed(const Input& input)
    {
        Effects effects = step(state, config(), input, now);
        const auto deadline = next_deadline(state);
        CHECK((!deadline || *deadline > now || !std::holds_alternative<DeadlinePassed>(input)));
        return effects;
    }
    void connect(MemberId id)
    {
        MemberConnected hello;
        hello.stream = stream(id);
        hello.token = Token::permanent;
        hello.hello.member = id;
        hello.hello.cluster = "demo";
        hello.hello.task_id = state.record.members.at(id).task_id.text;
        hello.hello.observation = says[id];
        feed(hello);
    }
    Effects say(MemberId id) { return feed(MemberSaid{stream(id), says[id]}); }
    void disconnect(MemberId id) { feed(MemberDisconnected{stream(id)}); }
    /// Those that are connected go on saying the same; deadlines come when they are due.
    Effects wait(Duration duration)
    {
        Effects all;
        const auto add = [&all](const Effects& more) {
            all.insert(all.end(), more.begin(), more.end());
        };
        for (const TimePoint end = now + duration; now < end;) {
            now += 100ms;
            for (const MemberId id : {p, r2, r3}) {
                if (state.members.at(id).stream) add(say(id));
            }
            const auto deadline = next_deadline(state);
            if (deadline && *deadline <= now) add(feed(DeadlinePassed{}));
        }
        return all;
    }
    [[nodiscard]] bool elects() const { return state.record.epoch > Epoch{4}; }

    void lose_source(MemberId id)
    {
        says[id].receiver_running = false;
        says[id].receiver_state = control::ReceiverState::connecting;
    }

  private:
    static StreamId stream(MemberId id) { return StreamId{10 + number(id)}; }
    static control::Observation answering()
    {
        control::Observation seen;
        seen.answers = true;
        seen.epoch = Epoch{4};
        seen.position = "0-1-4398046511105";
        return seen;
    }
    static control::Observation primary()
    {
        control::Observation seen = answering();
        seen.phase = Phase::primary;
        seen.writable = true;
        seen.semi_sync_clients = 2;
        seen.acks_required = 1;
        return seen;
    }
    static control::Observation replica()
    {
        control::Observation seen = answering();
        seen.phase = Phase::replica;
        seen.source = p;
        seen.receiver_running = true;
        seen.receiver_state = control::ReceiverState::running;
        seen.applier_running = true;
        seen.acknowledges = true;
        return seen;
    }
};

std::ptrdiff_t opens(const Effects& effects)
{
    return std::ranges::count_if(effects, [](const Effect& effect) {
        const auto* send = std::get_if<SendOrder>(&effect);
        return send != nullptr && std::holds_alternative<control::Open>(send->order);
    });
}

}  // namespace

TEST_CASE("cluster: a primary whose server hangs is replaced as soon as that is known", "[cluster]")
{
    Three three;
    three.says[p].answers = false;
    three.says[p].position = "";
    three.says[p].unanswered_ms = 1'999;
    three.say(p);
    CHECK(three.state.verdict == Verdict::primary_stalls);
    CHECK_FALSE(three.elects());
    three.says[p].unanswered_ms = 2'000;
    three.say(p);
    CHECK(three.elects());
    CHECK(three.state.verdict == Verdict::electing);
    CHECK_FALSE(three.state.published);
}

TEST_CASE("cluster: a primary lost to all is replaced when its lease is over", "[cluster]")
{
    Three three;
    three.disconnect(p);
    three.lose_source(r2);
    three.lose_source(r3);
    three.wait(1900ms);
    CHECK(three.state.verdict == Verdict::primary_silent);
    CHECK_FALSE(three.elects());
    three.wait(100ms);
    CHECK(three.elects());
}

TEST_CASE("cluster: its lease ends it though nobody says anything new", "[cluster]")
{
    Three three;
    three.now += 500ms;
    three.lose_source(r2);
    three.lose_source(r3);
    three.say(r2);
    three.say(r3);
    three.disconnect(p);
    while (three.now < t0 + 2s) {
        CHECK_FALSE(three.elects());
        const auto deadline = next_deadline(three.state);
        REQUIRE(deadline);
        three.now = *deadline;
        three.feed(DeadlinePassed{});
    }
    CHECK(three.now == t0 + 2s);
    CHECK(three.elects());
}

TEST_CASE("cluster: a primary that only the scheduler lost is left alone", "[cluster]")
{
    Three three;
    three.disconnect(p);
    three.wait(10min);
    CHECK(three.state.verdict == Verdict::scheduler_isolated);
    CHECK_FALSE(three.elects());
    CHECK(three.state.published == p);
    three.connect(p);
    CHECK(three.state.verdict == Verdict::healthy);
}

TEST_CASE("cluster: commits that wait for lost replicas end a primary, after a while", "[cluster]")
{
    Three three;
    three.says[p].commits_waiting = 2;
    three.lose_source(r2);
    three.lose_source(r3);
    three.wait(5s);
    CHECK(three.state.verdict == Verdict::replicas_missing);
    CHECK_FALSE(three.elects());
    three.wait(200ms);
    CHECK(three.elects());
}

TEST_CASE("cluster: a primary that was shut is opened again, not replaced", "[cluster]")
{
    Three three;
    three.says[p].writable = false;
    CHECK(opens(three.wait(2s)) == 0);
    CHECK(three.state.verdict == Verdict::primary_shut);
    CHECK(opens(three.wait(200ms)) == 1);
    CHECK(opens(three.wait(1500ms)) == 0);
    CHECK(opens(three.wait(1s)) == 1);
    three.says[p].writable = true;
    CHECK(opens(three.wait(1min)) == 0);
    CHECK(three.state.verdict == Verdict::healthy);
    CHECK_FALSE(three.elects());
}

TEST_CASE("cluster: what goes on can be named at any time", "[cluster]")
{
    Three three;
    CHECK(situations(three.state, {}, three.now).empty());
    three.says[r3].source = r2;
    three.says[r3].source_host = "10.0.0.2";
    three.says[r3].source_port = 31000;
    three.say(r3);
    const auto found = situations(three.state, {}, three.now);
    REQUIRE(found.size() == 1);
    CHECK(found[0].code == diagnosis::Code::wrong_source);
    CHECK(found[0].members == std::set<MemberId>{r3});
}

}  // namespace mysos::cluster
