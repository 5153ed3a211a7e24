#pragma once

#include "executor/decide/fencing.hpp"
#include "test/sim/failover_member.hpp"
#include "test/sim/failover_scheduler.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace mysos::sim {

/// A cluster of up to five members, its scheduler and all that can go wrong between them, drawn
/// from one seed. Messages of a stream keep their order and die with it; what one stream says comes
/// between the words of another in any order, and orders and answers of an election may be doubled
/// and delayed besides.
class World {
  public:
    enum class Kind {
        drawn,
        pair,   ///< Two members, of which one goes on without the other.
        async,  ///< Commits wait for nobody: no more than one primary may let clients in.
    };
    World(std::uint64_t seed, Broken broken, Kind kind = Kind::drawn);

    /// One thing happens. Returns what is wrong with the world after it; empty: nothing.
    [[nodiscard]] std::string advance();

    /// All faults end. Returns why the cluster does not come to rest; empty: it serves.
    [[nodiscard]] std::string settle();

    [[nodiscard]] std::size_t acknowledged() const { return acknowledged_.size(); }
    [[nodiscard]] std::size_t promotions() const { return promotions_; }
    [[nodiscard]] std::size_t went_on_alone() const { return went_on_alone_; }
    [[nodiscard]] Duration elapsed() const { return now_ - TimePoint{}; }
    [[nodiscard]] bool was_forced() const { return forced_; }
    [[nodiscard]] const std::vector<std::string>& story() const { return story_; }

    // To set a scene by hand, in a cluster that is at rest.
    [[nodiscard]] std::optional<MemberId> primary() const { return scheduler_.published(); }
    [[nodiscard]] const std::set<MemberId>& electorate() const
    {
        return scheduler_.record().electorate.members;
    }
    [[nodiscard]] std::optional<diagnosis::Verdict> called_for() const { return called_for_; }
    void hang(MemberId member) { hang(members_.at(member)); }
    void resume(MemberId member) { resume(members_.at(member)); }
    void cut_stream(MemberId member) { cut_stream(members_.at(member)); }
    void mend_stream(MemberId member) { mend_stream(members_.at(member)); }
    void cut(MemberId one, MemberId other);
    void lose(MemberId member) { crash_machine(members_.at(member)); }
    void bring_back(MemberId member) { bring_back(members_.at(member)); }
    /// Nobody applies what he receives. A promotion waits for that.
    void hold_appliers(bool hold)
    {
        for (auto& [id, member] : members_) member.applier_held = hold;
    }
    /// Everybody does what he does, and clients write, or do not. Returns what is wrong.
    [[nodiscard]] std::string pass(Duration duration, bool writes);

  private:
    struct Stream {
        bool up = true;
        std::deque<Order> orders;
        std::deque<Answer> answers;
    };
    /// What an executor knows of its connections, late, and what it makes of it.
    struct Watch {
        executor::fencing::State fencing{true, {}, {}};
        TimePoint stream_up_at{};
        Duration stream_notice{};
        std::map<MemberId, TimePoint> receiver_at{};  ///< When its connection last was well.
        Duration receiver_notice{};
    };
    struct Fault {
        void (World::*happen)(Member&);
        std::uint64_t weight;
    };

    // What can happen.
    void write(Member& member);
    void receive(Member& member);
    void apply(Member& member);
    void deliver_order(Member& drawn);
    void deliver_answer(Member& drawn);
    void observe(Member& member);
    void tick(Member& member);
    void crash_server(Member& member);
    void crash_machine(Member& member);
    void bring_back(Member& member);
    void cut_link(Member& member);
    void mend_link(Member& member);
    void hang(Member& member);
    void resume(Member& member);
    void cut_stream(Member& member);
    void mend_stream(Member& member);
    void suspect(Member& member);
    void restart_scheduler(Member& member);
    void leave(Member& member);
    void join(Member& member);

    void post();
    void settle_round();
    void live_round();
    [[nodiscard]] bool is_cut(MemberId one, MemberId other) const;
    [[nodiscard]] bool can_commit(const Member& primary) const;
    [[nodiscard]] mysql::Observation look_at(const Member& member) const;
    void note_packets();
    void check_call();
    [[nodiscard]] bool refuses(const Member& source, const Member& receiver) const;
    void obey_next(Member& member, std::size_t at);
    void acknowledge();
    void acknowledge(const Transaction& transaction, const std::string& where);
    void release(const Log& log, Epoch epoch);
    [[nodiscard]] std::vector<MemberId> acknowledgers(const Member& primary) const;
    void check_promotion(const Member& primary);
    void check_holders(const Member& primary, const std::set<MemberId>& holders);
    void check_opening(const Member& primary);
    void check_primaries();
    void watch_all();
    void watch(Member& member, Watch& watch);
    [[nodiscard]] std::uint32_t receivers(const Member& primary, Watch& watch) const;
    void check_epoch();
    void fail(const std::string& what);
    void tell(const std::string& what);
    void heal();
    [[nodiscard]] std::string unsettled();

    Prng prng_;
    Broken broken_;
    std::uint64_t weather_;
    mysql::Flavor flavor_;
    std::map<MemberId, Member> members_;
    bool async_;
    std::map<MemberId, Stream> streams_;
    std::map<MemberId, Watch> watches_;
    Scheduler scheduler_;
    std::vector<Fault> happenings_;
    std::uint64_t weight_sum_ = 0;
    TimePoint now_;

    std::uint32_t last_id_ = 0;
    std::set<std::uint32_t> acknowledged_;
    std::map<Epoch, Log> promoted_;               ///< What each epoch began with.
    std::map<Epoch, std::set<MemberId>> marked_;  ///< Who ever received each epoch's marker.
    std::size_t promotions_ = 0;
    std::size_t went_on_alone_ = 0;
    Epoch epoch_before_{};
    std::set<std::set<MemberId>> cuts_;  ///< Pairs between which no packet goes.
    TimePoint helpless_at_;              ///< When a primary was last unable to commit.
    std::optional<diagnosis::Verdict> called_for_;
    bool forced_ = false;
    std::string wrong_;
    std::vector<std::string> story_;
    std::uint64_t steps_ = 0;
    std::optional<Record> deposed_;  ///< What a scheduler that was replaced would still write.
};

}  // namespace mysos::sim
