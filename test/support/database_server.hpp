#pragma once

#include "common/mysql/config.hpp"
#include "executor/control/server_control.hpp"
#include "executor/out/server_process.hpp"
#include "executor/out/sql_session.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace mysos::test {

/// Asks again and again until it holds. False: it did not, and the test is to fail.
[[nodiscard]] bool eventually(
    const std::function<bool()>& holds, std::chrono::seconds limit = std::chrono::seconds{60});

/// A point in time so far away that only a hung test reaches it.
[[nodiscard]] executor::ServerControl::Deadline in_time();

/// A real server in a directory of its own on a free port of 127.0.0.1, made, started and steered
/// by the executor's own code. Errors: throws std::runtime_error with the server's words. Lifetime:
/// kills the server and removes the directory.
class DatabaseServer {
  public:
    DatabaseServer(mysql::Flavor flavor, std::uint32_t server_id);
    ~DatabaseServer();
    DatabaseServer(const DatabaseServer&) = delete;
    DatabaseServer& operator=(const DatabaseServer&) = delete;

    /// Returns when it answers.
    void start(mysql::StartMode mode = mysql::StartMode::fenced);
    void launch(mysql::StartMode mode = mysql::StartMode::fenced);  ///< The first half of `start`,
    void await_answer();                                            ///< and the second.
    void kill();  ///< SIGKILL, and waits for the end.
    void stop();  ///< A clean end.
    /// Sends a signal and waits for nothing.
    void signal(int number) const;
    [[nodiscard]] bool runs() const;  ///< Looks, and reaps it if it has ended.
    [[nodiscard]] executor::ProcessExit wait_for_exit();

    [[nodiscard]] executor::SqlSession session(
        std::chrono::milliseconds answer = std::chrono::seconds{60}) const;
    /// As a client with a password. The account must be one that needs no plugin: over the socket.
    [[nodiscard]] executor::SqlResult<executor::SqlSession> login(
        const std::string& user, const std::string& password) const;
    [[nodiscard]] executor::ServerControl& control() const { return *control_; }
    [[nodiscard]] control::Observation observe() const;

    /// Scalar of a query; throws when it fails.
    [[nodiscard]] std::string ask(const std::string& sql) const;
    void tell(const std::string& sql) const;
    /// Value of a global status counter.
    [[nodiscard]] std::string counter(const std::string& name) const;

    [[nodiscard]] mysql::Flavor flavor() const { return config_.flavor; }
    [[nodiscard]] std::uint32_t id() const { return config_.server_id; }
    [[nodiscard]] std::uint16_t port() const { return config_.port; }
    [[nodiscard]] std::string log() const;
    [[nodiscard]] const mysql::Directories& directories() const { return config_.directories; }
    [[nodiscard]] executor::ServerProcess& process() { return *process_; }
    [[nodiscard]] boost::asio::io_context& loop() { return loop_; }

    /// Makes it primary of that epoch, which lets in these accounts of those that are there.
    std::string promote(
        std::uint64_t epoch,
        std::uint32_t acks,
        const std::string& position = "",
        std::set<std::string> replicas = {});
    void follow(
        const DatabaseServer& primary,
        bool acknowledge,
        executor::ServerControl::Deadline deadline = in_time());

  private:
    [[nodiscard]] std::string user() const;

    std::string directory_;
    mysql::ServerConfig config_;
    mutable boost::asio::io_context loop_{1};
    std::unique_ptr<executor::ServerProcess> process_;
    std::unique_ptr<executor::ServerControl> control_;
};

inline constexpr auto cluster_uuid = "c0ffee00-1111-2222-3333-444444444444";

}  // namespace mysos::test
