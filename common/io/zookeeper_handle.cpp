#include "common/io/zookeeper_handle.hpp"

#include "common/io/log.hpp"

#include <algorithm>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <sys/time.h>
#include <utility>

namespace mysos::zookeeper {
namespace {

namespace asio = boost::asio;

/// The library tells of every attempt to connect; what matters of that is logged by the client. It
/// prints no credentials: the session's password is hidden, and digests are not logged at all.
void log_line(const char* message)
{
    std::string_view line{message};
    while (line.ends_with('\n')) line.remove_suffix(1);
    log::logger("zookeeper")->debug("library says: {}", line);
}

bool same_socket(int a, int b)
{
    struct stat first {};
    struct stat second {};
    return ::fstat(a, &first) == 0 && ::fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

}  // namespace

Handle::Handle(const asio::any_io_executor& executor, Callbacks callbacks)
    : callbacks_{std::move(callbacks)}, socket_{executor}, timer_{executor}
{}

std::shared_ptr<Handle> Handle::open(
    const asio::any_io_executor& executor,
    const std::string& servers,
    std::chrono::milliseconds session_timeout,
    const std::optional<SessionKey>& resume,
    Callbacks callbacks)
{
    std::shared_ptr<Handle> handle{new Handle{executor, std::move(callbacks)}};
    clientid_t id{};
    if (resume) {
        id.client_id = resume->id;
        std::ranges::copy(resume->password, std::begin(id.passwd));
    }
    zoo_set_debug_level(ZOO_LOG_LEVEL_WARN);
    handle->library_ = zookeeper_init2(
        servers.c_str(),
        &Handle::on_event,
        static_cast<int>(session_timeout.count()),
        resume ? &id : nullptr,
        handle.get(),
        ZOO_NO_LOG_CLIENTENV,
        &log_line);
    if (handle->library_ == nullptr) return nullptr;
    // Addresses never need the resolver again.
    zoo_set_servers_resolution_delay(handle->library_, -1);
    return handle;
}

Handle::~Handle()
{
    // The last completions must find no callback into an owner that is itself going.
    callbacks_ = {};
    if (library_ != nullptr) zookeeper_close(library_);
}

SessionKey Handle::session() const
{
    const clientid_t* const id = zoo_client_id(library_);
    SessionKey key;
    key.id = id->client_id;
    std::ranges::copy(id->passwd, key.password.begin());
    return key;
}

std::chrono::milliseconds Handle::session_timeout() const
{
    return std::chrono::milliseconds{zoo_recv_timeout(library_)};
}

void Handle::on_event(zhandle_t* /*library*/, int type, int state, const char* path, void* context)
{
    Handle& self = *static_cast<Handle*>(context);
    if (type == ZOO_SESSION_EVENT) {
        if (self.callbacks_.session) self.callbacks_.session(state);
    } else if (self.callbacks_.node) {
        self.callbacks_.node(type, path == nullptr ? "" : path);
    }
}

void Handle::pump()
{
    int fd = -1;
    int interest = 0;
    timeval patience{};
    const int code = zookeeper_interest(library_, &fd, &interest, &patience);
    if (is_unrecoverable(library_) != ZOK) {
        // The session is over and its owner was told. There is nothing left to wait for.
        follow_socket(-1);
        timer_.cancel();
        return;
    }
    // A failed attempt has closed the socket; the next call makes another, on the next server.
    follow_socket(code == ZOK ? fd : -1);
    if (code == ZOK && socket_.is_open()) wait_for(interest);

    // After a failure the library may ask for no pause at all; it must not spin.
    constexpr Duration pause_min = std::chrono::milliseconds{20};
    const Duration asked =
        std::chrono::seconds{patience.tv_sec} + std::chrono::microseconds{patience.tv_usec};
    timer_.expires_after(code == ZOK ? asked : std::max(asked, pause_min));
    timer_.async_wait([weak = weak_from_this()](const ErrorCode& error) {
        const std::shared_ptr<Handle> self = weak.lock();
        if (self && !error) self->process(0);
    });
}

void Handle::process(int events)
{
    // What goes wrong here is told through the callbacks, and interest begins anew after it.
    static_cast<void>(zookeeper_process(library_, events));
    pump();
}

void Handle::follow_socket(int fd)
{
    if (socket_.is_open()) {
        if (fd >= 0 && same_socket(socket_.native_handle(), fd)) return;
        ErrorCode ignored;
        socket_.close(ignored);
        ++socket_serial_;
        waits_read_ = waits_write_ = false;
    }
    if (fd < 0) return;
    const int duplicate = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    // Out of descriptors: the timer comes back to it.
    if (duplicate < 0) return;
    ErrorCode error;
    socket_.assign(duplicate, error);
    if (error) ::close(duplicate);
}

void Handle::wait_for(int interest)
{
    const auto wait = [this](bool Handle::*waits, auto kind, int events) {
        if (this->*waits) return;
        this->*waits = true;
        socket_.async_wait(
            kind,
            [weak = weak_from_this(), serial = socket_serial_, waits, events](
                const ErrorCode& error) {
                const std::shared_ptr<Handle> self = weak.lock();
                if (!self || self->socket_serial_ != serial) return;
                (*self).*waits = false;
                if (!error) self->process(events);
            });
    };
    if ((interest & ZOOKEEPER_READ) != 0)
        wait(&Handle::waits_read_, asio::posix::descriptor_base::wait_read, ZOOKEEPER_READ);
    if ((interest & ZOOKEEPER_WRITE) != 0)
        wait(&Handle::waits_write_, asio::posix::descriptor_base::wait_write, ZOOKEEPER_WRITE);
}

}  // namespace mysos::zookeeper
