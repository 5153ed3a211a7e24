#pragma once

#include "common/base/failure.hpp"
#include "common/control/messages.hpp"
#include "common/mysql/flavor.hpp"
#include "executor/out/sql_session.hpp"

#include <boost/system/error_category.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

/// Steers one running server by SQL.
namespace mysos::executor {

/// Why a server did not do what was asked. Each says what the caller does next.
enum class ControlErrc {
    server_silent = 1,  ///< No answer in time, or gone: whether it took effect is not known.
    server_refused,     ///< It answered with an error, which the text repeats.
    lacks_position,     ///< It does not hold what it must: refuse the promotion.
    errant,             ///< It holds what the primary lacks: it must not follow.
    not_applied,        ///< What it received is not applied yet. Ask again, or read the error.
    replication_broken  ///< The applier stopped with an error: the member must be rebuilt.
};
[[nodiscard]] const boost::system::error_category& control_category() noexcept;
[[nodiscard]] inline boost::system::error_code make_error_code(ControlErrc e) noexcept
{
    return {static_cast<int>(e), control_category()};
}

struct PromoteOrder {
    std::uint64_t epoch = 0;
    std::string position;      ///< What the candidate must hold.
    std::uint32_t acks = 0;    ///< For each commit, the marker's first.
    std::string cluster_uuid;  ///< MySQL: markers are GTIDs of it.
    std::uint32_t server_id = 0;
    std::set<std::string> replicas{};  ///< Accounts of receivers that are let in, and no others.
};

struct FollowOrder {
    std::string host;  ///< An address.
    std::uint16_t port = 0;
    control::Account account;
    bool acknowledge = false;
    std::uint64_t epoch = 0;  ///< MariaDB: see mysql::replicate_in.
    std::string position;     ///< The primary holds at least this; empty: not known.
};

struct Receivers {
    std::uint32_t alive = 0;
    std::uint32_t stalled = 0;  ///< Take nothing of what is sent to them any more.
    friend bool operator==(const Receivers&, const Receivers&) = default;
};

struct CloneOrder {
    std::string host;  ///< An address.
    std::uint16_t port = 0;
    control::Account account;
    std::uint32_t mb_per_second = 0;  ///< 0: as fast as it goes.
};

/// All that the executor ever asks of its server. Blocking: run it on a pool thread.
///
/// Each call opens a connection of its own and gives up at its deadline, so a call that hangs
/// (behind commits that wait for acknowledgements, or in a stopped server) harms no other. A call
/// whose outcome is `server_silent` may have taken effect; every call can be repeated, and finishes
/// what a broken-off one has begun. Nothing here opens a server by itself, and nothing that fences
/// waits on a commit: fencing is killing the process and starting it shut out.
///
/// Thread: different calls may run at once; `observe` only one at a time.
class ServerControl {
  public:
    using Deadline = std::chrono::steady_clock::time_point;

    virtual ~ServerControl() = default;

    /// Whether it answers at all.
    [[nodiscard]] virtual Outcome<void> ping(Deadline deadline) = 0;

    /// What the server knows of an Observation: flavor, server_version, answers, read_only,
    /// writable, position, applied, marker, the receiver, the applier and their errors, the source,
    /// semi-sync clients, commits waiting, packet age (as seen from one call to the next), lag,
    /// delay, acknowledges, acks_required, server_uuid. The rest is the caller's. `cluster_uuid`
    /// may be empty before the Welcome; MySQL's marker is 0 then.
    [[nodiscard]] virtual Outcome<control::Observation> observe(
        const std::string& cluster_uuid, Deadline deadline) = 0;

    /// On a primary: its receivers, by what the kernel knows of their connections. The server
    /// itself counts one that was cut off for as long as TCP tries. `port`: the server's.
    [[nodiscard]] virtual Outcome<Receivers> receivers(std::uint16_t port, Deadline deadline) = 0;

    /// Ends the receiver, and with it every acknowledgement; the applier goes on. Prepare.
    [[nodiscard]] virtual Outcome<void> stop_receiver(Deadline deadline) = 0;

    /// Waits until everything received is applied. `not_applied` at the deadline.
    [[nodiscard]] virtual Outcome<void> apply_received(Deadline deadline) = 0;

    /// Makes it primary of an epoch, clients still shut out: checks the position, applies what was
    /// received, forgets its source, requires acknowledgements, writes the marker. Returns the
    /// position with the marker as soon as that is in the binlog: its commit may still be waiting.
    [[nodiscard]] virtual Outcome<std::string> promote(
        const PromoteOrder& order, Deadline deadline) = 0;

    /// Follows that primary, read-only: applies what was received, then changes the source. Nothing
    /// but its read-only switch is touched when it follows exactly so already, nothing at all when
    /// it is `errant`.
    [[nodiscard]] virtual Outcome<void> follow(const FollowOrder& order, Deadline deadline) = 0;

    /// Lets clients in; `async`: and commits wait for nobody from here on.
    [[nodiscard]] virtual Outcome<void> open(bool async, Deadline deadline) = 0;

    /// Read-only for everyone, as far as the flavour can. Hangs behind waiting commits until the
    /// deadline: for a planned switchover only.
    [[nodiscard]] virtual Outcome<void> shut(Deadline deadline) = 0;

    /// How many acknowledgements a commit waits for. Returns the position read after the change.
    /// `server_refused` for more than the flavour can (MariaDB: 1).
    [[nodiscard]] virtual Outcome<std::string> set_acks(std::uint32_t acks, Deadline deadline) = 0;

    /// Writes something small into the binlog, which waits for acknowledgements like any commit.
    /// Does not wait for them itself.
    [[nodiscard]] virtual Outcome<void> push(Deadline deadline) = 0;

    /// Makes accounts where missing, in the binlog: each statement waits for acknowledgements.
    [[nodiscard]] virtual Outcome<void> make_accounts(
        const std::vector<control::AccountSpec>& accounts, Deadline deadline) = 0;

    /// On a primary: that account replicates no more, and none of its receivers is left when this
    /// returns. Unlogged, so that it waits for nobody. `make_accounts` unlocks it again.
    [[nodiscard]] virtual Outcome<void> lock_account(
        const std::string& user, Deadline deadline) = 0;

    /// What tells whether another member's transaction is held here. MySQL: the position. MariaDB:
    /// mysql::History.
    [[nodiscard]] virtual Outcome<std::string> history(Deadline deadline) = 0;

    /// MySQL: fetches all of the donor's data. When it is done the server ends, and takes them for
    /// its own when it starts again. `server_refused` also on MariaDB, which cannot.
    [[nodiscard]] virtual Outcome<void> clone(const CloneOrder& order, Deadline deadline) = 0;

    /// On a server started on a copy of another's data: it follows nobody. On MariaDB it takes note
    /// of what the copy holds: `position` is what the backup says, which its own table completes,
    /// `history` the donor's. Returns the position.
    [[nodiscard]] virtual Outcome<std::string> begin_on_copy(
        const std::string& position, const std::string& history, Deadline deadline) = 0;
};

/// `target`: the local administrator over the server's socket.
[[nodiscard]] std::unique_ptr<ServerControl> make_server_control(
    mysql::Flavor flavor, SqlTarget target);

}  // namespace mysos::executor

template <>
struct boost::system::is_error_code_enum<mysos::executor::ControlErrc> : std::true_type {};
