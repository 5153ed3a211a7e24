#include "scheduler/decide/scheduler.hpp"
#include "test/support/offers.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

namespace mysos::scheduler {

using namespace mysos::test;
using namespace std::chrono_literals;
using mesos::TaskState;

namespace {

constexpr TimePoint t0{1000s};
constexpr std::int64_t unix_t0 = 1'795'342'087'000;
const std::string uuid = "0c6f0d5e-0000-4000-8000-000000000001";

Config config()
{
    Config result;
    result.framework.role = "mysos";
    return result;
}

Effects give(State& state, const Input& input, TimePoint now = t0)
{
    return step(state, config(), input, now);
}

State recovered(const cluster::FrameworkRecord& framework = {})
{
    State state;
    static_cast<void>(give(state, Recovered{framework, {}, unix_t0}));
    return state;
}

State subscribed(const cluster::FrameworkRecord& framework = {})
{
    State state = recovered(framework);
    static_cast<void>(give(state, EventArrived{mesos::Subscribed{{"F"}, 15s, "m:5050"}}));
    return state;
}

Effects create(
    State& state,
    const std::string& name,
    const std::string& num_nodes,
    const std::string& constraints = {})
{
    CreateRequested request;
    request.form.name = name;
    request.form.cluster_user = "app";
    request.form.num_nodes = num_nodes;
    if (!constraints.empty()) request.form.constraints = constraints;
    request.uuid = uuid;
    return give(state, request);
}

EventArrived offers(std::vector<mesos::Offer> made)
{
    return {mesos::OffersMade{std::move(made)}};
}

template <class Kind>
std::vector<Kind> all(const Effects& effects)
{
    std::vector<Kind> result;
    for (const Effect& effect : effects) {
        if (const auto* found = std::get_if<Kind>(&effect)) result.push_back(*found);
    }
    return result;
}

template <class Kind>
std::vector<Kind> calls(const Effects& effects)
{
    std::vector<Kind> result;
    for (const SendCall& send : all<SendCall>(effects)) {
        if (const auto* found = std::get_if<Kind>(&send.call)) result.push_back(*found);
    }
    return result;
}

cluster::RetiredVolume retired(const std::string& id, std::int64_t at = unix_t0)
{
    return {{id}, {"agent-1"}, at, "gone", {}};
}

mesos::Resources left_behind(const std::string& id)
{
    return {ours(cpus(1000), id), ours(mem(512), id), ours(disk(1), id), stored(2047, id)};
}

EventArrived status(const std::string& task, TaskState state)
{
    mesos::TaskStatus result;
    result.task_id.text = task;
    result.agent_id.text = "agent-1";
    result.state = state;
    result.uuid = "0123456789abcdef";
    return {mesos::StatusUpdated{result}};
}

}  // namespace

TEST_CASE(
    "scheduler: the framework's id is stored before anything else is done with it", "[scheduler]")
{
    State state = recovered();
    CHECK(subscription(state, config()).framework_id.empty());
    CHECK(subscription(state, config()).suppressed);
    const Effects effects = give(state, EventArrived{mesos::Subscribed{{"F"}, 15s, "m:5050"}});
    REQUIRE(effects.size() > 1);
    CHECK(std::get<SaveFramework>(effects[0]).record.framework_id.text == "F");
    CHECK(subscription(state, config()).framework_id.text == "F");
    CHECK(calls<mesos::Reconcile>(effects).size() == 1);
    CHECK(calls<mesos::Suppress>(effects).size() == 1);

    static_cast<void>(give(state, MesosDisconnected{"end of stream"}));
    const Effects again = give(state, EventArrived{mesos::Subscribed{{"F"}, 15s, "m:5050"}});
    CHECK(all<SaveFramework>(again).empty());
}

TEST_CASE("scheduler: nothing is taken before the stored state", "[scheduler]")
{
    State state;
    const Effects effects = give(state, EventArrived{mesos::Subscribed{{"F"}, 15s, "m:5050"}});
    CHECK(all<Ignored>(effects).size() == 1);
    CHECK(state == State{});
    const Effects stream = give(state, StreamOpened{cluster::StreamId{1}, {}, {}});
    CHECK(all<RefuseStream>(stream).at(0).stream.why == cluster::RefuseStream::Why::not_ready);
}

TEST_CASE("scheduler: each offer is used once, the rest declined together", "[scheduler]")
{
    State state = subscribed();
    CHECK(calls<mesos::Revive>(create(state, "a", "1")).size() == 1);
    static_cast<void>(create(state, "b", "1"));
    const Effects effects =
        give(state, offers({big_offer(1), big_offer(2), big_offer(3), big_offer(4)}));
    const auto accepts = all<AcceptOffer>(effects);
    REQUIRE(accepts.size() == 2);
    CHECK(accepts[0].data.cluster == "a");
    CHECK(accepts[1].data.cluster == "b");
    // The rest of the first may be of use to the second, that of the second to nobody.
    CHECK(accepts[0].accept.refuse == 0s);
    CHECK(accepts[1].accept.refuse > 60s);
    const auto declines = calls<mesos::Decline>(effects);
    REQUIRE(declines.size() == 1);
    CHECK(declines[0].offers == std::vector<mesos::OfferId>{{"offer-3"}, {"offer-4"}});
    CHECK(declines[0].refuse == config().refuse_idle);
    CHECK(calls<mesos::Suppress>(effects).size() == 1);
    CHECK(state.counters.resource_offers == 4);
    CHECK(state.counters.offers_unused == 2);
    CHECK(state.counters.tasks_launched == 2);
}

TEST_CASE("scheduler: agents of one machine that offer the same ports get others", "[scheduler]")
{
    State state = subscribed();
    static_cast<void>(create(state, "a", "2"));
    static_cast<void>(create(state, "b", "1"));
    auto made = offers({big_offer(1), big_offer(2), big_offer(3)});
    auto& arrived = std::get<mesos::OffersMade>(made.event).offers;
    for (mesos::Offer& offer : arrived) offer.ip = "127.0.0.1";
    std::set<std::uint16_t> ports;
    for (const AcceptOffer& accept : all<AcceptOffer>(give(state, made))) {
        ports.insert({accept.data.port, accept.data.peer_port});
    }
    CHECK(ports == std::set<std::uint16_t>{31000, 31001, 31002, 31003, 31004, 31005});
}

TEST_CASE("scheduler: racks that are offered at once are used evenly", "[scheduler]")
{
    const auto on = [](int agent, const std::string& rack) {
        mesos::Offer offer = big_offer(agent);
        offer.attributes = {{"rack", rack}};
        return offer;
    };
    const auto launched_on = [&](const std::string& nodes, std::vector<mesos::Offer> made) {
        State state = subscribed();
        static_cast<void>(create(state, "a", nodes, R"([["rack","GROUP_BY"]])"));
        std::set<std::string> hosts;
        for (const auto& accept : all<AcceptOffer>(give(state, offers(std::move(made))))) {
            hosts.insert(accept.data.host);
        }
        return hosts;
    };
    using Hosts = std::set<std::string>;
    CHECK(launched_on("2", {on(1, "r1"), on(2, "r1"), on(3, "r2")}) == Hosts{"host-1", "host-3"});
    // Nothing else is there: then not one is left for the sake of evenness.
    CHECK(launched_on("2", {on(1, "r1"), on(2, "r1")}) == Hosts{"host-1", "host-2"});
}

TEST_CASE(
    "scheduler: who left an agent for a better one gets it when that one is gone", "[scheduler]")
{
    const auto on = [](int agent, const std::string& rack, std::int64_t cpus_free) {
        mesos::Offer offer =
            test::offer(agent, {cpus(cpus_free), mem(4096), disk(8192), ports(31000, 31099)});
        offer.attributes = {{"rack", rack}};
        return offer;
    };
    State state = subscribed();
    static_cast<void>(create(state, "b", "2", R"([["rack","GROUP_BY"]])"));
    // It comes first, and wants what b leaves r1 for.
    static_cast<void>(create(state, "a", "1", R"([["rack","LIKE","r2"]])"));
    const auto accepts = all<AcceptOffer>(
        give(state, offers({on(1, "r1", 4000), on(2, "r1", 4000), on(3, "r2", 4000)})));
    std::set<std::string> placed;
    for (const auto& accept : accepts) placed.insert(accept.data.cluster + accept.data.host);
    CHECK(placed == std::set<std::string>{"bhost-1", "ahost-3", "bhost-2"});
}

TEST_CASE("scheduler: agents with fewer primaries are used first", "[scheduler]")
{
    State state = subscribed();
    static_cast<void>(create(state, "a", "1"));
    static_cast<void>(give(state, offers({big_offer(1)})));
    cluster::Record led = state.clusters.at("a").record;
    led.primary = MemberId{1};
    cluster::FrameworkRecord framework;
    framework.clusters = {"a"};
    State again;
    static_cast<void>(give(again, Recovered{framework, {led}, unix_t0}));
    CHECK(again.primaries == std::map<mesos::AgentId, std::size_t>{{{"agent-1"}, 1}});
    static_cast<void>(give(again, EventArrived{mesos::Subscribed{{"F"}, 15s, "m:5050"}}));
    static_cast<void>(create(again, "b", "1"));
    const auto accepts = all<AcceptOffer>(give(again, offers({big_offer(1), big_offer(2)})));
    REQUIRE(accepts.size() == 1);
    CHECK(accepts[0].data.host == "host-2");
}

TEST_CASE("scheduler: agents are far or near as seen from the master's region", "[scheduler]")
{
    State state = recovered();
    static_cast<void>(give(state, EventArrived{mesos::Subscribed{{"F"}, 15s, "m:5050", "eu"}}));
    static_cast<void>(create(state, "a", "3"));
    mesos::Offer far = big_offer(1);
    far.region = "us";
    mesos::Offer near = big_offer(2);
    near.region = "eu";
    const auto accepts = all<AcceptOffer>(give(state, offers({far, near, big_offer(3)})));
    REQUIRE(accepts.size() == 2);
    CHECK(accepts[0].data.host == "host-2");
    CHECK(accepts[1].data.host == "host-3");
}

TEST_CASE(
    "scheduler: while a member waits, offers are wanted and unfit ones come back soon",
    "[scheduler]")
{
    State state = subscribed();
    static_cast<void>(create(state, "a", "2"));
    const Effects effects = give(state, offers({big_offer(1), offer(2, {cpus(1)})}));
    CHECK(all<AcceptOffer>(effects).size() == 1);
    CHECK(calls<mesos::Decline>(effects).at(0).refuse == config().refuse_wanted);
    CHECK(calls<mesos::Suppress>(effects).empty());
}

TEST_CASE("scheduler: offers of another role are declined and counted", "[scheduler]")
{
    State state = subscribed();
    static_cast<void>(create(state, "a", "1"));
    mesos::Offer strange = big_offer(1);
    strange.role = "*";
    const Effects effects = give(state, offers({strange}));
    CHECK(all<AcceptOffer>(effects).empty());
    CHECK(calls<mesos::Decline>(effects).size() == 1);
    CHECK(state.counters.offers_incompatible_role == 1);
}

TEST_CASE("scheduler: a volume that nobody knows is told once and left alone", "[scheduler]")
{
    State state = subscribed();
    const auto made = offers({offer(1, left_behind("unknown"))});
    const Effects effects = give(state, made);
    CHECK(calls<mesos::Accept>(effects).empty());
    CHECK(all<Report>(effects).size() == 1);
    CHECK(all<Report>(give(state, made)).empty());
}

TEST_CASE(
    "scheduler: a retired volume is destroyed when old enough, on a later offer", "[scheduler]")
{
    cluster::FrameworkRecord framework;
    framework.retired_volumes = {retired("v")};
    State state = subscribed(framework);
    const auto made = offers({offer(1, left_behind("v"))});
    CHECK(calls<mesos::Accept>(give(state, made)).empty());
    REQUIRE(next_deadline(state));

    const TimePoint due = t0 + 24h;
    CHECK(calls<mesos::Revive>(give(state, DeadlinePassed{}, due)).size() == 1);
    const auto accepts = calls<mesos::Accept>(give(state, made, due));
    REQUIRE(accepts.size() == 1);
    REQUIRE(accepts[0].operations.size() == 2);
    CHECK(std::holds_alternative<mesos::Destroy>(accepts[0].operations[0]));
    CHECK(std::holds_alternative<mesos::Unreserve>(accepts[0].operations[1]));
    CHECK(state.framework.retired_volumes.size() == 1);

    // Only when the agent shows that it is gone, it is forgotten.
    const Effects gone = give(state, offers({big_offer(1)}), due + 1s);
    CHECK(all<SaveFramework>(gone).size() == 1);
    CHECK(state.framework.retired_volumes.empty());
    CHECK(calls<mesos::Suppress>(gone).size() == 1);
}

TEST_CASE("scheduler: what was reserved for nobody any more goes back at once", "[scheduler]")
{
    cluster::FrameworkRecord framework;
    framework.retired_volumes = {retired("v")};
    State state = subscribed(framework);
    const auto accepts =
        calls<mesos::Accept>(give(state, offers({offer(1, {ours(cpus(1000), "v")})})));
    REQUIRE(accepts.size() == 1);
    CHECK(std::holds_alternative<mesos::Unreserve>(accepts[0].operations.at(0)));
}

TEST_CASE("scheduler: a volume that a member stands for is never given back", "[scheduler]")
{
    State state = subscribed();
    static_cast<void>(create(state, "demo", "1"));
    static_cast<void>(give(state, offers({big_offer(1)})));
    const std::string id =
        state.clusters.at("demo").record.members.at(MemberId{1}).persistence_id.text;
    state.framework.retired_volumes.push_back(retired(id, 0));
    state.next_due_at = t0;
    static_cast<void>(give(state, DeadlinePassed{}));
    REQUIRE(state.due.contains(mesos::PersistenceId{id}));
    const Effects effects = give(state, offers({offer(1, left_behind(id))}));
    CHECK(calls<mesos::Accept>(effects).empty());
    CHECK(all<AcceptOffer>(effects).empty());
}

TEST_CASE(
    "scheduler: a task that nobody knows is acknowledged, told once, and left alone", "[scheduler]")
{
    State state = subscribed();
    const auto event = status("mysos-gone-1-11112222.3", TaskState::running);
    const Effects effects = give(state, event);
    CHECK(calls<mesos::Acknowledge>(effects).size() == 1);
    CHECK(calls<mesos::Kill>(effects).empty());
    CHECK(all<Report>(effects).size() == 1);
    CHECK(all<Report>(give(state, event)).empty());

    SECTION("but one of a cluster that is known to be deleted is killed")
    {
        state.framework.retired_volumes.push_back(retired("mysos-gone-1-11112222.1"));
        CHECK(calls<mesos::Kill>(give(state, event)).size() == 1);
    }
    SECTION("and so is one whose cluster's name was taken again")
    {
        static_cast<void>(create(state, "gone", "1"));
        CHECK(calls<mesos::Kill>(give(state, event)).empty());
        state.framework.retired_volumes.push_back(retired("mysos-gone-1-11112222.1"));
        CHECK(calls<mesos::Kill>(give(state, event)).size() == 1);
    }
}

TEST_CASE("scheduler: what became of tasks is counted once, by Cotton's names", "[scheduler]")
{
    State state = subscribed();
    static_cast<void>(create(state, "demo", "4"));
    static_cast<void>(
        give(state, offers({big_offer(1), big_offer(2), big_offer(3), big_offer(4)})));
    const auto tell = [&state](std::uint32_t id, TaskState end) {
        const auto& member = state.clusters.at("demo").record.members.at(MemberId{id});
        const std::string task = member.task_id.text;
        static_cast<void>(give(state, status(task, end)));
        static_cast<void>(give(state, status(task, end)));
    };
    tell(1, TaskState::failed);
    tell(2, TaskState::finished);
    tell(3, TaskState::killed);
    tell(4, TaskState::gone);
    const Counters& counters = state.counters;
    CHECK(counters.tasks_failed == 1);
    CHECK(counters.tasks_finished == 1);
    CHECK(counters.tasks_killed == 1);
    CHECK(counters.tasks_lost == 1);
}

TEST_CASE("scheduler: a refused subscription ends the process", "[scheduler]")
{
    State state = subscribed();
    const Effects effects = give(state, EventArrived{mesos::Errored{"Framework failed over"}});
    REQUIRE(all<Stop>(effects).size() == 1);
    CHECK(
        all<Stop>(effects)[0].why ==
        "the Mesos master ended the subscription: Framework failed over");
}

TEST_CASE(
    "scheduler: a name without a record is dropped, a record without a name kept", "[scheduler]")
{
    cluster::FrameworkRecord framework;
    framework.clusters = {"half-made"};
    cluster::Record record;
    record.name = "kept";
    record.uuid = uuid;
    State state;
    const Effects effects = give(state, Recovered{framework, {record}, unix_t0});
    CHECK(std::get<SaveFramework>(effects.at(0)).record.clusters == std::set<std::string>{"kept"});
    CHECK(state.clusters.size() == 1);
}

TEST_CASE("scheduler: a stream of no cluster is refused", "[scheduler]")
{
    State state = subscribed();
    StreamOpened opened;
    opened.stream = cluster::StreamId{5};
    opened.hello.cluster = "nobody";
    CHECK(
        all<RefuseStream>(give(state, opened)).at(0).stream.why ==
        cluster::RefuseStream::Why::unknown_task);
    CHECK(all<Ignored>(give(state, StreamSaid{cluster::StreamId{5}, {}})).size() == 1);
    CHECK(all<Ignored>(give(state, StreamClosed{cluster::StreamId{5}})).size() == 1);
}

TEST_CASE(
    "scheduler: without the master nothing is sent that a later one would not get", "[scheduler]")
{
    State state = subscribed();
    static_cast<void>(create(state, "demo", "1"));
    static_cast<void>(give(state, MesosDisconnected{"gone"}));
    const auto event = status("mysos-gone-1-11112222.3", TaskState::running);
    CHECK(all<SendCall>(give(state, event)).empty());
    CHECK(all<SendCall>(give(state, DeadlinePassed{}, t0 + 1h)).empty());
}

}  // namespace mysos::scheduler
