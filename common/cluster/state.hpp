#pragma once

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/cluster/input.hpp"
#include "common/cluster/record.hpp"
#include "common/control/messages.hpp"
#include "common/diagnosis/diagnosis.hpp"
#include "common/diagnosis/situations.hpp"
#include "common/election/effect.hpp"
#include "common/election/state.hpp"
#include "common/electorate/changes.hpp"
#include "common/mesos/call.hpp"
#include "common/mesos/event.hpp"
#include "common/mysql/observation.hpp"
#include "common/mysql/position.hpp"
#include "common/placement/placement.hpp"
#include "common/publish/publish.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace mysos::cluster {

/// What all tasks of the framework share, and how patient a cluster is.
struct Config {
    std::string role = "mysos";
    std::optional<std::string> principal;
    mesos::Command executor_command;
    std::string source_prefix = "mysos";
    placement::Unreserved unreserved = placement::Unreserved::used;

    Duration kill_grace = std::chrono::seconds{60};
    Duration kill_pause_min = std::chrono::seconds{5};  ///< A kill is repeated; doubles.
    Duration kill_pause_max = std::chrono::minutes{1};

    Duration unreachable_max = std::chrono::minutes{5};  ///< Then a deletion goes on without it.

    Duration launch_pause_min = std::chrono::seconds{1};  ///< After a launch that failed; doubles.
    Duration launch_pause_max = std::chrono::minutes{5};
    Duration stable_after = std::chrono::seconds{60};  ///< Having run so long, a launch went well.
    Duration partial_max = std::chrono::seconds{60};   ///< Then missing reservations are made anew.
    Duration refuse = std::chrono::minutes{2};         ///< The rest of an offer that was used.

    Duration order_again_after = std::chrono::seconds{2};  ///< An order without its answer.
    Duration rebuild_pause_max = std::chrono::minutes{5};  ///< Between rebuilds that fail.
    diagnosis::Config diagnosis;
    Duration ask_last_after = std::chrono::seconds{5};     ///< Election: without quorum so long.
    Duration election_timeout = std::chrono::seconds{60};  ///< Then an election is called stuck.
    Duration candidate_silence_max = std::chrono::seconds{10};
    /// In so long a primary that is cut off from the scheduler and from its replicas has ended
    /// itself: 3 s until it misses the scheduler, a lease of 4 s, and 3 s more.
    Duration fenced_after = std::chrono::seconds{10};

    Duration switchover_timeout = std::chrono::seconds{10};
    Duration switchover_lag_max = std::chrono::seconds{5};
    Duration hand_over_pause_min = std::chrono::seconds{1};  ///< After one that failed; doubles.
    Duration hand_over_pause_max = std::chrono::minutes{10};

    Duration replace_after = std::chrono::minutes{10};  ///< A lost member may come back so long.
    /// A member whose replication has stopped with an error for so long is rebuilt.
    Duration broken_max = std::chrono::seconds{30};
    std::uint32_t replace_failures = 8;  ///< So many launches in a row, and it is lost.
    /// After a restart, until the master has said again which agents are to rest.
    Duration dismiss_hold = std::chrono::seconds{30};
    /// For so long a member whose agent is to rest looks for another place; then the agent may go
    /// if the others can do without it.
    Duration move_patience = std::chrono::minutes{1};

    Duration unfit_max = std::chrono::seconds{5};  ///< Published so long though it cannot serve.
    Duration publish_hold = std::chrono::seconds{10};  ///< After a restart: members come back.
    Duration publish_retry_min = std::chrono::milliseconds{100};
    Duration publish_retry_max = std::chrono::seconds{5};
};

/// What is known of a member beyond its record: true until a restart, then learned anew.
struct MemberState {
    std::optional<mesos::TaskState> task;  ///< Last believed status of the record's task.
    std::string task_message;              ///< Of that status or of a doubted one, for a person.
    std::string task_reason;
    std::optional<TimePoint> launched_at;  ///< By this process.
    std::optional<TimePoint> running_since;
    std::optional<TimePoint> launch_not_before;  ///< Backing off after launches that failed.
    std::optional<TimePoint> partial_since;      ///< Its volume was offered, but not all beside it.

