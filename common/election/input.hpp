#pragma once

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/control/messages.hpp"
#include "common/electorate/electorate.hpp"
#include "common/mysql/observation.hpp"
#include "common/mysql/position.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <variant>

/// What an election is told.
namespace mysos::election {

using electorate::Electorate;

/// Who may have acknowledged last: the persisted candidate, opened or not, else the primary.
struct LastPrimary {
    MemberId member{};
    mysql::Position position;  ///< What it had to hold when it was chosen.
    friend bool operator==(const LastPrimary&, const LastPrimary&) = default;
};

/// Clients are not let in before the electorate has grown to this: for a cluster never opened
/// before. Both 0 for all others.
struct OpenRule {
    std::size_t members_min = 0;
    std::size_t acks_min = 0;
    friend bool operator==(const OpenRule&, const OpenRule&) = default;
};

struct Called {             ///< There is no primary (any more), or another one is wanted.
    Electorate electorate;  ///< As persisted, the last primary included.
    LastPrimary last;
    /// The first of the epochs begun since `last` led, none of which came so far that anything
    /// could be acknowledged in it; 0: the one that this call begins; 1: nobody ever led.
    Epoch since{};
    mysql::Position high_water;  ///< electorate::high_water; empty when not known.
    /// Among equals the highest wins; 0 when absent. Whoever is preferred is waited for a while.
    std::map<MemberId, int> preference;
    /// Among those, who has fewest beside it wins; 0 when absent. Nobody is waited for because of
    /// it.
    std::map<MemberId, std::size_t> primaries_beside{};
    OpenRule open_rule;
    /// Of an electorate of two the candidate goes on alone, if the other has not acknowledged its
    /// marker for so long; none: it waits for the other.
    std::optional<Duration> alone_after{};
    /// Where commits wait for nobody, a quorum fences nobody either: to whom clients may still be
    /// let in; 0: nobody. The candidate's marker does not count before that one is known not to
    /// serve, or `fenced_after` has passed, in which it has ended itself.
    MemberId serving{};
    Duration fenced_after{};  ///< 0: nobody has to be waited for.
    friend bool operator==(const Called&, const Called&) = default;
};
struct Appeared {  ///< The member's control stream is up (again): orders may have been lost.
    MemberId member{};
};
struct Ended {  ///< The member's task has ended, or is being replaced.
    MemberId member{};
    bool surely = false;  ///< With all its processes.
};
struct Observed {
    MemberId member{};
    mysql::Observation observation;
};
struct Prepared {  ///< It receives nothing more and obeys nothing older than `epoch`.
    Epoch epoch{};
    MemberId member{};
    mysql::Position position;
    Epoch marker{};  ///< Of `position`.
    bool amnesiac = false;
    bool lags = false;  ///< Has not applied all of `position`.
};
struct Promoted {  ///< The marker is written, acknowledged or not.
    Epoch epoch{};
    MemberId member{};
};
struct Followed {
    Epoch epoch{};
    MemberId member{};
};
struct Rebuilt {  ///< It holds what the candidate held, and has forgotten all else.
    Epoch epoch{};
    MemberId member{};
};
struct Opened {
    Epoch epoch{};
    MemberId member{};
};
struct Refused {
    enum class Order { prepare, promote, follow, open };
    Epoch epoch{};  ///< Of the order; for `old_epoch` what the member has promised.
    MemberId member{};
    Order order = Order::prepare;
    control::Refused::Reason reason = control::Refused::Reason::unknown;
};
struct ElectorateChanged {  ///< Persisted. Only while a promoted primary leads.
    Electorate electorate;
};
struct Forced {  ///< An operator accepts the loss that `ReportStuck` told, of promoting this one.
    MemberId member{};
};
struct DeadlinePassed {};

using Input = std::variant<
    Called,
    Appeared,
    Ended,
    Observed,
    Prepared,
    Promoted,
    Followed,
    Rebuilt,
    Opened,
    Refused,
    ElectorateChanged,
    Forced,
    DeadlinePassed>;

}  // namespace mysos::election
