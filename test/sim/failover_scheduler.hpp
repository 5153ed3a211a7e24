#pragma once

#include "common/base/prng.hpp"
#include "common/base/time.hpp"
#include "common/diagnosis/diagnosis.hpp"
#include "common/election/election.hpp"
#include "common/electorate/changes.hpp"
#include "test/sim/failover_member.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mysos::sim {

inline constexpr diagnosis::Config diagnosis_config{
    .hang_alone_max = std::chrono::seconds{12},
    .cut_timeout = std::chrono::seconds{4},
    .failover_block = std::chrono::seconds{8}};

/// What the scheduler has in ZooKeeper.
struct Record {
    Epoch epoch{};
    election::LastPrimary last;
    Epoch since{};
    bool opened = false;
    bool ever_opened = false;
    electorate::Electorate electorate;
    MemberId serving{};
};

/// The smallest composition of the two machines that can run a cluster: election and electorate
/// changes over a record that outlives it, as the cluster machine does it.
class Scheduler {
  public:
    /// `goes_alone`: one of two goes on without the other. `async`: commits wait for nobody.
    Scheduler(
        Prng& prng,
        Broken broken,
        mysql::Flavor flavor,
        std::set<MemberId> members,
        bool goes_alone,
        bool async);

    /// Begins, or begins anew with the record alone.
    void restart(TimePoint now);
    /// From now on nothing goes wrong in it.
    void heal();

    void observed(MemberId member, const mysql::Observation& seen, TimePoint now);
    void answered(MemberId member, const Answer& answer, TimePoint now);
    void appeared(MemberId member, TimePoint now);
    void ended(MemberId member, TimePoint now);
    void disconnected(MemberId member);
    void suspect(TimePoint now);  ///< Perhaps for nothing: the primary is taken for lost.
    void ask_leave(MemberId member, TimePoint now);
    void ask_join(MemberId member, TimePoint now);
    void force(TimePoint now);
    void write_back(const Record& record) { record_ = record; }
    void tick(TimePoint now);

    [[nodiscard]] const Record& record() const { return record_; }
    [[nodiscard]] std::optional<MemberId> published() const { return published_; }
    [[nodiscard]] const std::set<MemberId>& members() const { return members_; }
    [[nodiscard]] const std::set<MemberId>& wanted() const { return wanted_; }
    [[nodiscard]] bool is_dead() const { return dead_; }
    [[nodiscard]] bool is_stuck() const { return stuck_; }
    [[nodiscard]] bool lacks_acknowledgers() const { return lacks_acknowledgers_; }
    [[nodiscard]] std::size_t elections() const { return elections_; }

    std::deque<std::pair<MemberId, Order>> sent;
    std::vector<std::string> said;
    std::optional<diagnosis::Verdict> called_for;  ///< The verdict behind the last election.
    std::uint64_t dies_once_in = 0;  ///< Effects, in the middle of a script; 0: never.
    bool knows_high_water = true;

  private:
    struct Heard {
        bool connected = false;
        bool ended = false;
        TimePoint at{};
        std::optional<mysql::Observation> seen;
    };

    void look(TimePoint now);
    void leave_alone(TimePoint now);
    void correct(MemberId member, const control::FromMember& answer, TimePoint now);
    void call(const election::LastPrimary& last, TimePoint now);
    void lead(std::size_t acks_in_force, bool adopted, TimePoint now);
    void tell(const election::Input& input, TimePoint now);
    void tell(const electorate::Input& input, TimePoint now);
    void note_high_water(MemberId member, const mysql::Observation& seen);
    void perform(const election::Effect& effect, TimePoint now);
    void perform(const electorate::Effect& effect, TimePoint now);
    void save(const electorate::Electorate& electorate, TimePoint now);
    void stuff_the_ballot(TimePoint now);
    [[nodiscard]] MemberId serving() const;
    void invent_markers(Epoch epoch, MemberId candidate, TimePoint now);
    [[nodiscard]] bool dies();
    [[nodiscard]] std::string electorate_text() const;
    void send(MemberId member, control::ToMember message);

    Prng& prng_;
    Broken broken_;
    std::set<MemberId> members_;
    std::set<MemberId> wanted_;
    election::Config election_config_;
    bool goes_alone_;
    bool async_;
    electorate::Config electorate_config_;
    std::size_t acks_max_;
    bool impatient_ = false;  ///< Takes a primary for lost that it does not hear of at once.
    Record record_;

    // Gone with a restart.
    election::State election_;
    electorate::State changes_;
    bool looking_ = false;  ///< Restarted; the recorded primary may still lead.
    TimePoint looked_since_;
    std::map<MemberId, Heard> heard_;
    diagnosis::Past past_;
    bool dead_ = false;
    bool stuck_ = false;
    bool lacks_acknowledgers_ = false;  ///< That is why.
    std::optional<MemberId> offered_;   ///< To an operator, while stuck.
    std::optional<MemberId> published_;
    std::map<MemberId, mysql::Position> held_;
    mysql::Position high_water_;
    std::size_t elections_ = 0;
};

}  // namespace mysos::sim
