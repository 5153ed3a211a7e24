#include "test/standin/rig.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace mysos::standin;
using namespace mysos::standin::given;
using namespace std::chrono_literals;

namespace {

using Operation = v1::Offer::Operation;
using Event = v1::scheduler::Event;
using Call = v1::scheduler::Call;
using Status = v1::TaskStatus;

v1::Resource mine(v1::Resource resource)
{
    return allocated(reserved(std::move(resource), "web", "p"), "web");
}

v1::Resource my_volume(double size, const std::string& id)
{
    v1::Resource resource = volume(mine(scalar("disk", size)), id);
    resource.mutable_disk()->mutable_persistence()->set_principal("p");
    return resource;
}

Operation reserve(const std::vector<v1::Resource>& resources, const std::string& id = "")
{
    Operation operation;
    operation.set_type(Operation::RESERVE);
    if (!id.empty()) operation.mutable_id()->set_value(id);
    *operation.mutable_reserve()->mutable_resources() = list(resources);
    return operation;
}

Operation create(const std::vector<v1::Resource>& volumes, const std::string& id = "")
{
    Operation operation;
    operation.set_type(Operation::CREATE);
    if (!id.empty()) operation.mutable_id()->set_value(id);
    *operation.mutable_create()->mutable_volumes() = list(volumes);
    return operation;
}

Resources of(const v1::Offer& offer)
{
    return Resources{offer.resources()};
}

/// A task of 1 cpu and 64 MB is launched; its executor's process has started.
std::string launch_one(Rig& rig, const std::string& id)
{
    const v1::Offer offer = rig.next_offer();
    REQUIRE(
        rig.accept(
               offer, {Rig::launch({rig.task(offer, id, {scalar("cpus", 1), scalar("mem", 64)})})})
            .code == 202);
    REQUIRE_FALSE(rig.launched.empty());
    const std::string container = rig.launched.back().container;
    rig.alive.insert(container);
    rig.agent->container_started(container, 4711);
    return container;
}

/// The same, and it runs, acknowledged.
std::string run_one(Rig& rig, const std::string& id)
{
    const std::string container = launch_one(rig, id);
    rig.executor_subscribes("e-" + id);
    rig.update(id, v1::TASK_RUNNING);
    rig.acknowledge(rig.next(Event::UPDATE).update().status());
    rig.executor_events.clear();
    return container;
}

}  // namespace

TEST_CASE(
    "standin: reserve, create and launch in one accept, and the volume comes back", "[standin]")
{
    Rig rig;
    rig.subscribe(framework());
    const v1::Offer offer = rig.next_offer();
    CHECK(
        to_text(of(offer)) ==
        "cpus(allocated: web):4; mem(allocated: web):4096; "
        "disk(allocated: web):1000; ports(allocated: web):[31000-31099]");
    const auto disk = my_volume(64, "v1");
    v1::TaskInfo task =
        rig.task(offer, "t", {mine(scalar("cpus", 0.9)), mine(scalar("mem", 400)), disk});
    *task.mutable_executor()->add_resources() = mine(scalar("cpus", 0.1));
    rig.accept(
        offer,
        {reserve(
             {mine(scalar("cpus", 1)), mine(scalar("mem", 512)), mine(scalar("disk", 100))}, "r"),
         create({disk}),
         Rig::launch({task})});

    const auto operation =
        rig.next(Event::UPDATE_OPERATION_STATUS).update_operation_status().status();
    CHECK(operation.operation_id().value() == "r");
    CHECK(operation.state() == v1::OPERATION_FINISHED);
    CHECK(operation.has_uuid());
    REQUIRE(rig.launched.size() == 1);
    const auto sandbox = rig.launched[0].sandbox;
    CHECK(std::filesystem::is_symlink(sandbox / "data"));
    CHECK(sandbox.parent_path().filename() == "runs");

    rig.agent->container_started(rig.launched[0].container, 4711);
    rig.executor_subscribes("e-t");
    CHECK(rig.next_executor_event().type() == v1::executor::Event::SUBSCRIBED);
    CHECK(rig.next_executor_event().launch().task().task_id().value() == "t");

    const std::string uuid = rig.update("t", v1::TASK_FINISHED);
    const Status status = rig.next(Event::UPDATE).update().status();
    CHECK(status.uuid() == uuid);
    CHECK(status.source() == Status::SOURCE_EXECUTOR);
    CHECK(status.container_status().executor_pid() == 4711);
    CHECK(status.container_status().network_infos(0).ip_addresses(0).ip_address() == "127.0.0.1");
    CHECK(rig.next_executor_event().acknowledged().uuid() == uuid);
    CHECK_FALSE(std::filesystem::exists(std::filesystem::symlink_status(sandbox / "data")));

    // Before it is acknowledged; without the executor's share, as long as that one lives.
    v1::Offer back = rig.next_offer();
    CHECK(of(back).contains(disk));
    CHECK_FALSE(of(back).contains(mine(scalar("cpus", 1))));
    CHECK(back.executor_ids_size() == 1);
    rig.acknowledge(status);
    rig.agent->container_exited(rig.launched[0].container, 0);
    rig.settle();
    CHECK(rig.next(Event::FAILURE).failure().status() == 0);
    back = rig.next_offer();
    CHECK(of(back).contains(mine(scalar("cpus", 0.1))));
}

