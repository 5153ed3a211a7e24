#pragma once

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/mesos/detection.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace mysos::io {

/// Says whom to subscribe with: the leading Mesos master.
///
/// From ZooKeeper it is known for certain, as far as anything is: a master whose session ended has
/// left, and a detector that is cut off for a session's time says that nobody leads. From a list of
/// addresses it is not: each is tried in turn, and one that does not lead redirects to the leader.
///
/// Lifetime: may be destroyed at any time; waits then end with operation_aborted.
class MasterDetector {
  public:
    MasterDetector() = default;
    MasterDetector(const MasterDetector&) = delete;
    MasterDetector& operator=(const MasterDetector&) = delete;
    virtual ~MasterDetector() = default;

    /// Whom to try next. Waits while nobody leads. The only error is operation_aborted.
    [[nodiscard]] virtual boost::asio::awaitable<Result<mesos::Master>> find() = 0;

    /// Returns when this master does not lead any more. Of a list nobody ever knows that.
    /// Success, or operation_aborted.
    [[nodiscard]] virtual boost::asio::awaitable<ErrorCode> until_replaced(
        mesos::Master master) = 0;
};

/// Shape:  "h1:p1[,h2:p2…]" or "zk://[user:pw@]h1[:p1][,…]/path".
/// Errors: UrlErrc.
[[nodiscard]] Result<std::unique_ptr<MasterDetector>> make_master_detector(
    const boost::asio::any_io_executor& executor,
    const std::string& address,
    Duration session_timeout = std::chrono::seconds{10});

}  // namespace mysos::io
