#pragma once

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/cluster/input.hpp"
#include "common/cluster/record.hpp"
#include "common/control/messages.hpp"
#include "common/mesos/call.hpp"
#include "common/mesos/event.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mysos::cluster {

/// What all tasks of the framework share, and how patient a cluster is.
struct Config {
    std::string role = "mysos";
    std::optional<std::string> principal;
    mesos::Command executor_command;
    std::string source_prefix = "mysos";
    bool distinct_agents = true;  ///< Never two members of one cluster on one agent.
    Duration kill_grace = std::chrono::seconds{60};
    Duration launch_pause_min = std::chrono::seconds{1};  ///< After a launch that failed; doubles.
    Duration launch_pause_max = std::chrono::minutes{5};
    Duration kill_pause_min = std::chrono::seconds{5};  ///< A kill is repeated; doubles.
    Duration kill_pause_max = std::chrono::minutes{1};
    Duration order_again_after = std::chrono::seconds{2};  ///< An order without its answer.
    Duration refuse = std::chrono::minutes{2};             ///< The rest of an offer that was used.
};

/// What is known of a member beyond its record: true until a restart, then learned anew.
struct MemberState {
    std::optional<mesos::TaskState> task;  ///< Last believed status of the record's task.
    std::string task_message;              ///< Of that status, for a person.
    std::string task_reason;

    std::optional<StreamId> stream;
    control::Observation observation;  ///< The last one; stale when there is no stream.
    TimePoint observed_at{};

    std::optional<TimePoint> launch_not_before;  ///< Backing off after launches that failed.
    std::string waits_for;                       ///< Why it is not launched; empty: it is.

    std::optional<TimePoint> kill_again_at;
    Duration kill_pause{};

    friend bool operator==(const MemberState&, const MemberState&) = default;
};

struct State {
    Record record;
    std::map<MemberId, MemberState> members;  ///< Same keys as the record's.
    bool retired = false;  ///< Deleting: volumes handed over, tree being removed.

    friend bool operator==(const State&, const State&) = default;
};

/// Whether offers are wanted now: some member can be launched.
[[nodiscard]] bool wants_offers(const State& state, TimePoint now);

}  // namespace mysos::cluster
