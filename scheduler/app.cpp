#include "scheduler/app.hpp"

#include "common/io/log.hpp"
#include "common/wire/leader.hpp"
#include "scheduler/advertise.hpp"
#include "scheduler/decide/scheduler.hpp"
#include "scheduler/errc.hpp"
#include "scheduler/key_file.hpp"
#include "scheduler/out/mesos_calls.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <utility>

namespace mysos::scheduler {
namespace {

using namespace std::chrono_literals;

constexpr Duration say_waiting_every = 5s;
constexpr Duration stop_max = 5s;

io::HttpServerConfig server_config(const Options& options)
{
    io::HttpServerConfig config;
    config.address = options.bind;
    config.port = options.port;
    return config;
}

zookeeper::Config zookeeper_config(const Options& options)
{
    zookeeper::Config config;
    config.url = options.zk;
    return config;
}

bool is_any(const std::string& address)
{
    return address == "0.0.0.0" || address == "::";
}

Config decide_config(const Options& options, const HostPort& address)
{
    Config config;
    config.framework.user = options.framework_user;
    config.framework.name = "mysos";
    config.framework.role = options.framework_role;
    if (options.framework_authentication) {
        config.framework.principal = options.framework_authentication->name;
    }
    config.framework.failover_timeout = options.framework_failover_timeout;
    config.framework.hostname = address.host;
    config.framework.webui_url = "http://" + print(address) + "/";
    config.cluster.role = options.framework_role;
    config.cluster.principal = config.framework.principal;
    config.cluster.executor_command = executor_command(options);
    config.cluster.source_prefix = options.executor_source_prefix;
    config.cluster.election_timeout = options.election_timeout;
    config.cluster.replace_after = options.replace_after;
    config.cluster.unreserved = options.unreserved;
    config.default_constraints = options.constraints;
    config.retire_after = options.retire_after;
    config.cluster.diagnosis = options.diagnosis;
    config.default_flavor = options.installer_args.at("flavor");
    return config;
}

std::int64_t unix_now_ms()
{
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

}  // namespace

App::App(asio::any_io_executor executor, Options options)
    : executor_{executor},
      options_{std::move(options)},
      box_{load_or_make_key(options_)},
      dispenser_{options_.admin},
      zookeeper_{executor, zookeeper_config(options_)},
      server_{
          executor,
          server_config(options_),
          [this](io::Request request) { return rest_.handle(std::move(request)); }},
      tasks_{executor},
      end_{executor, TimePoint::max()},
      streams_{
          executor,
          [this](Input input) { post(std::move(input)); },
          [this](const std::string& cluster) { return secrets_of(cluster); }},
      rest_{executor, rest_ports()}
{}

RestPorts App::rest_ports()
{
    RestPorts ports;
    ports.post = [this](Input input) { post(std::move(input)); };
    ports.state = [this]() -> const State& { return state(); };
    ports.why_not = [this] { return why_not(); };
    ports.box = &box_;
    ports.streams = &streams_;
    ports.zk_url = print(options_.zk);
    ports.diagnosis = options_.diagnosis;
    return ports;
}

io::Awaitable<ErrorCode> App::run()
{
    // Cancellation is a value here: what was begun is put in order first.
    co_await asio::this_coro::throw_if_cancelled(false);
    if (const ErrorCode ec = server_.listen()) {
        const std::string where = options_.bind + ":" + std::to_string(options_.port);
        why_ = "--port: cannot listen on " + where + ": " + ec.message();
        co_return ec;
    }
    log::logger("scheduler")->info("listens address={}:{}", options_.bind, server_.port());
    tasks_.spawn(server_.run());
    tasks_.spawn(say_waiting());
    tasks_.spawn(lead());
    (void)co_await end_.async_wait(asio::as_tuple(asio::use_awaitable));
    co_await asio::this_coro::reset_cancellation_state();
    co_await stop();
    co_return result_.value_or(ErrorCode{});
}

io::Awaitable<void> App::stop()
{
    log::logger("scheduler")->info("stops");
    is_leading_ = false;
    const TimePoint deadline = Clock::now() + stop_max;
    server_.stop(1s);
    if (mesos_) mesos_->close();
    if (publisher_) publisher_->cancel();
    tasks_.cancel();
    // g++ 12 mistranslates a co_await behind && or ||.
    bool is_done = co_await tasks_.wait(deadline);
    if (publisher_) {
        const bool is_published = co_await publisher_->wait(deadline);
        is_done = is_done && is_published;
    }
    if (!is_done) {
        log::logger("scheduler")->warn("something did not stop in time");
    }
    zookeeper_.close();
}

void App::finish(ErrorCode ec, std::string why)
{
    if (result_) return;
    result_ = ec;
    why_ = std::move(why);
    end_.cancel();
}

std::string App::reason(ErrorCode ec) const
{
    return why_.empty() ? ec.message() : why_;
}

io::Awaitable<void> App::lead()
{
    address_.port = server_.port();
    address_.host = options_.advertise_host;
    if (address_.host.empty() && !is_any(options_.bind)) address_.host = options_.bind;
    while (address_.host.empty()) {
        const Result<std::string> own = co_await address_towards(options_.zk.servers);
        if (own) {
            address_.host = *own;
            break;
        }
        trouble_ = own.error().message();
        co_await io::sleep_until(Clock::now() + 1s);
        const bool cancelled = co_await io::is_cancelled();
        if (cancelled) co_return;
    }
    log::logger("scheduler")->info("advertises address={}", print(address_));

    election_.emplace(executor_, zookeeper_, address_);
    const Result<Leadership> leadership = co_await election_->lead();
    if (!leadership) {
        const bool is_cancelled = co_await io::is_cancelled();
        if (!is_cancelled) finish(leadership.error());
        co_return;
    }
    tasks_.spawn(watch_leadership(*leadership));
    const ErrorCode ec = co_await begin(*leadership);
    const bool is_cancelled = co_await io::is_cancelled();
    if (ec && !is_cancelled) finish(ec, why_);
}

io::Awaitable<void> App::watch_leadership(Leadership leadership)
{
    const ErrorCode ec = co_await election_->until_deposed(std::move(leadership));
    const bool cancelled = co_await io::is_cancelled();
    if (cancelled) co_return;
    finish(ec, "another scheduler may lead now; start this one again to stand by");
}

io::Awaitable<ErrorCode> App::begin(Leadership leadership)
{
    if (options_.state_storage == StateStorage::zookeeper) {
        store_ = make_zookeeper_store(zookeeper_, leadership.node);
    } else {
        Result<std::unique_ptr<StateStore>> local = make_local_store(options_.work_dir + "/state");
        if (!local) co_return local.error();
        store_ = std::move(*local);
    }
    Result<Recovery> recovery = co_await recover(*store_, why_);
    if (!recovery) co_return recovery.error();
    for (const std::string& place : recovery->unknown_places) {
        log::logger("state")->warn("left alone, as no cluster has that name place={}", place);
    }
    for (const cluster::Record& record : recovery->clusters) {
        if (box_.open(record.sealed_secrets)) continue;
        why_ = store_->place(cluster_key(record.name)) +
               ": its passwords were sealed with another key; start with that one as "
               "--scheduler_keypath. Nothing was changed";
        co_return Errc::state_unreadable;
    }
    log::logger("state")->info(
        "recovered clusters={} framework={}",
        recovery->clusters.size(),
        recovery->framework.framework_id.text);
    co_return co_await serve(std::move(leadership), std::move(*recovery));
}

io::Awaitable<ErrorCode> App::serve(Leadership leadership, Recovery recovery)
{
    Result<std::unique_ptr<io::MasterDetector>> detector =
        io::make_master_detector(executor_, options_.mesos_master);
    if (!detector) co_return detector.error();
    publisher_.emplace(
        executor_, zookeeper_, leadership.node, [this](Input input) { post(std::move(input)); });
    Ports& ports = *this;  // Visible here, not inside emplace.
    loop_.emplace(executor_, decide_config(options_, address_), ports);
    MesosEvents::Config config;
    config.authentication = options_.framework_authentication;
    config.tls = options_.mesos_tls;
    mesos_.emplace(
        executor_,
        std::move(config),
        std::move(*detector),
        [this](Input input) { post(std::move(input)); },
        [this] { return subscription(loop_->state(), loop_->config()); });

    Recovered recovered;
    recovered.framework = std::move(recovery.framework);
    recovered.clusters = std::move(recovery.clusters);
    recovered.unix_now_ms = unix_now_ms();
    loop_->on_step([this](const State& state) {
        if (is_leading_ || !state.recovered) return;
        is_leading_ = true;
        tasks_.spawn(subscribe());
        tasks_.spawn(streams_.run());
    });
    loop_->post(std::move(recovered));
    const ErrorCode ec = co_await loop_->run();
    co_return ec;
}

io::Awaitable<void> App::subscribe()
{
    (void)co_await mesos_->run();
}

io::Awaitable<void> App::say_waiting()
{
    for (;;) {
        co_await io::sleep_until(Clock::now() + say_waiting_every);
        const bool cancelled = co_await io::is_cancelled();
        if (cancelled) co_return;
        if (is_leading_) continue;
        if (!zookeeper_.connected()) {
            const std::string zk = print(options_.zk);
            log::logger("zookeeper")->warn("waiting for ZooKeeper at {} {}", zk, trouble_);
            continue;
        }
        const auto leader = co_await zookeeper_.get(options_.zk.path + "/scheduler/leader");
        const Result<HostPort> address =
            leader ? wire::decode_leader(leader->data) : Result<HostPort>{leader.error()};
        leader_ = address ? print(*address) : std::string{};
    }
}

std::string App::why_not() const
{
    if (is_leading_) return {};
    if (!zookeeper_.connected()) return "this scheduler waits for ZooKeeper; try again";
    if (leader_.empty()) return "this scheduler is starting or stands by; try again";
    return "this scheduler stands by; http://" + leader_ + "/ leads";
}

}  // namespace mysos::scheduler
