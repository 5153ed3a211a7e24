#include "executor/install/tools.hpp"

#include "executor/install/programs.hpp"
#include "executor/out/spawn.hpp"

#include <chrono>
#include <filesystem>
#include <vector>

namespace mysos::executor {
namespace {

namespace fs = std::filesystem;

struct Names {
    std::vector<std::string> programs;
    std::string package;
};

Names names_of(mysql::Flavor flavor, Tool tool)
{
    const bool mariadb = flavor == mysql::Flavor::mariadb;
    switch (tool) {
        case Tool::binlog:
            if (!mariadb) return {{"mysqlbinlog"}, "mysql-client-core"};
            return {{"mariadb-binlog", "mysqlbinlog"}, "mariadb-client"};
        case Tool::backup: return {{"mariadb-backup", "mariabackup"}, "mariadb-backup"};
        case Tool::unpack: return {{"mbstream"}, "mariadb-backup"};
    }
    return {};
}

/// A machine's mysqlbinlog is MariaDB's where MariaDB is installed.
bool is_of(mysql::Flavor flavor, const std::string& program)
{
    constexpr std::chrono::seconds limit{10};
    Spawn question;
    question.arguments = {program, "--no-defaults", "--help"};  // --version says a number alone.
    question.environment = bare_environment();
    const auto answer = run_program(question, limit);
    if (answer.has_error()) return false;
    const bool mariadb = answer->find("MariaDB") != std::string::npos;
    return mariadb == (flavor == mysql::Flavor::mariadb);
}

}  // namespace

Outcome<std::string> find_tool(const ServerPrograms& programs, Tool tool)
{
    const Names names = names_of(programs.flavor, tool);
    std::vector<std::string> directories{fs::path(programs.server).parent_path()};
    // Relocated: out of a package.
    if (programs.options.empty())
        for (std::string& more : program_directories()) directories.push_back(std::move(more));
    for (const std::string& name : names.programs)
        for (const std::string& directory : directories) {
            std::error_code ignored;
            const fs::path path = fs::path{directory} / name;
            if (!fs::exists(path, ignored)) continue;
            // Only the reader of binary logs goes by the same name in both flavours.
            if (tool != Tool::binlog || is_of(programs.flavor, path)) return path;
        }
    return Failure{
        InstallErrc::server_missing,
        "found no " + names.programs.front() + " beside " + programs.server +
            (programs.options.empty() ? " or in PATH: install the package " + names.package
                                      : ": the server's package lacks it")};
}

}  // namespace mysos::executor