    std::optional<TimePoint> kill_again_at;
    std::optional<TimePoint>
        give_up_at;  ///< Deleting: its agent has been unreachable for too long.
    Duration kill_pause{};

    std::optional<StreamId> stream;
    TimePoint heard_at{};  ///< Last word on a stream, or when we began to listen.
    std::optional<control::Observation> observation;  ///< The last one; stale without a stream.
    std::optional<mysql::Observation> understood;     ///< The same, where it could be.
    std::optional<TimePoint> replace_at;              ///< Lost: it may come back until then.
    std::optional<TimePoint> broken_since;            ///< Replication stopped with an error.
    bool overdue = false;                             ///< It did not: another takes its place.
    bool going = false;                      ///< One too many, and out of E: not launched again.
    bool released = false;                   ///< It was leaving, and has been told to go.
    bool moving = false;                     ///< Its agent is to rest: another takes its place.
    std::optional<TimePoint> patient_until;  ///< Moving: so long a place for the other is awaited.
    std::optional<TimePoint> unfit_until;    ///< Cannot serve, and is published until then.

    friend bool operator==(const MemberState&, const MemberState&) = default;
};

struct Switchover {
    std::uint64_t request = 0;  ///< 0: nobody's, the primary has to go.
    MemberId to{};
    std::uint64_t serial = 0;                  ///< Of the order to shut clients out.
    std::optional<mysql::Position> must_hold;  ///< The primary's last; none: clients are not shut
                                               ///< out yet.
    bool elects = false;
    TimePoint give_up_at{};
    friend bool operator==(const Switchover&, const Switchover&) = default;
};

struct State {
    Record record;
    std::map<MemberId, MemberState> members;  ///< Same keys as the record's.

    /// What each agent offered last for a new member, while one is wanted.
    std::map<mesos::AgentId, placement::Offered> offered;

    /// What is around it, kept up to date from outside.
    std::string home_region;  ///< The master's; empty: it is in no fault domain.
    std::map<MemberId, std::size_t> primaries_beside;  ///< Of other clusters, on its agents.
    std::set<mesos::AgentId> closing;  ///< Its agents that are to rest, by an operator's plan.

    election::State election;
    electorate::State electorate;
    publish::State publish;
    mysql::Position high_water;             ///< Surely acknowledged, see electorate::high_water.
    std::optional<MemberId> published;      ///< Whom clients should find as the primary.
    std::optional<TimePoint> publish_held;  ///< Nothing is published before, after a restart.
    std::optional<diagnosis::Verdict> verdict;
    diagnosis::Past past;
    std::optional<TimePoint> look_again_at;  ///< Then the verdict may be another by itself.
    std::optional<TimePoint> reopen_at;      ///< The primary is shut, and is told to open then.
    std::optional<election::ReportStuck> stuck;
    std::optional<Switchover> switchover;
    std::optional<TimePoint> hand_over_at;  ///< Not before: the last time it did not work.
    Duration hand_over_pause{};
    std::optional<TimePoint> dismiss_held;  ///< Nobody is too many before, after a restart.
    bool retired = false;  ///< Deleting: all tasks ended, volumes handed over, tree being removed.

    friend bool operator==(const State&, const State&) = default;
};

/// Members that an offer could launch now, or whose unreachable task it could prove to be no more.
[[nodiscard]] std::set<MemberId> wanting_offers(const State& state, TimePoint now);

/// Why the member is not launched, for a person; empty: it is, or nothing hinders it.
[[nodiscard]] std::string waits_for(const State& state, MemberId member, TimePoint now);

/// What an operator would call what is going on.
[[nodiscard]] std::vector<diagnosis::Situation> situations(
    const State& state, const diagnosis::Config& config, TimePoint now);

/// Whether the agent may go for all that this cluster minds.
[[nodiscard]] bool can_spare(const State& state, const mesos::AgentId& agent);

/// What one member needs of an agent, its executor included.
[[nodiscard]] placement::Amounts need(const Record& record);

/// Tasks that the master should know, less those whose launch may still be on its way.
[[nodiscard]] std::vector<mesos::ReconcileTask> live_tasks(const State& state, TimePoint now);

}  // namespace mysos::cluster
