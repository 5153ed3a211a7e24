#include "executor/control/sql_control.hpp"

#include <utility>

namespace mysos::executor {
namespace {

Failure unreadable(const std::string& position)
{
    return {ControlErrc::server_refused, "the server says a position that is none: " + position};
}

constexpr std::chrono::milliseconds applier_ends_within{100};

/// MySQL 8.4 and later.
class MysqlControl final : public SqlControl {
  public:
    explicit MysqlControl(SqlTarget target) : SqlControl{mysql::Flavor::mysql, std::move(target)} {}

  protected:
    [[nodiscard]] Outcome<mysql::Position> position(
        const SqlRows& facts, const ReplicationStatus&) const override
    {
        return parse(facts.field("position").value_or(""));
    }

    [[nodiscard]] Outcome<std::string> applied(const SqlRows& facts) const override
    {
        const auto set = parse(facts.field("applied").value_or(""));
        if (set.has_error()) return set.error();
        return set.value().to_text();
    }

    [[nodiscard]] Outcome<bool> marker_written(
        Dialog& dialog, const mysql::Marker& marker) const override
    {
        const std::string gtid = gtid_of(marker);
        // gtid_owned: "uuid:n#thread", of a transaction that commits or waits to.
        const auto answer = dialog.ask(
            "SELECT GTID_SUBSET(" + mysql::quoted(gtid) + ", @@global.gtid_executed) OR LOCATE(" +
            mysql::quoted(gtid + "#") + ", @@global.gtid_owned) > 0");
        if (answer.has_error()) return answer.error();
        return answer.value().scalar() == "1";
    }

    [[nodiscard]] Outcome<mysql::Statements> marker_statements(
        Dialog&, const mysql::Marker& marker) const override
    {
        return mysql::marker(flavor(), marker);
    }

    [[nodiscard]] Outcome<void> before_stopping_receiver(Dialog&) const override { return {}; }

    [[nodiscard]] Outcome<void> stop_threads(Dialog& dialog) const override
    {
        // A receiver that ends in the midst of a transaction leaves the applier there, which then
        // waits a minute for the rest before it obeys. The rest comes again from the next source.
        auto killer = Dialog::open(target(), dialog.deadline());
        if (killer.has_error()) return killer.error();
        SqlSession& session = dialog.session();
        if (auto sent = session.send(mysql::stop_replication(flavor())); sent.has_error())
            return failure_of(sent.error());
        while (!session.answered(applier_ends_within)) {
            if (auto done = kill_waiting_applier(killer.value()); done.has_error()) return done;
            if (dialog.expired())
                return Failure{ControlErrc::server_silent, "the applier does not end"};
        }
        const auto answer = session.receive();
        if (answer.has_error()) return failure_of(answer.error());
        return {};
    }

    [[nodiscard]] bool passes(std::string_view applier_error) const override
    {
        // It was ended in the midst of a transaction, and begins that one again.
        return applier_error.starts_with("1756:");
    }

    [[nodiscard]] Outcome<mysql::Position> with_marker(
        const mysql::Position& position, const mysql::Marker& marker) const override
    {
        const auto alone = parse(gtid_of(marker));
        if (alone.has_error()) return alone.error();
        return position.unite(alone.value());
    }

  private:
    [[nodiscard]] static Outcome<void> kill_waiting_applier(Dialog& dialog)
    {
        const auto sessions = dialog.ask("SHOW FULL PROCESSLIST");
        if (sessions.has_error()) return sessions.error();
        for (std::size_t row = 0; row < sessions.value().rows.size(); ++row) {
            const std::string state = sessions.value().field("State", row).value_or("");
            if (sessions.value().field("User", row) != "system user" ||
                state.find("has read all relay log") == std::string::npos)
                continue;
            const std::string id = sessions.value().field("Id", row).value_or("0");
            // It may have ended by itself.
            static_cast<void>(dialog.ask("KILL " + id));
        }
        return {};
    }

    [[nodiscard]] static std::string gtid_of(const mysql::Marker& marker)
    {
        return marker.cluster_uuid + ":" + std::to_string(marker.epoch);
    }

    [[nodiscard]] static Outcome<mysql::Position> parse(const std::string& text)
    {
        const auto position = mysql::Position::parse(mysql::Flavor::mysql, text);
        if (position.has_error()) return unreadable(text);
        return position.value();
    }
};

}  // namespace

std::unique_ptr<ServerControl> make_mysql_control(SqlTarget target)
{
    return std::make_unique<MysqlControl>(std::move(target));
}

}  // namespace mysos::executor
