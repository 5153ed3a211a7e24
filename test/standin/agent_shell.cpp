#include "test/standin/agent_shell.hpp"

#include "test/standin/network.hpp"
#include "test/standin/token.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace mysos::standin {

namespace {

constexpr std::string_view realm = "Bearer realm=\"mesos-agent-executor\"";

ContainerEvents events_for(const std::function<void(std::function<void(AgentMachine&)>)>& with)
{
    ContainerEvents events;
    events.started = [with](const std::string& container, int pid) {
        with([=](AgentMachine& machine) { machine.container_started(container, pid); });
    };
    events.failed = [with](const std::string& container, const std::string& why, int status) {
        with([=](AgentMachine& machine) { machine.container_failed(container, why, status); });
    };
    events.exited = [with](const std::string& container, int status) {
        with([=](AgentMachine& machine) { machine.container_exited(container, status); });
    };
    return events;
}

bool is_executor_endpoint(const std::string& path)
{
    constexpr std::array<std::string_view, 2> bases{
        "/slave(1)/api/v1/executor", "/api/v1/executor"};
    return std::ranges::any_of(bases, [&path](std::string_view base) {
        const bool is_below = path.starts_with(base);
        return is_below && (path.size() == base.size() || path[base.size()] == '/');
    });
}

}  // namespace

AgentShell::AgentShell(
    boost::asio::any_io_executor executor,
    World& world,
    const WireMode& mode,
    AgentConfig config,
    std::filesystem::path work_dir,
    Links links)
    : executor_{std::move(executor)},
      world_{world},
      config_{std::move(config)},
      work_dir_{std::move(work_dir)},
      work_dir_text_{work_dir_.string()},
      links_{std::move(links)},
      listener_{executor_, *this, mode},
      containers_{executor_, events_for([this](const std::function<void(AgentMachine&)>& work) {
                      with_machine([this, work] { work(*machine_); });
                  })},
      timer_{executor_}
{}

void AgentShell::start(std::uint16_t port)
{
    if (mode_ != Mode::down) return;
    {
        const InNetwork there{config_.network};
        listener_.open(config_.ip, port);
    }
    config_.info.set_port(listener_.port());
    mode_ = Mode::running;
    machine_ = std::make_unique<AgentMachine>(config_, AgentDisk{work_dir_}, world_, *this);
    machine_->start();
    containers_.destroy_all_but(machine_->containers());
    rearm();
}

void AgentShell::crash()
{
    if (mode_ == Mode::down) return;
    mode_ = Mode::down;
    timer_.cancel();
    held_.clear();
    machine_.reset();
    streams_.clear();
    listener_.close();
    links_.broken();
}

void AgentShell::fall_silent()
{
    if (mode_ != Mode::running) return;
    mode_ = Mode::silent;
    timer_.cancel();
}

void AgentShell::wake()
{
    if (mode_ != Mode::silent) return;
    mode_ = Mode::running;
    // A stopped process first finds its timers fired, then reads what has come in.
    machine_->tick();
    auto held = std::move(held_);
    held_.clear();
    for (auto& work : held) with_machine(std::move(work));
    rearm();
}

void AgentShell::reboot()
{
    crash();
    containers_.destroy_all();
    config_.boot_id = uuid_text(world_.uuid());
    start();
}

void AgentShell::end()
{
    if (mode_ != Mode::down) {
        mode_ = Mode::down;
        timer_.cancel();
        listener_.close();
    }
    containers_.destroy_all();
}

void AgentShell::with_machine(std::function<void()> work)
{
    if (mode_ == Mode::silent) {
        held_.push_back(std::move(work));
        return;
    }
    if (mode_ == Mode::down || !machine_) return;
    work();
    rearm();
}

void AgentShell::rearm()
{
    if (mode_ != Mode::running || !machine_) return;
    timer_.expires_at(machine_->next_deadline());
    timer_.async_wait([this](boost::system::error_code ec) {
        if (!ec) with_machine([this] { machine_->tick(); });
    });
}

