#include "common/mysql/cloning.hpp"
#include "executor/control/sql_control.hpp"

/// What a server is asked when its data go to another member, or come from there.
namespace mysos::executor {
namespace {

/// The last answer of a server that has cloned and cannot start itself again.
constexpr unsigned restart_failed = 3707;

struct Copied {
    std::string position;
    std::string history;  ///< Who wrote what the copy holds, its last transactions included.
};

/// What the backup says is its position can be behind its data: a replica counts what it has
/// applied a moment after it has committed it. The table that the copy's server reads was written
/// in the same transactions as the data.
Outcome<Copied> copied_by_mariadb(
    const std::string& backups, const std::string& donors, const std::string& table)
{
    auto history = mysql::History::parse(donors);
    const auto said = mysql::GtidList::parse(backups);
    const auto written = mysql::GtidList::parse(table);
    if (history.has_error() || said.has_error() || written.has_error())
        return Failure{
            ControlErrc::server_refused,
            "the backup's position is none: " + backups + ", or the copy's: " + table};
    const mysql::GtidList position = said->unite(*written);
    for (const auto& entry : position.entries()) history->add(entry);
    return Copied{position.to_text(), history->to_text()};
}

}  // namespace

Outcome<std::string> SqlControl::history(Deadline deadline)
{
    auto dialog = Dialog::open(target_, deadline);
    if (dialog.has_error()) return dialog.error();
    if (flavor_ == mysql::Flavor::mysql) {
        const auto held = position_now(dialog.value());
        if (held.has_error()) return held.error();
        return held.value().to_text();
    }
    const auto answer = dialog.value().ask(mysql::history());
    if (answer.has_error()) return answer.error();
    const auto history = mysql::History::parse(answer.value().scalar());
    if (history.has_error())
        return Failure{
            ControlErrc::server_refused,
            "the server says a history that is none: " + answer.value().scalar()};
    return history.value().to_text();
}

Outcome<void> SqlControl::clone(const CloneOrder& order, Deadline deadline)
{
    if (flavor_ != mysql::Flavor::mysql)
        return Failure{ControlErrc::server_refused, "MariaDB has no CLONE"};
    auto dialog = Dialog::open(target_, deadline);
    if (dialog.has_error()) return dialog.error();
    const mysql::Source donor{order.host, order.port, order.account.user, order.account.password};
    mysql::Statements statements = mysql::clone_from(donor, order.mb_per_second);
    const mysql::Statement last = std::move(statements.back());
    statements.pop_back();
    if (auto done = dialog.value().tell(statements); done.has_error()) return done;
    SqlSession& session = dialog.value().session();
    session.set_answer_timeout(std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now()));
    const auto answer = session.run(last);
    if (answer.has_value() || answer.error().number == restart_failed) return {};
    // Its end is the answer, unless the server died of something else: whether the clone is whole
    // is seen by what it holds.
    if (answer.error().disconnected() && !dialog.value().expired()) return {};
    return failure_of(answer.error());
}

Outcome<std::string> SqlControl::begin_on_copy(
    const std::string& position, const std::string& history, Deadline deadline)
{
    auto dialog = Dialog::open(target_, deadline);
    if (dialog.has_error()) return dialog.error();
    Copied copied{position, history};
    if (flavor_ == mysql::Flavor::mariadb) {
        const auto table = dialog.value().ask("SELECT @@global.gtid_slave_pos");
        if (table.has_error()) return table.error();
        const auto state = dialog.value().ask("SELECT @@global.gtid_binlog_state");
        if (state.has_error()) return state.error();
        auto all = copied_by_mariadb(position, history, table.value().scalar());
        if (all.has_error()) return all.error();
        copied = std::move(all.value());
        // A copy comes without logs: this was done before, and can be done only once.
        if (!state.value().scalar().empty()) copied.history.clear();
    }
    const auto statements = mysql::begin_on_copy(flavor_, copied.position, copied.history);
    if (auto done = dialog.value().tell(statements); done.has_error()) return done.error();
    const auto held = position_now(dialog.value());
    if (held.has_error()) return held.error();
    return held.value().to_text();
}

}  // namespace mysos::executor
