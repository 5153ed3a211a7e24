#pragma once

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/electorate/electorate.hpp"
#include "common/mysql/observation.hpp"
#include "common/mysql/position.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

/// Under a live primary: sees that everybody follows it, believes those that have proven complete,
/// and changes (E, k) one step at a time.
///
/// Safe because whoever may acknowledge is in the persisted E before, because k in force at the
/// primary is never below the persisted one, and because each change that weakens the old bound
/// first waits until enough of the new electorate hold what the primary held afterwards. Who left
/// may still acknowledge, so the primary lets it in again only when it has said that it does not.
/// "Afterwards" is a position that the primary read on our order (`serial`), never one that was on
/// its way. A change left half done by an earlier scheduler shows in what is persisted: k below
/// floor(n/2) is raised, a member of E that does not acknowledge is switched on and proven; a leave
/// begins anew.
///
/// One of E is told to acknowledge at once. One that may have forgotten what it acknowledged (an
/// amnesiac) does so too, and gets its vote back when it has been seen to hold what the primary
/// held after the run of its server began: all it can have forgotten is older. That order may come
/// late, to a member whose server has restarted since and has forgotten what it acknowledged
/// meanwhile: it names the run, and the executor heeds it in no other.
///
/// One that cannot follow with what it holds is rebuilt from another's copy, one member at a time.
/// If E can do without it, it leaves first, so that elections need not wait for a vote that it does
/// not have. Else it is rebuilt in E, as one that has forgotten everything: the rule for amnesiacs
/// covers that, however much was forgotten.
///
/// Pure: no I/O, clock, randomness, logging or threads. Equal arguments give equal effects.
/// Why it is safe: docs/failover.md, "The electorate".
namespace mysos::electorate {

struct Config {
    Duration ask_again_after;     ///< An order without its answer is repeated.
    Duration rebuild_pause_max;   ///< Refused rebuilds are tried again, later each time.
    std::size_t acks_max = 1;     ///< What the flavour can wait for: mysql::acks_max.
    std::size_t members_min = 1;  ///< electorate::members_min(num_nodes).
};

// Inputs: what has happened.

struct Led {  ///< A primary's marker is acknowledged (AdmitFollowers), or a running one was
              ///< adopted.
    Epoch epoch{};
    MemberId primary{};
    Electorate electorate;          ///< As persisted.
    std::size_t acks_in_force = 0;  ///< At the primary; an adopted one says it (acks_required).
    std::set<MemberId> members;     ///< All of the cluster, in E or not.
    bool adopted = false;           ///< It led before this scheduler did: a leave may be half done.
};
struct Deposed {};  ///< It failed or is being replaced: nothing changes until the next `Led`.
struct Observed {
    MemberId member{};
    mysql::Observation observation;
};
struct MemberAdded {  ///< A new member of the cluster, to follow and perhaps to join.
    MemberId member{};
};
struct MemberRemoved {  ///< Not in E, and gone.
    MemberId member{};
};
struct Errant {  ///< It refused to follow: it holds what the primary lacks. To be rebuilt.
    Epoch epoch{};
    MemberId member{};
};
struct Rebuilt {  ///< It holds what its donor held, and has forgotten all else.
    Epoch epoch{};
    MemberId member{};
    std::uint64_t serial = 0;
};
struct RebuildRefused {  ///< Or failed on the way, as when the donor died.
    Epoch epoch{};
    MemberId member{};
};
struct JoinAsked {  ///< Remembered until it is done or the member leaves.
    MemberId member{};
};
struct LeaveAsked {
    enum class By {
        operators,
        automatic,        ///< Not below the floor.
        two_node_policy,  ///< The primary has lost it; it joins again when it is back.
    };
    MemberId member{};
    By by = By::automatic;
};
struct Followed {
    Epoch epoch{};
    MemberId member{};
    bool acknowledge = false;
    std::uint64_t serial = 0;
    bool caught_up = false;
    std::uint64_t server_run = 0;  ///< That it caught up in.
};
struct AcknowledgersSet {  ///< By the primary. `position` was read after it.
    Epoch epoch{};
    std::uint64_t serial = 0;
    mysql::Position position;
};
struct AccountLocked {  ///< By the primary. `position` was read after it.
    Epoch epoch{};
    std::uint64_t serial = 0;
    mysql::Position position;
};
struct DeadlinePassed {};

using Input = std::variant<
    Led,
    Deposed,
    Observed,
    MemberAdded,
    MemberRemoved,
    Errant,
    Rebuilt,
    RebuildRefused,
    JoinAsked,
    LeaveAsked,
    Followed,
    AcknowledgersSet,
    AccountLocked,
    DeadlinePassed>;

// Effects: what the shell does next, strictly in this order.

struct SaveElectorate {  ///< A barrier. To be told to the election as well (ElectorateChanged).
    Electorate electorate;
    friend bool operator==(const SaveElectorate&, const SaveElectorate&) = default;
};
struct SendSetAcknowledgers {  ///< To the primary; `acks` may be what is in force: then it only
                               ///< reads.
    Epoch epoch{};
    MemberId primary{};
    std::size_t acks = 0;
    std::uint64_t serial = 0;     ///< Comes back with the answer.
    std::set<MemberId> accounts;  ///< Whose replication account has to exist, unlocked.
    friend bool operator==(const SendSetAcknowledgers&, const SendSetAcknowledgers&) = default;
};
struct SendLockAccount {  ///< To the primary: this member acknowledges no more, reached or not.
    Epoch epoch{};
    MemberId primary{};
    MemberId member{};
    std::uint64_t serial = 0;
    friend bool operator==(const SendLockAccount&, const SendLockAccount&) = default;
};
struct SendFollow {
    Epoch epoch{};
    MemberId member{};
    MemberId primary{};
    bool acknowledge = false;
    std::uint64_t serial = 0;      ///< Comes back with the answer.
    bool caught_up = false;        ///< Ends the member's amnesia,
    std::uint64_t server_run = 0;  ///< if its server still is in this run.
    friend bool operator==(const SendFollow&, const SendFollow&) = default;
};
struct SendRebuild {  ///< Copies the donor's data in place of the member's.
    Epoch epoch{};
    MemberId member{};
    MemberId primary{};
    MemberId donor{};
    std::uint64_t serial = 0;  ///< Comes back with the answer.
    friend bool operator==(const SendRebuild&, const SendRebuild&) = default;
};
struct Ignored {
    enum class Why {
        no_primary,
        other_epoch,
        not_asked,  ///< An answer to no question of ours, or to an old one.
        not_a_member,
        the_primary,  ///< It is moved away first.
        below_floor,
        change_running,
        already_so,
        too_early,
    };
    Why why;
    friend bool operator==(const Ignored&, const Ignored&) = default;
};

using Effect = std::variant<
    SaveElectorate,
    SendSetAcknowledgers,
    SendLockAccount,
    SendFollow,
    SendRebuild,
    Ignored>;
using Effects = std::vector<Effect>;

// State: a plain value.

/// How far a member is on the way to being believed.
enum class Standing {
    absent,    ///< Not seen running since `Led`.
    shedding,  ///< Outside E, told not to acknowledge. Until it answers, its account stays locked.
    reading,   ///< Seen; the primary is asked for a position that is surely newer.
    catching_up,  ///< Told to follow; lacks `must_hold`, or its receiver is down.
    proven,       ///< Held `must_hold` while following. Believed next if in E.
    acknowledging,
    errant,      ///< Cannot follow with what it holds: waits for its rebuild.
    rebuilding,  ///< Told to. It comes back as one that has forgotten all.
};
struct Follower {
    Standing standing = Standing::absent;
    std::uint64_t serial = 0;  ///< Of what it waits for: shedding, reading, rebuilding.
    mysql::Position must_hold;
    mysql::Position holds;  ///< Last reported while it followed, in this epoch.
    bool follows = false;
    bool acknowledges = false;
    bool amnesiac = false;         ///< Does not vote before it has caught up.
    std::uint64_t server_run = 0;  ///< Last seen. `must_hold` and `holds` are of this one.
    MemberId donor{};              ///< While rebuilding.
    std::uint32_t refusals = 0;    ///< Of rebuilds, in a row: another donor is asked for each.
    std::optional<TimePoint> ask_again_at;
    friend bool operator==(const Follower&, const Follower&) = default;
};

struct Steady {
    friend bool operator==(const Steady&, const Steady&) = default;
};
struct Raising {  ///< k at the primary is above the persisted one.
    std::size_t acks = 0;
    std::uint64_t serial = 0;
    std::optional<mysql::Position> must_hold;  ///< None until the primary has answered.
    std::optional<TimePoint> ask_again_at;
    friend bool operator==(const Raising&, const Raising&) = default;
};
struct Leaving {
    MemberId member{};
    bool comes_back = false;  ///< Asked to join again, once it is out.
    std::uint64_t serial = 0;
    std::optional<mysql::Position> must_hold;
    std::optional<TimePoint> ask_again_at;
    friend bool operator==(const Leaving&, const Leaving&) = default;
};
struct Aligning {  ///< The primary is told what is persisted: lower k, or that nobody leaves.
    std::uint64_t serial = 0;
    std::optional<TimePoint> ask_again_at;
    friend bool operator==(const Aligning&, const Aligning&) = default;
};

struct Leadership {
    Epoch epoch{};
    MemberId primary{};
    std::size_t acks_in_force = 0;  ///< At the primary, as far as we have ordered it.
    std::map<MemberId, Follower> followers;
    std::variant<Steady, Raising, Leaving, Aligning> change;
    friend bool operator==(const Leadership&, const Leadership&) = default;
};

struct State {
    Electorate electorate;  ///< As persisted.
    std::set<MemberId> to_join;
    std::uint64_t serial = 0;  ///< Of the last question to a primary. The shell draws the first, so
                               ///< that an answer to an earlier scheduler answers nothing here.
    std::optional<Leadership> leadership;
    friend bool operator==(const State&, const State&) = default;
};

/// Takes one input. Never fails or throws: what does not apply comes back as `Ignored`.
[[nodiscard]] Effects step(State& state, const Config& config, const Input& input, TimePoint now);

/// When the shell must next send `DeadlinePassed`; none while nothing is awaited.
[[nodiscard]] std::optional<TimePoint> next_deadline(const State& state);

}  // namespace mysos::electorate
