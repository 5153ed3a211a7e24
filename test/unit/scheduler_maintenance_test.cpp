#include "scheduler/decide/scheduler.hpp"
#include "test/support/offers.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace mysos::scheduler {

using namespace mysos::test;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint t0{1000s};
constexpr std::int64_t unix_t0 = 1'795'342'087'000;
const mesos::AgentId agent{"agent-1"};

Effects give(State& state, const Input& input, TimePoint now = t0)
{
    Config config;
    config.framework.role = "mysos";
    return step(state, config, input, now);
}

/// Subscribed, with a cluster of one that waits for offers.
State subscribed()
{
    State state;
    static_cast<void>(give(state, Recovered{{}, {}, unix_t0}));
    static_cast<void>(give(state, EventArrived{mesos::Subscribed{{"F"}, 15s, "m:5050"}}));
    CreateRequested request;
    request.form.name = "demo";
    request.form.cluster_user = "app";
    request.form.num_nodes = "1";
    request.uuid = "0c6f0d5e-0000-4000-8000-000000000001";
    static_cast<void>(give(state, request));
    return state;
}

/// And was launched on agent-1.
State with_one()
{
    State state = subscribed();
    static_cast<void>(give(state, EventArrived{mesos::OffersMade{{big_offer(1)}}}));
    REQUIRE(state.clusters.at("demo").record.members.at(MemberId{1}).launched);
    return state;
}

EventArrived asks(const std::string& id, const mesos::AgentId& of, mesos::Window window)
{
    return {mesos::InverseOffersMade{{{{id}, of, window}}}};
}

std::vector<mesos::OfferId> accepted(const Effects& effects)
{
    std::vector<mesos::OfferId> result;
    for (const Effect& effect : effects) {
        const auto* send = std::get_if<SendCall>(&effect);
        if (send == nullptr) continue;
        const auto* accept = std::get_if<mesos::AcceptInverse>(&send->call);
        if (accept != nullptr)
            result.insert(result.end(), accept->offers.begin(), accept->offers.end());
    }
    return result;
}

std::string reports(const Effects& effects)
{
    std::string result;
    for (const Effect& effect : effects) {
        const auto* report = std::get_if<Report>(&effect);
        if (report != nullptr && report->cluster.empty()) result += report->report.text + '\n';
    }
    return result;
}

bool moves(const State& state)
{
    return state.clusters.at("demo").members.at(MemberId{1}).moving;
}

}  // namespace

