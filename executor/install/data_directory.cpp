#include "executor/install/data_directory.hpp"

#include "common/mysql/statements.hpp"
#include "executor/install/path_lock.hpp"
#include "executor/out/spawn.hpp"

#include <array>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>
#include <utility>

namespace mysos::executor {
namespace {

namespace fs = std::filesystem;

/// Part of a template's name: another number when what a template holds changes.
constexpr auto template_form = "1";
constexpr std::chrono::seconds making_limit{300};
constexpr std::chrono::seconds copying_limit{300};

Failure refused(const fs::path& path, const std::error_code& error)
{
    return system_failure(path.string(), error.value());
}

fs::path unfinished(const mysql::Directories& directories)
{
    return directories.data + ".new";
}

struct Maker {
    const InitialiseOrder& order;
    std::optional<ServerUser> user;  ///< Whom the server runs as.
    std::string administrator;       ///< Whom the executor is.
};

Outcome<void> append(const std::string& log_path, const std::string& text)
{
    std::ofstream log{log_path, std::ios::app | std::ios::binary};
    log << text;
    if (!log.flush())
        return Failure{InstallErrc::system_failed, "cannot write the log " + log_path};
    return {};
}

Outcome<std::string> contents(const std::string& path)
{
    const std::ifstream file{path, std::ios::binary};
    std::ostringstream text;
    text << file.rdbuf();  // Half a file is none; an iterator would throw where reading fails.
    if (!text || text.view().empty())
        return Failure{InstallErrc::package_broken, "cannot read " + path};
    return std::move(text).str();
}

/// As the server reads them: each statement ends its line.
std::string lines_of(const mysql::Statements& statements)
{
    std::string text;
    for (const mysql::Statement& statement : statements) text += statement.sql + ";\n";
    return text;
}

/// What mariadb-install-db feeds to the server, and the marker's table.
Outcome<std::string> mariadb_bootstrap_sql(const Maker& maker)
{
    std::string sql = "create database if not exists mysql;\nuse mysql;\nSET @auth_root_socket=" +
                      mysql::quoted(maker.administrator) + ";\n";
    const std::string directory = maker.order.programs.share + "/";
    for (const std::string name :
         {"mysql_system_tables.sql",
          "mysql_performance_tables.sql",
          "mysql_system_tables_data.sql",
          "maria_add_gis_sp_bootstrap.sql"}) {
        // From 11.0 on mysql_* is called mariadb_*.
        const std::string newer = directory + "mariadb" + name.substr(name.find('_'));
        auto text = contents(fs::exists(directory + name) ? directory + name : newer);
        if (text.has_error()) return text;
        sql += text.value();
    }
    return sql + "\n" + lines_of(mysql::marker_table());
}

std::string temporary_of(const fs::path& directory)
{
    return directory.string() + ".tmp";
}

std::vector<std::string> making_arguments(const Maker& maker, const fs::path& directory)
{
    const ServerPrograms& programs = maker.order.programs;
    std::vector<std::string> words{programs.server, "--no-defaults"};
    words.insert(words.end(), programs.options.begin(), programs.options.end());
    words.push_back("--datadir=" + directory.string());
    // Not the machine's: a MariaDB that starts removes the temporary tables of all who share it.
    // Not the volume's: only a server that starts within it can be sure to reach it.
    words.push_back("--tmpdir=" + temporary_of(directory));
    words.insert(words.end(), {"--skip-log-bin", "--innodb-buffer-pool-size=32M"});
    if (programs.flavor == mysql::Flavor::mariadb)
        words.insert(
            words.end(),
            {"--bootstrap",
             "--skip-networking",
             "--enforce-storage-engine=",
             "--max-allowed-packet=8M",
             "--net-buffer-length=16K",
             "--innodb-log-file-size=64M"});
    else
        // Keys are each server's own: they are made at its first start.
        words.insert(
            words.end(),
            {"--initialize-insecure",
             "--init-file=" + directory.string() + ".sql",
             "--secure-file-priv=NULL",
             "--innodb-redo-log-capacity=64M",
             "--performance-schema=OFF",
             "--auto-generate-certs=OFF",
             "--caching-sha2-password-auto-generate-rsa-keys=OFF"});
    return words;
}

Outcome<void> write_file(const fs::path& path, const std::string& text)
{
    std::ofstream file{path, std::ios::binary | std::ios::trunc};
    file << text;
    if (!file.flush()) return Failure{InstallErrc::system_failed, "cannot write " + path.string()};
    return {};
}

Outcome<void> give(const fs::path& path, const std::optional<ServerUser>& user)
{
    if (!user) return {};
    if (::chown(path.c_str(), user->uid, user->gid) != 0)
        return Failure{InstallErrc::system_failed, "cannot give away " + path.string()};
    return {};
}

/// Makes the template in `directory`, which is empty.
Outcome<void> make_template(const Maker& maker, const fs::path& directory)
{
    const bool mariadb = maker.order.programs.flavor == mysql::Flavor::mariadb;
    Outcome<std::string> sql = lines_of(mysql::local_administrator(maker.administrator));
    if (mariadb) sql = mariadb_bootstrap_sql(maker);
    if (sql.has_error()) return sql.error();
    const fs::path script = directory.string() + ".sql";
    if (auto written = write_file(script, sql.value()); written.has_error()) return written;
    const fs::path temporary = temporary_of(directory);
    std::error_code error;
    fs::create_directory(temporary, error);
    if (mariadb && !error) fs::create_directory(directory / "mysql", error);
    if (error) return refused(directory, error);
    for (const fs::path& path :
         {directory, script, temporary, mariadb ? directory / "mysql" : directory})
        if (auto given = give(path, maker.user); given.has_error()) return given;

    Spawn server;
    server.arguments = making_arguments(maker, directory);
    server.environment = bare_environment();
    server.user = maker.user;
    if (mariadb) server.input = ::open(script.c_str(), O_RDONLY | O_CLOEXEC);
    const auto said = run_program(server, making_limit);
    if (server.input >= 0) ::close(server.input);
    fs::remove(script, error);
    fs::remove_all(temporary, error);
    const std::string words = said.has_value() ? said.value() : said.error().text + "\n";
    if (auto logged = append(maker.order.log_path, words); logged.has_error()) return logged;
    if (said.has_error()) return Failure{InstallErrc::initialise_failed, said.error().text};
    // Equal ones would make members one and the same to each other.
    for (const char* name : {"auto.cnf", "private_key.pem", "public_key.pem", "ib_buffer_pool"})
        fs::remove(directory / name, error);
    return {};
}

/// The finished template's path; made when it is not there.
Outcome<fs::path> provide_template(const Maker& maker)
{
    const ServerPrograms& programs = maker.order.programs;
    const std::string name = std::string(mysql::name(programs.flavor)) + "-" + programs.version +
                             "-" + maker.administrator +
                             (maker.user ? "-" + maker.user->name : "") + "-" + template_form;
    const fs::path directory = fs::path(maker.order.cache_dir) / "templates" / name;
    const auto lock = PathLock::wait_for(directory.string() + ".lock");
    if (lock.has_error()) return lock.error();
    std::error_code error;
    if (fs::exists(directory, error)) return directory;
    const fs::path fresh = directory.string() + ".new";
    fs::remove_all(fresh, error);
    if (!fs::create_directory(fresh, error)) return refused(fresh, error);
    if (auto made = make_template(maker, fresh); made.has_error()) return made.error();
    fs::rename(fresh, directory, error);
    if (error) return refused(directory, error);
    return directory;
}

Outcome<void> copy_tree(const fs::path& from, const fs::path& to)
{
    Spawn copy;
    copy.arguments = {"/bin/cp", "-a", "--sparse=always", "--reflink=auto", from, to};
    copy.environment = bare_environment();
    const auto copied = run_program(copy, copying_limit);
    if (copied.has_error()) return copied.error();
    return {};
}

/// The directories around the data, given to whom the server runs as.
Outcome<void> make_directories(const Maker& maker)
{
    const mysql::Directories& directories = maker.order.directories;
    const std::string parent = fs::path(directories.data).parent_path();
    for (const std::string& path :
         {parent, directories.binlog, directories.relay, directories.tmp}) {
        std::error_code error;
        fs::create_directories(path, error);
        if (error) return refused(path, error);
        if (auto given = give(path, maker.user); given.has_error()) return given;
    }
    return {};
}

}  // namespace

mysql::Directories directories_on(const std::string& volume)
{
    std::error_code error;
    // A sandbox's path to its volume is a link, in a directory that the server may not enter.
    const fs::path top = fs::canonical(volume, error);
    const std::string base = (error ? fs::path(volume) : top).string() + "/mysql/";
    return {base + "data", base + "binlog", base + "relay", base + "tmp"};
}

Outcome<DataDirectory> inspect(const mysql::Directories& directories)
{
    std::error_code error;
    if (!fs::exists(directories.data, error) || fs::is_empty(directories.data, error)) {
        if (error && error != std::errc::no_such_file_or_directory)
            return refused(directories.data, error);
        return fs::exists(unfinished(directories), error) ? DataDirectory::partial
                                                          : DataDirectory::empty;
    }
    for (const char* name : {"ibdata1", "mysql"})
        if (!fs::exists(fs::path(directories.data) / name, error))
            return Failure{
                InstallErrc::directory_foreign,
                directories.data + " is not empty and not a data directory: it has no " + name};
    return DataDirectory::ready;
}

Outcome<void> initialise(const InitialiseOrder& order)
{
    const auto state = inspect(order.directories);
    if (state.has_error()) return state.error();
    if (state.value() == DataDirectory::ready)
        return Failure{
            InstallErrc::directory_foreign,
            order.directories.data + " is a data directory already; it is not overwritten"};
    auto user = server_user();
    if (user.has_error()) return user.error();
    auto administrator = local_user();
    if (administrator.has_error()) return administrator.error();
    const Maker maker{order, user.value(), administrator.value()};

    const auto model = provide_template(maker);
    if (model.has_error()) return model.error();
    if (auto made = make_directories(maker); made.has_error()) return made;
    const fs::path fresh = unfinished(order.directories);
    std::error_code error;
    fs::remove_all(fresh, error);
    if (error) return refused(fresh, error);
    if (auto copied = copy_tree(model.value(), fresh); copied.has_error()) return copied;
    fs::rename(fresh, order.directories.data, error);  // Whole or not at all.
    if (error) return refused(order.directories.data, error);
    return {};
}

}  // namespace mysos::executor
