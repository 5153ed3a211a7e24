#include "common/cluster/cluster.hpp"
#include "test/support/cluster_of_three.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <deque>
#include <utility>

namespace mysos::cluster {

using namespace mysos::test;
using namespace std::chrono_literals;

namespace {

const mesos::AgentId agent3{"agent-3"};

Effects rest(State& state, std::set<mesos::AgentId> agents)
{
    state.closing = std::move(agents);
    return give(state, MaintenanceChanged{});
}

bool moves(const Effects& effects)
{
    return std::ranges::any_of(effects, [](const Effect& effect) {
        const auto* report = std::get_if<Report>(&effect);
        return report != nullptr && report->text.starts_with("is to move");
    });
}

/// What a member answers to an order; a replica then shows that it follows.
void answer(State& state, const SendOrder& sent, std::deque<Effects>& waiting)
{
    const auto give_back = [&](MemberId id, control::FromMember message) {
        waiting.push_back(says(state, id, std::move(message)));
    };
    if (const auto* set = std::get_if<control::SetAcknowledgers>(&sent.order)) {
        give_back(m1, control::AcknowledgersSet{e1, set->acks, position, set->serial});
    } else if (const auto* lock = std::get_if<control::LockAccount>(&sent.order)) {
        give_back(m1, control::AccountLocked{e1, lock->member, position, lock->serial});
    } else if (const auto* rebuild = std::get_if<control::Rebuild>(&sent.order)) {
        give_back(sent.member, control::Rebuilt{e1, rebuild->serial, position, 0});
        give_back(sent.member, seen(control::Phase::fenced, position));
    } else if (const auto* follow = std::get_if<control::Follow>(&sent.order)) {
        control::Observation follows = as_replica();
        follows.acknowledges = follow->acknowledge;
        give_back(
            sent.member,
            control::Followed{
                e1, follow->acknowledge, follow->serial, follow->caught_up, follow->server_run});
        give_back(sent.member, follows);
    }
}

/// All that the members answer to these effects and to what follows of them.
bool kills_after(State& state, Effects first, MemberId newcomer)
{
    std::deque<Effects> waiting{std::move(first)};
    bool kills = false;
    for (int rounds = 0; rounds < 100 && !waiting.empty(); ++rounds) {
        const Effects effects = std::move(waiting.front());
        waiting.pop_front();
        kills = kills || index_of_call<mesos::Kill>(effects);
        for (const Effect& effect : effects) {
            if (const auto* sent = std::get_if<SendOrder>(&effect)) answer(state, *sent, waiting);
        }
        if (!waiting.empty() || rounds > 50) continue;
        control::Observation again = as_replica();
        again.acknowledges = state.record.electorate.contains(newcomer);
        waiting.push_back(says(state, newcomer, again));
    }
    return kills;
}

}  // namespace

TEST_CASE("maintenance: a primary on an agent that is to rest hands over", "[cluster]")
{
    State state = three();
    const Effects effects = rest(state, {{"agent-1"}});
    CHECK(moves(effects));
    CHECK(order<control::ShutOut>(effects));
    REQUIRE(state.switchover);
    CHECK(state.switchover->to == m2);
    CHECK_FALSE(can_spare(state, {"agent-1"}));
}

TEST_CASE("maintenance: it hands over to nobody who has to move as well", "[cluster]")
{
    State state = three();
    SECTION("one of them")
    {
        static_cast<void>(rest(state, {{"agent-1"}, {"agent-2"}}));
        REQUIRE(state.switchover);
        CHECK(state.switchover->to == m3);
    }
    SECTION("all of them")
    {
        static_cast<void>(rest(state, {{"agent-1"}, {"agent-2"}, {"agent-3"}}));
        CHECK_FALSE(state.switchover);
    }
    SECTION("unless it has no time")
    {
        static_cast<void>(rest(state, {{"agent-1"}, {"agent-2"}, {"agent-3"}}));
        control::Observation leaving = as_primary();
        leaving.leaving = true;
        static_cast<void>(says(state, m1, leaving));
        REQUIRE(state.switchover);
        CHECK(state.switchover->to == m2);
    }
}

TEST_CASE("maintenance: a replica goes when another has taken its place", "[cluster]")
{
    State state = three();
    CHECK(can_spare(state, {"agent-4"}));
    const Effects planned = rest(state, {agent3});
    CHECK(moves(planned));
    CHECK_FALSE(order<control::ShutOut>(planned));
    REQUIRE(state.record.members.contains(m4));
    CHECK(
        waits_for(state, m3, t0) ==
        "another member to take its place: maintenance is planned for its agent");
    CHECK_FALSE(can_spare(state, agent3));
    CHECK_FALSE(moves(give(state, MaintenanceChanged{})));  // Told once.

    static_cast<void>(give(state, OfferArrived{big_offer(4)}));
    REQUIRE(state.record.members.at(m4).launched);
    CHECK(state.record.electorate == std::set{m1, m2, m3});
    CHECK(kills_after(state, connect(state, m4, seen(control::Phase::fenced, "")), m4));
    CHECK(state.record.electorate == std::set{m1, m2, m4});
    CHECK_FALSE(can_spare(state, agent3));
    mesos::TaskStatus killed = told(mesos::TaskState::killed);
    killed.task_id = state.record.members.at(m3).task_id;
    CHECK(find<Retire>(give(state, StatusArrived{m3, killed})));
    CHECK(can_spare(state, agent3));
    CHECK(state.record.members.size() == 3);
}

TEST_CASE("maintenance: no new member is placed where there will be none", "[cluster]")
{
    State state = three();
    static_cast<void>(rest(state, {agent3}));
    OfferArrived closing{big_offer(4)};
    closing.closing = true;
    CHECK_FALSE(find<AcceptOffer>(give(state, closing)));
    CHECK(waits_for(state, m4, t0) == "maintenance is planned for every agent that would do");
    CHECK(find<AcceptOffer>(give(state, OfferArrived{big_offer(5)})));
}

TEST_CASE("maintenance: with no place to move to, the agent goes if the others do", "[cluster]")
{
    State state = three();
    static_cast<void>(rest(state, {agent3}));
    const TimePoint later = t0 + config().move_patience;
    REQUIRE(next_deadline(state));
    CHECK(*next_deadline(state) <= later);
    static_cast<void>(step(state, config(), DeadlinePassed{}, later - 1ms));
    CHECK_FALSE(can_spare(state, agent3));
    SECTION("they do")
    {
        static_cast<void>(step(state, config(), DeadlinePassed{}, later));
        CHECK(can_spare(state, agent3));
        CHECK(state.record.members.at(m3).launched);
    }
    SECTION("one of them is away")
    {
        static_cast<void>(give(state, MemberDisconnected{stream_of(m2)}));
        static_cast<void>(step(state, config(), DeadlinePassed{}, later));
        CHECK_FALSE(can_spare(state, agent3));
    }
    SECTION("it is the primary's")
    {
        static_cast<void>(step(state, config(), DeadlinePassed{}, later));
        CHECK_FALSE(can_spare(state, {"agent-1"}));
    }
}

TEST_CASE("maintenance: most of the electorate stays", "[cluster]")
{
    State state = three();
    static_cast<void>(rest(state, {{"agent-2"}, agent3}));
    static_cast<void>(step(state, config(), DeadlinePassed{}, t0 + config().move_patience));
    CHECK_FALSE(can_spare(state, agent3));
}

TEST_CASE("maintenance: a successor is placed as if the one that moves were gone", "[cluster]")
{
    State state = three();
    state.record.constraints = {{"hostname", placement::Operator::unique, ""}};
    static_cast<void>(rest(state, {agent3}));
    mesos::Offer offer = big_offer(4);
    offer.hostname = "host-2";
    CHECK_FALSE(find<AcceptOffer>(give(state, OfferArrived{offer})));
    offer.hostname = "host-3";
    CHECK(find<AcceptOffer>(give(state, OfferArrived{offer})));
}

TEST_CASE("maintenance: called off, who was to come is not needed any more", "[cluster]")
{
    State state = three();
    static_cast<void>(rest(state, {agent3}));
    REQUIRE(state.record.members.contains(m4));
    static_cast<void>(rest(state, {}));
    CHECK_FALSE(state.record.members.contains(m4));
    CHECK(state.record.members.contains(m3));
    CHECK_FALSE(state.members.at(m3).moving);
    CHECK_FALSE(state.members.at(m3).patient_until);
}

TEST_CASE("maintenance: a cluster that is being deleted is in nobody's way", "[cluster]")
{
    State state = three();
    static_cast<void>(give(state, DeleteOrdered{}));
    static_cast<void>(rest(state, {agent3}));
    CHECK_FALSE(can_spare(state, agent3));
    mesos::TaskStatus killed = told(mesos::TaskState::killed);
    killed.task_id = state.record.members.at(m3).task_id;
    static_cast<void>(give(state, StatusArrived{m3, killed}));
    CHECK(can_spare(state, agent3));
}

}  // namespace mysos::cluster