void AgentShell::deliver(ToAgent message)
{
    with_machine([this, message = std::move(message)] { machine_->receive(message); });
}

void AgentShell::master_detected()
{
    with_machine([this] { machine_->master_detected(); });
}

void AgentShell::send(ToMaster message)
{
    links_.to_master(std::move(message));
}

void AgentShell::send(StreamKey stream, const v1::executor::Event& event)
{
    const auto found = streams_.find(stream);
    if (found != streams_.end())
        found->second.connection->send_record(encode(found->second.encoding, event));
}

void AgentShell::end(StreamKey stream)
{
    const auto found = streams_.find(stream);
    if (found == streams_.end()) return;
    const auto connection = found->second.connection;
    streams_.erase(found);
    connection->end_stream();
}

void AgentShell::launch(ContainerSpec spec)
{
    containers_.launch(std::move(spec));
}

void AgentShell::destroy(const std::string& container)
{
    containers_.destroy(container);
}

void AgentShell::adopt(const std::string& container, int pid)
{
    containers_.adopt(container, pid);
}

void AgentShell::stop(const std::string& why)
{
    std::fprintf(stderr, "mesos-standin: agent %s ends: %s\n", id().c_str(), why.c_str());
    boost::asio::post(executor_, [this] { crash(); });
}

void AgentShell::on_request(std::shared_ptr<HttpConnection> connection, HttpRequest request)
{
    const auto shared = std::make_shared<HttpRequest>(std::move(request));
    with_machine([this, connection, shared] { answer(connection, *shared); });
}

void AgentShell::on_stream_closed(StreamKey stream)
{
    if (streams_.erase(stream) > 0)
        with_machine([this, stream] { machine_->stream_closed(stream); });
}

void AgentShell::answer(
    const std::shared_ptr<HttpConnection>& connection, const HttpRequest& request)
{
    if (!is_executor_endpoint(path_of(request))) {
        connection->respond(request, text_response(404, "Not found"));
        return;
    }
    const HttpResponse response = call(connection, request);
    if (response.code != 0) connection->respond(request, response);
}

/// Code 0: a stream was begun instead.
HttpResponse AgentShell::call(
    const std::shared_ptr<HttpConnection>& connection, const HttpRequest& request)
{
    std::optional<ExecutorClaims> claims;
    if (!config_.jwt_key.empty()) {
        const std::string value = header(request, "Authorization").value_or("");
        const std::string challenge{realm};
        if (!value.starts_with("Bearer "))
            return text_response(401, "401 Unauthorized.", {{"WWW-Authenticate", challenge}});
        claims = verify_token(std::string_view{value}.substr(7), config_.jwt_key);
        if (!claims)
            return text_response(
                401,
                "401 Unauthorized.",
                {{"WWW-Authenticate",
                  challenge + R"(, error="invalid_token", error_description="Invalid JWT")"}});
    }
    if (machine_->recovers_containers())
        return text_response(503, "Agent has not finished recovery");
    v1::executor::Call call;
    if (auto refusal = read_call(request, call)) return *refusal;
    if (const Fault fault = check_call(call))
        return text_response(400, "Failed to validate Executor::Call: " + *fault);
    const auto encoding = accepted(request);
    const bool subscribes = call.type() == v1::executor::Call::SUBSCRIBE;
    if (subscribes && !encoding)
        return text_response(
            406, "Expecting 'Accept' to allow application/json or application/x-protobuf");
    if (const auto refusal = machine_->refuse(call, claims))
        return text_response(refusal->code, refusal->text);
    if (!subscribes) {
        machine_->handle(call);
        return {202, "", {}};
    }
    const StreamKey stream = links_.new_stream();
    streams_[stream] = Stream{connection, *encoding};
    connection->begin_stream(request, stream, {{"Content-Type", content_type(*encoding)}});
    machine_->subscribe(call, stream);
    return {0, "", {}};
}

}  // namespace mysos::standin
