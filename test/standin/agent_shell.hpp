#pragma once

#include "test/standin/call_http.hpp"
#include "test/standin/containers.hpp"

#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace mysos::standin {

/// One agent of the stand-in: its machine on its port, with its processes. The machine can crash,
/// return, fall silent or find the host rebooted, while the shell and the containers stay.
class AgentShell final : public AgentPort, public HttpHandler {
  public:
    enum class Mode { running, silent, down };
    struct Links {
        std::function<void(ToMaster)> to_master;  ///< Later, never in the same call.
        std::function<void()> broken;             ///< The agent's process is gone.
        std::function<StreamKey()> new_stream;
    };

    AgentShell(
        boost::asio::any_io_executor executor,
        World& world,
        const WireMode& mode,
        AgentConfig config,
        std::filesystem::path work_dir,
        Links links);

    /// Listens and starts the machine. Throws std::system_error if the port is taken.
    void start(std::uint16_t port = 0);
    void crash();
    void fall_silent();
    void wake();
    /// Kills every container and comes up with another boot id.
    void reboot();
    void end();

    void deliver(ToAgent message);
    void master_detected();
    void drop_connections() { listener_.drop_connections(); }

    [[nodiscard]] Mode mode() const { return mode_; }
    [[nodiscard]] std::uint16_t port() const { return listener_.port(); }
    [[nodiscard]] std::string id() const { return machine_ ? machine_->id() : ""; }
    [[nodiscard]] bool is_registered() const { return machine_ && machine_->is_registered(); }
    [[nodiscard]] const std::string& work_dir() const { return work_dir_text_; }

    // AgentPort
    void send(ToMaster message) override;
    void send(StreamKey stream, const v1::executor::Event& event) override;
    void end(StreamKey stream) override;
    void launch(ContainerSpec spec) override;
    void destroy(const std::string& container) override;
    void adopt(const std::string& container, int pid) override;
    void stop(const std::string& why) override;
    // HttpHandler
    void on_request(std::shared_ptr<HttpConnection> connection, HttpRequest request) override;
    void on_stream_closed(StreamKey stream) override;

  private:
    struct Stream {
        std::shared_ptr<HttpConnection> connection;
        Encoding encoding;
    };
    void answer(const std::shared_ptr<HttpConnection>& connection, const HttpRequest& request);
    HttpResponse call(
        const std::shared_ptr<HttpConnection>& connection, const HttpRequest& request);
    /// Runs `work` on the machine: now, when the agent wakes, or never if it is down.
    void with_machine(std::function<void()> work);
    void rearm();

    boost::asio::any_io_executor executor_;
    World& world_;
    AgentConfig config_;
    std::filesystem::path work_dir_;
    std::string work_dir_text_;
    Links links_;
    Mode mode_ = Mode::down;
    HttpListener listener_;
    Containers containers_;
    std::unique_ptr<AgentMachine> machine_;
    std::map<StreamKey, Stream> streams_;
    std::deque<std::function<void()>> held_;  ///< What came in while silent.
    boost::asio::steady_timer timer_;
};

}  // namespace mysos::standin
