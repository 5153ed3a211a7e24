#pragma once

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/election/effect.hpp"
#include "common/election/input.hpp"
#include "common/mysql/position.hpp"

#include <map>
#include <optional>
#include <set>
#include <variant>

namespace mysos::election {

struct Config {
    Duration ask_again_after;  ///< Orders without an answer are repeated this often.
    Duration ask_last_after;   ///< Without a quorum for so long, the last primary is asked too.
    Duration stuck_after;      ///< And for so long, `ReportStuck`. `--election_timeout`.
    Duration candidate_silence_max;  ///< Not heard of for so long, a candidate has failed.
};

struct Answer {
    mysql::Position position;
    Epoch marker{};
    bool amnesiac = false;  ///< Known, but neither vote nor candidate.
    bool lags = false;      ///< Had not applied all of it then.
    friend bool operator==(const Answer&, const Answer&) = default;
};
using Answers = std::map<MemberId, Answer>;

struct Idle {  ///< Nothing is elected. The epoch is the recorded one.
    friend bool operator==(const Idle&, const Idle&) = default;
};
struct Preparing {
    Called call;
    Answers answers;  ///< Of this epoch, the last primary's among them.
    bool last_asked = false;
    TimePoint ask_again_at;
    TimePoint ask_last_at;
    TimePoint stuck_at;
    std::optional<ReportStuck> reported;
    friend bool operator==(const Preparing&, const Preparing&) = default;
};
struct Promoting {
    enum class Stage {
        asked,    ///< Promote was sent.
        written,  ///< It has written its marker.
        leading,  ///< k members reported the marker: everybody may follow.
        opening,  ///< Open was sent.
    };
    Called call;  ///< Its `last` is who was last before the candidate.
    LastPrimary candidate;
    Stage stage = Stage::asked;
    bool asked_again = false;  ///< Promote was perhaps sent twice: a refusal proves nothing.
    Answers answers;
    std::set<MemberId> followed;  ///< Answered our Follow, or seen following.
    std::set<MemberId> errant;    ///< Cannot follow before they are rebuilt.
    std::set<MemberId> marked;    ///< Of E, without the candidate: reported the marker.
    TimePoint ask_again_at;
    TimePoint candidate_fails_at;  ///< Unless it is heard of before.
    TimePoint stuck_at;            ///< Unless its marker is acknowledged before.
    std::optional<ReportStuck> reported;
    std::optional<TimePoint> alone_at{};  ///< Then it goes on without the other of two.
    /// Until then, or until more is known, clients may be let in to `call.serving`.
    std::optional<TimePoint> unfenced_until{};
    friend bool operator==(const Promoting&, const Promoting&) = default;
};

struct State {
    Epoch epoch{};
    std::variant<Idle, Preparing, Promoting> phase;
    friend bool operator==(const State&, const State&) = default;
};

}  // namespace mysos::election