TEST_CASE(
    "standin: a launch that does not fit is a TASK_ERROR with the master's words", "[standin]")
{
    Rig rig{"cpus:4;mem:4096"};
    rig.subscribe(framework());
    const v1::Offer offer = rig.next_offer();
    rig.accept(offer, {Rig::launch({rig.task(offer, "big", {scalar("cpus", 400)})})});
    const Status status = rig.next(Event::UPDATE).update().status();
    CHECK(status.state() == v1::TASK_ERROR);
    CHECK(status.reason() == Status::REASON_TASK_INVALID);
    CHECK(status.source() == Status::SOURCE_MASTER);
    CHECK_FALSE(status.has_uuid());
    CHECK(
        status.message() ==
        "Total resources cpus(allocated: web):400 required by task and its executor is more "
        "than available cpus(allocated: web):4; mem(allocated: web):4096");
    CHECK(rig.launched.empty());
}

TEST_CASE("standin: a launch on an offer that is gone is dropped", "[standin]")
{
    Rig rig;
    rig.subscribe(framework());
    const v1::Offer offer = rig.next_offer();
    const auto operation = Rig::launch({rig.task(offer, "t", {scalar("cpus", 1)})});
    v1::Offer other = offer;
    other.mutable_id()->set_value("nope");
    rig.accept(other, {operation});
    const Status status = rig.next(Event::UPDATE).update().status();
    CHECK(status.state() == v1::TASK_DROPPED);
    CHECK(status.reason() == Status::REASON_INVALID_OFFERS);
    CHECK(status.message() == "Task launched with invalid offers: Offer nope is no longer valid");
}

TEST_CASE("standin: operations that break a rule are refused and undo nothing", "[standin]")
{
    Rig rig;
    rig.subscribe(framework());
    struct Case {
        std::string name;
        Operation operation;
    };
    auto stranger = allocated(reserved(scalar("cpus", 1), "web", "q"), "web");
    auto other_role = allocated(reserved(scalar("cpus", 1), "db", "p"), "web");
    auto read_only = my_volume(10, "v");
    read_only.mutable_disk()->mutable_volume()->set_mode(v1::Volume::RO);
    auto with_host = my_volume(10, "v");
    with_host.mutable_disk()->mutable_volume()->set_host_path("/x");
    const std::vector<Case> cases{
        {"another principal", reserve({stranger}, "op")},
        {"no principal", reserve({allocated(reserved(scalar("cpus", 1), "web"), "web")}, "op")},
        {"another role", reserve({other_role}, "op")},
        {"not reserved at all", reserve({allocated(scalar("cpus", 1), "web")}, "op")},
        {"nothing", reserve({}, "op")},
        {"more than there is", reserve({mine(scalar("cpus", 5))}, "op")},
        {"create before reserve", create({my_volume(10, "v")}, "op")},
        {"a volume of nobody", create({volume(mine(scalar("disk", 10)), "v")}, "op")},
        {"a read-only volume", create({read_only}, "op")},
        {"a host path", create({with_host}, "op")},
    };
    for (const Case& c : cases) {
        INFO(c.name);
        const v1::Offer offer = rig.next_offer();
        rig.accept(offer, {c.operation});
        const auto status =
            rig.next(Event::UPDATE_OPERATION_STATUS).update_operation_status().status();
        CHECK(status.state() == v1::OPERATION_ERROR);
        CHECK_FALSE(status.has_uuid());
    }
    // A reservation stays when the launch behind it fails.
    const v1::Offer offer = rig.next_offer();
    rig.accept(
        offer,
        {reserve({mine(scalar("cpus", 1))}),
         Rig::launch({rig.task(offer, "t", {scalar("cpus", 9)})})});
    CHECK(rig.next(Event::UPDATE).update().status().state() == v1::TASK_ERROR);
    CHECK(of(rig.next_offer()).contains(mine(scalar("cpus", 1))));
}

