#pragma once

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/base/zk_url.hpp"
#include "common/io/zookeeper_errc.hpp"
#include "common/io/zookeeper_types.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

/// A coroutine client of ZooKeeper on the one event loop, over libzookeeper-st.
///
/// It always has a session or is on its way to one: after an expiry it opens the next by itself and
/// says so, since what the old session held (ephemeral nodes, watches) is gone. It also declares
/// the session expired itself when it was disconnected for a whole session timeout, as Mesos does,
/// so that an owner who is cut off from the ensemble does not believe in its ephemeral nodes for
/// ever.
///
/// Why it is safe: an operation ends exactly once, with the ensemble's answer or an error that says
/// whether it may have happened; it never crosses from one session into the next.
namespace mysos::zookeeper {

/// The server drops the connection of who sends it more than 1 MiB, the request's head included.
inline constexpr std::size_t data_bytes_max = 1'000'000;

struct Config {
    ZkUrl url;
    Duration session_timeout = std::chrono::seconds{10};
    Duration operation_timeout = std::chrono::seconds{10};  ///< Waiting for a connection included.
    std::optional<SessionKey> resume;  ///< Take over this session first, for example to end it.
};

/// Shape:  paths are absolute ("/mysos/state"); Config::url.path is not put in front of them.
/// Units:  a write holds at most `data_bytes_max` of data; more is bad_arguments.
/// Errors: Errc; operation_aborted when the awaiting coroutine is cancelled. Operations wait for a
///         connection up to their deadline; reads are repeated when the connection goes, writes
///         end with connection_lost, as they may have happened.
/// Owner:  may be destroyed at any time: operations, watches and subscriptions then end with
///         `closed`. Use from one thread. close() on a live connection waits for the server's
///         answer to it, at most 4.5 s.
class Client {
  public:
    Client(boost::asio::any_io_executor executor, Config config);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client();

    /// Ends the session, so ephemeral nodes go at once. Everything after it fails with `closed`.
    void close();

    [[nodiscard]] bool connected() const;
    /// None before the first connection and between sessions.
    [[nodiscard]] std::optional<SessionKey> session() const;
    [[nodiscard]] const ZkUrl& url() const;
    /// Begins with how things stand: `connected` or `disconnected`.
    [[nodiscard]] SessionEvents subscribe();

    /// The path made, which has ten digits more when sequential. With credentials the node is
    /// protected as `access` says, without it is open to all.
    [[nodiscard]] boost::asio::awaitable<Result<std::string>> create(
        std::string path,
        std::string data,
        CreateMode mode,
        Access access = Access::everyone_reads);
    /// Makes the path and all above it, empty and persistent, where missing.
    [[nodiscard]] boost::asio::awaitable<Result<void>> ensure_path(std::string path);

    [[nodiscard]] boost::asio::awaitable<Result<Node>> get(std::string path);
    [[nodiscard]] boost::asio::awaitable<Result<std::optional<Stat>>> exists(std::string path);
    /// Names without the path, sorted.
    [[nodiscard]] boost::asio::awaitable<Result<std::vector<std::string>>> children(
        std::string path);

    /// The same with a one-shot watch: it fires at the first change after what was returned.
    /// get: changed or deleted. exists: created, changed or deleted. children: one came or went, or
    /// the node itself was deleted. No watch is left where the result is an error.
    [[nodiscard]] boost::asio::awaitable<Result<Watched<Node>>> get_and_watch(std::string path);
    [[nodiscard]] boost::asio::awaitable<Result<Watched<std::optional<Stat>>>> exists_and_watch(
        std::string path);
    [[nodiscard]] boost::asio::awaitable<Result<Watched<std::vector<std::string>>>>
    children_and_watch(std::string path);

    /// The new version.
    [[nodiscard]] boost::asio::awaitable<Result<Version>> set(
        std::string path, std::string data, Version expected);
    [[nodiscard]] boost::asio::awaitable<Result<void>> remove(std::string path, Version expected);
    /// The node and everything below; true when nothing was there.
    [[nodiscard]] boost::asio::awaitable<Result<void>> remove_tree(std::string path);

    /// All or nothing. A refusal by the ensemble is an outcome, not an error.
    [[nodiscard]] boost::asio::awaitable<Result<MultiOutcome>> multi(std::vector<Op> ops);

    /// Whatever this client reads next is not older than what any client had written before.
    [[nodiscard]] boost::asio::awaitable<Result<void>> sync(std::string path);

    class Impl;

  private:
    /// Shared with the operations under way, so that they can end after the client has.
    std::shared_ptr<Impl> impl_;
};

}  // namespace mysos::zookeeper
