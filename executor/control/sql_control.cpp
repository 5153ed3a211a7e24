#include "executor/control/sql_control.hpp"

#include <algorithm>
#include <utility>

namespace mysos::executor {
namespace {

using Deadline = ServerControl::Deadline;

constexpr std::chrono::milliseconds poll_interval{20};
constexpr std::chrono::milliseconds push_error_within{500};
/// More than the second that a server is asked to wait: else it is taken to be silent.
constexpr std::chrono::seconds wait_margin{3};

std::uint64_t waiting_commits(const SqlRows& counters)
{
    for (const auto& row : counters.rows)
        if (row.size() == 2 && row[0] && row[0]->ends_with("_wait_sessions"))
            return row[1] && *row[1] != "0" ? 1 : 0;
    return 0;
}

}  // namespace

SqlControl::SqlControl(mysql::Flavor flavor, SqlTarget target)
    : flavor_{flavor}, target_{std::move(target)}, packet_at_{std::chrono::steady_clock::now()}
{}

Outcome<void> SqlControl::ping(Deadline deadline)
{
    auto dialog = Dialog::open(target_, deadline);
    if (dialog.has_error()) return dialog.error();
    return dialog.value().tell(mysql::Statement{"DO 1", "DO 1"});
}

Outcome<mysql::Position> SqlControl::position_now(Dialog& dialog) const
{
    const auto status = replication_status(dialog);
    if (status.has_error()) return status.error();
    const auto facts = dialog.ask(mysql::server_facts(flavor_));
    if (facts.has_error()) return facts.error();
    return position(facts.value(), status.value());
}

Outcome<void> SqlControl::stop_receiver(Deadline deadline)
{
    auto dialog = Dialog::open(target_, deadline);
    if (dialog.has_error()) return dialog.error();
    const auto status = replication_status(dialog.value());
    if (status.has_error()) return status.error();
    if (!status.value().configured || status.value().receiver == "No") return {};
    return stop_receiver_of(dialog.value(), status.value());
}

Outcome<void> SqlControl::stop_receiver_of(Dialog& dialog, const ReplicationStatus& status) const
{
    // MariaDB deletes what is received and not applied as soon as either thread starts while
    // neither runs. So the applier runs before the receiver ends, and goes on.
    if (!status.applier_running && (status.applier_error.empty() || passes(status.applier_error)))
        if (auto done = dialog.tell(mysql::start_applier(flavor_)); done.has_error()) return done;
    if (auto done = before_stopping_receiver(dialog); done.has_error()) return done;
    return dialog.tell(mysql::stop_receiver(flavor_));
}

Outcome<void> SqlControl::apply_received(Deadline deadline)
{
    auto dialog = Dialog::open(target_, deadline + wait_margin);
    if (dialog.has_error()) return dialog.error();
    return apply(dialog.value(), deadline);
}

Outcome<void> SqlControl::apply(Dialog& dialog, Deadline give_up) const
{
    for (;;) {
        const auto status = replication_status(dialog);
        if (status.has_error()) return status.error();
        const std::string& received = status.value().received;
        if (!status.value().configured || received.empty()) return {};
        if (auto running = ensure_applier(dialog, status.value()); running.has_error())
            return running;
        // One second at a time: an applier that fails meanwhile is seen.
        const auto waited = dialog.ask(mysql::wait_applied(flavor_, received, 1));
        if (waited.has_error()) return waited.error();
        if (waited.value().scalar() == "0") return {};
        if (std::chrono::steady_clock::now() >= give_up)
            return Failure{ControlErrc::not_applied, "received and not applied: " + received};
    }
}

Outcome<void> SqlControl::ensure_applier(Dialog& dialog, const ReplicationStatus& status) const
{
    if (!status.applier_error.empty() && !passes(status.applier_error))
        return Failure{ControlErrc::replication_broken, "the applier: " + status.applier_error};
    if (status.applier_running) return {};
    return dialog.tell(mysql::start_applier(flavor_));
}

Outcome<void> SqlControl::check_holds(Dialog& dialog, const mysql::Position& wanted) const
{
    const auto held = position_now(dialog);
    if (held.has_error()) return held.error();
    if (held.value().includes(wanted)) return {};
    return Failure{
        ControlErrc::lacks_position,
        "holds " + held.value().to_text() + ", asked for is " + wanted.to_text()};
}

Outcome<void> SqlControl::pause_following(Dialog& dialog, const ReplicationStatus& status) const
{
    if (!status.configured) return {};
    if (status.receiver != "No")
        if (auto done = stop_receiver_of(dialog, status); done.has_error()) return done;
    if (auto done = apply(dialog, dialog.deadline() - wait_margin); done.has_error()) return done;
    return stop_threads(dialog);
}

Outcome<void> SqlControl::stop_following(Dialog& dialog) const
{
    const auto status = replication_status(dialog);
    if (status.has_error()) return status.error();
    if (!status.value().configured) return {};
    if (auto done = pause_following(dialog, status.value()); done.has_error()) return done;
    return dialog.tell(mysql::forget_source(flavor_));
}

Outcome<std::string> SqlControl::promote(const PromoteOrder& order, Deadline deadline)
{
    if (order.acks > mysql::acks_max(flavor_))
        return Failure{
            ControlErrc::server_refused,
            "a commit here cannot wait for " + std::to_string(order.acks) + " acknowledgements"};
    auto dialog = Dialog::open(target_, deadline);
    if (dialog.has_error()) return dialog.error();
    const auto wanted = mysql::Position::parse(flavor_, order.position);
    if (wanted.has_error())
        return Failure{ControlErrc::lacks_position, "not a position: " + order.position};
    // Before and after: what is received and not applied may be lost on the way.
    if (auto done = check_holds(dialog.value(), wanted.value()); done.has_error())
        return done.error();
    if (auto done = stop_following(dialog.value()); done.has_error()) return done.error();
    if (auto done = check_holds(dialog.value(), wanted.value()); done.has_error())
        return done.error();

    if (auto done = dialog.value().tell(mysql::acknowledge(flavor_, false)); done.has_error())
        return done.error();
    if (auto done = dialog.value().tell(mysql::require_acks(flavor_, order.acks)); done.has_error())
        return done.error();
    if (auto done = dialog.value().tell(mysql::write_as_oneself(flavor_)); done.has_error())
        return done.error();
    if (auto done = dialog.value().tell(mysql::let_administrator_write(flavor_)); done.has_error())
        return done.error();
    if (auto done = let_in_only(dialog.value(), order.replicas); done.has_error())
        return done.error();
    const mysql::Marker marker{order.epoch, order.cluster_uuid, order.server_id};
    if (auto done = write_marker(dialog.value(), marker); done.has_error()) return done.error();
    const auto now = position_now(dialog.value());
    if (now.has_error()) return now.error();
    // While its commit waits, the marker is in the binlog and in no position the server shows.
    const auto position = with_marker(now.value(), marker);
    if (position.has_error()) return position.error();
    return position.value().to_text();
}

Outcome<void> SqlControl::write_marker(Dialog& dialog, const mysql::Marker& marker) const
{
    const auto written = marker_written(dialog, marker);
    if (written.has_error()) return written.error();
    if (written.value()) return {};
    // On a connection of its own, which may be left while the commit waits: that neither ends the
    // wait nor undoes the transaction.
    auto writer = Dialog::open(target_, dialog.deadline());
    if (writer.has_error()) return writer.error();
    auto statements = marker_statements(dialog, marker);
    if (statements.has_error()) return statements.error();
    const mysql::Statement last = statements.value().back();
    statements.value().pop_back();
    if (auto done = writer.value().tell(statements.value()); done.has_error()) return done;
    SqlSession& session = writer.value().session();
    if (auto sent = session.send(last); sent.has_error()) return failure_of(sent.error());
    while (!session.answered(poll_interval)) {
        const auto counters = dialog.ask(mysql::semi_sync_counters());
        if (counters.has_error()) return counters.error();
        if (waiting_commits(counters.value()) != 0) return {};
        if (dialog.expired())
            return Failure{ControlErrc::server_silent, "the marker was not written in time"};
    }
    const auto answer = session.receive();
    if (answer.has_error()) return failure_of(answer.error());
    return {};
}

Outcome<bool> SqlControl::follows_so(
    Dialog& dialog, const FollowOrder& order, const ReplicationStatus& status) const
{
    if (status.host != order.host || status.port != std::to_string(order.port) ||
        status.user != order.account.user || status.receiver == "No" || !status.applier_running)
        return false;
    const auto switches = dialog.ask(mysql::semi_sync_variables());
    if (switches.has_error()) return switches.error();
    const std::string_view name = flavor_ == mysql::Flavor::mysql ? "rpl_semi_sync_replica_enabled"
                                                                  : "rpl_semi_sync_slave_enabled";
    for (const auto& row : switches.value().rows)
        if (row[0] == name) return row[1] == (order.acknowledge ? "ON" : "OFF");
    return false;
}

/// MariaDB looks itself, when the receiver connects; MySQL would replicate on top of it.
Outcome<void> SqlControl::check_errant(
    Dialog& dialog, const FollowOrder& order, const ReplicationStatus& status) const
{
    // What it has beyond the known it may have received from that very primary.
    const bool goes_on = status.host == order.host && status.port == std::to_string(order.port) &&
                         status.user == order.account.user;
    if (flavor_ != mysql::Flavor::mysql || goes_on || order.position.empty()) return {};
    const auto known = mysql::Position::parse(flavor_, order.position);
    if (known.has_error())
        return Failure{ControlErrc::server_refused, "not a position: " + order.position};
    const auto held = position_now(dialog);
    if (held.has_error()) return held.error();
    if (known.value().includes(held.value())) return {};
    const auto more = held.value().beyond(known.value());
    return Failure{
        ControlErrc::errant,
        "holds " + (more ? std::to_string(*more) + " transactions" : "something") +
            " that the primary lacks"};
}

Outcome<void> SqlControl::keep_shut(Dialog& dialog) const
{
    const auto facts = dialog.ask(mysql::server_facts(flavor_));
    if (facts.has_error()) return facts.error();
    const auto closed =
        facts.value().field(flavor_ == mysql::Flavor::mysql ? "super_read_only" : "read_only");
    if (closed == "1") return {};
    return dialog.tell(mysql::shut_clients_out(flavor_));
}

Outcome<void> SqlControl::step_down(Dialog& dialog) const
{
    if (auto done = keep_shut(dialog); done.has_error()) return done;
    const auto counters = dialog.ask(mysql::semi_sync_counters());
    if (counters.has_error()) return counters.error();
    if (waiting_commits(counters.value()) != 0)
        return Failure{
            ControlErrc::server_refused,
            "commits wait for acknowledgements here: this server is to be killed, not told"};
    // A follower's applier would wait for acknowledgements as a primary's sessions do.
    return dialog.tell(mysql::require_acks(flavor_, 0));
}

Outcome<void> SqlControl::follow(const FollowOrder& order, Deadline deadline)
{
    auto dialog = Dialog::open(target_, deadline);
    if (dialog.has_error()) return dialog.error();
    const auto status = replication_status(dialog.value());
    if (status.has_error()) return status.error();
    const auto already = follows_so(dialog.value(), order, status.value());
    if (already.has_error()) return already.error();
    if (already.value()) return keep_shut(dialog.value());
    if (auto fine = check_errant(dialog.value(), order, status.value()); fine.has_error())
        return fine;

    if (auto done = pause_following(dialog.value(), status.value()); done.has_error()) return done;
    if (auto done = step_down(dialog.value()); done.has_error()) return done;
    if (auto done = dialog.value().tell(mysql::replicate_in(flavor_, order.epoch));
        done.has_error())
        return done;
    const mysql::Source source{order.host, order.port, order.account.user, order.account.password};
    if (auto done = dialog.value().tell(mysql::change_source(flavor_, source)); done.has_error())
        return done;
    // Before the receiver starts: it looks at the switch then and never again.
    for (const auto& statement :
         {mysql::acknowledge(flavor_, order.acknowledge), mysql::start_replication(flavor_)})
        if (auto done = dialog.value().tell(statement); done.has_error()) return done;
    return {};
}

Outcome<void> SqlControl::open(bool async, Deadline deadline)
{
    auto dialog = Dialog::open(target_, deadline);
    if (dialog.has_error()) return dialog.error();
    if (async) {
        if (auto done = dialog.value().tell(mysql::require_acks(flavor_, 0)); done.has_error())
            return done;
    }
    return dialog.value().tell(mysql::let_clients_in(flavor_));
}

Outcome<void> SqlControl::shut(Deadline deadline)
{
    auto dialog = Dialog::open(target_, deadline);
    if (dialog.has_error()) return dialog.error();
    return dialog.value().tell(mysql::shut_clients_out(flavor_));
}

Outcome<std::string> SqlControl::set_acks(std::uint32_t acks, Deadline deadline)
{
    if (acks > mysql::acks_max(flavor_))
        return Failure{
            ControlErrc::server_refused,
            "a commit here cannot wait for " + std::to_string(acks) + " acknowledgements"};
    auto dialog = Dialog::open(target_, deadline);
    if (dialog.has_error()) return dialog.error();
    if (auto done = dialog.value().tell(mysql::require_acks(flavor_, acks)); done.has_error())
        return done.error();
    const auto now = position_now(dialog.value());
    if (now.has_error()) return now.error();
    return now.value().to_text();
}

Outcome<void> SqlControl::push(Deadline deadline)
{
    auto dialog = Dialog::open(target_, deadline);
    if (dialog.has_error()) return dialog.error();
    SqlSession& session = dialog.value().session();
    mysql::Statements statements = mysql::push(flavor_, session.connection_id());
    const mysql::Statement last = std::move(statements.back());
    statements.pop_back();
    if (auto done = dialog.value().tell(statements); done.has_error()) return done;
    if (auto sent = session.send(last); sent.has_error()) return failure_of(sent.error());
    // An error comes at once. A server that has the statement commits it without its client too.
    if (!session.answered(push_error_within)) return {};
    const auto answer = session.receive();
    if (answer.has_error()) return failure_of(answer.error());
    return {};
}

std::unique_ptr<ServerControl> make_server_control(mysql::Flavor flavor, SqlTarget target)
{
    return flavor == mysql::Flavor::mysql ? make_mysql_control(std::move(target))
                                          : make_mariadb_control(std::move(target));
}

}  // namespace mysos::executor
