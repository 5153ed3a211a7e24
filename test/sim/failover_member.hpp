#pragma once

#include "common/base/ids.hpp"
#include "common/base/prng.hpp"
#include "common/base/time.hpp"
#include "common/control/messages.hpp"
#include "common/mysql/observation.hpp"
#include "common/mysql/position.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

/// A member as the failover simulation knows it: a server that replicates and forgets what a real
/// one can forget, and its executor's side of the protocol.
namespace mysos::sim {

/// What may be broken, one at a time. The simulation has to notice each.
enum class Broken {
    nothing,
    no_prepare_fencing,       ///< Prepare answers, and goes on receiving.
    quorum_off_by_one,        ///< One answer fewer is enough.
    amnesiacs_vote,           ///< What was forgotten is not told.
    position_alone,           ///< Markers do not count.
    followed_epoch,           ///< The epoch last followed counts for the marker received.
    promote_without_check,    ///< The candidate does not look whether it still holds the position.
    candidate_not_persisted,  ///< Before Promote.
    epoch_not_persisted,      ///< Before Prepare, now and then.
    old_acks_count,           ///< A transaction of an older epoch is acknowledged in a newer one.
    repoint_forgets,          ///< Received and not applied is lost at a re-point, silently.
    tail_cut_early,           ///< The old primary cuts its tail when it starts.
    raise_without_wait,
    leave_without_wait,
    errant_check_skipped,  ///< MySQL replicates on top of what its primary lacks.
    rebuilt_votes,         ///< A copy of a laggard counts for what its owner acknowledged.
    runs_unnumbered,       ///< One run of a server cannot be told from another.
    opened_before_marker,  ///< Nobody waits for the marker's acknowledgement.
    silence_counts,        ///< Whom the scheduler does not hear is replaced, whoever else does.
    applied_position,      ///< What is received and not applied is not told.
    commit_return_counts,  ///< The marker's COMMIT returned: taken for its acknowledgement.
    waiters_released,      ///< Semi-sync is switched off to fence: what waits is answered OK.
    leave_raises,          ///< k grows with a leave, unseen by the primary.
    deposed_writes,        ///< A scheduler that does not lead any more still saves what it knew.
    promotion_shuts_nobody_out,  ///< Who followed it before does so again, of E or not.
    alone_before_saved,  ///< Of two: k = 0 is in force before E without the other is persisted.
    alone_not_saved,     ///< Of two: who takes over alone does so without persisting it.
    alone_unfenced,      ///< Of two: who left takes over from one that needs nobody.
    async_not_awaited,   ///< Asynchronous: nobody waits until the old primary has ended itself.
    async_half_open,     ///< Asynchronous: receivers that were cut off count for ever.
    async_never_fences,  ///< Asynchronous: the old primary does not end itself.
    async_not_saved,     ///< Asynchronous: who may serve is not persisted.
    lag_untold,  ///< A candidate that has not applied all, and whom it refuses for that, look well.
};

struct Transaction {
    std::uint32_t id = 0;
    Epoch epoch{};        ///< Of the primary that wrote it.
    MemberId origin{};    ///< That primary.
    std::uint64_t n = 0;  ///< Of that primary in all, or within the epoch, as the flavour counts.
    bool is_marker = false;
    friend bool operator==(const Transaction& a, const Transaction& b) { return a.id == b.id; }
};
using Log = std::vector<Transaction>;

[[nodiscard]] bool is_prefix(const Log& shorter, const Log& longer);

/// Orders and answers with positions as values: the text form is tested elsewhere.
struct Order {
    control::ToMember message;
    mysql::Position position;     ///< Of a Promote.
    std::set<MemberId> accounts;  ///< Of a Promote or SetAcknowledgers.
};
struct Answer {
    control::FromMember message;
    mysql::Position position;  ///< Beside the message.
};

struct Member {
    enum class Role { down, fenced, replica, primary };

    MemberId id{};
    mysql::Flavor flavor = mysql::Flavor::mariadb;

    // On the volume.
    Log log;                   ///< Received, applied or not.
    std::size_t applied = 0;   ///< Of the log; what a restart cannot take away.
    mysql::Position position;  ///< Of the log.
    Epoch promised{};
    Epoch followed{};        ///< Last epoch in which it followed or led.
    bool untrimmed = false;  ///< It was primary, and has followed nobody since.
    bool amnesiac = false;
    std::uint64_t written = 0;
    std::set<MemberId> let_in;  ///< Whose accounts may replicate from here.

    // Of the running server.
    Role role = Role::down;
    bool machine_up = true;  ///< Else the executor is gone too.
    Epoch leads{};           ///< As primary.
    bool writable = false;
    std::size_t acks = 0;
    std::optional<MemberId> source;
    bool link = false;
    bool refused =
        false;  ///< By its source, that has not applied what it holds; until the next order.
    bool acknowledges = false;
    bool half_copied = false;                   ///< A rebuild of it has failed.
    std::pair<Epoch, std::uint64_t> rebuilt{};  ///< By this order: said again, it is done.
    std::uint64_t run = 0;                      ///< Of its server.
    TimePoint packet_at{};                      ///< Last one of its source.
    bool applier_held = false;
    bool hung = false;  ///< Its server does nothing, its executor does not know at first.
    TimePoint hung_at{};
    mysql::Observation before_hang;

    void append(const Transaction& transaction);
    void cut(std::size_t length);
    [[nodiscard]] Epoch marker() const;
    /// `position`, or what is told instead of it.
    [[nodiscard]] mysql::Position told_position(Broken broken) const;
    [[nodiscard]] std::uint64_t told_run(Broken broken) const;
    [[nodiscard]] bool is_leading(Epoch epoch) const;

    void crash_server();
    /// The executor starts it again, shut out.
    void start(Prng& prng, Broken broken);

    [[nodiscard]] mysql::Observation observe(Broken broken) const;

  private:
    void forget(std::size_t kept, Broken broken);
};

/// What the executor does with an order. `source_log`: of the primary that a Follow names; empty:
/// it is none yet, and has not applied what this one holds.
/// Nothing: it is not said yet.
[[nodiscard]] std::optional<Answer> obey(
    Member& member, const Order& order, const Log& source_log, Prng& prng, Broken broken);

}  // namespace mysos::sim
