#pragma once

#include "common/base/time.hpp"
#include "common/io/zookeeper_types.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <zookeeper/zookeeper.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace mysos::zookeeper {

/// One handle of libzookeeper-st, that is: at most one session, driven by Asio.
///
/// The library asks to be told when its socket is ready or its time is up, and may close, open and
/// renumber that socket in any call. So Asio is given a duplicate, which stays valid whatever the
/// library does, and is exchanged when it no longer is the same socket.
///
/// Thread: one. The callbacks come out of library calls, so they must not destroy the handle;
/// the last owner to drop it may do so at any other time.
class Handle : public std::enable_shared_from_this<Handle> {
  public:
    struct Callbacks {
        std::function<void(int state)> session;                       ///< ZOO_…_STATE.
        std::function<void(int type, const std::string& path)> node;  ///< ZOO_…_EVENT.
    };

    /// `servers` are addresses, never names: the library's resolver blocks. Null, with errno, when
    /// the library cannot make a handle.
    [[nodiscard]] static std::shared_ptr<Handle> open(
        const boost::asio::any_io_executor& executor,
        const std::string& servers,
        std::chrono::milliseconds session_timeout,
        const std::optional<SessionKey>& resume,
        Callbacks callbacks);
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    /// Ends the session when connected. All outstanding completions are called before it returns.
    ~Handle();

    /// For the zoo_a… calls; call pump() after them.
    [[nodiscard]] zhandle_t* library() const { return library_; }
    [[nodiscard]] SessionKey session() const;
    /// As negotiated, once connected.
    [[nodiscard]] std::chrono::milliseconds session_timeout() const;

    /// Asks the library what it waits for and waits for that.
    void pump();

    static void on_event(zhandle_t* library, int type, int state, const char* path, void* context);

  private:
    Handle(const boost::asio::any_io_executor& executor, Callbacks callbacks);
    void process(int events);
    void follow_socket(int fd);
    void wait_for(int interest);

    Callbacks callbacks_;
    zhandle_t* library_ = nullptr;
    boost::asio::posix::stream_descriptor socket_;  ///< A duplicate of the library's.
    unsigned socket_serial_ = 0;                    ///< Tells a wait on an earlier duplicate.
    bool waits_read_ = false;
    bool waits_write_ = false;
    boost::asio::steady_timer timer_;
};

}  // namespace mysos::zookeeper
