#include "test/support/executor_world.hpp"

#include "common/wire/control.hpp"
#include "common/wire/protobuf.hpp"
#include "executor/install/data_directory.hpp"
#include "test/support/free_port.hpp"
#include "test/support/packages.hpp"

#include <filesystem>
#include <mesos/v1/executor.pb.h>
#include <sstream>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace mysos::test {
namespace {

namespace pb = ::mesos::v1;

constexpr const char* application = "app";
constexpr const char* password = "app-password";

std::vector<control::AccountSpec> accounts()
{
    using Kind = control::AccountSpec::Kind;
    std::vector<control::AccountSpec> all{
        {Kind::admin, {"admin", "admin-password"}},
        {Kind::application, {application, password}},
        {Kind::clone, {"clone", clone_secret}}};
    for (const char* user : {"repl_1", "repl_2", "repl_3", "repl_4"}) {
        all.push_back({Kind::replication, {user, "repl-password"}});
    }
    return all;
}

/// The package that `server_programs` has found, unpacked in the cache already.
std::string mysql_installer()
{
    const std::string package = packages_dir() + "/mysql.tar.gz";
    std::istringstream digest{text_of(package + ".sha256")};
    std::string sha256;
    digest >> sha256;
    return R"({"installer":"tarball","flavor":"mysql","uri":")" + package + R"(","sha256":")" +
           sha256 + "\"}";
}

pb::executor::Event event_of(pb::executor::Event::Type type)
{
    pb::executor::Event event;
    event.set_type(type);
    return event;
}

}  // namespace

// The agent.

ScriptedAgent::ScriptedAgent(Loop& loop)
    : server_{
          loop.executor(), {}, [this](io::Request request) { return handle(std::move(request)); }}
{
    if (server_.listen()) throw std::runtime_error{"listen"};
    loop.start(server_.run());
}

std::string ScriptedAgent::endpoint() const
{
    return "127.0.0.1:" + std::to_string(server_.port());
}

void ScriptedAgent::write(const std::string& event)
{
    if (is_subscribed()) stream_->write_record(event);
}

