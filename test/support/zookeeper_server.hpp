#pragma once

#include "common/base/zk_url.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

namespace mysos::test {

/// A real ZooKeeper of one server or three, on free ports of 127.0.0.1, in a directory of its own.
///
/// The servers die with the process that started them, and with this object. Functions return when
/// what they name has happened; they throw std::runtime_error when it does not.
class ZookeeperServer {
  public:
    /// Starts and waits until it serves.
    explicit ZookeeperServer(std::size_t count = 1);
    ZookeeperServer(const ZookeeperServer&) = delete;
    ZookeeperServer& operator=(const ZookeeperServer&) = delete;
    ~ZookeeperServer();

    [[nodiscard]] std::size_t count() const { return servers_.size(); }
    [[nodiscard]] std::vector<HostPort> addresses() const;
    /// "zk://127.0.0.1:p1,…" + path, which begins with a slash.
    [[nodiscard]] std::string url(const std::string& path) const;

    /// Which server leads the ensemble. For one server: 0.
    [[nodiscard]] std::size_t leader() const;

    void kill(std::size_t index);    ///< SIGKILL.
    void pause(std::size_t index);   ///< SIGSTOP: connections stay, nothing is answered.
    void resume(std::size_t index);  ///< SIGCONT.
    void start(std::size_t index);   ///< Again, on the same ports and data; waits until it serves.

  private:
    struct Server {
        std::uint16_t client_port = 0;
        std::uint16_t quorum_port = 0;
        std::uint16_t election_port = 0;
        pid_t pid = -1;
    };
    void configure();
    void launch(std::size_t index);
    void stop_all();
    [[nodiscard]] bool wait_until_serving(std::size_t index);
    [[nodiscard]] std::string mode(std::size_t index) const;

    std::filesystem::path directory_;
    std::vector<Server> servers_;
};

}  // namespace mysos::test
