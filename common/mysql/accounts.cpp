#include "common/mysql/statements.hpp"

#include <string>

namespace mysos::mysql {
namespace {

using Kind = AccountSpec::Kind;

/// Everything that is about data, and nothing that is about the server: with SUPER, CONNECTION
/// ADMIN, READ ONLY ADMIN, SYSTEM_VARIABLES_ADMIN and their like an application could make a
/// replica writable or switch the acknowledgements off. Nor CREATE USER: on MariaDB it may rename
/// anyone.
constexpr std::string_view data_privileges =
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY "
    "TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, "
    "TRIGGER";

Statement plain(std::string sql)
{
    return Statement{sql, sql};
}

Statement grant(std::string_view privileges, std::string_view on, const AccountSpec& spec)
{
    return plain(
        "GRANT " + std::string(privileges) + " ON " + std::string(on) + " TO " +
        account(spec.account.user));
}

Statement create(Flavor flavor, const AccountSpec& spec)
{
    std::string before = "CREATE USER IF NOT EXISTS " + account(spec.account.user) + " IDENTIFIED ";
    // Named, not left to the server's default, which an option file can change.
    before += flavor == Flavor::mysql ? "WITH caching_sha2_password BY " : "BY ";
    const std::string after = spec.kind == Kind::monitor ? " WITH MAX_USER_CONNECTIONS 5" : "";
    return Statement{before + quoted(spec.account.password) + after, before + "'***'" + after};
}

/// The grant that `account_made` looks for comes last.
Statements grants_of_mysql(const AccountSpec& spec)
{
    switch (spec.kind) {
        case Kind::admin: {
            Statement all = grant("ALL", "*.*", spec);
            return {plain(all.sql + " WITH GRANT OPTION")};
        }
        case Kind::application: {
            Statement data = grant(data_privileges, "*.*", spec);
            // Who writes mysql.user needs no privilege at all.
            return {
                plain(data.sql + " WITH GRANT OPTION"),
                plain(
                    "REVOKE INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, "
                    "CREATE VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER, LOCK TABLES "
                    "ON mysql.* FROM " +
                    account(spec.account.user))};
        }
        case Kind::monitor:
            return {
                grant("SELECT", "performance_schema.*", spec),
                grant("PROCESS, REPLICATION CLIENT", "*.*", spec)};
        case Kind::clone: return {grant("BACKUP_ADMIN", "*.*", spec)};
        case Kind::replication: return {grant("REPLICATION SLAVE", "*.*", spec)};
    }
    return {};
}

Statements grants_of_mariadb(const AccountSpec& spec)
{
    switch (spec.kind) {
        case Kind::admin: {
            Statement all = grant("ALL", "*.*", spec);
            return {
                plain(all.sql + " WITH GRANT OPTION"),
                plain("REVOKE READ ONLY ADMIN ON *.* FROM " + account(spec.account.user))};
        }
        case Kind::application: {
            // No privilege can be taken away for one database, but the more exact of two names
            // that match is the only one to count.
            Statement data = grant(data_privileges, "`%`.*", spec);
            return {
                grant("SHOW VIEW", "mysql.*", spec),
                grant("SELECT", "mysos.*", spec),
                plain(data.sql + " WITH GRANT OPTION")};
        }
        case Kind::monitor: return {grant("PROCESS, BINLOG MONITOR, REPLICA MONITOR", "*.*", spec)};
        case Kind::clone:
            return {grant(
                "RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR, REPLICA MONITOR, CONNECTION ADMIN",
                "*.*",
                spec)};
        case Kind::replication: return {grant("REPLICATION SLAVE", "*.*", spec)};
    }
    return {};
}

std::string has_privilege(const AccountSpec& spec, std::string_view privilege)
{
    return "EXISTS (SELECT 1 FROM information_schema.user_privileges WHERE grantee = " +
           quoted(account(spec.account.user)) + " AND privilege_type = " + quoted(privilege) + ")";
}

std::string is_user(const AccountSpec& spec)
{
    return "user = " + quoted(spec.account.user) + " AND host = '%'";
}

std::string application_made(Flavor flavor, const AccountSpec& spec)
{
    if (flavor == Flavor::mysql)
        return "EXISTS (SELECT 1 FROM mysql.user WHERE " + is_user(spec) +
               " AND JSON_CONTAINS_PATH(user_attributes, 'one', '$.Restrictions'))";
    return "EXISTS (SELECT 1 FROM mysql.db WHERE " + is_user(spec) +
           " AND db = '%' AND insert_priv = 'Y')";
}

Statements unlogged(const std::string& sql)
{
    return {
        plain("SET SESSION sql_log_bin = OFF"), plain(sql), plain("SET SESSION sql_log_bin = ON")};
}

}  // namespace

std::string account(std::string_view user)
{
    return quoted(user) + "@'%'";
}

Statement account_made(Flavor flavor, const AccountSpec& spec)
{
    std::string condition;
    switch (spec.kind) {
        case Kind::admin:
            condition = has_privilege(spec, "SUPER");
            if (flavor == Flavor::mariadb)
                condition += " AND NOT " + has_privilege(spec, "READ ONLY ADMIN");
            break;
        case Kind::application: condition = application_made(flavor, spec); break;
        case Kind::monitor: condition = has_privilege(spec, "PROCESS"); break;
        case Kind::clone:
            condition =
                has_privilege(spec, flavor == Flavor::mysql ? "BACKUP_ADMIN" : "CONNECTION ADMIN");
            break;
        case Kind::replication: condition = has_privilege(spec, "REPLICATION SLAVE"); break;
    }
    return plain("SELECT " + condition);
}

Statement account_locked(Flavor flavor, std::string_view user)
{
    const std::string who = "user = " + quoted(user) + " AND host = '%'";
    if (flavor == Flavor::mysql)
        return plain("SELECT COUNT(*) FROM mysql.user WHERE " + who + " AND account_locked = 'Y'");
    return plain(
        "SELECT COUNT(*) FROM mysql.global_priv WHERE " + who +
        " AND JSON_VALUE(priv, '$.account_locked')");
}

Statement replication_accounts()
{
    const auto length = std::to_string(replication_user_prefix.size());
    return plain(
        "SELECT user FROM mysql.user WHERE host = '%' AND Repl_slave_priv = 'Y' AND LEFT(user, " +
        length + ") = " + quoted(replication_user_prefix));
}

Statements make_account(Flavor flavor, const AccountSpec& spec)
{
    Statements statements{create(flavor, spec)};
    for (Statement& statement :
         flavor == Flavor::mysql ? grants_of_mysql(spec) : grants_of_mariadb(spec))
        statements.push_back(std::move(statement));
    return statements;
}

Statements lock_account(std::string_view user)
{
    return unlogged("ALTER USER " + account(user) + " ACCOUNT LOCK");
}

Statements unlock_account(std::string_view user)
{
    return unlogged("ALTER USER " + account(user) + " ACCOUNT UNLOCK");
}

Statements local_administrator(std::string_view os_user)
{
    const std::string name = quoted(os_user) + "@'localhost'";
    return {
        plain("CREATE USER IF NOT EXISTS " + name),
        plain("GRANT ALL ON *.* TO " + name + " WITH GRANT OPTION"),
        plain("GRANT PROXY ON ''@'' TO " + name + " WITH GRANT OPTION"),
        plain(
            "UPDATE mysql.user SET plugin = 'auth_socket', authentication_string = '' WHERE "
            "host = 'localhost' AND user IN ('root', " +
            quoted(os_user) + ")")};
}

}  // namespace mysos::mysql
