#pragma once

#include "common/base/failure.hpp"
#include "common/mysql/config.hpp"
#include "executor/install/installer.hpp"

#include <optional>
#include <string>
#include <sys/types.h>

/// The directories on a member's volume: made, recognised, given to the server's user.
///
/// A data directory costs a server seconds of work, and is the same for every member of a version:
/// it is made once an agent, as a template in the cache, and copied. The copy has no identity (no
/// auto.cnf, no keys), no transaction, and one way in: the operating system's user that the
/// executor is, over the socket.
namespace mysos::executor {

/// Whom the server runs as.
struct ServerUser {
    uid_t uid = 0;
    gid_t gid = 0;
    std::string name;
    friend bool operator==(const ServerUser&, const ServerUser&) = default;
};
/// Root gives the server to `mysos`, else to `nobody`; anyone else runs it as himself: none.
[[nodiscard]] Outcome<std::optional<ServerUser>> server_user();
/// The account name to connect as: the executor's own user, by name.
[[nodiscard]] Outcome<std::string> local_user();

/// mysql/{data,binlog,relay,tmp} under the volume.
[[nodiscard]] mysql::Directories directories_on(const std::string& volume);

enum class DataDirectory {
    empty,   ///< Nothing there: initialise it.
    ready,   ///< A data directory, whole.
    partial  ///< An initialisation that did not end: wiped and made again by `initialise`.
};
/// Blocks. Whose cluster it is, the epoch file beside it says: not asked here.
[[nodiscard]] Outcome<DataDirectory> inspect(const mysql::Directories& directories);

struct InitialiseOrder {
    ServerPrograms programs;
    mysql::Directories directories;
    std::string cache_dir;  ///< Templates are kept under it, one a version.
    std::string log_path;   ///< What the server said while it worked; appended.
};
/// Makes an empty data directory ready, or finishes a partial one. Blocks for seconds the first
/// time on an agent, then for a copy. Refuses a directory that is ready.
[[nodiscard]] Outcome<void> initialise(const InitialiseOrder& order);

/// Whether the user may pass all directories that lead to `path`; a failure names the first in the
/// way. Nothing is opened up: those are for others to open.
[[nodiscard]] Outcome<void> check_way(const std::string& path, const ServerUser& user);

/// Gives the volume's top and the directories to the server's user. Cheap when already so.
[[nodiscard]] Outcome<void> hand_over(const std::string& volume, const ServerUser& user);

}  // namespace mysos::executor
