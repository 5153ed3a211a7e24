#pragma once

#include "common/base/zk_url.hpp"
#include "test/standin/master_state.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <string>

namespace mysos::standin {

/// A master's `json.info_` node in ZooKeeper, as detectors read it. It is there while this object
/// lives and has a session; destroying it ends the session, so that the node vanishes at once.
class MasterZnode {
  public:
    /// `published` is called each time the node was made. Tries again until it is.
    MasterZnode(
        boost::asio::any_io_executor executor,
        const ZkUrl& url,
        std::string data,
        std::function<void()> published);
    ~MasterZnode();
    MasterZnode(const MasterZnode&) = delete;
    MasterZnode& operator=(const MasterZnode&) = delete;

  private:
    struct State;
    std::shared_ptr<State> state_;  ///< Shared with its coroutine, which ends when it is closed.
};

/// What the node holds: keys sorted, no white space, names of `mesos.MasterInfo`.
[[nodiscard]] std::string znode_text(const v1::MasterInfo& info);

}  // namespace mysos::standin
