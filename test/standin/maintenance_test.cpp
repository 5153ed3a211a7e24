#include "test/standin/rig.hpp"

#include <catch2/catch.hpp>

using namespace mysos::standin;
using namespace mysos::standin::given;
using namespace std::chrono_literals;

namespace {

using Event = v1::scheduler::Event;
using Call = v1::scheduler::Call;

constexpr AgentSlot slot{0};

/// A task of an executor of its own runs, and is to have so long to end.
void run_one(Rig& rig, std::chrono::nanoseconds grace)
{
    const v1::Offer offer = rig.next_offer();
    v1::TaskInfo task = rig.task(offer, "t", {scalar("cpus", 1), scalar("mem", 64)});
    task.mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(grace.count());
    REQUIRE(rig.accept(offer, {Rig::launch({task})}).code == 202);
    rig.agent->container_started(rig.launched.back().container, 4711);
    rig.executor_subscribes("e-t");
    rig.update("t", v1::TASK_RUNNING);
    rig.acknowledge(rig.next(Event::UPDATE).update().status());
    rig.executor_events.clear();
}

v1::Unavailability window()
{
    v1::Unavailability result;
    result.mutable_start()->set_nanoseconds(1'795'342'087'000'000'000);
    result.mutable_duration()->set_nanoseconds(60'000'000'000);
    return result;
}

Call accept(const std::string& id, double refuse_seconds)
{
    Call call;
    call.set_type(Call::ACCEPT_INVERSE_OFFERS);
    call.mutable_accept_inverse_offers()->add_inverse_offer_ids()->set_value(id);
    call.mutable_accept_inverse_offers()->mutable_filters()->set_refuse_seconds(refuse_seconds);
    return call;
}

bool has(const Rig& rig, Event::Type type)
{
    return std::ranges::any_of(
        rig.events, [type](const auto& entry) { return entry.second.type() == type; });
}

}  // namespace

TEST_CASE("standin: draining kills with at most the operator's grace, and says why", "[standin]")
{
    Rig rig;
    rig.subscribe(framework());
    run_one(rig, 60s);
    v1::DurationInfo grace;
    SECTION("less than the task's own")
    {
        grace.set_nanoseconds(5'000'000'000);
        rig.master->drain(slot, grace);
        rig.settle();
        const auto kill = rig.next_executor_event().kill();
        CHECK(kill.kill_policy().grace_period().nanoseconds() == 5'000'000'000);
    }
    SECTION("more than the task's own, which then counts")
    {
        grace.set_nanoseconds(120'000'000'000);
        rig.master->drain(slot, grace);
        rig.settle();
        CHECK_FALSE(rig.next_executor_event().kill().has_kill_policy());
    }
    SECTION("none in particular")
    {
        rig.master->drain(slot, std::nullopt);
        rig.settle();
        CHECK_FALSE(rig.next_executor_event().kill().has_kill_policy());
    }
    rig.update("t", v1::TASK_KILLED);
    const auto status = rig.next(Event::UPDATE).update().status();
    CHECK(status.reason() == v1::TaskStatus::REASON_AGENT_DRAINING);
    rig.acknowledge(status);
    rig.events.clear();
    rig.pass(60s);
    CHECK_FALSE(has(rig, Event::OFFERS));
    rig.master->reactivate(slot);
    CHECK(rig.next_offer().agent_id().value() == rig.agent->id());
}

TEST_CASE("standin: planned maintenance asks who would lose something, and tells all", "[standin]")
{
    Rig rig;
    rig.subscribe(framework());
    run_one(rig, 60s);
    rig.events.clear();
    rig.master->plan_maintenance(slot, window());
    rig.pass(2s);
    const auto asked = rig.next(Event::INVERSE_OFFERS).inverse_offers().inverse_offers(0);
    CHECK(asked.agent_id().value() == rig.agent->id());
    CHECK(asked.unavailability().duration().nanoseconds() == 60'000'000'000);
    CHECK(asked.resources().empty());
    CHECK_FALSE(has(rig, Event::INVERSE_OFFERS));  // Once, until it is answered.

    SECTION("an answer holds as long as it says")
    {
        CHECK(rig.call(accept("no such offer", 5)).code == 202);
        CHECK(rig.master->maintenance().begin()->second.answers.empty());
        CHECK(rig.call(accept(asked.id().value(), 30)).code == 202);
        CHECK(rig.master->maintenance().begin()->second.answers.at(rig.framework) == "ACCEPT");
        rig.pass(29s);
        CHECK_FALSE(has(rig, Event::INVERSE_OFFERS));
        rig.pass(3s);
        CHECK(has(rig, Event::INVERSE_OFFERS));
    }
    SECTION("what is called off is taken back")
    {
        rig.master->plan_maintenance(slot, std::nullopt);
        rig.settle();
        CHECK(
            rig.next(Event::RESCIND_INVERSE_OFFER)
                .rescind_inverse_offer()
                .inverse_offer_id()
                .value() == asked.id().value());
        rig.pass(10s);
        CHECK_FALSE(has(rig, Event::INVERSE_OFFERS));
    }
    SECTION("whoever subscribes anew is asked anew")
    {
        v1::FrameworkInfo info = framework();
        info.mutable_id()->set_value(rig.framework);
        rig.subscribe(info, StreamKey{2});
        rig.events.clear();
        rig.pass(2s);
        CHECK(
            rig.next(Event::INVERSE_OFFERS).inverse_offers().inverse_offers(0).id().value() !=
            asked.id().value());
    }
}

TEST_CASE("standin: offers say when the agent is to rest", "[standin]")
{
    Rig rig;
    rig.subscribe(framework());
    CHECK_FALSE(rig.next_offer().has_unavailability());
    rig.master->plan_maintenance(slot, window());
    rig.settle();
    CHECK(has(rig, Event::RESCIND));
    rig.pass(2s);
    CHECK(
        rig.next_offer().unavailability().start().nanoseconds() == window().start().nanoseconds());
    CHECK(has(rig, Event::INVERSE_OFFERS));  // It holds an offer, which it would lose.
}
