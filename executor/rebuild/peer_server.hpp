#pragma once

#include "common/io/http_server.hpp"
#include "common/io/offload.hpp"
#include "common/io/tasks.hpp"
#include "common/wire/task_data.hpp"
#include "executor/control/server_control.hpp"
#include "executor/install/installer.hpp"
#include "executor/out/spawn.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace mysos::executor {

class Child;

/// A server that others may copy.
struct Donation {
    std::shared_ptr<ServerControl> control;
    Epoch epoch{};  ///< That it takes part in.
    ServerPrograms programs;
    mysql::Directories directories;
    std::optional<Mount> mount;  ///< A program must have it to see the directories as below:
    mysql::Directories seen;     ///< as the server does.
    std::string log_path;
};

/// Answers the executors of other members of the cluster, on the task's peer port.
///
/// Shape:  HTTP/1.1, every request with `Authorization: Bearer <peer token>`, else 401.
///         GET /peer/v1/member: PeerFacts.
///         GET /peer/v1/backup: MariaDB's data as mbstream has them, chunked; one at a time. A body
///         without its last chunk is a backup that failed.
///         Both with ?epoch=N: not from a member that does not take part in that epoch, since it
///         may hold what the primary lacks. 503 with Retry-After: not now. Text for a person comes
///         with every refusal.
/// Units:  `mb_per_second` bounds one backup; 0: as fast as the peer takes it, which is never ahead
///         of it by more than 1 MB. A backup that nobody takes any more is killed, and one that is
///         silent for a minute: it holds locks of the server, or waits for some, and commits wait
///         behind it.
/// Lifetime: must outlive its tasks. Thread: the event loop's.
class PeerServer {
  public:
    /// Nothing while this member is in no state to be copied.
    using Donor = std::function<std::optional<Donation>()>;

    PeerServer(
        boost::asio::any_io_executor executor,
        io::Offload& offload,
        io::Tasks& tasks,
        std::uint32_t mb_per_second,
        Donor donor);
    ~PeerServer();
    PeerServer(const PeerServer&) = delete;
    PeerServer& operator=(const PeerServer&) = delete;

    /// Listens from now on. A port that is not free yet is tried again.
    void begin(const wire::TaskData& data);
    /// Nobody is served before.
    void use_token(std::string token) { token_ = std::move(token); }

  private:
    [[nodiscard]] io::Awaitable<void> serve();
    [[nodiscard]] io::Awaitable<io::Reply> handle(io::Request request);
    [[nodiscard]] io::Awaitable<io::Reply> tell(Donation donation);
    [[nodiscard]] io::Awaitable<io::Reply> back_up(Donation donation);
    [[nodiscard]] io::Awaitable<io::Reply> begin_backup(Donation donation);
    [[nodiscard]] io::Awaitable<void> pump(
        std::shared_ptr<Child> backup, std::string first, std::shared_ptr<io::StreamWriter> to);
    [[nodiscard]] io::Awaitable<void> watch(std::weak_ptr<Child> watched);
    [[nodiscard]] io::Awaitable<bool> pass_on(
        Child& backup, std::string piece, io::StreamWriter& to);

    boost::asio::any_io_executor executor_;
    io::Offload& offload_;
    io::Tasks& tasks_;
    std::uint32_t mb_per_second_;
    Donor donor_;
    std::string token_;  ///< Secret.
    std::unique_ptr<io::HttpServer> server_;
    bool backing_up_ = false;
    TimePoint heard_at_{};  ///< Of the backup under way.
};

}  // namespace mysos::executor
