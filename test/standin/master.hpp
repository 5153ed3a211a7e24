#pragma once

#include "test/standin/master_state.hpp"
#include "test/standin/task_checks.hpp"
#include "test/standin/world.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mysos::standin {

/// What a master asks its shell to do. Nothing of it may call the master back at once.
class MasterPort {
  public:
    MasterPort() = default;
    MasterPort(const MasterPort&) = delete;
    MasterPort& operator=(const MasterPort&) = delete;
    virtual ~MasterPort() = default;

    virtual void send(StreamKey stream, const v1::scheduler::Event& event) = 0;
    virtual void end(StreamKey stream) = 0;
    virtual void send(AgentSlot agent, ToAgent message) = 0;
};

/// What a call came with, besides its body.
struct CallContext {
    std::optional<std::string> principal;  ///< Authenticated.
    std::optional<std::string> stream_id;  ///< Of the header.
};

struct Answer {
    unsigned code;
    std::string text;
};

/// A leading Mesos master as its frameworks see it: subscriptions, offers, operations, tasks, the
/// life of agents. Every refusal is the one of the real master.
///
/// Makes no I/O: calls and agents' messages come in, events and messages go out by `MasterPort`.
/// The shell calls `tick` at `next_deadline`. The registry outlives the master and is its caller's.
class Master {
  public:
    Master(MasterConfig config, Registry& registry, World& world, MasterPort& port);

    [[nodiscard]] const MasterConfig& config() const { return config_; }
    [[nodiscard]] v1::MasterInfo info() const { return info_of(config_); }
    [[nodiscard]] static v1::MasterInfo info_of(const MasterConfig& config);

    /// Any call but SUBSCRIBE that has passed `check_call`.
    [[nodiscard]] Answer handle(v1::scheduler::Call call, const CallContext& context);
    /// SUBSCRIBE that has passed `check_call`, after the head of its response is on its way.
    void subscribe(
        v1::scheduler::Call call,
        const CallContext& context,
        StreamKey stream,
        std::string stream_id);
    void stream_closed(StreamKey stream);

    void receive(AgentSlot slot, ToMaster message);
    /// The agent's process died or its connection broke.
    void agent_disconnected(AgentSlot slot);
    void mark_gone(AgentSlot slot);
    void drain(AgentSlot slot, const std::optional<v1::DurationInfo>& max_grace);
    void reactivate(AgentSlot slot);
    /// None: what was planned is not any more.
    void plan_maintenance(AgentSlot slot, const std::optional<v1::Unavailability>& window);

    void tick();
    [[nodiscard]] TimePoint next_deadline() const;

    [[nodiscard]] const std::map<FrameworkId, Framework>& frameworks() const { return frameworks_; }
    [[nodiscard]] const std::map<AgentId, Agent>& agents() const { return agents_; }
    [[nodiscard]] const std::map<std::string, Offer>& offers() const { return offers_; }
    [[nodiscard]] const std::deque<FrameworkId>& completed() const { return completed_; }
    [[nodiscard]] const std::map<AgentId, Maintenance>& maintenance() const { return maintenance_; }

  private:
    using Call = v1::scheduler::Call;
    using Event = v1::scheduler::Event;

    // master_calls.cpp
    Answer perform(Call& call, Framework& framework);
    void decline(const Call::Decline& decline);
    void revive(Framework& framework, const Call::Revive& revive);
    void suppress(Framework& framework, const Call::Suppress& suppress);
    void acknowledge(Framework& framework, const Call::Acknowledge& acknowledge);
    void acknowledge_operation(const Call::AcknowledgeOperationStatus& acknowledge);
    void reconcile_operations(Framework& framework, const Call::ReconcileOperations& wanted);

    // master_subscribe.cpp
    Fault refuse_subscription(const Call::Subscribe& subscribe, const FrameworkId& id) const;
    void take_over(Framework& framework, const Call::Subscribe& subscribe);
    Answer update_framework(Framework& framework, const Call::UpdateFramework& update);
    void adopt(Framework& framework, v1::FrameworkInfo info);
    void set_suppressed(
        Framework& framework, const google::protobuf::RepeatedPtrField<std::string>& roles);
    void connect(Framework& framework, StreamKey stream, std::string stream_id);
    void remove_framework(const FrameworkId& id);
    void remove_overdue_frameworks();