TEST_CASE("standin: an unacknowledged update comes again after 10, 20, 40 seconds", "[standin]")
{
    Rig rig;
    rig.subscribe(framework());
    launch_one(rig, "t");
    rig.executor_subscribes("e-t");
    const std::string uuid = rig.update("t", v1::TASK_RUNNING);
    rig.update("t", v1::TASK_FINISHED);
    CHECK(rig.next(Event::UPDATE).update().status().uuid() == uuid);
    for (const auto wait : {10s, 20s, 40s}) {
        rig.rest();
        rig.pass(wait - 1s);
        CHECK(rig.rest().empty());
        rig.pass(1s);
        const Status again = rig.next(Event::UPDATE).update().status();
        CHECK(again.uuid() == uuid);
        CHECK(again.state() == v1::TASK_RUNNING);
    }
    Status wrong = Status{};
    wrong.mutable_task_id()->set_value("t");
    wrong.mutable_agent_id()->set_value(rig.agent->id());
    wrong.set_uuid(rig.world.uuid());
    rig.acknowledge(wrong);
    CHECK(rig.rest().empty());
    wrong.set_uuid(uuid);
    rig.acknowledge(wrong);
    CHECK(rig.next(Event::UPDATE).update().status().state() == v1::TASK_FINISHED);
}

TEST_CASE("standin: an agent restart under a living executor costs only the offers", "[standin]")
{
    Rig rig;
    rig.subscribe(framework());
    run_one(rig, "t");
    rig.pass(2s);
    rig.next(Event::OFFERS);
    const AgentId id = rig.agent->id();
    rig.agent_crashes();
    CHECK(rig.rest() == std::vector<std::string>{"RESCIND"});
    rig.agent_starts();
    rig.pass(1s);
    rig.executor_subscribes("e-t");
    rig.pass(3s);
    CHECK(rig.agent->id() == id);
    CHECK(rig.next(Event::OFFERS).offers().offers(0).agent_id().value() == id);
    CHECK(rig.rest().empty());
}

TEST_CASE("standin: an executor that misses the restarted agent's window is killed", "[standin]")
{
    Rig rig;
    rig.subscribe(framework());
    const std::string container = run_one(rig, "t");
    rig.agent_crashes();
    rig.agent_starts();
    rig.pass(4s);
    const Status status = rig.next(Event::UPDATE).update().status();
    CHECK(status.state() == v1::TASK_GONE);
    CHECK(status.reason() == Status::REASON_EXECUTOR_REREGISTRATION_TIMEOUT);
    CHECK(status.has_uuid());
    CHECK_FALSE(rig.alive.contains(container));
}

TEST_CASE(
    "standin: a silent agent becomes unreachable after 75 to 90 seconds, and returns", "[standin]")
{
    Rig rig;
    rig.subscribe(framework());
    run_one(rig, "t");
    rig.agent_is_silent = true;
    rig.rest();
    rig.pass(74s);
    CHECK(rig.rest().empty());
    rig.pass(17s);
    const Status lost = rig.next(Event::UPDATE).update().status();
    CHECK(lost.state() == v1::TASK_UNREACHABLE);
    CHECK(lost.reason() == Status::REASON_AGENT_REMOVED);
    CHECK(lost.has_unreachable_time());
    const auto after = rig.rest();
    CHECK(after.back() == "FAILURE");
    rig.agent_is_silent = false;
    rig.agent->tick();
    rig.settle();
    const Status back = rig.next(Event::UPDATE).update().status();
    CHECK(back.state() == v1::TASK_RUNNING);
    CHECK(back.reason() == Status::REASON_AGENT_REREGISTERED);
    CHECK_FALSE(back.has_uuid());
}

TEST_CASE("standin: a restarted master does not answer for agents that are not back", "[standin]")
{
    Rig rig;
    v1::FrameworkInfo info = framework();
    info.mutable_id()->set_value(rig.subscribe(info));
    run_one(rig, "t");
    const AgentId id = rig.agent->id();
    rig.master_restarts();
    Call reconcile;
    reconcile.set_type(Call::RECONCILE);
    auto& one = *reconcile.mutable_reconcile()->add_tasks();
    one.mutable_task_id()->set_value("t");
    one.mutable_agent_id()->set_value(id);
    CHECK(rig.call(reconcile).code == 400);
    CHECK(rig.subscribe(info, StreamKey{2}) == info.id().value());
    rig.call(reconcile, StreamKey{2});
    CHECK(rig.rest().empty());
    rig.agent->master_detected();
    rig.settle();
    CHECK(rig.rest().empty());
    rig.call(reconcile, StreamKey{2});
    const Status status = rig.next(Event::UPDATE).update().status();
    CHECK(status.state() == v1::TASK_RUNNING);
    CHECK(status.reason() == Status::REASON_RECONCILIATION);
}

