#include "test/standin/rig.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>

namespace mysos::standin {

namespace {

constexpr AgentSlot slot{0};

std::string stream_text(StreamKey stream)
{
    return "stream-" + std::to_string(static_cast<std::uint64_t>(stream));
}

}  // namespace

std::string TestWorld::uuid()
{
    std::string bytes(16, '\0');
    ++count_;
    for (int i = 0; i < 4; ++i)
        bytes[static_cast<std::size_t>(i)] = static_cast<char>(count_ >> (8 * i));
    bytes[6] = 0x40;
    return bytes;
}

Rig::Rig(const std::string& resources, const std::string& region)
{
    std::string path = (std::filesystem::temp_directory_path() / "standin-XXXXXX").string();
    REQUIRE(mkdtemp(path.data()) != nullptr);
    work_dir_ = path;
    std::string why;
    agent_config_.total = Resources{parse_resources(resources, why)};
    REQUIRE(why.empty());
    agent_config_.info.set_hostname("here");
    agent_config_.info.set_port(5051);
    if (!region.empty()) {
        auto& domain = *agent_config_.info.mutable_domain()->mutable_fault_domain();
        domain.mutable_region()->set_name(region);
        domain.mutable_zone()->set_name(region + "-1");
    }
    agent_config_.boot_id = "boot";
    agent_config_.switch_user = false;
    master_config.id = "M";
    master = std::make_unique<Master>(master_config, registry, world, *this);
    agent_starts();
}

Rig::~Rig()
{
    std::filesystem::remove_all(work_dir_);
}

void Rig::settle()
{
    while (!mail_.empty()) {
        const auto work = std::move(mail_.front());
        mail_.pop_front();
        work();
    }
}

void Rig::pass(Duration time)
{
    constexpr Duration step = std::chrono::milliseconds{250};
    settle();
    for (Duration gone{}; gone < time; gone += step) {
        world.pass(step);
        if (agent && !agent_is_silent) agent->tick();
        settle();
        master->tick();
        settle();
    }
}

FrameworkId Rig::subscribe(v1::FrameworkInfo info, StreamKey stream)
{
    v1::scheduler::Call call;
    call.set_type(v1::scheduler::Call::SUBSCRIBE);
    if (info.has_id()) *call.mutable_framework_id() = info.id();
    *call.mutable_subscribe()->mutable_framework_info() = std::move(info);
    REQUIRE_FALSE(check_call(call, {}));
    master->subscribe(call, {}, stream, stream_text(stream));
    settle();
    if (!events.empty() && events.back().second.type() == Event::ERROR) return {};
    framework = next(Event::SUBSCRIBED).subscribed().framework_id().value();
    return framework;
}

Answer Rig::call(v1::scheduler::Call call, StreamKey stream)
{
    if (!call.has_framework_id()) call.mutable_framework_id()->set_value(framework);
    if (const Fault fault = check_call(call, {})) return {400, *fault};
    CallContext context;
    context.stream_id = stream_text(stream);
    const Answer answer = master->handle(std::move(call), context);
    settle();
    return answer;
}

Rig::Event Rig::next(Event::Type type)
{
    while (!events.empty()) {
        const Event event = events.front().second;
        events.pop_front();
        if (event.type() == type) return event;
    }
    FAIL("no " << Event::Type_Name(type) << " came");
    return {};
}

std::vector<std::string> Rig::rest()
{
    std::vector<std::string> types;
    for (const auto& [stream, event] : events)
        if (event.type() != Event::HEARTBEAT && event.type() != Event::OFFERS)
            types.push_back(Event::Type_Name(event.type()));
    events.clear();
    return types;
}

v1::Offer Rig::next_offer()
{
    pass(std::chrono::milliseconds{1250});
    return next(Event::OFFERS).offers().offers(0);
}

Answer Rig::accept(const v1::Offer& offer, const std::vector<v1::Offer::Operation>& operations)
{
    v1::scheduler::Call one;
    one.set_type(v1::scheduler::Call::ACCEPT);
    *one.mutable_accept()->add_offer_ids() = offer.id();
    one.mutable_accept()->mutable_filters()->set_refuse_seconds(0);
    for (const auto& operation : operations) *one.mutable_accept()->add_operations() = operation;
    return call(one);
}

v1::TaskInfo Rig::task(
    const v1::Offer& offer, const std::string& id, const std::vector<v1::Resource>& resources) const
{
    v1::TaskInfo info;
    info.set_name(id);
    info.mutable_task_id()->set_value(id);
    *info.mutable_agent_id() = offer.agent_id();
    for (const auto& resource : resources) *info.add_resources() = resource;
    info.mutable_executor()->mutable_executor_id()->set_value("e-" + id);
    info.mutable_executor()->mutable_command()->set_value("run");
    return info;
}

v1::Offer::Operation Rig::launch(const std::vector<v1::TaskInfo>& tasks)
{
    v1::Offer::Operation operation;
    operation.set_type(v1::Offer::Operation::LAUNCH);
    for (const auto& task : tasks) *operation.mutable_launch()->add_task_infos() = task;
    return operation;
}

void Rig::executor_subscribes(
    const std::string& executor, const std::vector<std::string>& unacknowledged)
{
    v1::executor::Call call;
    call.set_type(v1::executor::Call::SUBSCRIBE);
    call.mutable_executor_id()->set_value(executor);
    call.mutable_framework_id()->set_value(framework);
    call.mutable_subscribe();
    for (const auto& id : unacknowledged) {
        auto& task = *call.mutable_subscribe()->add_unacknowledged_tasks();
        task.set_name(id);
        task.mutable_task_id()->set_value(id);
        task.mutable_agent_id()->set_value("");
    }
    const auto refusal = agent->refuse(call, {});
    REQUIRE_FALSE(refusal);
    agent->subscribe(call, StreamKey{next_stream_++});
    settle();
}

std::string Rig::update(const std::string& task, v1::TaskState state)
{
    v1::executor::Call call;
    call.set_type(v1::executor::Call::UPDATE);
    call.mutable_executor_id()->set_value("e-" + task);
    call.mutable_framework_id()->set_value(framework);
    auto& status = *call.mutable_update()->mutable_status();
    status.mutable_task_id()->set_value(task);
    status.set_state(state);
    status.set_source(v1::TaskStatus::SOURCE_EXECUTOR);
    status.set_uuid(world.uuid());
    REQUIRE_FALSE(check_call(call));
    const auto refusal = agent->refuse(call, {});
    REQUIRE_FALSE(refusal);
    agent->handle(call);
    settle();
    return status.uuid();
}

void Rig::acknowledge(const v1::TaskStatus& status)
{
    v1::scheduler::Call one;
    one.set_type(v1::scheduler::Call::ACKNOWLEDGE);
    *one.mutable_acknowledge()->mutable_agent_id() = status.agent_id();
    *one.mutable_acknowledge()->mutable_task_id() = status.task_id();
    one.mutable_acknowledge()->set_uuid(status.uuid());
    REQUIRE(call(one).code == 202);
}

Rig::ExecutorEvent Rig::next_executor_event()
{
    REQUIRE_FALSE(executor_events.empty());
    ExecutorEvent event = executor_events.front();
    executor_events.pop_front();
    return event;
}

void Rig::agent_crashes()
{
    agent.reset();
    master->agent_disconnected(slot);
    settle();
}

void Rig::agent_starts()
{
    agent = std::make_unique<AgentMachine>(agent_config_, AgentDisk{work_dir_}, world, *this);
    agent->start();
    settle();
}

void Rig::master_restarts()
{
    mail_.clear();
    master_config.id += "+";
    master = std::make_unique<Master>(master_config, registry, world, *this);
}

void Rig::send(StreamKey stream, const Event& event)
{
    events.emplace_back(stream, event);
}

void Rig::end(StreamKey stream)
{
    ended.push_back(stream);
}

void Rig::send(AgentSlot /*agent*/, ToAgent message)
{
    mail_.emplace_back([this, message] {
        if (agent && !agent_is_silent) agent->receive(message);
    });
}

void Rig::send(ToMaster message)
{
    mail_.emplace_back([this, message] { master->receive(slot, message); });
}

void Rig::send(StreamKey /*stream*/, const ExecutorEvent& event)
{
    executor_events.push_back(event);
}

void Rig::destroy(const std::string& container)
{
    alive.erase(container);
    mail_.emplace_back([this, container] {
        if (agent) agent->container_exited(container, 9);
    });
}

void Rig::adopt(const std::string& container, int /*pid*/)
{
    if (alive.contains(container)) return;
    mail_.emplace_back([this, container] {
        if (agent) agent->container_exited(container, -1);
    });
}

}  // namespace mysos::standin
