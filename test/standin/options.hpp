#pragma once

#include "test/standin/standin.hpp"

#include <optional>
#include <string>

namespace mysos::standin {

struct CommandLine {
    Options options;
    std::string port_file;
};

/// Throws std::invalid_argument with one line that names the flag. Prints and gives nothing for
/// --help and --version.
[[nodiscard]] std::optional<CommandLine> parse_command_line(int argc, char** argv);

}  // namespace mysos::standin
