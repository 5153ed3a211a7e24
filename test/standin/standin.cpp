#include "test/standin/standin.hpp"

#include <boost/asio/post.hpp>

#include <cstdio>
#include <unistd.h>

namespace mysos::standin {

Standin::Node::Node(Standin& standin, std::size_t number)
    : owner{standin},
      index{number},
      id{uuid_text(standin.world_.uuid())},
      listener{standin.io_.get_executor(), *this, standin.wire_}
{}

Standin::Standin(boost::asio::io_context& io, Options options)
    : io_{io}, options_{std::move(options)}, timer_{io}
{
    for (std::size_t i = 0; i < (options_.with_follower ? 2U : 1U); ++i)
        nodes_.push_back(std::make_unique<Node>(*this, i));
    const std::string boot_id = uuid_text(world_.uuid());
    for (std::size_t i = 0; i < options_.agents.size(); ++i) {
        AgentConfig config = options_.agent;
        const AgentOptions& own = options_.agents[i];
        config.network = own.network;
        config.ip = own.ip.empty() ? options_.ip : own.ip;
        config.boot_id = boot_id;
        config.info.set_hostname(own.ip.empty() ? options_.hostname : own.ip);
        *config.info.mutable_attributes() = own.attributes;
        if (own.domain) *config.info.mutable_domain() = *own.domain;
        config.total = Resources{own.resources};
        const AgentSlot slot{i};
        AgentShell::Links links;
        links.to_master = [this, slot](ToMaster message) { to_master(slot, std::move(message)); };
        links.broken = [this, slot] {
            if (!master_) return;
            master_->agent_disconnected(slot);
            rearm();
        };
        links.new_stream = [this] { return StreamKey{next_stream_++}; };
        agents_.push_back(std::make_unique<AgentShell>(
            io_.get_executor(),
            world_,
            wire_,
            std::move(config),
            options_.work_dir / ("agent" + std::to_string(i)),
            std::move(links)));
    }
}

Standin::~Standin() = default;

void Standin::start()
{
    nodes_.front()->listener.open(options_.ip, options_.port);
    for (std::size_t i = 1; i < nodes_.size(); ++i) nodes_[i]->listener.open(options_.ip, 0);
    for (std::size_t i = 0; i < agents_.size(); ++i) agents_[i]->start(options_.agents[i].port);
    lead(0);
    publish(0, true);
}

void Standin::end()
{
    timer_.cancel();
    for (auto& node : nodes_) {
        node->znode.reset();
        node->listener.close();
    }
    for (auto& agent : agents_) agent->end();
    // What an executor let slip out of its session is its fault, and must not outlive the stand-in.
    for (auto& agent : agents_)
        if (const int strays = kill_strays(agent->work_dir()); strays > 0)
            std::fprintf(
                stderr,
                "mesos-standin: killed %d processes that had left their container in %s\n",
                strays,
                agent->work_dir().c_str());
}

nlohmann::json Standin::ports() const
{
    nlohmann::json agents = nlohmann::json::array();
    for (const auto& agent : agents_)
        agents.push_back({{"port", agent->port()}, {"work_dir", agent->work_dir()}});
    nlohmann::json ports{
        {"ip", options_.ip},
        {"master", nodes_.front()->listener.port()},
        {"pid", getpid()},
        {"agents", agents}};
    if (nodes_.size() > 1) ports["follower"] = nodes_[1]->listener.port();
    return ports;
}

void Standin::lead(std::size_t node)
{
    ++term_;
    leader_ = node;
    master_ = std::make_unique<Master>(config_of(*nodes_[node]), registry_, world_, *this);
    leader_is_known_ = true;
    redetect();
    rearm();
}

/// The leading master's process dies: its connections break, its memory is gone.
void Standin::depose()
{
    ++term_;
    master_.reset();
    streams_.clear();
    timer_.cancel();
    nodes_[leader_]->znode.reset();
    nodes_[leader_]->listener.close();
    nodes_[leader_]->id = uuid_text(world_.uuid());
}

/// First the followers still point to the dead leader, then nobody leads, then the next one reads
/// the registry.
void Standin::succeed(std::size_t next, Duration silent, Duration unknown, Duration recovering)
{
    const std::size_t old = leader_;
    depose();
    after(silent, [this, next, old, unknown, recovering] {
        nodes_[old]->listener.open(options_.ip, 0);
        publish(old, false);
        leader_is_known_ = false;
        after(unknown, [this, next, recovering] {
            leader_ = next;
            leader_is_known_ = true;
            after(recovering, [this, next] { lead(next); });
        });
    });
}

MasterConfig Standin::config_of(const Node& node) const
{
    MasterConfig config = options_.master;
    config.id = node.id;
    config.ip = options_.ip;
    config.hostname = options_.hostname;
    config.port = node.listener.port();
    return config;
}

void Standin::publish(std::size_t node, bool others_too)
{
    if (!options_.zk || node >= nodes_.size()) return;
    const std::string text = znode_text(Master::info_of(config_of(*nodes_[node])));
    const auto next = [this, node, others_too, done = false]() mutable {
        if (others_too && !std::exchange(done, true)) publish(node + 1, true);
    };
    nodes_[node]->znode =
        std::make_unique<MasterZnode>(io_.get_executor(), *options_.zk, text, next);
}

void Standin::redetect()
{
    for (auto& agent : agents_) agent->master_detected();
}

void Standin::rearm()
{
    if (!master_) return;
    timer_.expires_at(master_->next_deadline());
    timer_.async_wait([this](boost::system::error_code ec) {
        if (ec || !master_) return;
        master_->tick();
        rearm();
    });
}

void Standin::after(Duration delay, std::function<void()> work)
{
    const auto timer = std::make_shared<boost::asio::steady_timer>(io_, delay);
    timer->async_wait([timer, work = std::move(work)](boost::system::error_code ec) {
        if (!ec) work();
    });
}

void Standin::to_master(AgentSlot slot, ToMaster message)
{
    boost::asio::post(io_, [this, slot, term = term_, message = std::move(message)] {
        if (!master_ || term != term_) return;
        master_->receive(slot, message);
        rearm();
    });
}

void Standin::send(AgentSlot agent, ToAgent message)
{
    boost::asio::post(io_, [this, agent, message = std::move(message)] {
        agents_[static_cast<std::size_t>(agent)]->deliver(message);
    });
}

void Standin::send(StreamKey stream, const v1::scheduler::Event& event)
{
    const auto found = streams_.find(stream);
    if (found != streams_.end())
        found->second.connection->send_record(encode(found->second.encoding, event));
}

void Standin::end(StreamKey stream)
{
    const auto found = streams_.find(stream);
    if (found == streams_.end()) return;
    const auto connection = found->second.connection;
    streams_.erase(found);
    connection->end_stream();
}

}  // namespace mysos::standin
