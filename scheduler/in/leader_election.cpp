#include "scheduler/in/leader_election.hpp"

#include "common/io/log.hpp"
#include "common/io/tasks.hpp"
#include "common/wire/leader.hpp"
#include "scheduler/decide/leadership.hpp"
#include "scheduler/errc.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>
#include <vector>

namespace mysos::scheduler {
namespace {

namespace asio = boost::asio;
using zookeeper::CreateMode;
using zookeeper::Op;
using zookeeper::WatchEvent;
using ZkErrc = zookeeper::Errc;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr Duration retry_after = std::chrono::seconds{1};

bool ends_us(ErrorCode error)
{
    return error == asio::error::operation_aborted || error == ZkErrc::closed;
}

/// After these nothing of our session is left.
bool ends_session(ErrorCode error)
{
    return error == ZkErrc::session_expired || error == ZkErrc::auth_failed ||
           error == ZkErrc::closed;
}

}  // namespace

LeaderElection::LeaderElection(
    const asio::any_io_executor& executor, zookeeper::Client& client, HostPort address)
    : client_{client},
      path_{client.url().path + "/scheduler"},
      address_{wire::encode_leader(address)},
      retry_{executor}
{}

asio::awaitable<Result<Leadership>> LeaderElection::lead()
{
    for (;;) {
        const Result<Leadership> won = co_await attempt();
        if (won) {
            log::logger("election")->info("leads node={}", won->node);
            co_return won;
        }
        if (ends_us(won.error())) co_return won.error();
        log::logger("election")->warn("attempt failed error={}", won.error().message());
        const bool cancelled = co_await io::is_cancelled();
        if (cancelled) co_return asio::error::operation_aborted;
        retry_.expires_after(retry_after);
        const auto [ended] = co_await retry_.async_wait(as_result);
        if (ended) co_return ended;
    }
}

asio::awaitable<Result<Leadership>> LeaderElection::attempt()
{
    const Result<void> path = co_await client_.ensure_path(path_);
    if (!path) co_return path.error();
    for (;;) {
        const auto children = co_await client_.children(path_);
        if (!children) co_return children.error();
        const auto session = client_.session();
        if (!session) co_return ZkErrc::session_expired;
        const leadership::Next next = leadership::next(*children, session->id);
        if (const auto* lead = std::get_if<leadership::Lead>(&next)) {
            const Leadership mine{.node = path_ + "/" + lead->own, .session_id = session->id};
            const Result<Announced> announced = co_await announce(mine);
            if (!announced) co_return announced.error();
            if (*announced == Announced::done) co_return mine;
        } else {
            const ErrorCode error = co_await queue_up(next, session->id);
            if (error) co_return error;
        }
    }
}

/// Until the queue before us is another one.
asio::awaitable<ErrorCode> LeaderElection::queue_up(leadership::Next next, std::int64_t session)
{
    if (const auto* wait = std::get_if<leadership::Wait>(&next)) {
        log::logger("election")->info("stands by behind={}", wait->predecessor);
        co_return co_await await_end_of(path_ + "/" + wait->predecessor);
    }
    co_return co_await stand(session);
}

asio::awaitable<ErrorCode> LeaderElection::stand(std::int64_t session)
{
    const auto made = co_await client_.create(
        path_ + "/" + leadership::candidate_prefix(session),
        address_,
        CreateMode::ephemeral_sequential);
    co_return made ? ErrorCode{} : made.error();
}

asio::awaitable<ErrorCode> LeaderElection::await_end_of(std::string node)
{
    const auto there = co_await client_.exists_and_watch(std::move(node));
    if (!there) co_return there.error();
    if (!there->value) co_return ErrorCode{};
    const Result<WatchEvent> event = co_await there->watch.fired();
    co_return event ? ErrorCode{} : event.error();
}

asio::awaitable<Result<LeaderElection::Announced>> LeaderElection::announce(Leadership leadership)
{
    const std::string leader = path_ + "/leader";
    std::vector<Op> ops;
    ops.push_back(Op::check(leadership.node));
    ops.push_back(Op::create(leader, address_, CreateMode::ephemeral));
    const auto outcome = co_await client_.multi(std::move(ops));
    if (!outcome) co_return outcome.error();
    if (!outcome->refusal) co_return Announced::done;
    // Our node is gone again: look anew.
    if (outcome->refusal->index == 0) co_return Announced::look_again;
    if (outcome->refusal->why != ZkErrc::node_exists) co_return outcome->refusal->why;
    const auto there = co_await client_.exists_and_watch(leader);
    if (!there) co_return there.error();
    if (!there->value) co_return Announced::look_again;
    // Ours, when the answer to an earlier multi was lost.
    if (there->value->ephemeral_owner == leadership.session_id) co_return Announced::done;
    log::logger("election")
        ->warn(
            "waits for an announcement that outlived its candidate node={} session={:#x}",
            leader,
            static_cast<std::uint64_t>(there->value->ephemeral_owner));
    const Result<WatchEvent> event = co_await there->watch.fired();
    if (!event) co_return event.error();
    co_return Announced::look_again;
}

asio::awaitable<ErrorCode> LeaderElection::until_deposed(Leadership leadership)
{
    for (;;) {
        const auto own = co_await client_.exists_and_watch(leadership.node);
        if (!own && own.error() == asio::error::operation_aborted) co_return own.error();
        if (!own && !ends_session(own.error())) {
            // Cut off: the session is ended for us when that lasts. Until then it may be kept.
            const bool cancelled = co_await io::is_cancelled();
            if (cancelled) co_return asio::error::operation_aborted;
            retry_.expires_after(retry_after);
            const auto [ended] = co_await retry_.async_wait(as_result);
            if (ended) co_return ended;
            continue;
        }
        const bool ours = own && own->value && own->value->ephemeral_owner == leadership.session_id;
        if (!ours) break;
        const Result<WatchEvent> event = co_await own->watch.fired();
        if (!event) co_return event.error();
        if (*event != WatchEvent::changed) break;
    }
    log::logger("election")->warn("deposed node={}", leadership.node);
    co_return Errc::deposed;
}

}  // namespace mysos::scheduler
