#include "common/io/zookeeper.hpp"

#include "common/io/zookeeper_answers.hpp"
#include "common/io/zookeeper_impl.hpp"

#include <utility>

namespace mysos::zookeeper {

namespace asio = boost::asio;

Client::Client(asio::any_io_executor executor, Config config)
    : impl_{std::make_shared<Impl>(std::move(executor), std::move(config))}
{
    impl_->start();
}

Client::~Client()
{
    impl_->close();
}

void Client::close()
{
    impl_->close();
}
bool Client::connected() const
{
    return impl_->connected();
}
std::optional<SessionKey> Client::session() const
{
    return impl_->session();
}
const ZkUrl& Client::url() const
{
    return impl_->config().url;
}
SessionEvents Client::subscribe()
{
    return impl_->subscribe();
}

// ---- Reads. A coroutine holds the client's inside, never the client.

namespace {

using Impl = Client::Impl;
using Repeat = Client::Impl::Repeat;

asio::awaitable<Result<Watched<Node>>> read_node(
    std::shared_ptr<Impl> impl, std::string path, WatchKind watch)
{
    const auto request = impl->request(std::move(path), watch);
    Impl::Submit submit = [](zhandle_t* library, Request& r, const void* context) {
        return zoo_aget(library, r.path.c_str(), r.watch ? 1 : 0, &answers::node, context);
    };
    const ErrorCode error =
        co_await Impl::perform(impl, request, std::move(submit), Repeat::when_connection_lost);
    if (error) co_return error;
    co_return Watched<Node>{
        .value = {.data = std::move(request->data), .stat = request->stat},
        .watch = Watch{request->watch}};
}

}  // namespace

namespace operations {

asio::awaitable<Result<Watched<std::optional<Stat>>>> exists(
    std::shared_ptr<Impl> impl, std::string path, WatchKind watch)
{
    const auto request = impl->request(std::move(path), watch);
    Impl::Submit submit = [](zhandle_t* library, Request& r, const void* context) {
        return zoo_aexists(library, r.path.c_str(), r.watch ? 1 : 0, &answers::stat, context);
    };
    const ErrorCode error =
        co_await Impl::perform(impl, request, std::move(submit), Repeat::when_connection_lost);
    if (error && error != Errc::no_node) co_return error;
    std::optional<Stat> stat;
    if (!error) stat = request->stat;
    co_return Watched<std::optional<Stat>>{.value = stat, .watch = Watch{request->watch}};
}

asio::awaitable<Result<Watched<Children>>> children(
    std::shared_ptr<Impl> impl, std::string path, WatchKind watch)
{
    const auto request = impl->request(std::move(path), watch);
    Impl::Submit submit = [](zhandle_t* library, Request& r, const void* context) {
        return zoo_aget_children(
            library, r.path.c_str(), r.watch ? 1 : 0, &answers::names, context);
    };
    const ErrorCode error =
        co_await Impl::perform(impl, request, std::move(submit), Repeat::when_connection_lost);
    if (error) co_return error;
    co_return Watched<Children>{.value = std::move(request->names), .watch = Watch{request->watch}};
}

}  // namespace operations

asio::awaitable<Result<Node>> Client::get(std::string path)
{
    auto read = co_await read_node(impl_, std::move(path), WatchKind::none);
    if (!read) co_return read.error();
    co_return std::move(read->value);
}

asio::awaitable<Result<std::optional<Stat>>> Client::exists(std::string path)
{
    auto read = co_await operations::exists(impl_, std::move(path), WatchKind::none);
    if (!read) co_return read.error();
    co_return read->value;
}

asio::awaitable<Result<std::vector<std::string>>> Client::children(std::string path)
{
    auto read = co_await operations::children(impl_, std::move(path), WatchKind::none);
    if (!read) co_return read.error();
    co_return std::move(read->value);
}

asio::awaitable<Result<Watched<Node>>> Client::get_and_watch(std::string path)
{
    return read_node(impl_, std::move(path), WatchKind::data);
}

asio::awaitable<Result<Watched<std::optional<Stat>>>> Client::exists_and_watch(std::string path)
{
    return operations::exists(impl_, std::move(path), WatchKind::data);
}

asio::awaitable<Result<Watched<std::vector<std::string>>>> Client::children_and_watch(
    std::string path)
{
    return operations::children(impl_, std::move(path), WatchKind::children);
}

asio::awaitable<Result<void>> Client::sync(std::string path)
{
    const auto request = impl_->request(std::move(path), WatchKind::none);
    Impl::Submit submit = [](zhandle_t* library, Request& r, const void* context) {
        return zoo_async(library, r.path.c_str(), &answers::path, context);
    };
    const ErrorCode error =
        co_await Impl::perform(impl_, request, std::move(submit), Repeat::when_connection_lost);
    if (error) co_return error;
    co_return Result<void>{};
}

}  // namespace mysos::zookeeper
