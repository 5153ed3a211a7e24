#pragma once

#include "common/io/http_client.hpp"
#include "test/support/port_block.hpp"
#include "test/support/process.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

/// The programs as they are built, started for a test. Each on free ports of 127.0.0.1, with its
/// files and what it prints below a directory that the test gives.
namespace mysos::test {

/// Absolute path of a program in the build tree: "scheduler/mysos-scheduler".
[[nodiscard]] std::string built(const std::string& relative);

/// One request, answered or thrown about.
[[nodiscard]] io::Response http(std::uint16_t port, io::Request request);
[[nodiscard]] io::Response get(std::uint16_t port, const std::string& target);
/// An urlencoded form.
[[nodiscard]] io::Response send_form(
    std::uint16_t port,
    const std::string& method,
    const std::string& target,
    const std::string& body);

/// Asks until it holds: for what another program comes to by itself and tells nobody. Throws
/// std::runtime_error, with `what`, when that lasts beyond any reason.
void await_true(const std::string& what, const std::function<bool()>& holds);

/// A stand-in master with agents that have 4 cpus, 4096 MB and 10000 MB of disk each, and share a
/// block of ports.
class StandinProgram {
  public:
    explicit StandinProgram(
        const std::filesystem::path& directory,
        int agents = 3,
        const std::vector<std::string>& more_flags = {});
    StandinProgram(const StandinProgram&) = delete;
    StandinProgram& operator=(const StandinProgram&) = delete;
    ~StandinProgram() { process_->end(); }  ///< With it its executors and their servers end.

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] Process& process() { return *process_; }

  private:
    PortBlock ports_;
    std::unique_ptr<Process> process_;
    std::uint16_t port_ = 0;
};

class SchedulerProgram {
  public:
    struct Order {
        std::filesystem::path directory;  ///< Kept over restarts: the key is there.
        std::string zk_url;
        std::string mesos_master;
        std::vector<std::string> more_flags;
    };
    /// Starts it; what it needs may still be missing.
    explicit SchedulerProgram(Order order);

    /// Waits until it listens.
    [[nodiscard]] std::uint16_t port();
    [[nodiscard]] Process& process() { return *process_; }
    [[nodiscard]] nlohmann::json get_json(const std::string& target);

  private:
    std::unique_ptr<Process> process_;
    std::uint16_t port_ = 0;
};

}  // namespace mysos::test
