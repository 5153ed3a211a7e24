#include "executor/control/sql_control.hpp"

#include <algorithm>
#include <utility>

namespace mysos::executor {
namespace {

std::chrono::milliseconds left(ServerControl::Deadline deadline)
{
    const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    return std::max(time, std::chrono::milliseconds{1});
}

}  // namespace

Failure failure_of(const SqlError& error)
{
    const ControlErrc code =
        error.disconnected() ? ControlErrc::server_silent : ControlErrc::server_refused;
    return {code, "error " + std::to_string(error.number) + ": " + error.text};
}

Outcome<Dialog> Dialog::open(const SqlTarget& target, Deadline deadline)
{
    auto session = SqlSession::connect(target, {left(deadline), left(deadline)});
    if (session.has_error()) return failure_of(session.error());
    return Dialog{std::move(session.value()), deadline};
}

Dialog::Dialog(SqlSession session, Deadline deadline)
    : session_{std::move(session)}, deadline_{deadline}
{}

Outcome<SqlRows> Dialog::ask(const mysql::Statement& statement)
{
    session_.set_answer_timeout(left(deadline_));
    auto answer = session_.run(statement);
    if (answer.has_error()) return failure_of(answer.error());
    return std::move(answer.value());
}

Outcome<SqlRows> Dialog::ask(const std::string& sql)
{
    return ask(mysql::Statement{sql, sql});
}

Outcome<void> Dialog::tell(const mysql::Statement& statement)
{
    if (auto answer = ask(statement); answer.has_error()) return answer.error();
    return {};
}

Outcome<void> Dialog::tell(const mysql::Statements& statements)
{
    for (const mysql::Statement& statement : statements)
        if (auto done = tell(statement); done.has_error()) return done;
    return {};
}

bool Dialog::expired() const
{
    return std::chrono::steady_clock::now() >= deadline_;
}

}  // namespace mysos::executor
