#include "test/standin/master_znode.hpp"

#include "common/io/zookeeper.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include <exception>
#include <utility>

namespace mysos::standin {

namespace asio = boost::asio;

struct MasterZnode::State {
    State(asio::any_io_executor executor, zookeeper::Config config)
        : client{executor, std::move(config)}, pause{executor}
    {}
    zookeeper::Client client;
    asio::steady_timer pause;
    std::string data;
    std::function<void()> published;
    bool closed = false;

    static asio::awaitable<void> run(std::shared_ptr<State> state);
};

asio::awaitable<void> MasterZnode::State::run(std::shared_ptr<State> state)
{
    using Kind = zookeeper::SessionEvent::Kind;
    auto events = state->client.subscribe();
    const std::string parent = state->client.url().path;
    bool published = false;
    while (!state->closed) {
        if (!published) {
            (void)co_await state->client.ensure_path(parent);
            const std::string path = parent + "/json.info_";
            const auto made = co_await state->client.create(
                path, state->data, zookeeper::CreateMode::ephemeral_sequential);
            published = made.has_value();
            if (published && state->published) state->published();
            if (!published) {
                state->pause.expires_after(std::chrono::seconds{1});
                (void)co_await state->pause.async_wait(asio::as_tuple(asio::use_awaitable));
            }
            continue;
        }
        const auto event = co_await events.next();
        if (!event || event->kind == Kind::closed) co_return;
        if (event->kind == Kind::expired) published = false;
    }
}

MasterZnode::MasterZnode(
    asio::any_io_executor executor,
    const ZkUrl& url,
    std::string data,
    std::function<void()> published)
{
    zookeeper::Config config;
    config.url = url;
    state_ = std::make_shared<State>(executor, std::move(config));
    state_->data = std::move(data);
    state_->published = std::move(published);
    auto running = State::run(state_);
    asio::co_spawn(executor, std::move(running), [](const std::exception_ptr& failure) {
        if (failure) std::rethrow_exception(failure);
    });
}

MasterZnode::~MasterZnode()
{
    state_->closed = true;
    state_->published = nullptr;
    state_->pause.cancel();
    state_->client.close();
}

std::string znode_text(const v1::MasterInfo& info)
{
    nlohmann::json capabilities = nlohmann::json::array();
    for (const auto& one : info.capabilities())
        capabilities.push_back({{"type", v1::MasterInfo::Capability::Type_Name(one.type())}});
    const nlohmann::json all{
        {"address",
         {{"hostname", info.address().hostname()},
          {"ip", info.address().ip()},
          {"port", info.address().port()}}},
        {"capabilities", capabilities},
        {"hostname", info.hostname()},
        {"id", info.id()},
        {"ip", info.ip()},
        {"pid", info.pid()},
        {"port", info.port()},
        {"version", info.version()}};
    return all.dump();
}

}  // namespace mysos::standin
