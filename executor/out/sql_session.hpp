#pragma once

#include "common/mysql/statements.hpp"

#include <boost/system/result.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct st_mysql;  // MYSQL of libmariadb

namespace mysos::executor {

/// Why a statement has no answer. Numbers are the server's (1045 …) or the client's own (2002 not
/// there, 2013 lost or silent past the timeout). The text is the server's, except for a statement
/// with a secret, of which only the form to be shown is repeated.
struct SqlError {
    unsigned number = 0;
    std::string text;
    /// Nothing more can be asked on this session; whether the statement took effect is not known.
    [[nodiscard]] bool disconnected() const { return number >= 2000 && number < 3000; }
    friend bool operator==(const SqlError&, const SqlError&) = default;
};
[[noreturn]] void throw_exception_from_error(
    const SqlError& error, const boost::source_location& where);
template <class T>
using SqlResult = boost::system::result<T, SqlError>;

using SqlField = std::optional<std::string>;

/// An answer, whole. A statement without rows has no columns.
struct SqlRows {
    std::vector<std::string> columns;
    std::vector<std::vector<SqlField>> rows;

    /// The field of that column; nothing when there is no such row or column, or it is NULL.
    [[nodiscard]] SqlField field(std::string_view column, std::size_t row = 0) const;
    /// First column of the first row, "" for none or NULL.
    [[nodiscard]] std::string scalar() const;
};

/// How to reach a server. Over its unix socket only: no client plugin is needed there, and the
/// server knows who we are from the kernel.
struct SqlTarget {
    std::string socket;
    std::string user;
    std::string password;  ///< Empty for the local administrator.
};

/// One connection, blocking. Not for the event loop's thread. Moves, closes itself.
///
/// Units: the connect timeout is rounded up to whole seconds. The answer timeout holds for each
///        statement.
/// Errors: SqlError. A session whose call failed with `disconnected()` is of no further use.
/// Thread: one at a time.
class SqlSession {
  public:
    struct Timeouts {
        std::chrono::milliseconds connect{2000};
        std::chrono::milliseconds answer{5000};
    };
    [[nodiscard]] static SqlResult<SqlSession> connect(const SqlTarget& target, Timeouts timeouts);

    [[nodiscard]] SqlResult<SqlRows> run(const mysql::Statement& statement);
    [[nodiscard]] SqlResult<SqlRows> run(const std::string& sql);
    /// Stops at the first that fails.
    [[nodiscard]] SqlResult<void> run_all(const mysql::Statements& statements);

    /// Sends and does not wait: for a COMMIT that may wait for acknowledgements as long as it
    /// likes.
    [[nodiscard]] SqlResult<void> send(const mysql::Statement& statement);
    /// Whether the answer to `send` has come within that time.
    [[nodiscard]] bool answered(std::chrono::milliseconds within) const;
    /// Takes the answer to `send`.
    [[nodiscard]] SqlResult<SqlRows> receive();

    void set_answer_timeout(std::chrono::milliseconds answer) { answer_ = answer; }
    [[nodiscard]] unsigned long connection_id() const;

  private:
    struct Close {
        void operator()(st_mysql* handle) const noexcept;
    };
    SqlSession(std::unique_ptr<st_mysql, Close> handle, std::chrono::milliseconds answer);
    [[nodiscard]] SqlError error() const;

    std::unique_ptr<st_mysql, Close> handle_;
    std::chrono::milliseconds answer_;
    mysql::Statement sent_;
};

}  // namespace mysos::executor