    // master_agents.cpp
    void on(AgentSlot slot, to_master::Register& message);
    void on(AgentSlot slot, to_master::Reregister& message);
    void on(AgentSlot slot, to_master::Pong& message);
    void reconcile_agent(Agent& agent, const to_master::Reregister& message);
    void readmit(Agent& agent, to_master::Reregister& message, bool was_unreachable);
    void recover_frameworks(const to_master::Reregister& message);
    void ping_agents();
    void give_up_recovered_agents();
    void mark_unreachable(AgentId id);
    void drop_agent(
        const AgentId& id,
        v1::TaskState aware,
        v1::TaskStatus status,
        v1::TaskStatus::Reason lost_reason);
    void forget_unrecoverable(Agent& agent);
    void fail_agent(const AgentId& id);
    Agent* agent_at(AgentSlot slot);
    Agent* find_agent(const AgentId& id);

    // master_accept.cpp
    void accept(Framework& framework, Call::Accept& accept);
    Fault check_offers(const Framework& framework, const Call::Accept& accept) const;
    void refuse_accept(Framework& framework, const Call::Accept& accept, const std::string& why);
    struct Deal;
    bool prepare(Deal& deal, v1::Offer::Operation& operation);
    Fault judge(Deal& deal, const v1::Offer::Operation& operation) const;
    void apply(Deal& deal, v1::Offer::Operation& operation);
    void launch(Deal& deal, v1::Offer::Operation& operation);
    void launch_one(Deal& deal, v1::TaskInfo& task);
    void refuse_operation(
        Framework& framework, const v1::Offer::Operation& operation, const std::string& why);

    // master_offers.cpp
    void allocate();
    void offer(
        Framework& framework,
        const std::string& role,
        Agent& agent,
        Resources resources,
        Event& event);
    bool is_offerable(
        const Framework& framework,
        const std::string& role,
        const Agent& agent,
        const Resources& resources) const;
    std::vector<std::pair<std::string, FrameworkId>> by_share() const;
    Resources free_of(const Agent& agent) const;
    void refuse(
        const FrameworkId& framework,
        const Offer& offer,
        const Resources& resources,
        const v1::Filters* filters);
    void take_back(const FrameworkId& framework);
    void rescind(const std::function<bool(const Offer&)>& which);
    void clear_filters(const FrameworkId& framework, const std::set<std::string>* roles);

    // master_maintenance.cpp
    void make_inverse_offers();
    bool uses(const Framework& framework, const Agent& agent) const;
    void make_inverse_offer(
        Framework& framework, const Agent& agent, Maintenance& maintenance, Event& event);
    void answer_inverse_offers(
        const Framework& framework,
        const google::protobuf::RepeatedPtrField<v1::OfferID>& ids,
        const v1::Filters& filters,
        const std::string& answer);
    void rescind_inverse_offers(Maintenance& maintenance);
    void forget_inverse_offers(const FrameworkId& framework);

    // master_tasks.cpp
    void on(AgentSlot slot, to_master::Update& message);
    void on(AgentSlot slot, to_master::Message& message);
    void on(AgentSlot slot, to_master::ExitedExecutor& message);
    void on(AgentSlot slot, to_master::OperationUpdate& message);
    void kill(Framework& framework, const Call::Kill& kill);
    void reconcile(Framework& framework, const Call::Reconcile& reconcile);
    void reconcile_one(Framework& framework, const TaskId& id, const std::optional<AgentId>& agent);
    void send_latest(
        Framework& framework,
        const Task& task,
        v1::TaskStatus::Reason reason,
        const std::string& message);
    v1::TaskStatus made_here(
        const TaskId& task,
        v1::TaskState state,
        v1::TaskStatus::Reason reason,
        std::string message) const;
    void send_update(Framework& framework, v1::TaskStatus status);
    void send(Framework& framework, const Event& event);
    v1::TimeInfo wall_time() const;

    MasterConfig config_;
    Registry& registry_;
    World& world_;
    MasterPort& port_;
    std::map<FrameworkId, Framework> frameworks_;
    std::deque<FrameworkId> completed_;
    std::map<AgentId, Agent> agents_;
    std::set<AgentId> recovered_;  ///< In the registry, not yet registered with this master.
    std::map<std::string, Offer> offers_;
    std::map<AgentId, Maintenance> maintenance_;
    std::vector<OfferFilter> filters_;
    std::map<std::pair<FrameworkId, std::string>, TrackedOperation> operations_;
    std::uint64_t next_framework_ = 0;
    std::uint64_t next_agent_ = 0;
    std::uint64_t next_offer_ = 0;
    TimePoint allocation_at_;
    TimePoint recovered_until_;
    bool allocate_soon_ = false;
};

}  // namespace mysos::standin
