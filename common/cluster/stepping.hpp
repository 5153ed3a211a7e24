#pragma once

#include "common/base/time.hpp"
#include "common/base/uuid.hpp"
#include "common/cluster/effect.hpp"
#include "common/cluster/input.hpp"
#include "common/cluster/state.hpp"
#include "common/election/election.hpp"
#include "common/electorate/changes.hpp"
#include "common/mysql/flavor.hpp"
#include "common/publish/publish.hpp"

#include <map>
#include <string>
#include <utility>

/// What the parts of the cluster machine share; nothing outside of this folder includes it.
namespace mysos::cluster {

/// One step under way. Whatever goes out through `act` is preceded by a `Save` if the record has
/// changed since the last one: nothing is ever done on the strength of what is not yet stored.
class Stepping {
  public:
    Stepping(State& state_, const Config& config_, TimePoint now_)
        : state{state_}, config{config_}, now{now_}
    {}

    State& state;
    const Config& config;
    const TimePoint now;

    [[nodiscard]] Record& record() { return state.record; }
    [[nodiscard]] Member& member(MemberId id) { return state.record.members.at(id); }
    [[nodiscard]] MemberState& seen(MemberId id) { return state.members.at(id); }

    /// The record was changed.
    void changed() { unsaved_ = true; }
    void act(Effect effect);
    void report(Report::Level level, MemberId member, std::string text);
    void ignore(std::string why);

    [[nodiscard]] Effects finish();

  private:
    void save();

    Effects effects_;
    bool unsaved_ = false;
};

// Each in the file of the same name as its family.

void on(Stepping& step, const Started& in);             // on_request.cpp
void on(Stepping& step, const DeleteOrdered& in);       // on_request.cpp
void on(Stepping& step, const ScaleOrdered& in);        // on_request.cpp
void on(Stepping& step, const SwitchoverOrdered& in);   // switchover.cpp
void on(Stepping& step, const ForceOrdered& in);        // force.cpp
void on(Stepping& step, const TreeAnswered& in);        // serve.cpp
void on(Stepping& step, const OfferArrived& in);        // on_offer.cpp
void on(Stepping& step, const MaintenanceChanged& in);  // maintenance.cpp
void on(Stepping& step, const StatusArrived& in);       // on_status.cpp
void on(Stepping& step, const MemberConnected& in);     // on_member.cpp
void on(Stepping& step, const MemberSaid& in);          // on_member.cpp
void on(Stepping& step, const MemberDisconnected& in);  // on_member.cpp
void on(Stepping& step, const DeadlinePassed& in);      // cluster.cpp

/// Looks at all that is known and acts: first primary, adoption, election. (lead.cpp)
void lead(Stepping& step);
/// Looks at all that is known, and says so when the verdict has changed. (diagnose.cpp)
[[nodiscard]] diagnosis::Verdict diagnose(Stepping& step);
/// There is no primary any more, or another one is wanted. (lead.cpp)
void call_election(Stepping& step, std::map<MemberId, int> preference = {});
/// One input for a machine; its effects become the cluster's. (lead.cpp)
void tell_election(Stepping& step, const election::Input& input);
void tell_electorate(Stepping& step, const electorate::Input& input);
/// Nobody leads any more, as the cluster is being deleted or its primary has failed. (lead.cpp)
void depose(Stepping& step);

/// A planned change of primary. (switchover.cpp)
void heard_shut(Stepping& step, const control::Shut& message, mysql::Position position);
void heard_not_shut(Stepping& step, const std::string& why);
void go_on_with_switchover(Stepping& step);
/// Why not to begin with one to this member; empty: nothing is in the way.
[[nodiscard]] std::string objection(const Stepping& step, MemberId to);
void begin_switchover(Stepping& step, std::uint64_t request, MemberId to);
[[nodiscard]] bool is_led(const Stepping& step);

/// Whoever leads and has to go is replaced as the primary, then let go. (hand_over.cpp)
void hand_over(Stepping& step);
/// It did not work: not again at once. (hand_over.cpp)
void note_hand_over(Stepping& step, bool worked);

/// Brings what clients find up to date. (serve.cpp)
void serve(Stepping& step);
void tell_publish(Stepping& step, const publish::Input& input);
/// When `serve` has to look again by itself. (serve.cpp)
[[nodiscard]] std::optional<TimePoint> serve_deadline(const State& state);

/// The member's agent is to rest. (maintenance.cpp)
[[nodiscard]] bool is_closing(const State& state, MemberId id);
/// Who has to move, and who need not any more. (maintenance.cpp)
void note_closing(Stepping& step);
/// As many members as are asked for, less those who move, are in E and acknowledge or lead.
/// (maintenance.cpp)
[[nodiscard]] bool others_are_complete(const State& state);

/// As many members as are asked for: adds and dismisses. (balance.cpp)
void balance(Stepping& step);

/// Deleting: kills what lives, and ends the cluster when nothing does. (on_request.cpp)
void go_on_deleting(Stepping& step);
/// Kills and says when to repeat it. (on_request.cpp)
void kill(Stepping& step, MemberId id);

/// The member's task is no more: what that means for the record, the election, the deletion.
/// (on_status.cpp)
void end_task(Stepping& step, MemberId id, mesos::TaskState state, const std::string& message);
/// Its executor or its agent saw it end; else somebody gave it up. (on_status.cpp)
[[nodiscard]] bool has_surely_ended(mesos::TaskState state);
/// How long to wait after so many launches in a row that failed. (on_status.cpp)
[[nodiscard]] Duration launch_pause(const Config& config, std::uint32_t failures);

/// Where commits wait for nobody: whose end the election has to wait for. (durability.cpp)
void await_fence(const Stepping& step, election::Called& call);
/// Whether one of its two members goes on without the other. (alone.cpp)
[[nodiscard]] bool goes_alone(const Record& record);
/// The only replica leaves E, so that commits need not wait for it. (alone.cpp)
void go_alone(Stepping& step);
[[nodiscard]] mysql::Flavor flavor(const Record& record);
[[nodiscard]] Uuid uuid(const Record& record);

}  // namespace mysos::cluster