void ScriptedAgent::launch(const std::string& task_id, const std::string& data)
{
    auto event = event_of(pb::executor::Event::LAUNCH);
    auto& task = *event.mutable_launch()->mutable_task();
    task.set_name("member");
    task.mutable_task_id()->set_value(task_id);
    task.mutable_agent_id()->set_value("agent");
    task.set_data(data);
    task.mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(60'000'000'000);
    to_launch_.push_back(wire::serialize_protobuf(event));
    if (!is_subscribed()) return;
    for (const std::string& launch : std::exchange(to_launch_, {})) write(launch);
}

void ScriptedAgent::kill_task(const std::string& task_id)
{
    auto event = event_of(pb::executor::Event::KILL);
    event.mutable_kill()->mutable_task_id()->set_value(task_id);
    write(wire::serialize_protobuf(event));
}

void ScriptedAgent::shut_down()
{
    write(wire::serialize_protobuf(event_of(pb::executor::Event::SHUTDOWN)));
}

void ScriptedAgent::drop()
{
    accepting_ = false;
    if (stream_) stream_->abort();
    stream_.reset();
}

void ScriptedAgent::forget()
{
    drop();
    accepting_ = true;
    forgetful_ = true;
}

bool ScriptedAgent::was_told(const std::string& status) const
{
    return std::any_of(statuses_.begin(), statuses_.end(), [&](const std::string& told) {
        return told.find(status) != std::string::npos;
    });
}

void ScriptedAgent::take(const std::string& status_bytes)
{
    const auto status = wire::parse_protobuf<pb::TaskStatus>(status_bytes).value();
    const std::string& uuid = status.uuid();
    if (uuid.size() != 16 || (static_cast<unsigned char>(uuid[6]) >> 4U) != 4) {
        complaints_.emplace_back("uuid is not of version 4");
    }
    if (status.source() != pb::TaskStatus::SOURCE_EXECUTOR) complaints_.emplace_back("source");
    if (status.executor_id().value() != "executor") complaints_.emplace_back("executor_id");
    const bool again = std::find(seen_uuids_.begin(), seen_uuids_.end(), uuid) != seen_uuids_.end();
    if (!again) {
        seen_uuids_.push_back(uuid);
        statuses_.push_back(pb::TaskState_Name(status.state()) + ": " + status.message());
    }
    if (!acknowledging_) return;
    auto event = event_of(pb::executor::Event::ACKNOWLEDGED);
    *event.mutable_acknowledged()->mutable_task_id() = status.task_id();
    event.mutable_acknowledged()->set_uuid(uuid);
    write(wire::serialize_protobuf(event));
}

io::Awaitable<io::Reply> ScriptedAgent::handle(io::Request request)
{
    io::Reply reply;
    reply.status = 503;
    if (!accepting_) co_return reply;
    reply.status = 400;
    reply.body = "Executor cannot be found";
    if (forgetful_) co_return reply;
    reply.body = "";
    if (request.path() != "/slave(1)/api/v1/executor") co_return reply;
    const auto call = wire::parse_protobuf<pb::executor::Call>(request.body);
    if (!call || call->executor_id().value() != "executor" ||
        call->framework_id().value() != "framework") {
        complaints_.emplace_back("call");
        co_return reply;
    }
    authorization_ = request.headers.find("Authorization");
    if (call->type() == pb::executor::Call::UPDATE) {
        take(call->update().status().SerializeAsString());
        reply.status = 202;
        co_return reply;
    }
    ++subscriptions_;
    unacknowledged_tasks_ = static_cast<std::size_t>(call->subscribe().unacknowledged_tasks_size());
    unacknowledged_updates_ =
        static_cast<std::size_t>(call->subscribe().unacknowledged_updates_size());
    stream_ = io::StreamWriter::make([](ErrorCode) {});
    for (const auto& update : call->subscribe().unacknowledged_updates()) {
        take(update.status().SerializeAsString());
    }
    auto subscribed = event_of(pb::executor::Event::SUBSCRIBED);
    auto& body = *subscribed.mutable_subscribed();
    body.mutable_executor_info()->mutable_executor_id()->set_value("executor");
    body.mutable_framework_info()->set_user("root");
    body.mutable_framework_info()->set_name("mysos");
    body.mutable_agent_info()->set_hostname("localhost");
    body.mutable_agent_info()->mutable_id()->set_value("agent");
    write(wire::serialize_protobuf(subscribed));
    for (const std::string& launch : std::exchange(to_launch_, {})) write(launch);
    reply.status = 200;
    reply.headers.set("Content-Type", "application/x-protobuf");
    reply.stream = stream_;
    co_return reply;
}

// The scheduler.

ControlServer::ControlServer(Loop& loop)
    : server_{
          loop.executor(), {}, [this](io::Request request) { return handle(std::move(request)); }}
{
    if (server_.listen()) throw std::runtime_error{"listen"};
    loop.start(server_.run());
    loop.start(beat());
}

io::Awaitable<void> ControlServer::beat()
{
    const std::string heartbeat = wire::encode(control::ToMember{control::Heartbeat{}});
    for (;;) {
        co_await io::sleep_until(Clock::now() + std::chrono::seconds{1});
        const bool cancelled = co_await io::is_cancelled();
        if (cancelled) co_return;
        for (auto& [task, stream] : streams_) stream->write_record(heartbeat);
    }
}

io::Awaitable<io::Reply> ControlServer::handle(io::Request request)
{
    io::Reply reply;
    reply.status = 503;
    if (!leading_) co_return reply;
    reply.status = 200;
    authorizations_.emplace_back(request.headers.find("Authorization"));
    if (request.path() == "/executor/v1/stream") {
        const auto hello = wire::decode_hello(request.body).value();
        auto stream = io::StreamWriter::make([](ErrorCode) {});
        const control::Welcome welcome{
            "permanent-" + hello.task_id, hello.cluster, {}, {}, peer_secret};
        stream->write_record(wire::encode(control::ToMember{welcome}));
        streams_[hello.task_id] = stream;
        seen_[hello.task_id] = hello.observation;
        reply.headers.set("Content-Type", "application/x-protobuf");
        reply.headers.set("Mysos-Stream-Id", hello.task_id);
        reply.stream = std::move(stream);
        co_return reply;
    }
    const std::string task{request.headers.find("Mysos-Stream-Id")};
    reply.status = 409;
    if (!streams_.contains(task)) co_return reply;
    auto message = wire::decode_from_member(request.body).value();
    if (auto* seen = std::get_if<control::Observation>(&message)) {
        seen_[task] = std::move(*seen);
    } else {
        answers_[task].push_back(std::move(message));
    }
    reply.status = 202;
    co_return reply;
}

void ControlServer::send(const std::string& task, const control::ToMember& order)
{
    streams_.at(task)->write_record(wire::encode(order));
}

void ControlServer::drop(const std::string& task)
{
    const auto stream = streams_.extract(task);
    if (stream) stream.mapped()->abort();
}

void ControlServer::lead(bool yes)
{
    leading_ = yes;
    while (!yes && !streams_.empty()) {
        const std::string task = streams_.begin()->first;
        drop(task);
    }
}

control::Observation ControlServer::seen(const std::string& task) const
{
    const auto found = seen_.find(task);
    return found == seen_.end() ? control::Observation{} : found->second;
}

std::optional<control::FromMember> ControlServer::take(const std::string& task)
{
    auto& answers = answers_[task];
    if (answers.empty()) return std::nullopt;
    control::FromMember first = std::move(answers.front());
    answers.erase(answers.begin());
    return first;
}

// All together.

ExecutorWorld::ExecutorWorld(std::string flavor) : flavor_{std::move(flavor)}
{
    std::string pattern = (std::filesystem::temp_directory_path() / "mysos-ex-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"mkdtemp"};
    directory_ = pattern;
    constexpr mode_t passable = 0755;
    ::chmod(directory_.c_str(), passable);
    control = std::make_unique<ControlServer>(loop);

    zookeeper::Config config;
    config.url = parse_zk_url(zookeeper.url("/mysos")).value();
    leader_ = std::make_unique<zookeeper::Client>(loop.executor(), config);
    loop.await(leader_->ensure_path("/mysos/scheduler")).value();
    const std::string address =
        R"({"host":"127.0.0.1","port":)" + std::to_string(control->port()) + "}";
    loop.await(
            leader_->create("/mysos/scheduler/leader", address, zookeeper::CreateMode::ephemeral))
        .value();
}

ExecutorWorld::~ExecutorWorld()
{
    for (auto& [id, member] : members_) member.process.reset();
    loop.cancel();
    leader_->close();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

TestMember& ExecutorWorld::make(std::uint32_t server_id)
{
    TestMember& member = members_[server_id];
    const bool again = !member.task.empty();
    member.server_id = server_id;
    member.task = "t" + std::to_string(server_id) + (again ? "again" : "");
    const std::string id = std::to_string(server_id);
    const std::string agent = directory_ + "/agent" + id;
    member.sandbox = agent + "/slaves/8b23e401-b49d-41fd-8e30-7f58004a1580-S" + id +
                     "/frameworks/8b23e401-b49d-41fd-8e30-7f58004a1580-0000/executors/" +
                     member.task + "/runs/838927e3-db74-4645-b94f-" + std::to_string(++runs_);
    member.volume = agent + "/volumes/roles/mysos/mysos-demo-" + id + "-5f0c6f6a";
    std::filesystem::create_directories(member.sandbox);
    std::filesystem::permissions(member.sandbox, std::filesystem::perms{0750});
    std::filesystem::create_directories(member.volume);
    std::filesystem::create_symlink(member.volume, member.sandbox + "/data");
    wire::TaskData& data = member.data;
    data.token = "one-time";
    data.zk = zookeeper.url("/mysos");
    data.cluster = "demo";
    data.cluster_uuid = "5f0c6f6a-6a2e-4c8e-9f5d-111111111111";
    data.server_id = server_id;
    data.flavor = flavor_;
    data.installer = is_mariadb() ? R"({"installer":"host"})" : mysql_installer();
    data.port = free_port();
    data.peer_port = free_port();
    data.mem_mb = 512;
    data.disk_mb = 2047;
    data.host = "localhost";
    data.ip = "127.0.0.1";
    return member;
}

ExecutorProcess::Environment ExecutorWorld::environment(const TestMember& member) const
{
    ExecutorProcess::Environment variables{
        {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        {"MESOS_FRAMEWORK_ID", "framework"},
        {"MESOS_EXECUTOR_ID", "executor"},
        {"MESOS_AGENT_ENDPOINT", member.agent->endpoint()},
        {"LIBPROCESS_PORT", "0"},
        {"MESOS_SLAVE_ID", "agent"},
        {"MESOS_HTTP_COMMAND_EXECUTOR", "0"},
        {"MESOS_SLAVE_PID", "slave(1)@" + member.agent->endpoint()},
        {"MESOS_DIRECTORY", member.sandbox},
        {"MESOS_SANDBOX", member.sandbox},
        {"MESOS_CHECKPOINT", "1"},
        {"MESOS_RECOVERY_TIMEOUT", "15mins"},
        {"MESOS_SUBSCRIPTION_BACKOFF_MAX", "2secs"},
        {"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "1mins"},
        {"MESOS_EXECUTOR_AUTHENTICATION_TOKEN", "agent-token"},
        {"MYSOS_CACHE_DIR", is_mariadb() ? directory_ + "/cache" : executor::default_cache_dir()},
    };
    if (!member.mb_per_second.empty()) {
        variables["MYSOS_REBUILD_MB_PER_SECOND"] = member.mb_per_second;
    }
    return variables;
}

void ExecutorWorld::run(TestMember& member, const std::optional<ExecutorProcess::SmallDisk>& disk)
{
    member.agent = agents_.emplace_back(std::make_unique<ScriptedAgent>(loop)).get();
    member.process = std::make_unique<ExecutorProcess>(
        std::vector<std::string>{},
        environment(member),
        member.sandbox,
        member.sandbox + "/stderr",
        disk);
}

void ExecutorWorld::start(TestMember& member, const std::string& data)
{
    run(member, {});
    if (!data.empty()) member.agent->launch(member.task, data);
}

void ExecutorWorld::start_on(TestMember& member, const std::string& size)
{
    run(member, ExecutorProcess::SmallDisk{member.volume, size});
    member.agent->launch(member.task, wire::encode_task_data(member.data));
}

void ExecutorWorld::await_phase(const TestMember& member, control::Phase phase)
{
    loop.run_until([&] {
        if (member.process->ended()) {
            throw std::runtime_error{"the executor ended: " + text_of(member.sandbox + "/stderr")};
        }
        return control->has(member.task) && control->seen(member.task).phase == phase;
    });
}

void ExecutorWorld::promote(TestMember& member, std::uint64_t epoch, std::uint32_t acks)
{
    const std::string position = control->seen(member.task).position;
    control->send(member.task, control::Promote{Epoch{epoch}, position, acks, accounts()});
    static_cast<void>(answer<control::Promoted>(member));
}

void ExecutorWorld::open(TestMember& member, std::uint64_t epoch)
{
    control->send(member.task, control::Open{Epoch{epoch}});
    static_cast<void>(answer<control::Opened>(member));
}

void ExecutorWorld::follow(
    TestMember& member,
    const TestMember& primary,
    std::uint64_t epoch,
    bool acknowledge,
    bool caught_up)
{
    const control::Account account{"repl_" + std::to_string(member.server_id), "repl-password"};
    control->send(
        member.task,
        control::Follow{
            Epoch{epoch},
            MemberId{primary.server_id},
            primary.data.ip,
            primary.data.port,
            account,
            acknowledge,
            0,
            caught_up,
            control->seen(member.task).server_run,
            {}});
    static_cast<void>(answer<control::Followed>(member));
}

void ExecutorWorld::rebuild(
    const TestMember& member,
    const TestMember& primary,
    const TestMember& donor,
    std::uint64_t epoch,
    std::uint64_t serial) const
{
    control::Rebuild order;
    order.epoch = Epoch{epoch};
    order.primary = MemberId{primary.server_id};
    order.donor = MemberId{donor.server_id};
    order.donor_host = donor.data.ip;
    order.donor_port = donor.data.port;
    order.donor_peer_port = donor.data.peer_port;
    order.account = {"clone", clone_secret};
    order.position = control->seen(primary.task).position;
    order.serial = serial;
    control->send(member.task, order);
}

void ExecutorWorld::start_pair(TestMember& primary, TestMember& replica)
{
    start(primary);
    start(replica);
    await_phase(primary, control::Phase::fenced);
    await_phase(replica, control::Phase::fenced);
    promote(primary, 1, 0);
    open(primary, 1);
    follow(replica, primary, 1, true);
}

executor::SqlResult<executor::SqlRows> ExecutorWorld::sql(
    const TestMember& member, const std::string& statement)
{
    const executor::SqlTarget target{member.volume + "/mysql/data/my.sock", application, password};
    if (!is_mariadb()) return sql_as_administrator(member, statement);
    auto session = executor::SqlSession::connect(target, {});
    if (session.has_error()) return session.error();
    return session->run(statement);
}

executor::SqlResult<executor::SqlRows> ExecutorWorld::sql_as_administrator(
    const TestMember& member, const std::string& statement)
{
    const executor::SqlTarget target{
        member.volume + "/mysql/data/my.sock", executor::local_user().value(), ""};
    auto session = executor::SqlSession::connect(target, {});
    if (session.has_error()) return session.error();
    return session->run(statement);
}

}  // namespace mysos::test
