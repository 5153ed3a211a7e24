#include "executor/in/control_stream.hpp"

#include "common/io/errc.hpp"
#include "common/io/log.hpp"
#include "common/wire/control.hpp"
#include "common/wire/leader.hpp"

#include <random>
#include <utility>

namespace mysos::executor {
namespace {

using namespace std::chrono_literals;

constexpr Duration silence_max = 3s;
constexpr BackoffConfig reconnect{100ms, 2s};

io::EventStreamConfig stream_config()
{
    io::EventStreamConfig config;
    config.subscribe_target = "/executor/v1/stream";
    config.call_target = "/executor/v1/call";
    config.stream_id_header = "Mysos-Stream-Id";
    config.subscribe_timeout = 5s;
    config.call_timeout = silence_max;
    return config;
}

io::Endpoint plain_http(const HostPort& address)
{
    io::Endpoint endpoint;
    endpoint.host = address.host;
    endpoint.port = address.port;
    return endpoint;
}

std::uint64_t seed()
{
    std::random_device random;
    return (std::uint64_t{random()} << 32U) | random();
}

}  // namespace

ControlStream::ControlStream(
    boost::asio::any_io_executor executor, io::Tasks& tasks, HelloOf hello, Post post)
    : executor_{executor},
      stream_{executor, stream_config()},
      tasks_{tasks},
      hello_{std::move(hello)},
      post_{std::move(post)}
{}

void ControlStream::begin(const wire::TaskData& data)
{
    zookeeper::Config config;
    config.url = parse_zk_url(data.zk).value();
    config.operation_timeout = 5s;
    zookeeper_ = std::make_unique<zookeeper::Client>(executor_, std::move(config));
    stream_.set_authorization(io::bearer_authorization(data.token));
    tasks_.spawn(run());
}

void ControlStream::use_token(const std::string& token)
{
    stream_.set_authorization(io::bearer_authorization(token));
}

io::Awaitable<void> ControlStream::run()
{
    io::Subscriber subscriber;
    subscriber.where = [this] { return attempt(); };
    subscriber.subscribed = [this](const io::Response&) {
        stream_.set_silence_max(silence_max);
        open_ = true;
        log::logger("control")->info(
            "control: stream opened leader={}", stream_.endpoint().authority());
        post_(StreamOpened{});
    };
    subscriber.record = [this](const std::string& record) { return on_record(record); };
    subscriber.lost = [this](ErrorCode why, const io::Response* refusal) { lost(why, refusal); };
    const Backoff backoff{reconnect, Prng{seed()}};
    auto forever = io::keep_subscribed(stream_, std::move(subscriber), backoff);
    static_cast<void>(co_await std::move(forever));
}

io::Awaitable<Result<io::Subscriber::Attempt>> ControlStream::attempt()
{
    if (std::exchange(pause_, false)) co_await io::sleep_until(Clock::now() + reconnect.first);
    Result<io::Endpoint> leader = co_await find_leader();
    if (leader.has_error()) co_return leader.error();
    io::Subscriber::Attempt attempt{std::move(*leader), wire::encode(hello_())};
    co_return attempt;
}

io::Awaitable<Result<io::Endpoint>> ControlStream::find_leader()
{
    const std::string path = zookeeper_->url().path + "/scheduler/leader";
    // What is asked for depends on being connected; an ensemble that is away must not keep us from
    // a leader that is there.
    if (zookeeper_->connected() || !leader_) {
        const Result<zookeeper::Node> node = co_await zookeeper_->get(path);
        if (node.has_value()) {
            const Result<HostPort> address = wire::decode_leader(node->data);
            leader_.reset();
            if (address.has_value()) leader_.emplace(plain_http(*address));
            if (!leader_) log::logger("control")->error("control: {} is not an address", path);
        } else if (node.error() == zookeeper::Errc::no_node) {
            leader_.reset();
            co_return node.error();
        } else if (!leader_) {
            co_return node.error();
        }
    }
    if (!leader_) co_return io::Errc::address_malformed;
    co_return *leader_;
}

ErrorCode ControlStream::on_record(const std::string& record)
{
    const Result<control::ToMember> order = wire::decode_to_member(record);
    if (order.has_error()) {
        // A newer scheduler may order what we do not know; the stream itself is sound.
        log::logger("control")->warn("control: record skipped bytes={}", record.size());
        return {};
    }
    post_(OrderArrived{*order});
    return {};
}

void ControlStream::lost(ErrorCode why, const io::Response* refusal)
{
    queue_.clear();
    if (std::exchange(open_, false)) {
        log::logger("control")->warn("control: stream lost why={}", why.message());
        post_(StreamLost{});
    } else if (refusal != nullptr) {
        log::logger("control")->warn("control: Hello refused status={}", refusal->status);
    } else {
        log::logger("control")->debug("control: no scheduler why={}", why.message());
    }
}

void ControlStream::send(control::FromMember report)
{
    if (!open_) return;
    // Only the latest of observations in a row counts; the one being sent is out of the queue.
    const bool replaces = !queue_.empty() &&
                          std::holds_alternative<control::Observation>(queue_.back()) &&
                          std::holds_alternative<control::Observation>(report);
    if (replaces) queue_.pop_back();
    queue_.push_back(std::move(report));
    if (!std::exchange(sending_, true)) tasks_.spawn(send_queued());
}

io::Awaitable<void> ControlStream::send_queued()
{
    while (!queue_.empty()) {
        const control::FromMember report = std::move(queue_.front());
        queue_.pop_front();
        const std::string stream = stream_.stream_id();
        const Result<io::Response> answer = co_await stream_.call(wire::encode(report));
        if (answer.has_value() && answer->status == 202) continue;
        // Of an earlier stream: that one is lost already.
        if (stream != stream_.stream_id() || !open_) continue;
        log::logger("control")->warn(
            "control: report not taken why={}",
            answer.has_error() ? answer.error().message() : std::to_string(answer->status));
        queue_.clear();
        pause_ = true;
        stream_.close();
    }
    sending_ = false;
}

}  // namespace mysos::executor
