#pragma once

#include "executor/install/installer.hpp"

#include <string>

namespace mysos::executor {

/// Programs that come with a server and are needed only when a member is rebuilt.
enum class Tool {
    binlog,  ///< Prints binary logs: mysqlbinlog, mariadb-binlog.
    backup,  ///< mariadb-backup
    unpack,  ///< mbstream
};

/// Its absolute path. A server out of a package is served by that package alone; the machine's own
/// server by what lies beside it, in PATH, or in the usual places. Asks the program which flavour
/// it is of. Errors: server_missing, naming the Debian package that has it. Blocks.
[[nodiscard]] Outcome<std::string> find_tool(const ServerPrograms& programs, Tool tool);

}  // namespace mysos::executor