TEST_CASE("maintenance: an agent without members goes at once", "[scheduler]")
{
    State state = with_one();
    const Effects effects = give(state, asks("i", {"agent-9"}, {unix_t0 + 600'000, 120s}));
    CHECK(accepted(effects) == std::vector<mesos::OfferId>{{"i"}});
    CHECK(
        reports(effects) ==
        "maintenance is planned for agent agent-9 in 10 min, for 2 min\n"
        "agent agent-9 may go: its inverse offer is accepted\n");
    // Asked again while it lasts, it says so again; not asked again, it is over.
    CHECK(
        accepted(give(state, asks("j", {"agent-9"}, {unix_t0 + 600'000, 120s}), t0 + 60s)) ==
        std::vector<mesos::OfferId>{{"j"}});
    CHECK(state.maintenance.at({"agent-9"}).forget_at == t0 + 180s);
    CHECK(
        reports(give(state, DeadlinePassed{}, t0 + 180s)) ==
        "maintenance of agent agent-9 is over or called off\n");
    CHECK(state.maintenance.empty());
}

TEST_CASE("maintenance: an answer that is not true any more is taken back", "[scheduler]")
{
    State state = with_one();
    static_cast<void>(give(state, asks("i", agent, {unix_t0, {}})));
    // As if the others could have done without it before.
    state.maintenance.at(agent).accepted = true;
    const Effects effects = give(state, asks("j", agent, {unix_t0, {}}), t0 + 60s);
    CHECK(accepted(effects).empty());
    const bool declines = std::ranges::any_of(effects, [](const Effect& effect) {
        const auto* send = std::get_if<SendCall>(&effect);
        return send != nullptr && send->call == mesos::Call{mesos::DeclineInverse{{{"j"}}, 60s}};
    });
    CHECK(declines);
    CHECK(reports(effects) == "agent agent-1 may not go any more: its inverse offer is declined\n");
    // It is silent again until it may.
    CHECK(reports(give(state, asks("k", agent, {unix_t0, {}}), t0 + 120s)).empty());
}

TEST_CASE("maintenance: a window that has begun is not forgotten with its agent", "[scheduler]")
{
    State state = with_one();
    static_cast<void>(give(state, asks("i", agent, {unix_t0 - 1000, 1h})));
    static_cast<void>(give(state, EventArrived{mesos::InverseOfferRescinded{{"i"}}}));
    CHECK(state.maintenance.at(agent).forget_at == t0 + 1h - 1s);
}

TEST_CASE("maintenance: where members are it begins to move them, and waits", "[scheduler]")
{
    State state = with_one();
    const Effects effects = give(state, asks("i", agent, {unix_t0, {}}));
    CHECK(accepted(effects).empty());
    CHECK(moves(state));
    REQUIRE(state.maintenance.contains(agent));

    SECTION("it is accepted when they are gone")
    {
        DeleteRequested remove;
        remove.name = "demo";
        remove.password = Password::right;
        CHECK(accepted(give(state, remove)).empty());
        mesos::TaskStatus killed;
        killed.task_id = state.clusters.at("demo").record.members.at(MemberId{1}).task_id;
        killed.agent_id = agent;
        killed.state = mesos::TaskState::killed;
        killed.uuid = "0123456789abcdef";
        CHECK(
            accepted(give(state, EventArrived{mesos::StatusUpdated{killed}})) ==
            std::vector<mesos::OfferId>{{"i"}});
    }
    SECTION("taken back, and not asked again, it is over")
    {
        static_cast<void>(give(state, EventArrived{mesos::InverseOfferRescinded{{"i"}}}));
        CHECK(moves(state));  // It may only be another window.
        static_cast<void>(give(state, DeadlinePassed{}, t0 + 60s));
        CHECK_FALSE(moves(state));
        CHECK(state.maintenance.empty());
    }
    SECTION("taken back, and asked again, it goes on")
    {
        static_cast<void>(give(state, EventArrived{mesos::InverseOfferRescinded{{"i"}}}));
        static_cast<void>(give(state, asks("j", agent, {unix_t0, {}}), t0 + 1s));
        static_cast<void>(give(state, DeadlinePassed{}, t0 + 60s));
        CHECK(moves(state));
        CHECK(state.maintenance.at(agent).asked == mesos::OfferId{"j"});
    }
    SECTION("a new subscription asks anew")
    {
        static_cast<void>(give(state, MesosDisconnected{"lost"}));
        static_cast<void>(give(state, EventArrived{mesos::Subscribed{{"F"}, 15s, "m:5050"}}));
        CHECK_FALSE(state.maintenance.at(agent).asked);
        CHECK(moves(state));
        static_cast<void>(give(state, DeadlinePassed{}, t0 + 60s));
        CHECK_FALSE(moves(state));
    }
}

TEST_CASE("maintenance: members move a day before it, and not after its end", "[scheduler]")
{
    State state = with_one();
    constexpr std::int64_t two_days_ms = std::int64_t{48} * 3'600'000;
    static_cast<void>(give(state, asks("i", agent, {unix_t0 + two_days_ms, 1h})));
    CHECK_FALSE(moves(state));
    REQUIRE(next_deadline(state));
    static_cast<void>(give(state, DeadlinePassed{}, t0 + 24h));
    CHECK(moves(state));
    static_cast<void>(give(state, DeadlinePassed{}, t0 + 49h));
    CHECK_FALSE(moves(state));
    CHECK_FALSE(state.maintenance.at(agent).look_at);
}

TEST_CASE("maintenance: windows that no clock can hold are no trouble", "[scheduler]")
{
    State state = with_one();
    constexpr std::int64_t for_ever_ms = 9'223'372'036'854;
    static_cast<void>(give(state, asks("i", agent, {for_ever_ms, {}})));
    CHECK_FALSE(moves(state));
    static_cast<void>(give(state, asks("j", agent, {0, Duration::max()})));
    CHECK(moves(state));
    static_cast<void>(give(state, asks("k", agent, {unix_t0, -1s})));
    CHECK_FALSE(moves(state));
}

TEST_CASE("maintenance: a new member is not placed where an agent is to rest", "[scheduler]")
{
    State state = subscribed();
    mesos::Offer offer = big_offer(1);
    offer.unavailable = mesos::Window{unix_t0 + 3'600'000, 1h};
    static_cast<void>(give(state, EventArrived{mesos::OffersMade{{offer}}}));
    CHECK_FALSE(state.clusters.at("demo").record.members.at(MemberId{1}).launched);
    offer.unavailable->from_unix_ms += std::int64_t{48} * 3'600'000;
    static_cast<void>(give(state, EventArrived{mesos::OffersMade{{offer}}}));
    CHECK(state.clusters.at("demo").record.members.at(MemberId{1}).launched);
}

}  // namespace mysos::scheduler
