#pragma once

#include "common/base/failure.hpp"
#include "executor/install/data_directory.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace mysos::executor {

/// A directory that a child sees at another place, it alone. The superuser can do that.
struct Mount {
    std::string from;
    std::string to;  ///< A directory that is there.
    friend bool operator==(const Mount&, const Mount&) = default;
};

/// A program to start as a child.
struct Spawn {
    std::vector<std::string> arguments;  ///< The first is the program's absolute path.
    std::vector<std::string> environment;
    std::string directory;           ///< Its working directory, as it sees it; empty: ours.
    std::optional<ServerUser> user;  ///< Whom to become.
    std::optional<Mount> mount;      ///< Made before that.
    int input = -1;                  ///< Its standard input; -1: /dev/null.
    int output = -1;                 ///< Its standard output; -1: /dev/null.
    int error = -1;                  ///< Its standard error; -1: with the output.
};

/// Starts it. It dies with the thread that called this, inherits nothing but what is said above,
/// has default signal handling, and is a process group of its own, so that a Ctrl-C meant for us
/// does not reach it. The caller reaps it. Errors: InstallErrc::server_missing when the program is
/// not there, else system_failed, both naming
///         it. The text comes from the child itself: a program that does not start is told here.
[[nodiscard]] Outcome<pid_t> spawn(const Spawn& spawn);

/// A descriptor that becomes readable when the child ends; -1 with errno. (glibc 2.36 declares its
/// own pidfd_open without extern "C".)
[[nodiscard]] int process_descriptor(pid_t pid);

/// What a server's environment is: enough to run, and nothing of ours (which holds tokens).
[[nodiscard]] std::vector<std::string> bare_environment();

/// Starts it, waits, and gives its standard output and error, at most 1 MB of it; of these not what
/// `output` or `error` is for. Blocks. Errors: as spawn; system_failed when it did not end by
/// itself within `limit` (it
///         is killed) or ended with anything but 0, with its last words.
[[nodiscard]] Outcome<std::string> run_program(const Spawn& order, std::chrono::seconds limit);

}  // namespace mysos::executor
