#include "scheduler/in/mesos_events.hpp"

#include "common/base/backoff.hpp"
#include "common/io/errc.hpp"
#include "common/io/log.hpp"
#include "common/wire/mesos.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <variant>

namespace mysos::scheduler {
namespace {

constexpr int silent_intervals_max = 5;

io::EventStreamConfig stream_config(const MesosEvents::Config& config)
{
    io::EventStreamConfig stream;
    stream.subscribe_target = "/api/v1/scheduler";
    stream.call_target = "/api/v1/scheduler";
    stream.stream_id_header = "Mesos-Stream-Id";
    stream.tls = config.tls;
    if (config.authentication) {
        stream.authorization =
            io::basic_authorization(config.authentication->name, config.authentication->secret);
    }
    return stream;
}

/// The peer's first line, fit for ours.
std::string first_line(const std::string& text)
{
    constexpr std::size_t size_max = 200;
    std::string line = text.substr(0, std::min(text.find('\n'), size_max));
    std::ranges::replace_if(
        line, [](char c) { return c < ' ' || c == '\x7f'; }, '?');
    return line;
}

/// What a person can do about a connection that does not come about.
std::string advice(ErrorCode why, bool is_tls)
{
    if (is_tls && why == io::Errc::peer_not_verified) {
        return "; its certificate must bear that name and come from an authority in "
               "--mesos_ca_file, or without that flag from one of the system's";
    }
    if (is_tls && why == io::Errc::tls_failed) {
        return "; if it speaks no TLS, leave out https:// and --mesos_tls";
    }
    const bool is_gibberish = why == io::Errc::connection_lost || why == asio::error::eof ||
                              why == io::Errc::response_malformed;
    if (!is_tls && is_gibberish) return "; if it speaks TLS, write https:// or give --mesos_tls";
    return {};
}

const char* name_of(const mesos::Call& call)
{
    constexpr std::array names{
        "ACCEPT",
        "DECLINE",
        "ACCEPT_INVERSE_OFFERS",
        "DECLINE_INVERSE_OFFERS",
        "REVIVE",
        "SUPPRESS",
        "KILL",
        "ACKNOWLEDGE",
        "ACKNOWLEDGE_OPERATION_STATUS",
        "RECONCILE"};
    static_assert(names.size() == std::variant_size_v<mesos::Call>);
    return names[call.index()];
}

std::uint64_t seed()
{
    return static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
}

}  // namespace

MesosEvents::MesosEvents(
    const asio::any_io_executor& executor,
    Config config,
    std::unique_ptr<io::MasterDetector> detector,
    Post post,
    MakeSubscribe make_subscribe)
    : config_{std::move(config)},
      detector_{std::move(detector)},
      post_{std::move(post)},
      make_subscribe_{std::move(make_subscribe)},
      stream_{executor, stream_config(config_)},
      tasks_{executor}
{}

io::Awaitable<ErrorCode> MesosEvents::run()
{
    io::Subscriber subscriber;
    subscriber.where = [this] { return where(); };
    subscriber.subscribed = [this](const io::Response&) { subscribed(); };
    subscriber.record = [this](std::string record) { return take(record); };
    subscriber.lost = [this](ErrorCode why, const io::Response* refusal) { lost(why, refusal); };
    Backoff backoff{{config_.retry_min, config_.retry_max}, Prng{seed()}};
    tasks_.spawn(say_waiting());
    const ErrorCode ec = co_await io::keep_subscribed(stream_, std::move(subscriber), backoff);
    tasks_.cancel();
    co_await tasks_.wait();
    co_return ec;
}

void MesosEvents::close()
{
    stream_.close();
}

io::Awaitable<Result<io::Subscriber::Attempt>> MesosEvents::where()
{
    trouble_ = trouble_.empty() ? "no master leads" : trouble_;
    Result<mesos::Master> master = co_await detector_->find();
    if (!master) co_return master.error();
    io::Subscriber::Attempt attempt;
    attempt.endpoint.host = master->ip;
    attempt.endpoint.port = master->port;
    if (config_.tls) {
        attempt.endpoint.scheme = io::Endpoint::Scheme::https;
        attempt.endpoint.certified_as = {master->hostname, master->ip};
    }
    attempt.body = wire::encode_subscribe(make_subscribe_());
    if (watched_ != *master) {
        watched_ = *master;
        tasks_.spawn(watch(std::move(*master)));
    }
    co_return attempt;
}

io::Awaitable<void> MesosEvents::watch(mesos::Master master)
{
    const ErrorCode ec = co_await detector_->until_replaced(master);
    if (ec || watched_ != master) co_return;
    watched_.reset();
    log::logger("mesos")->info("the master leads no more master={}:{}", master.ip, master.port);
    stream_.close();
}

io::Awaitable<void> MesosEvents::say_waiting()
{
    for (;;) {
        const TimePoint next = Clock::now() + config_.say_waiting_every;
        co_await io::sleep_until(next);
        const bool cancelled = co_await io::is_cancelled();
        if (cancelled) co_return;
        if (!is_subscribed_) log::logger("mesos")->warn("waiting for a master: {}", trouble_);
    }
}

void MesosEvents::subscribed()
{
    trouble_.clear();
    log::logger("mesos")->debug("stream opened master={}", stream_.endpoint().authority());
}

ErrorCode MesosEvents::take(const std::string& record)
{
    Result<mesos::Event> event = wire::decode_event(record);
    if (!event) {
        // A newer master may send what we do not know; the stream itself is sound.
        log::logger("mesos")->warn(
            "event skipped error={} bytes={}", event.error().message(), record.size());
        return {};
    }
    if (const auto* subscribed = std::get_if<mesos::Subscribed>(&*event)) {
        is_subscribed_ = true;
        if (subscribed->heartbeat_interval > Duration::zero()) {
            stream_.set_silence_max(subscribed->heartbeat_interval * silent_intervals_max);
        }
        log::logger("mesos")->info(
            "subscribed framework={} master={}", subscribed->framework_id.text, subscribed->master);
    }
    if (std::holds_alternative<mesos::Heartbeat>(*event)) return {};
    post_(EventArrived{std::move(*event)});
    return {};
}

void MesosEvents::lost(ErrorCode why, const io::Response* refusal)
{
    trouble_ = why.message();
    if (refusal != nullptr) {
        trouble_ += ": " + std::to_string(refusal->status) + " " + first_line(refusal->body);
    }
    if (!stream_.endpoint().host.empty()) trouble_ += " at " + stream_.endpoint().authority();
    if (!is_subscribed_) {
        trouble_ += advice(why, config_.tls.has_value());
        return;
    }
    is_subscribed_ = false;
    log::logger("mesos")->warn("disconnected: {}", trouble_);
    post_(MesosDisconnected{trouble_});
}

void MesosEvents::call(const mesos::Call& call, const mesos::FrameworkId& framework_id)
{
    tasks_.spawn(send(wire::encode_call(call, framework_id), name_of(call)));
}

io::Awaitable<void> MesosEvents::send(std::string body, std::string what)
{
    const Result<io::Response> answer = co_await stream_.call(std::move(body));
    if (answer && (answer->status == 202 || answer->status == 200)) co_return;
    if (!answer && answer.error() == asio::error::operation_aborted) co_return;
    const std::string why = answer ? std::to_string(answer->status) + " " + first_line(answer->body)
                                   : answer.error().message();
    log::logger("mesos")->warn("call failed call={} why={}", what, why);
}

}  // namespace mysos::scheduler
