#pragma once

#include "test/standin/agent_shell.hpp"
#include "test/standin/master_znode.hpp"
#include "test/standin/real_world.hpp"

#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mysos::standin {

struct AgentOptions {
    Resources::List resources;
    google::protobuf::RepeatedPtrField<v1::Attribute> attributes;
    std::optional<v1::DomainInfo> domain;
    std::uint16_t port = 0;
    std::string network;  ///< Namespace of `ip netns`; empty: the stand-in's own.
    std::string ip;       ///< In that namespace; empty: the stand-in's.
};

struct Options {
    std::string ip = "127.0.0.1";
    std::string hostname = "127.0.0.1";
    std::uint16_t port = 0;
    std::filesystem::path work_dir;
    std::vector<AgentOptions> agents;
    MasterConfig master;
    AgentConfig agent;
    bool with_follower = false;
    std::optional<ZkUrl> zk;  ///< Where the masters' json.info_ nodes are published.
    bool authenticate = false;
    std::map<std::string, std::string> credentials;  ///< principal -> secret
};

/// The whole stand-in on one event loop: a master, perhaps a second one that follows, and agents,
/// each on its own port; fault switches below /standin on the master's.
class Standin final : public MasterPort {
  public:
    Standin(boost::asio::io_context& io, Options options);
    ~Standin() override;

    /// Throws std::system_error if a port is taken.
    void start();
    /// Ends everything that was started, down to the last process.
    void end();
    /// What a test or a script must know to use it: ports, agents, process id.
    [[nodiscard]] nlohmann::json ports() const;

    // MasterPort
    void send(StreamKey stream, const v1::scheduler::Event& event) override;
    void end(StreamKey stream) override;
    void send(AgentSlot agent, ToAgent message) override;

  private:
    /// One master process's address; which of them leads can change.
    struct Node final : HttpHandler {
        Node(Standin& standin, std::size_t number);
        void on_request(std::shared_ptr<HttpConnection> connection, HttpRequest request) override;
        void on_stream_closed(StreamKey stream) override;
        Standin& owner;
        std::size_t index;
        std::string id;
        HttpListener listener;
        std::unique_ptr<MasterZnode> znode;
    };
    struct Stream {
        std::shared_ptr<HttpConnection> connection;
        Encoding encoding;
    };

    // standin.cpp
    void lead(std::size_t node);
    void depose();
    void succeed(std::size_t next, Duration silent, Duration unknown, Duration recovering);
    void redetect();
    [[nodiscard]] MasterConfig config_of(const Node& node) const;
    /// The node's znode; then those of the nodes behind it, so that it leads before them.
    void publish(std::size_t node, bool others_too);
    void rearm();
    void to_master(AgentSlot slot, ToMaster message);
    void after(Duration delay, std::function<void()> work);

    // standin_http.cpp
    void answer(
        Node& node, const std::shared_ptr<HttpConnection>& connection, const HttpRequest& request);
    HttpResponse scheduler(
        Node& node, const std::shared_ptr<HttpConnection>& connection, const HttpRequest& request);
    HttpResponse call(
        const std::shared_ptr<HttpConnection>& connection,
        const HttpRequest& request,
        const std::optional<std::string>& principal);
    [[nodiscard]] std::optional<HttpResponse> not_leading(
        const Node& node, const HttpRequest& request) const;

    // standin_faults.cpp
    HttpResponse control(const HttpRequest& request);
    HttpResponse switch_agent(
        AgentShell& agent,
        AgentSlot slot,
        const std::string& action,
        const nlohmann::json& arguments);
    HttpResponse operate(
        AgentSlot slot, const std::string& action, const nlohmann::json& arguments);
    HttpResponse switch_master(const std::string& action, const nlohmann::json& arguments);
    HttpResponse switch_wire(const nlohmann::json& arguments);
    [[nodiscard]] nlohmann::json state() const;

    boost::asio::io_context& io_;
    Options options_;
    RealWorld world_;
    WireMode wire_;
    Registry registry_;
    std::vector<std::unique_ptr<Node>> nodes_;
    std::vector<std::unique_ptr<AgentShell>> agents_;
    std::size_t leader_ = 0;
    bool leader_is_known_ = false;
    std::unique_ptr<Master> master_;
    std::map<StreamKey, Stream> streams_;
    std::uint64_t next_stream_ = 1;
    std::uint64_t term_ = 0;  ///< Of the master; what was sent to an earlier one is lost.
    boost::asio::steady_timer timer_;
};

}  // namespace mysos::standin
