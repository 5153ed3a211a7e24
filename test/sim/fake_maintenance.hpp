#pragma once

#include "common/mesos/call.hpp"
#include "common/mesos/event.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

/// A master's maintenance schedule: agents that are to rest, the inverse offers that ask for them,
/// and what was answered.
namespace mysos::sim {

class FakeMaintenance {
  public:
    void plan(const mesos::AgentId& agent, std::int64_t from_unix_ms);
    [[nodiscard]] bool is_planned(const mesos::AgentId& agent) const;
    [[nodiscard]] std::optional<mesos::Window> window(const mesos::AgentId& agent) const;
    /// Over, or called off. What the master says about it: nothing, if nothing was asked.
    [[nodiscard]] std::optional<mesos::Event> end(const mesos::AgentId& agent);

    /// Inverse offers for those agents that the framework uses, as the allocator makes them.
    [[nodiscard]] std::optional<mesos::Event> ask(
        const std::set<mesos::AgentId>& used, TimePoint now, std::uint64_t& serial);
    /// Agents that may go by it; an id that is not outstanding is passed over.
    [[nodiscard]] std::vector<mesos::AgentId> accept(
        const mesos::AcceptInverse& accept, TimePoint now);
    /// A new subscription: what was asked is asked again.
    void resubscribed();

  private:
    struct Planned {
        mesos::Window window;
        std::optional<mesos::OfferId> asked{};
        TimePoint not_before{};
    };
    std::map<mesos::AgentId, Planned> planned_;
};

}  // namespace mysos::sim
