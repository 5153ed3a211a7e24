#include "common/io/master_detector.hpp"

#include "common/io/log.hpp"
#include "common/io/tasks.hpp"
#include "common/io/zookeeper.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <optional>
#include <utility>
#include <vector>

namespace mysos::io {
namespace {

namespace asio = boost::asio;
using zookeeper::Client;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
/// As often as Mesos' own detector.
constexpr Duration retry_after = std::chrono::seconds{2};

class ListDetector final : public MasterDetector {
  public:
    ListDetector(const asio::any_io_executor& executor, std::vector<HostPort> masters)
        : masters_{std::move(masters)},
          never_{std::make_shared<asio::steady_timer>(executor, TimePoint::max())}
    {}
    ListDetector(const ListDetector&) = delete;
    ListDetector& operator=(const ListDetector&) = delete;
    ~ListDetector() override { never_->cancel(); }

    asio::awaitable<Result<mesos::Master>> find() override
    {
        const HostPort& address = masters_[next_];
        next_ = (next_ + 1) % masters_.size();
        co_return mesos::Master{
            .id = "", .ip = address.host, .hostname = address.host, .port = address.port};
    }

    asio::awaitable<ErrorCode> until_replaced(mesos::Master /*master*/) override
    {
        const std::shared_ptr<asio::steady_timer> never = never_;
        const bool cancelled = co_await is_cancelled();
        if (cancelled) co_return asio::error::operation_aborted;
        const auto [ended] = co_await never->async_wait(as_result);
        co_return ended;
    }

  private:
    std::vector<HostPort> masters_;
    std::size_t next_ = 0;
    std::shared_ptr<asio::steady_timer> never_;  ///< Shared with those who wait.
};

/// Follows the children of one path.
class Watcher {
  public:
    Watcher(const asio::any_io_executor& executor, const ZkUrl& url, Duration session_timeout)
        : path_{url.path},
          client_{
              executor, {.url = url, .session_timeout = session_timeout, .resume = std::nullopt}},
          changed_{executor, TimePoint::max()},
          retry_{executor}
    {}

    void stop()
    {
        stopped_ = true;
        client_.close();
        retry_.cancel();
        changed_.cancel();
    }

    [[nodiscard]] const std::optional<mesos::Master>& leader() const { return leader_; }

    /// The next change of leader, or that we stopped. Success, or operation_aborted.
    [[nodiscard]] asio::awaitable<ErrorCode> changed()
    {
        if (stopped_) co_return asio::error::operation_aborted;
        const bool cancelled = co_await is_cancelled();
        if (cancelled) co_return asio::error::operation_aborted;
        const unsigned seen = changes_;
        const auto [ended] = co_await changed_.async_wait(as_result);
        if (stopped_ || changes_ == seen) co_return ended;
        co_return ErrorCode{};
    }

    static asio::awaitable<void> watch(std::shared_ptr<Watcher> self)
    {
        while (!self->stopped_) {
            const ErrorCode error = co_await self->look();
            if (!error || self->stopped_) continue;
            const bool forgotten =
                error == zookeeper::Errc::session_expired || error == zookeeper::Errc::auth_failed;
            if (forgotten) self->lead(std::nullopt);
            log::logger("master")->warn("detection failed error={}", error.message());
            self->retry_.expires_after(retry_after);
            co_await self->retry_.async_wait(as_result);
        }
    }

  private:
    /// Looks once and waits until there is reason to look again.
    asio::awaitable<ErrorCode> look()
    {
        const auto children = co_await client_.children_and_watch(path_);
        if (!children && children.error() == zookeeper::Errc::no_node) {
            lead(std::nullopt);
            co_return co_await await_path();
        }
        if (!children) co_return children.error();
        const ErrorCode unclear = co_await judge(children->value);
        if (unclear && unclear.category() != mesos::detection_category()) co_return unclear;
        if (unclear) {
            // Looking again shows the same, until somebody comes or goes.
            log::logger("master")->error("no leader error={}", unclear.message());
            lead(std::nullopt);
        }
        const auto event = co_await children->watch.fired();
        if (event && *event == zookeeper::WatchEvent::session_expired) lead(std::nullopt);
        co_return ErrorCode{};
    }

