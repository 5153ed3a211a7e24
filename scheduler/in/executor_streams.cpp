#include "scheduler/in/executor_streams.hpp"

#include "common/io/log.hpp"
#include "common/wire/control.hpp"
#include "scheduler/in/rest_reply.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace mysos::scheduler {
namespace {

using namespace std::chrono_literals;

constexpr Duration heartbeat_interval = 1s;
constexpr Duration silence_max = 3s;
constexpr Duration decision_max = 10s;
constexpr const char* stream_id_header = "Mysos-Stream-Id";

std::string_view bearer(const io::Request& request)
{
    constexpr std::string_view scheme = "Bearer ";
    const std::string_view value = request.headers.find("Authorization");
    return value.starts_with(scheme) ? value.substr(scheme.size()) : std::string_view{};
}

io::Reply unauthorized()
{
    io::Reply reply = problem(401, "the token is not this task's");
    reply.headers.set("WWW-Authenticate", "Bearer");
    return reply;
}

}  // namespace

ExecutorStreams::ExecutorStreams(asio::any_io_executor executor, Post post, SecretsOf secrets_of)
    : executor_{executor},
      post_{std::move(post)},
      secrets_of_{std::move(secrets_of)},
      undecided_{executor},
      self_{std::make_shared<ExecutorStreams*>(this)}
{}

ExecutorStreams::~ExecutorStreams()
{
    *self_ = nullptr;
}

io::Awaitable<io::Reply> ExecutorStreams::open(io::Request request)
{
    Result<control::Hello> hello = wire::decode_hello(request.body);
    if (!hello) co_return problem(400, "the body is not a Hello");
    const std::optional<Secrets> secrets = secrets_of_(hello->cluster);
    if (!secrets) co_return unauthorized();

    Stream stream;
    stream.wire_id = draw_uuid();
    stream.launch_token = launch_token(*secrets, hello->task_id);
    stream.member_token = member_token(*secrets, hello->task_id);
    stream.heard_at = Clock::now();
    StreamOpened opened;
    if (equal_secrets(bearer(request), stream.member_token)) {
        opened.token = cluster::Token::permanent;
    } else if (equal_secrets(bearer(request), stream.launch_token)) {
        opened.token = cluster::Token::launch;
    } else {
        log::logger("streams")->warn(
            "stream refused: wrong token cluster={} task={} peer={}",
            hello->cluster,
            hello->task_id,
            request.peer);
        co_return unauthorized();
    }

    const cluster::StreamId id{++last_id_};
    const std::string wire_id = stream.wire_id;
    streams_.emplace(id, std::move(stream));
    opened.stream = id;
    opened.hello = std::move(*hello);
    post_(std::move(opened));
    const std::optional<Decided> decided = co_await undecided_.wait(id, decision_max);
    const auto found = streams_.find(id);
    if (decided == Decided::accepted && found != streams_.end()) {
        io::Reply reply;
        reply.headers.set("Content-Type", "application/x-protobuf");
        reply.headers.set(stream_id_header, wire_id);
        reply.stream = found->second.writer;
        co_return reply;
    }
    if (found != streams_.end()) streams_.erase(found);
    if (decided == Decided::unauthorized) co_return unauthorized();
    if (decided == Decided::bad_request) {
        co_return problem(400, "this scheduler does not speak that version of the protocol");
    }
    if (decided == Decided::not_ready) {
        co_return problem(503, "this scheduler has not read its state yet; say Hello again");
    }
    if (decided == Decided::accepted) co_return problem(409, "a newer stream took over");
    post_(StreamClosed{id});  // Should it be accepted later, nobody would be there.
    co_return problem(503, "not decided in time; say Hello again");
}

io::Reply ExecutorStreams::call(const io::Request& request)
{
    const std::string_view wire_id = request.headers.find(stream_id_header);
    const auto found = std::ranges::find_if(
        streams_, [&](const auto& item) { return item.second.wire_id == wire_id; });
    if (found == streams_.end() || !found->second.writer) {
        return problem(409, "that stream is not open; say Hello again");
    }
    auto& [id, stream] = *found;
    const bool known = equal_secrets(bearer(request), stream.member_token) ||
                       equal_secrets(bearer(request), stream.launch_token);
    if (!known) return unauthorized();
    Result<control::FromMember> message = wire::decode_from_member(request.body);
    if (!message) return problem(400, "the body is not a message of a member");

    stream.heard_at = Clock::now();
    StreamSaid said;
    said.stream = id;
    said.message = std::move(*message);
    post_(std::move(said));
    io::Reply reply;
    reply.status = 202;
    return reply;
}

void ExecutorStreams::accept(cluster::StreamId id, const control::Welcome& welcome)
{
    const auto found = streams_.find(id);
    if (found == streams_.end()) {
        post_(StreamClosed{id});
        return;
    }
    auto on_closed = [self = self_, id](ErrorCode) {
        if (*self != nullptr) (*self)->lose(id);
    };
    found->second.writer = io::StreamWriter::make(std::move(on_closed));
    found->second.writer->write_record(wire::encode(control::ToMember{welcome}));
    if (!undecided_.resolve(id, Decided::accepted)) lose(id);
}

void ExecutorStreams::refuse(const cluster::RefuseStream& refused)
{
    using Why = cluster::RefuseStream::Why;
    const Decided decided = refused.why == Why::other_version ? Decided::bad_request
                            : refused.why == Why::not_ready   ? Decided::not_ready
                                                              : Decided::unauthorized;
    undecided_.resolve(refused.stream, decided);
}

void ExecutorStreams::close(cluster::StreamId id)
{
    const auto found = streams_.find(id);
    if (found == streams_.end()) return;
    // Out of the map first: its end is then no news.
    const std::shared_ptr<io::StreamWriter> writer = std::move(found->second.writer);
    streams_.erase(found);
    if (writer) writer->close();
}

void ExecutorStreams::send(cluster::StreamId id, const control::ToMember& order)
{
    const auto found = streams_.find(id);
    if (found == streams_.end() || !found->second.writer) return;  // StreamClosed is on its way.
    found->second.writer->write_record(wire::encode(order));
}

void ExecutorStreams::lose(cluster::StreamId id)
{
    const auto found = streams_.find(id);
    if (found == streams_.end()) return;
    const std::shared_ptr<io::StreamWriter> writer = std::move(found->second.writer);
    streams_.erase(found);
    if (writer) writer->abort();
    post_(StreamClosed{id});
}

void ExecutorStreams::tick(TimePoint now, Duration late)
{
    static const std::string heartbeat = wire::encode(control::ToMember{control::Heartbeat{}});
    std::vector<cluster::StreamId> silent;
    for (auto& [id, stream] : streams_) {
        if (!stream.writer) continue;
        // While this process did not run, what members said waited in its sockets.
        stream.heard_at += late;
        if (now - stream.heard_at > silence_max) {
            silent.push_back(id);
        } else {
            stream.writer->write_record(heartbeat);
        }
    }
    for (const cluster::StreamId id : silent) {
        log::logger("streams")->warn("stream silent stream={}", static_cast<std::uint64_t>(id));
        lose(id);
    }
}

io::Awaitable<void> ExecutorStreams::run()
{
    asio::steady_timer timer{executor_};
    TimePoint due = Clock::now();
    for (;;) {
        due += heartbeat_interval;
        timer.expires_at(due);
        const auto [ec] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (ec) co_return;
        const TimePoint now = Clock::now();
        const Duration late = now - due > heartbeat_interval ? now - due : Duration::zero();
        tick(now, late);
        due += late;
    }
}

}  // namespace mysos::scheduler
