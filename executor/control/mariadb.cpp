#include "executor/control/sql_control.hpp"

#include <chrono>
#include <thread>
#include <utility>

namespace mysos::executor {
namespace {

Failure unreadable(const std::string& position)
{
    return {ControlErrc::server_refused, "the server says a position that is none: " + position};
}

/// MariaDB 10.11 and later.
class MariadbControl final : public SqlControl {
  public:
    explicit MariadbControl(SqlTarget target)
        : SqlControl{mysql::Flavor::mariadb, std::move(target)}
    {}

  protected:
    [[nodiscard]] Outcome<mysql::Position> position(
        const SqlRows& facts, const ReplicationStatus& status) const override
    {
        const auto done = executed(facts);
        if (done.has_error()) return done.error();
        // Shown still, but deleted as soon as either thread starts: not held any more.
        if (status.receiver == "No" && !status.applier_running) return done.value();
        const auto received = parse(status.received);
        if (received.has_error()) return received.error();
        return done.value().unite(received.value());
    }

    [[nodiscard]] Outcome<std::string> applied(const SqlRows& facts) const override
    {
        const auto done = executed(facts);
        if (done.has_error()) return done.error();
        return done.value().to_text();
    }

    [[nodiscard]] Outcome<bool> marker_written(
        Dialog& dialog, const mysql::Marker& marker) const override
    {
        const auto facts = dialog.ask(mysql::server_facts(flavor()));
        if (facts.has_error()) return facts.error();
        const auto written = parse(facts.value().field("binlog_pos").value_or(""));
        if (written.has_error()) return written.error();
        return static_cast<std::uint64_t>(written.value().marker(Uuid{})) >= marker.epoch;
    }

    /// The table came with the data directory, but an operator may have dropped it.
    [[nodiscard]] Outcome<mysql::Statements> marker_statements(
        Dialog& dialog, const mysql::Marker& marker) const override
    {
        const auto stands = dialog.ask(mysql::marker_table_stands());
        if (stands.has_error()) return stands.error();
        return stands.value().scalar() == "1" ? mysql::marker(flavor(), marker)
                                              : mysql::marker_without_table(marker);
    }

    /// A receiver ends by telling its primary to let go, which takes a second or two when that
    /// hangs; only STOP SLAVE interrupts it, and only once it has begun. So first KILL ends what it
    /// reads, and it gets a moment to begin; with a primary that answers it is gone by then.
    [[nodiscard]] Outcome<void> before_stopping_receiver(Dialog& dialog) const override
    {
        const std::string sessions = "SELECT ID FROM information_schema.PROCESSLIST WHERE ";
        const auto found = dialog.ask(sessions + "COMMAND = 'Slave_IO'");
        if (found.has_error()) return found.error();
        if (found.value().rows.empty()) return {};
        const std::string id = found.value().scalar();
        // It may have ended by itself.
        static_cast<void>(dialog.ask("KILL " + id));
        const std::string same = sessions + "ID = " + id;
        const auto begins_by = std::chrono::steady_clock::now() + goodbye_begins_in;
        while (std::chrono::steady_clock::now() < begins_by) {
            const auto left = dialog.ask(same);
            if (left.has_error()) return left.error();
            if (left.value().rows.empty()) return {};
            std::this_thread::sleep_for(std::chrono::milliseconds{2});
        }
        return {};
    }

    [[nodiscard]] Outcome<void> stop_threads(Dialog& dialog) const override
    {
        return dialog.tell(mysql::stop_replication(flavor()));
    }

    [[nodiscard]] bool passes(std::string_view) const override { return false; }

    [[nodiscard]] Outcome<mysql::Position> with_marker(
        const mysql::Position& position, const mysql::Marker& marker) const override
    {
        const auto alone = parse(
            "0-" + std::to_string(marker.server_id) + "-" +
            std::to_string(marker.epoch << mysql::marker_shift));
        if (alone.has_error()) return alone.error();
        return position.unite(alone.value());
    }

  private:
    static constexpr std::chrono::milliseconds goodbye_begins_in{50};

    [[nodiscard]] static Outcome<mysql::Position> executed(const SqlRows& facts)
    {
        const auto written = parse(facts.field("binlog_pos").value_or(""));
        if (written.has_error()) return written.error();
        const auto applied = parse(facts.field("slave_pos").value_or(""));
        if (applied.has_error()) return applied.error();
        return written.value().unite(applied.value());
    }

    [[nodiscard]] static Outcome<mysql::Position> parse(const std::string& text)
    {
        const auto position = mysql::Position::parse(mysql::Flavor::mariadb, text);
        if (position.has_error()) return unreadable(text);
        return position.value();
    }
};

}  // namespace

std::unique_ptr<ServerControl> make_mariadb_control(SqlTarget target)
{
    return std::make_unique<MariadbControl>(std::move(target));
}

}  // namespace mysos::executor
