#include "common/mysql/cloning.hpp"
#include "executor/control/sql_control.hpp"

/// What a server is asked when its data go to another member, or come from there.
namespace mysos::executor {
namespace {

/// The last answer of a server that has cloned and cannot start itself again.
constexpr unsigned restart_failed = 3707;

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
    const auto statements = mysql::begin_on_copy(flavor_, position, history);
    if (auto done = dialog.value().tell(statements); done.has_error()) return done.error();
    const auto held = position_now(dialog.value());
    if (held.has_error()) return held.error();
    return held.value().to_text();
}

}  // namespace mysos::executor