    asio::awaitable<ErrorCode> await_path()
    {
        const auto stat = co_await client_.exists_and_watch(path_);
        if (!stat) co_return stat.error();
        if (stat->value) co_return ErrorCode{};
        log::logger("master")->info("no master has been there yet path={}", path_);
        static_cast<void>(co_await stat->watch.fired());
        co_return ErrorCode{};
    }

    asio::awaitable<ErrorCode> judge(const std::vector<std::string>& children)
    {
        const auto name = mesos::leading_member(children);
        if (!name) co_return name.error();
        if (!*name) {
            lead(std::nullopt);
            co_return ErrorCode{};
        }
        const auto node = co_await client_.get(path_ + "/" + **name);
        if (!node && node.error() == zookeeper::Errc::no_node) {
            // Gone since we looked: the watch on the children fires.
            lead(std::nullopt);
            co_return ErrorCode{};
        }
        if (!node) co_return node.error();
        const Result<mesos::Master> master = mesos::parse_master_info(node->data);
        if (!master) co_return master.error();
        lead(*master);
        co_return ErrorCode{};
    }

    void lead(std::optional<mesos::Master> master)
    {
        if (master == leader_) return;
        leader_ = std::move(master);
        ++changes_;
        if (leader_)
            log::logger("master")->info(
                "leader found host={} ip={} port={} id={}",
                leader_->hostname,
                leader_->ip,
                leader_->port,
                leader_->id);
        else
            log::logger("master")->warn("nobody leads");
        changed_.cancel();
    }

    std::string path_;
    Client client_;
    std::optional<mesos::Master> leader_;
    unsigned changes_ = 0;
    bool stopped_ = false;
    asio::steady_timer changed_;  ///< Never expires; cancelled at each change.
    asio::steady_timer retry_;
};

class ZookeeperDetector final : public MasterDetector {
  public:
    ZookeeperDetector(
        const asio::any_io_executor& executor, const ZkUrl& url, Duration session_timeout)
        : watcher_{std::make_shared<Watcher>(executor, url, session_timeout)}
    {
        asio::co_spawn(executor, Watcher::watch(watcher_), [](std::exception_ptr error) {
            if (error) std::rethrow_exception(error);
        });
    }
    ZookeeperDetector(const ZookeeperDetector&) = delete;
    ZookeeperDetector& operator=(const ZookeeperDetector&) = delete;
    ~ZookeeperDetector() override { watcher_->stop(); }

    asio::awaitable<Result<mesos::Master>> find() override
    {
        const std::shared_ptr<Watcher> watcher = watcher_;
        while (!watcher->leader()) {
            const ErrorCode ended = co_await watcher->changed();
            if (ended) co_return ended;
        }
        co_return *watcher->leader();
    }

    asio::awaitable<ErrorCode> until_replaced(mesos::Master master) override
    {
        const std::shared_ptr<Watcher> watcher = watcher_;
        while (watcher->leader() == master) {
            const ErrorCode ended = co_await watcher->changed();
            if (ended) co_return ended;
        }
        co_return ErrorCode{};
    }

  private:
    std::shared_ptr<Watcher> watcher_;  ///< Shared with its coroutine and those who wait.
};

}  // namespace

Result<std::unique_ptr<MasterDetector>> make_master_detector(
    const asio::any_io_executor& executor, const std::string& address, Duration session_timeout)
{
    if (address.starts_with("zk://")) {
        const Result<ZkUrl> url = parse_zk_url(address);
        if (!url) return url.error();
        return std::unique_ptr<MasterDetector>{
            std::make_unique<ZookeeperDetector>(executor, *url, session_timeout)};
    }
    const Result<std::vector<HostPort>> masters = parse_host_ports(address, 0);
    if (!masters) return masters.error();
    return std::unique_ptr<MasterDetector>{std::make_unique<ListDetector>(executor, *masters)};
}

}  // namespace mysos::io
