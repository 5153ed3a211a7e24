#pragma once

#include "common/mysql/position.hpp"
#include "executor/control/server_control.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace mysos::executor {

/// What replication says of itself, under one flavour's names or the other's.
struct ReplicationStatus {
    bool configured = false;
    std::string host;
    std::string port;
    std::string user;
    std::string receiver;  ///< Yes, Connecting, Preparing or No.
    bool applier_running = false;
    std::string received;        ///< Of this receiver's life; not the whole position.
    std::string receiver_error;  ///< With its number; "" for none.
    std::string applier_error;
    std::uint32_t source_server_id = 0;
    std::optional<std::uint64_t> lag_seconds;
    std::uint64_t delay_seconds = 0;  ///< Of it on purpose.
    std::string read_up_to;           ///< Changes whenever something is received.
};

/// A connection and the time by which all that is asked on it must be done. Made for one call.
class Dialog {
  public:
    using Deadline = ServerControl::Deadline;
    [[nodiscard]] static Outcome<Dialog> open(const SqlTarget& target, Deadline deadline);

    [[nodiscard]] Outcome<SqlRows> ask(const mysql::Statement& statement);
    [[nodiscard]] Outcome<SqlRows> ask(const std::string& sql);
    [[nodiscard]] Outcome<void> tell(const mysql::Statement& statement);
    [[nodiscard]] Outcome<void> tell(const mysql::Statements& statements);
    [[nodiscard]] bool expired() const;
    [[nodiscard]] Deadline deadline() const { return deadline_; }
    [[nodiscard]] SqlSession& session() { return session_; }

  private:
    Dialog(SqlSession session, Deadline deadline);
    SqlSession session_;
    Deadline deadline_;
};
[[nodiscard]] Failure failure_of(const SqlError& error);

/// The steps that both flavours take in the same order; the flavours fill in what differs.
class SqlControl : public ServerControl {
  public:
    SqlControl(mysql::Flavor flavor, SqlTarget target);

    [[nodiscard]] Outcome<void> ping(Deadline deadline) override;
    [[nodiscard]] Outcome<control::Observation> observe(
        const std::string& cluster_uuid, Deadline deadline) override;
    [[nodiscard]] Outcome<Receivers> receivers(std::uint16_t port, Deadline deadline) override;
    [[nodiscard]] Outcome<void> stop_receiver(Deadline deadline) override;
    [[nodiscard]] Outcome<void> apply_received(Deadline deadline) override;
    [[nodiscard]] Outcome<std::string> promote(
        const PromoteOrder& order, Deadline deadline) override;
    [[nodiscard]] Outcome<void> follow(const FollowOrder& order, Deadline deadline) override;
    [[nodiscard]] Outcome<void> open(bool async, Deadline deadline) override;
    [[nodiscard]] Outcome<void> shut(Deadline deadline) override;
    [[nodiscard]] Outcome<std::string> set_acks(std::uint32_t acks, Deadline deadline) override;
    [[nodiscard]] Outcome<void> push(Deadline deadline) override;
    [[nodiscard]] Outcome<void> make_accounts(
        const std::vector<control::AccountSpec>& accounts, Deadline deadline) override;
    [[nodiscard]] Outcome<void> lock_account(const std::string& user, Deadline deadline) override;
    [[nodiscard]] Outcome<std::string> history(Deadline deadline) override;
    [[nodiscard]] Outcome<void> clone(const CloneOrder& order, Deadline deadline) override;
    [[nodiscard]] Outcome<std::string> begin_on_copy(
        const std::string& position, const std::string& history, Deadline deadline) override;

  protected:
    /// What is held, received or applied.
    [[nodiscard]] virtual Outcome<mysql::Position> position(
        const SqlRows& facts, const ReplicationStatus& status) const = 0;
    [[nodiscard]] virtual Outcome<std::string> applied(const SqlRows& facts) const = 0;
    /// Whether that marker's transaction is in the binlog, committed or waiting to be.
    [[nodiscard]] virtual Outcome<bool> marker_written(
        Dialog& dialog, const mysql::Marker& marker) const = 0;
    /// What writes the marker; the last statement commits.
    [[nodiscard]] virtual Outcome<mysql::Statements> marker_statements(
        Dialog& dialog, const mysql::Marker& marker) const = 0;
    /// Makes a receiver that talks to a silent primary let go of it.
    [[nodiscard]] virtual Outcome<void> before_stopping_receiver(Dialog& dialog) const = 0;
    /// Ends both threads, with everything that was received as a whole applied.
    [[nodiscard]] virtual Outcome<void> stop_threads(Dialog& dialog) const = 0;
    /// Whether this error of the applier's goes with its next start.
    [[nodiscard]] virtual bool passes(std::string_view applier_error) const = 0;
    /// The position with that marker in it.
    [[nodiscard]] virtual Outcome<mysql::Position> with_marker(
        const mysql::Position& position, const mysql::Marker& marker) const = 0;

    [[nodiscard]] mysql::Flavor flavor() const { return flavor_; }
    [[nodiscard]] const SqlTarget& target() const { return target_; }
    [[nodiscard]] Outcome<ReplicationStatus> replication_status(Dialog& dialog) const;

  private:
    [[nodiscard]] Outcome<mysql::Position> position_now(Dialog& dialog) const;
    void note_packets(
        control::Observation& seen, const ReplicationStatus& status, const std::string& packets);
    [[nodiscard]] Outcome<void> stop_receiver_of(
        Dialog& dialog, const ReplicationStatus& status) const;
    /// At least until `give_up`; the dialog's deadline must be later.
    [[nodiscard]] Outcome<void> apply(Dialog& dialog, Deadline give_up) const;
    [[nodiscard]] Outcome<void> ensure_applier(
        Dialog& dialog, const ReplicationStatus& status) const;
    [[nodiscard]] Outcome<void> check_holds(Dialog& dialog, const mysql::Position& wanted) const;
    /// Nothing received is lost by it.
    [[nodiscard]] Outcome<void> pause_following(
        Dialog& dialog, const ReplicationStatus& status) const;
    [[nodiscard]] Outcome<void> stop_following(Dialog& dialog) const;
    [[nodiscard]] static Outcome<void> lock(Dialog& dialog, const std::string& user);
    [[nodiscard]] static Outcome<void> let_in_only(
        Dialog& dialog, const std::set<std::string>& replicas);
    [[nodiscard]] Outcome<void> write_marker(Dialog& dialog, const mysql::Marker& marker) const;
    [[nodiscard]] Outcome<bool> follows_so(
        Dialog& dialog, const FollowOrder& order, const ReplicationStatus& status) const;
    [[nodiscard]] Outcome<void> check_errant(
        Dialog& dialog, const FollowOrder& order, const ReplicationStatus& status) const;
    [[nodiscard]] Outcome<void> keep_shut(Dialog& dialog) const;
    [[nodiscard]] Outcome<void> step_down(Dialog& dialog) const;

    mysql::Flavor flavor_;
    SqlTarget target_;
    std::string packets_seen_;  ///< What changes with each packet, as of the last `observe`.
    Deadline packet_at_;
};

[[nodiscard]] std::unique_ptr<ServerControl> make_mysql_control(SqlTarget target);
[[nodiscard]] std::unique_ptr<ServerControl> make_mariadb_control(SqlTarget target);

}  // namespace mysos::executor
