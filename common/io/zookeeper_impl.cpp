#include "common/io/zookeeper_impl.hpp"

#include "common/io/tasks.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <utility>

// Those who wait: for an answer, for a change, for what becomes of the session.

namespace mysos::zookeeper {
namespace {

namespace asio = boost::asio;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

}  // namespace

/// Keeps a request where session events find it, for as long as its coroutine lives.
class Client::Impl::Pending {
  public:
    Pending(Impl& client, std::shared_ptr<Request> request)
        : client_{client}, request_{std::move(request)}
    {
        client_.pending_.push_back(request_);
    }
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;
    ~Pending() { std::erase(client_.pending_, request_); }

  private:
    Impl& client_;
    std::shared_ptr<Request> request_;
};

void Client::Impl::on_node(int type, const std::string& path)
{
    const auto fire = [&path](Watches& watches, WatchEvent event) {
        // Taken out first: whoever is woken may watch again.
        const auto [first, last] = watches.equal_range(path);
        std::vector<std::weak_ptr<Watch::State>> mine;
        std::for_each(first, last, [&mine](const auto& entry) { mine.push_back(entry.second); });
        watches.erase(first, last);
        for (const std::weak_ptr<Watch::State>& weak : mine)
            if (const std::shared_ptr<Watch::State> watch = weak.lock()) watch->fire(event);
    };
    if (type == ZOO_CREATED_EVENT) fire(data_watches_, WatchEvent::created);
    if (type == ZOO_CHANGED_EVENT) fire(data_watches_, WatchEvent::changed);
    if (type == ZOO_CHILD_EVENT) fire(child_watches_, WatchEvent::children_changed);
    if (type == ZOO_DELETED_EVENT) {
        fire(data_watches_, WatchEvent::deleted);
        fire(child_watches_, WatchEvent::deleted);
    }
}

void Client::Impl::add_watch(const Request& request)
{
    Watches& watches = request.watch_kind == WatchKind::children ? child_watches_ : data_watches_;
    // Watches that everybody has dropped would pile up on a path that never changes.
    const auto [first, last] = watches.equal_range(request.path);
    for (auto it = first; it != last;)
        it = it->second.expired() ? watches.erase(it) : std::next(it);
    watches.emplace(request.path, request.watch);
}

void Client::Impl::fire_all_watches(WatchEvent event)
{
    for (Watches* watches : {&data_watches_, &child_watches_}) {
        const Watches all = std::exchange(*watches, {});
        for (const auto& entry : all)
            if (const std::shared_ptr<Watch::State> watch = entry.second.lock()) watch->fire(event);
    }
}

SessionEvents Client::Impl::subscribe()
{
    using enum SessionEvent::Kind;
    auto state = std::make_shared<SessionEvents::State>(executor_);
    state->append(
        {.kind = connected_ ? connected
                 : closed_  ? closed
                            : disconnected,
         .session_id = session_id_});
    std::erase_if(subscribers_, [](const auto& weak) { return weak.expired(); });
    subscribers_.push_back(state);
    return SessionEvents{std::move(state)};
}

void Client::Impl::publish(SessionEvent::Kind kind)
{
    for (const std::weak_ptr<SessionEvents::State>& weak : subscribers_)
        if (const std::shared_ptr<SessionEvents::State> state = weak.lock())
            state->append({.kind = kind, .session_id = session_id_});
}

std::shared_ptr<Request> Client::Impl::request(std::string path, WatchKind watch) const
{
    auto out = std::make_shared<Request>(executor_);
    out->path = std::move(path);
    out->watch_kind = watch;
    if (watch != WatchKind::none) out->watch = std::make_shared<Watch::State>(executor_);
    return out;
}

const ACL_vector* Client::Impl::acl(Access access) const
{
    if (config_.url.user.empty()) return &ZOO_OPEN_ACL_UNSAFE;
    if (access == Access::creator_only) return &ZOO_CREATOR_ALL_ACL;
    static std::array<ACL, 2> entries{
        ACL{ZOO_PERM_READ, ZOO_ANYONE_ID_UNSAFE}, ACL{ZOO_PERM_ALL, ZOO_AUTH_IDS}};
    static const ACL_vector everyone_reads{static_cast<int>(entries.size()), entries.data()};
    return &everyone_reads;
}

asio::awaitable<ErrorCode> Client::Impl::perform(
    std::shared_ptr<Impl> self, std::shared_ptr<Request> request, Submit submit, Repeat repeat)
{
    if (self->closed_) co_return Errc::closed;
    const Pending pending{*self, request};
    request->timer.expires_after(self->config_.operation_timeout);
    for (;;) {
        const ErrorCode error = co_await attempt(self, request, submit);
        const bool again = error == Errc::connection_lost && repeat == Repeat::when_connection_lost;
        if (!again) co_return error;
        request->verdict.reset();
    }
}

/// operation_aborted when the timer was cancelled, by us or with the coroutine; success when it is
/// late.
asio::awaitable<ErrorCode> Client::Impl::woken_or_late(std::shared_ptr<Request> request)
{
    request->woken = false;
    const bool cancelled = co_await io::is_cancelled();
    if (cancelled) co_return asio::error::operation_aborted;
    const auto [ended] = co_await request->timer.async_wait(as_result);
    co_return ended;
}

asio::awaitable<ErrorCode> Client::Impl::attempt(
    std::shared_ptr<Impl> self, std::shared_ptr<Request> request, const Submit& submit)
{
    request->sent = false;
    while (!self->connected_) {
        const ErrorCode ended = co_await woken_or_late(request);
        if (request->verdict) co_return *request->verdict;
        if (!ended) co_return Errc::not_connected;
        if (!request->woken) co_return ended;
        // Cancelling a timer leaves its expiry as it is, so the deadline stands.
    }
    request->sent = true;
    auto context = std::make_unique<Context>();
    context->request = request;
    context->attempt = ++request->attempt;
    context->client = self;
    const int code = submit(self->handle_->library(), *request, context.get());
    if (code != ZOK) co_return errc_of_library(code);
    // The library has it now and gives it back through `answered`.
    static_cast<void>(context.release());
    self->handle_->pump();
    while (!request->verdict) {
        const ErrorCode ended = co_await woken_or_late(request);
        if (request->verdict) break;
        if (request->woken) continue;
        ++request->attempt;
        co_return ended ? ended : make_error_code(Errc::timed_out);
    }
    co_return *request->verdict;
}

std::shared_ptr<Request> Client::Impl::answered(const void* context, int code)
{
    const std::unique_ptr<const Context> mine{static_cast<const Context*>(context)};
    const bool is_void = mine->request->attempt != mine->attempt || mine->request->verdict;
    if (is_void) return nullptr;
    // An exists of a node that is not there is answered, and watched.
    const bool watched =
        code == ZOK || (code == ZNONODE && mine->request->watch_kind == WatchKind::data);
    if (const std::shared_ptr<Impl> client = mine->client.lock();
        client && watched && mine->request->watch)
        client->add_watch(*mine->request);
    mine->request->finish(code == ZOK ? ErrorCode{} : make_error_code(errc_of_library(code)));
    return mine->request;
}

}  // namespace mysos::zookeeper
