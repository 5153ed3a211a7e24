#pragma once

#include "common/base/time.hpp"
#include "common/cluster/record.hpp"
#include "common/cluster/state.hpp"
#include "common/mesos/call.hpp"
#include "common/mesos/reconcile.hpp"
#include "scheduler/decide/agenda.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace mysos::scheduler {

struct Config {
    mesos::FrameworkInfo framework;
    cluster::Config cluster;
    std::string default_flavor = "mariadb";
    placement::Constraints default_constraints;  ///< Of clusters that are created without any.
    std::uint32_t num_nodes_max = 15;
    Duration retire_after =
        std::chrono::hours{24};  ///< Age at which a retired volume is destroyed.
    Duration refuse_wanted = std::chrono::minutes{2};  ///< Unfit offers while some are wanted.
    Duration refuse_idle = std::chrono::hours{24};
    mesos::reconcile::Config reconcile;
    Duration maintenance_ahead = std::chrono::hours{24};    ///< So long before, members move.
    Duration maintenance_again = std::chrono::minutes{1};   ///< How often an answer is repeated.
    Duration maintenance_forget = std::chrono::minutes{1};  ///< Not asked for so long: it is over.
};

/// Cotton's metrics that count events; the others are computed from the state when asked for.
struct Counters {
    std::uint64_t tasks_launched = 0;
    std::uint64_t tasks_lost = 0;
    std::uint64_t tasks_finished = 0;
    std::uint64_t tasks_failed = 0;
    std::uint64_t tasks_killed = 0;
    std::uint64_t resource_offers = 0;
    std::uint64_t offers_incompatible_role = 0;
    std::uint64_t offers_unused = 0;
    friend bool operator==(const Counters&, const Counters&) = default;
};

enum class Subscription {
    waiting,     ///< Nothing recovered yet, or no stream.
    subscribed,  ///< Requests are taken, calls are sent.
    refused,     ///< For good.
};

/// An agent that is to rest, as far as the master has told.
struct Maintenance {
    mesos::Window window;
    bool closing = false;                  ///< It is near or has begun: members move.
    bool accepted = false;                 ///< It may go, we said last.
    std::optional<mesos::OfferId> asked;   ///< The inverse offer that waits for an answer.
    std::optional<TimePoint> forget_at{};  ///< Nothing is asked: over, unless asked again by then.
    std::optional<TimePoint> look_at{};    ///< Then `closing` is another by itself.
    friend bool operator==(const Maintenance&, const Maintenance&) = default;
};

struct State {
    bool recovered = false;
    cluster::FrameworkRecord framework;
    std::map<std::string, cluster::State> clusters;
    Subscription subscription = Subscription::waiting;
    std::optional<bool> suppressed;  ///< What the master was last told; none: not yet.
    std::string master;              ///< "host:port (version)"
    std::string home_region;         ///< Of the master; empty: it is in no fault domain.
    Counters counters;
    std::int64_t unix_ms_at_recovery = 0;
    TimePoint recovered_at{};

    mesos::reconcile::State reconcile;
    std::map<cluster::StreamId, std::string> streams;  ///< Accepted ones, and whose they are.
    std::map<mesos::AgentId, std::size_t> primaries;   ///< How many an agent holds; never 0.
    Agenda agenda;
    std::map<mesos::AgentId, Maintenance> maintenance;
    std::set<mesos::AgentId> to_judge;   ///< Of these, whether they may go: something has changed.
    std::set<mesos::PersistenceId> due;  ///< Retired volumes old enough to be destroyed.
    std::optional<TimePoint> next_due_at;                     ///< When the next one will be.
    std::map<mesos::PersistenceId, mesos::AgentId> released;  ///< Being given back, and where.
    std::set<std::string>
        strangers;  ///< Volumes and tasks that nobody knows: told once, left alone.

    friend bool operator==(const State&, const State&) = default;
};

}  // namespace mysos::scheduler
