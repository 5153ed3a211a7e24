#pragma once

#include "common/io/zookeeper.hpp"
#include "common/io/zookeeper_handle.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// The inside of the ZooKeeper client: which session, what waits for it, who watches what.
namespace mysos::zookeeper {

/// Waits are timers that never expire; an event cancels them, so no wait misses an event that came
/// before it: it looks first.
class Watch::State {
  public:
    explicit State(const boost::asio::any_io_executor& executor);
    void fire(WatchEvent with);

    boost::asio::steady_timer never;
    std::optional<WatchEvent> event;
};

class SessionEvents::State {
  public:
    explicit State(const boost::asio::any_io_executor& executor);
    void append(SessionEvent event);

    boost::asio::steady_timer never;
    std::deque<SessionEvent> events;
};

/// Which changes of a path a watch is for.
enum class WatchKind { none, data, children };

/// One operation under way, and where the library's answer goes. Shared by the coroutine that waits
/// and by the library, which may answer long after nobody waits any more.
struct Request {
    explicit Request(const boost::asio::any_io_executor& executor) : timer{executor} {}
    void finish(ErrorCode with);

    boost::asio::steady_timer timer;  ///< The deadline; cancelled to wake the coroutine.
    unsigned attempt = 0;             ///< An answer to an earlier one is void.
    bool sent = false;
    bool woken = false;                ///< Cancelled by us, not by the coroutine's owner.
    std::optional<ErrorCode> verdict;  ///< Empty code: done.

    std::string path;
    std::string data;
    Stat stat;
    std::vector<std::string> names;
    std::shared_ptr<Watch::State> watch;
    WatchKind watch_kind = WatchKind::none;
    std::vector<zoo_op_result_t> op_results;  ///< Of a multi, filled by the library.
    std::vector<std::string> op_paths;
    std::vector<::Stat> op_stats;
};

class Client::Impl : public std::enable_shared_from_this<Impl> {
  public:
    /// Hands a request to the library, which answers with `context`; returns the library's code.
    using Submit = std::function<int(zhandle_t* library, Request& request, const void* context)>;
    enum class Repeat { never, when_connection_lost };

    Impl(boost::asio::any_io_executor executor, Config config);
    void start();
    void close();

    /// Sends the request once there is a connection and waits for its answer.
    [[nodiscard]] static boost::asio::awaitable<ErrorCode> perform(
        std::shared_ptr<Impl> self, std::shared_ptr<Request> request, Submit submit, Repeat repeat);

    [[nodiscard]] std::shared_ptr<Request> request(std::string path, WatchKind watch) const;
    [[nodiscard]] const ACL_vector* acl(Access access) const;
    /// The library's answer to the request that `context` stands for; null when it is void.
    [[nodiscard]] static std::shared_ptr<Request> answered(const void* context, int code);

    [[nodiscard]] bool connected() const { return connected_; }
    [[nodiscard]] std::optional<SessionKey> session() const;
    [[nodiscard]] const Config& config() const { return config_; }
    [[nodiscard]] SessionEvents subscribe();
    void add_watch(const Request& request);

  private:
    /// What the library is given to find the request again; it gives it back exactly once.
    struct Context {
        std::shared_ptr<Request> request;
        unsigned attempt;
        std::weak_ptr<Impl> client;
    };
    class Pending;

    [[nodiscard]] static boost::asio::awaitable<void> open_session(
        std::shared_ptr<Impl> self, Duration delay);
    [[nodiscard]] static boost::asio::awaitable<std::string> resolve(std::shared_ptr<Impl> self);
    [[nodiscard]] static boost::asio::awaitable<ErrorCode> attempt(
        std::shared_ptr<Impl> self, std::shared_ptr<Request> request, const Submit& submit);
    [[nodiscard]] static boost::asio::awaitable<ErrorCode> woken_or_late(
        std::shared_ptr<Request> request);
    void spawn_open(Duration delay);
    void on_session(int state);
    void on_node(int type, const std::string& path);
    void on_connected();
    void on_disconnected();
    void lose_session(SessionEvent::Kind kind, Errc verdict);
    void expect_connection_within(Duration patience);
    void fire_all_watches(WatchEvent event);
    void publish(SessionEvent::Kind kind);

    boost::asio::any_io_executor executor_;
    Config config_;
    std::shared_ptr<Handle>
        handle_;                  ///< Null while addresses are looked up. Its own waits share it.
    unsigned handle_serial_ = 0;  ///< A callback of an earlier handle is void.
    bool connected_ = false;
    bool closed_ = false;
    std::int64_t session_id_ = 0;        ///< 0: none since the last expiry.
    Duration session_timeout_{};         ///< As negotiated.
    boost::asio::steady_timer absence_;  ///< Runs while there is no connection.
    boost::asio::steady_timer retry_;
    std::vector<std::shared_ptr<Request>> pending_;
    using Watches = std::multimap<std::string, std::weak_ptr<Watch::State>>;
    Watches data_watches_;
    Watches child_watches_;
    std::vector<std::weak_ptr<SessionEvents::State>> subscribers_;
};

/// The operations that others are composed of. They hold the client's inside, never the client, so
/// that it may go while they are under way.
namespace operations {

using Children = std::vector<std::string>;

[[nodiscard]] boost::asio::awaitable<Result<Watched<std::optional<Stat>>>> exists(
    std::shared_ptr<Client::Impl> impl, std::string path, WatchKind watch);
[[nodiscard]] boost::asio::awaitable<Result<Watched<Children>>> children(
    std::shared_ptr<Client::Impl> impl, std::string path, WatchKind watch);
[[nodiscard]] boost::asio::awaitable<Result<std::string>> create(
    std::shared_ptr<Client::Impl> impl,
    std::string path,
    std::string data,
    CreateMode mode,
    Access access);
[[nodiscard]] boost::asio::awaitable<Result<void>> remove(
    std::shared_ptr<Client::Impl> impl, std::string path, Version expected);
[[nodiscard]] boost::asio::awaitable<Result<void>> remove_tree(
    std::shared_ptr<Client::Impl> impl, std::string path);

}  // namespace operations

}  // namespace mysos::zookeeper
