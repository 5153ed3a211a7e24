#pragma once

#include "common/io/tasks.hpp"
#include "common/io/zookeeper.hpp"
#include "common/publish/publish.hpp"
#include "scheduler/decide/effect.hpp"
#include "scheduler/decide/input.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>
#include <vector>

namespace mysos::scheduler {

/// Reads and changes `<zk>/discover/<cluster>`, as it is told.
///
/// Safe because each change is one multi that also checks `candidate`, the path of our own node in
/// the election: a scheduler that was deposed cannot show clients anything.
///
/// Errors: all come back as `publish::Failed`, which is answered by reading again.
/// Lifetime: `client` must outlive it, and it its coroutines: cancel(), then wait(). One thread.
class ZookeeperPublisher {
  public:
    using Post = std::function<void(Input)>;

    ZookeeperPublisher(
        const boost::asio::any_io_executor& executor,
        zookeeper::Client& client,
        std::string candidate,
        Post post);

    void start(const ReadTree& effect);
    void start(const ApplyTree& effect);

    void cancel() { tasks_.cancel(); }
    [[nodiscard]] boost::asio::awaitable<bool> wait(TimePoint deadline)
    {
        return tasks_.wait(deadline);
    }

  private:
    [[nodiscard]] boost::asio::awaitable<void> read(ReadTree effect);
    [[nodiscard]] boost::asio::awaitable<void> apply(ApplyTree effect);
    [[nodiscard]] boost::asio::awaitable<ErrorCode> read_below(
        std::string top, publish::Tree& tree);
    [[nodiscard]] static zookeeper::Op operation(
        const std::string& top, const publish::Operation& operation);

    zookeeper::Client& client_;
    std::string candidate_;
    std::string path_;  ///< "<zk>/discover"
    Post post_;
    io::Tasks tasks_;
};

}  // namespace mysos::scheduler
