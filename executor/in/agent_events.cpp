#include "executor/in/agent_events.hpp"

#include "common/base/zk_url.hpp"
#include "common/io/errc.hpp"
#include "common/io/log.hpp"
#include "common/wire/protobuf.hpp"
#include "common/wire/task_data.hpp"
#include "executor/decide/member.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <charconv>
#include <mesos/v1/executor.pb.h>
#include <netdb.h>
#include <random>
#include <utility>

namespace mysos::executor {
namespace {

namespace pb = ::mesos::v1;

/// What the agent's certificate may say: its address, or the name that the system has for it, as
/// Mesos looks that up. Blocks, at the start.
std::vector<std::string> own_names(const std::string& address)
{
    std::vector<std::string> names{address};
    ErrorCode ec;
    const auto ip = boost::asio::ip::make_address(address, ec);
    if (ec) return names;
    const boost::asio::ip::tcp::endpoint endpoint{ip, 0};
    std::array<char, NI_MAXHOST> name{};
    const int failed = ::getnameinfo(
        endpoint.data(),
        static_cast<socklen_t>(endpoint.size()),
        name.data(),
        static_cast<socklen_t>(name.size()),
        nullptr,
        0,
        NI_NAMEREQD);
    if (failed == 0) names.emplace_back(name.data());
    return names;
}

io::Endpoint endpoint_of(const Options& options)
{
    io::Endpoint agent;
    if (options.agent_socket) {
        agent.scheme = io::Endpoint::Scheme::unix_socket;
        agent.host = *options.agent_socket;
        return agent;
    }
    agent.scheme = options.agent_tls ? io::Endpoint::Scheme::https : io::Endpoint::Scheme::http;
    agent.host = options.agent_host;
    agent.port = options.agent_port;
    if (options.agent_tls) agent.certified_as = own_names(options.agent_host);
    return agent;
}

io::Tls agent_tls(const AgentTls& wanted)
{
    if (!wanted.verifies) return io::Tls::unverified_client();
    const Result<io::Tls> tls = io::Tls::client(wanted.ca_file, wanted.ca_directory);
    if (tls.has_error()) {
        throw BadOption{
            "LIBPROCESS_SSL_CA_FILE: cannot use '" + wanted.ca_file + "' with CA_DIR '" +
            wanted.ca_directory + "'"};
    }
    return *tls;
}

io::EventStreamConfig stream_config(const Options& options)
{
    io::EventStreamConfig config;
    config.subscribe_target = options.agent_path;
    config.call_target = options.agent_path;
    if (options.agent_token) config.authorization = io::bearer_authorization(*options.agent_token);
    if (options.agent_tls) config.tls = agent_tls(*options.agent_tls);
    return config;
}

std::optional<Duration> grace_in(bool has_policy, const pb::KillPolicy& policy)
{
    if (!has_policy || !policy.has_grace_period()) return std::nullopt;
    return std::chrono::nanoseconds{policy.grace_period().nanoseconds()};
}

/// The task, or why it cannot be run.
Input input_of(const pb::TaskInfo& task)
{
    const mesos::TaskId id{task.task_id().value()};
    const auto data = wire::decode_task_data(task.data());
    if (data.has_error()) return LaunchUnreadable{id, data.error()};
    const auto zk = parse_zk_url(data->zk);
    if (zk.has_error()) return LaunchUnreadable{id, "task data: 'zk': " + zk.error().message()};
    return Launched{id, *data};
}

/// An agent answers so only when it has read back what it knew. It accounts for nothing here any
/// more: the volume may be offered again at any moment.
bool has_forgotten(const io::Response& refusal)
{
    return refusal.status == 400 && refusal.body.find("cannot be found") != std::string::npos;
}

}  // namespace

AgentEvents::AgentEvents(
    boost::asio::any_io_executor executor,
    const Options& options,
    io::Tasks& tasks,
    StateOf state,
    Post post)
    : agent_{endpoint_of(options)},
      stream_{std::move(executor), stream_config(options)},
      tasks_{tasks},
      state_{std::move(state)},
      post_{std::move(post)},
      updates_{options.framework_id, options.executor_id}
{
    // The agent that has been restarted waits for exactly the announced time: ask twice within it.
    constexpr Duration shortest = std::chrono::milliseconds{50};
    backoff_.first = shortest;
    backoff_.max = std::max(shortest, options.subscription_backoff_max / 2);
}

io::Awaitable<void> AgentEvents::run()
{
    io::Subscriber subscriber;
    subscriber.where = [this]() -> io::Awaitable<Result<io::Subscriber::Attempt>> {
        co_return attempt();
    };
    subscriber.subscribed = [](const io::Response&) {};
    subscriber.record = [this](const std::string& record) { return on_record(record); };
    subscriber.lost = [this](ErrorCode why, const io::Response* refusal) { lost(why, refusal); };
    std::random_device random;
    const Backoff backoff{backoff_, Prng{random()}};
    auto forever = io::keep_subscribed(stream_, std::move(subscriber), backoff);
    static_cast<void>(co_await std::move(forever));
}

io::Subscriber::Attempt AgentEvents::attempt()
{
    const State& state = state_();
    const auto unacknowledged = unacknowledged_updates(state);
    included_ = unacknowledged.empty() ? UpdateId{} : unacknowledged.back().id;
    return {agent_, updates_.subscribe_call(unacknowledged, task_unacknowledged(state))};
}

void AgentEvents::lost(ErrorCode why, const io::Response* refusal)
{
    if (subscribed_) {
        log::logger("agent")->warn("agent: stream lost why={}", why.message());
        post_(AgentLost{});
    } else if (refusal != nullptr) {
        log::logger("agent")->warn("agent: subscription refused status={}", refusal->status);
        if (has_forgotten(*refusal)) {
            post_(ShutdownOrdered{"its agent does not know this executor any more"});
        }
    } else if (why == io::Errc::peer_not_verified && !told_of_certificate_) {
        told_of_certificate_ = true;
        log::logger("agent")->error(
            "agent: its certificate does not hold: it must bear {} or that address's name, and "
            "come from an authority in LIBPROCESS_SSL_CA_FILE or LIBPROCESS_SSL_CA_DIR",
            agent_.host);
    } else {
        log::logger("agent")->debug("agent: not reached why={}", why.message());
    }
    subscribed_ = false;
}

ErrorCode AgentEvents::on_record(const std::string& record)
{
    const auto event = wire::parse_protobuf<pb::executor::Event>(record);
    if (event.has_error()) {
        // A newer agent may send what we do not know; the stream itself is sound.
        log::logger("agent")->warn("agent: event skipped bytes={}", record.size());
        return {};
    }
    switch (event->type()) {
        case pb::executor::Event::SUBSCRIBED:
            log::logger("agent")->info(
                "agent: subscribed agent={}", event->subscribed().agent_info().id().value());
            subscribed_ = true;
            post_(Subscribed{included_});
            break;
        case pb::executor::Event::LAUNCH: {
            const pb::TaskInfo& task = event->launch().task();
            updates_.remember_task(wire::serialize_protobuf(task));
            task_grace_ = grace_in(task.has_kill_policy(), task.kill_policy());
            post_(input_of(task));
            break;
        }
        case pb::executor::Event::LAUNCH_GROUP:
            for (const pb::TaskInfo& task : event->launch_group().task_group().tasks()) {
                post_(LaunchUnreadable{
                    {task.task_id().value()}, "this executor does not run task groups"});
            }
            break;
        case pb::executor::Event::KILL: {
            const auto& kill = event->kill();
            const auto grace = grace_in(kill.has_kill_policy(), kill.kill_policy());
            post_(KillOrdered{{kill.task_id().value()}, grace ? grace : task_grace_});
            break;
        }
        case pb::executor::Event::ACKNOWLEDGED: {
            const auto update = updates_.acknowledged(event->acknowledged().uuid());
            if (update) post_(UpdateAcknowledged{*update});
            break;
        }
        case pb::executor::Event::SHUTDOWN: post_(ShutdownOrdered{}); break;
        case pb::executor::Event::ERROR:
            log::logger("agent")->error("agent: says {}", event->error().message());
            break;
        case pb::executor::Event::MESSAGE:
        case pb::executor::Event::HEARTBEAT:
        case pb::executor::Event::UNKNOWN: break;
    }
    return {};
}

void AgentEvents::send(const StatusUpdate& update)
{
    log::logger("agent")->info("task: {} message={}", mesos::to_text(update.state), update.message);
    tasks_.spawn(send_now(update.id, updates_.update_call(update)));
}

io::Awaitable<void> AgentEvents::send_now(UpdateId update, std::string call)
{
    const Result<io::Response> answer = co_await stream_.call(std::move(call));
    if (answer.has_value() && answer->status == 202) co_return;
    log::logger("agent")->warn(
        "agent: update not taken why={}",
        answer.has_error() ? answer.error().message() : std::to_string(answer->status));
    post_(UpdateNotSent{update});
}

}  // namespace mysos::executor