TEST_CASE(
    "standin: the newest subscription wins and the old stream's calls are refused", "[standin]")
{
    Rig rig;
    v1::FrameworkInfo info = framework();
    info.mutable_id()->set_value(rig.subscribe(info));
    const v1::Offer offer = rig.next_offer();
    rig.rest();
    rig.subscribe(info, StreamKey{2});
    CHECK(rig.ended == std::vector<StreamKey>{StreamKey{1}});
    Call revive;
    revive.set_type(Call::REVIVE);
    CHECK(rig.call(revive).code == 400);
    CHECK(rig.call(revive, StreamKey{2}).code == 202);
    rig.master->stream_closed(StreamKey{2});
    CHECK(rig.call(revive, StreamKey{2}).code == 403);
    rig.pass(61s);
    CHECK(rig.call(revive, StreamKey{2}).text == "Framework cannot be found");
    CHECK(rig.subscribe(info, StreamKey{3}).empty());
    CHECK(rig.events.back().second.error().message() == "Framework has been removed");
}

TEST_CASE("standin: a task killed before its delivery never reaches the executor", "[standin]")
{
    Rig rig;
    rig.subscribe(framework());
    launch_one(rig, "t");
    Call kill;
    kill.set_type(Call::KILL);
    kill.mutable_kill()->mutable_task_id()->set_value("t");
    rig.call(kill);
    const Status status = rig.next(Event::UPDATE).update().status();
    CHECK(status.state() == v1::TASK_KILLED);
    CHECK(status.reason() == Status::REASON_TASK_KILLED_DURING_LAUNCH);
    CHECK(status.has_uuid());
    rig.executor_subscribes("e-t");
    CHECK(rig.next_executor_event().type() == v1::executor::Event::SHUTDOWN);
    CHECK(rig.executor_events.empty());
}

TEST_CASE(
    "standin: an executor's exit fails its tasks and is told with its wait status", "[standin]")
{
    Rig rig;
    rig.subscribe(framework());
    const std::string container = run_one(rig, "t");
    rig.rest();
    rig.agent->container_exited(container, 256);
    rig.settle();
    const auto failure = rig.next(Event::FAILURE).failure();
    CHECK(failure.status() == 256);
    CHECK(failure.executor_id().value() == "e-t");
    const Status status = rig.next(Event::UPDATE).update().status();
    CHECK(status.state() == v1::TASK_FAILED);
    CHECK(status.source() == Status::SOURCE_AGENT);
    CHECK(status.reason() == Status::REASON_EXECUTOR_TERMINATED);
    CHECK(status.message() == "Executor terminated");
}

TEST_CASE("standin: a filter hides the same offer until it expires or is lifted", "[standin]")
{
    Rig rig;
    rig.subscribe(framework());
    Call decline;
    decline.set_type(Call::DECLINE);
    *decline.mutable_decline()->add_offer_ids() = rig.next_offer().id();
    rig.call(decline);
    rig.rest();
    rig.pass(4s);
    CHECK(rig.events.empty());
    rig.pass(2s);
    *decline.mutable_decline()->mutable_offer_ids(0) =
        rig.next(Event::OFFERS).offers().offers(0).id();
    decline.mutable_decline()->mutable_filters()->set_refuse_seconds(1e12);
    rig.call(decline);
    rig.rest();
    rig.pass(60s);
    CHECK(std::ranges::none_of(
        rig.events, [](const auto& e) { return e.second.type() == Event::OFFERS; }));
    Call revive;
    revive.set_type(Call::REVIVE);
    revive.mutable_revive()->add_roles("stranger");
    rig.call(revive);
    rig.pass(2s);
    CHECK(std::ranges::none_of(
        rig.events, [](const auto& e) { return e.second.type() == Event::OFFERS; }));
    revive.mutable_revive()->clear_roles();
    rig.call(revive);
    rig.master->tick();
    CHECK(rig.next(Event::OFFERS).offers().offers_size() == 1);
}

TEST_CASE("standin: an agent of another region is offered to who knows regions", "[standin]")
{
    Rig rig{"cpus:4;mem:4096", "us"};
    auto& domain = *rig.master_config.domain.emplace().mutable_fault_domain();
    domain.mutable_region()->set_name("eu");
    domain.mutable_zone()->set_name("eu-1");
    rig.master = std::make_unique<Master>(rig.master_config, rig.registry, rig.world, rig);
    rig.agent_crashes();
    rig.agent_starts();
    v1::FrameworkInfo info = framework();
    SECTION("not to others")
    {
        rig.subscribe(info);
        rig.pass(10s);
        CHECK(std::ranges::none_of(
            rig.events, [](const auto& e) { return e.second.type() == Event::OFFERS; }));
    }
    SECTION("with its domain")
    {
        info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::REGION_AWARE);
        rig.subscribe(info);
        const v1::Offer offer = rig.next_offer();
        CHECK(offer.domain().fault_domain().region().name() == "us");
        CHECK(offer.domain().fault_domain().zone().name() == "us-1");
    }
}
