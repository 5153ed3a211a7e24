#include "executor/out/sql_session.hpp"

#include <boost/throw_exception.hpp>

#include <algorithm>
#include <cerrno>
#include <mariadb/errmsg.h>
#include <mariadb/mysql.h>
#include <poll.h>
#include <stdexcept>
#include <utility>

namespace mysos::executor {
namespace {

using Clock = std::chrono::steady_clock;

/// Once a process, before the first thread asks: the library's own check races.
void initialise_library()
{
    static const int done = mysql_library_init(0, nullptr, nullptr);
    static_cast<void>(done);
}

unsigned whole_seconds(std::chrono::milliseconds time)
{
    return static_cast<unsigned>(std::max<std::int64_t>(1, (time.count() + 999) / 1000));
}

SqlRows copy_rows(MYSQL_RES& result)
{
    SqlRows rows;
    const unsigned columns = mysql_num_fields(&result);
    const MYSQL_FIELD* fields = mysql_fetch_fields(&result);
    for (unsigned i = 0; i < columns; ++i) rows.columns.emplace_back(fields[i].name);
    while (MYSQL_ROW row = mysql_fetch_row(&result)) {
        const unsigned long* lengths = mysql_fetch_lengths(&result);
        std::vector<SqlField> copied;
        copied.reserve(columns);
        for (unsigned i = 0; i < columns; ++i)
            copied.push_back(
                row[i] == nullptr ? SqlField{} : SqlField{std::string(row[i], lengths[i])});
        rows.rows.push_back(std::move(copied));
    }
    return rows;
}

}  // namespace

void throw_exception_from_error(const SqlError& error, const boost::source_location& where)
{
    boost::throw_exception(
        std::runtime_error("SQL error " + std::to_string(error.number) + ": " + error.text), where);
}

SqlField SqlRows::field(std::string_view column, std::size_t row) const
{
    const auto found = std::find(columns.begin(), columns.end(), column);
    if (found == columns.end() || row >= rows.size()) return {};
    return rows[row][static_cast<std::size_t>(found - columns.begin())];
}

std::string SqlRows::scalar() const
{
    if (rows.empty() || rows.front().empty()) return {};
    return rows.front().front().value_or("");
}

void SqlSession::Close::operator()(st_mysql* handle) const noexcept
{
    mysql_close(handle);
}

SqlSession::SqlSession(std::unique_ptr<st_mysql, Close> handle, std::chrono::milliseconds answer)
    : handle_{std::move(handle)}, answer_{answer}
{}

SqlResult<SqlSession> SqlSession::connect(const SqlTarget& target, Timeouts timeouts)
{
    initialise_library();
    std::unique_ptr<st_mysql, Close> handle{mysql_init(nullptr)};
    const unsigned connect = whole_seconds(timeouts.connect);
    // Answers are waited for by `receive`; these end what has begun to arrive and stops.
    const unsigned transfer = std::max(connect, whole_seconds(timeouts.answer));
    const unsigned off = 0;
    const unsigned protocol = MYSQL_PROTOCOL_SOCKET;
    mysql_options(handle.get(), MYSQL_OPT_CONNECT_TIMEOUT, &connect);
    mysql_options(handle.get(), MYSQL_OPT_READ_TIMEOUT, &transfer);
    mysql_options(handle.get(), MYSQL_OPT_WRITE_TIMEOUT, &transfer);
    mysql_options(handle.get(), MYSQL_OPT_LOCAL_INFILE, &off);
    mysql_options(handle.get(), MYSQL_OPT_PROTOCOL, &protocol);
    mysql_options(handle.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (mysql_real_connect(
            handle.get(),
            nullptr,
            target.user.c_str(),
            target.password.empty() ? nullptr : target.password.c_str(),
            nullptr,
            0,
            target.socket.c_str(),
            0) == nullptr)
        return SqlError{mysql_errno(handle.get()), mysql_error(handle.get())};
    SqlSession session{std::move(handle), timeouts.answer};
    // What `mysql::quoted` and every statement of ours count on, whatever the server's defaults
    // are.
    auto prepared = session.run("SET SESSION sql_mode = '', autocommit = 1");
    if (prepared.has_error()) return prepared.error();
    return session;
}

SqlResult<SqlRows> SqlSession::run(const mysql::Statement& statement)
{
    if (auto sent = send(statement); sent.has_error()) return sent.error();
    return receive();
}

SqlResult<SqlRows> SqlSession::run(const std::string& sql)
{
    return run(mysql::Statement{sql, sql});
}

SqlResult<void> SqlSession::run_all(const mysql::Statements& statements)
{
    for (const mysql::Statement& statement : statements)
        if (auto done = run(statement); done.has_error()) return done.error();
    return {};
}

SqlResult<void> SqlSession::send(const mysql::Statement& statement)
{
    sent_ = statement;
    if (mysql_send_query(handle_.get(), statement.sql.data(), statement.sql.size()) != 0)
        return error();
    return {};
}

bool SqlSession::answered(std::chrono::milliseconds within) const
{
    const auto deadline = Clock::now() + within;
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        pollfd entry{mysql_get_socket(handle_.get()), POLLIN, 0};
        const int ready =
            ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
        if (ready > 0) return true;
        if (ready == 0 || errno != EINTR) return false;
    }
}

SqlResult<SqlRows> SqlSession::receive()
{
    if (!answered(answer_))
        return SqlError{
            CR_SERVER_LOST,
            "no answer within " + std::to_string(answer_.count()) + " ms to: " + sent_.shown};
    if (mysql_read_query_result(handle_.get()) != 0) return error();
    if (mysql_field_count(handle_.get()) == 0) return SqlRows{};
    const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result{
        mysql_store_result(handle_.get()), &mysql_free_result};
    if (result == nullptr) return error();
    return copy_rows(*result);
}

unsigned long SqlSession::connection_id() const
{
    return mysql_thread_id(handle_.get());
}

SqlError SqlSession::error() const
{
    const unsigned number = mysql_errno(handle_.get());
    // The server repeats parts of a statement that it does not understand.
    const std::string words =
        sent_.secret() ? "(kept back: the statement holds a secret)" : mysql_error(handle_.get());
    return SqlError{number, words + " in: " + sent_.shown};
}

}  // namespace mysos::executor
