#pragma once

#include "common/base/result.hpp"
#include "common/base/zk_url.hpp"
#include "common/io/zookeeper.hpp"
#include "scheduler/decide/leadership.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <string>

namespace mysos::scheduler {

/// That this process leads, and what proves it.
struct Leadership {
    /// Full path of our candidate node. It exists as long as we lead, so whatever is written to
    /// ZooKeeper in our name is written together with a check of it.
    std::string node;
    std::int64_t session_id = 0;
};

/// Stands for election among the schedulers of one framework, and announces the winner in
/// `<zk>/scheduler/leader`.
///
/// Why it is safe: the candidate's node and the announcement belong to one session, so they go
/// together. Somebody who is deposed without knowing it (paused, cut off) may still believe that it
/// leads, but cannot write: see Leadership::node.
///
/// Lifetime: the client and this object must outlive the coroutines. One process stands once.
class LeaderElection {
  public:
    /// `address` is what executors and people connect to.
    LeaderElection(
        const boost::asio::any_io_executor& executor, zookeeper::Client& client, HostPort address);

    /// Returns when this process leads. Trouble with ZooKeeper is logged and waited out.
    /// Errors: operation_aborted; zookeeper::Errc::closed.
    [[nodiscard]] boost::asio::awaitable<Result<Leadership>> lead();

    /// Returns when this process may no longer lead: Errc::deposed. Or operation_aborted.
    [[nodiscard]] boost::asio::awaitable<ErrorCode> until_deposed(Leadership leadership);

  private:
    [[nodiscard]] boost::asio::awaitable<Result<Leadership>> attempt();
    [[nodiscard]] boost::asio::awaitable<ErrorCode> queue_up(
        leadership::Next next, std::int64_t session);
    [[nodiscard]] boost::asio::awaitable<ErrorCode> stand(std::int64_t session);
    [[nodiscard]] boost::asio::awaitable<ErrorCode> await_end_of(std::string node);
    enum class Announced { done, look_again };
    [[nodiscard]] boost::asio::awaitable<Result<Announced>> announce(Leadership leadership);

    zookeeper::Client& client_;
    std::string path_;  ///< "<zk>/scheduler"
    std::string address_;
    boost::asio::steady_timer retry_;
};

}  // namespace mysos::scheduler
