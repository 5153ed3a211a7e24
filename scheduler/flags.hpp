#pragma once

#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace mysos::scheduler {

/// A flag is missing or wrong. `what()` is one line that names it and says what would be right; no
/// secret is in it. Start-up only: `main` prints it and ends with 2.
class FlagError : public std::runtime_error {
  public:
    FlagError(const std::string& flag, const std::string& why)
        : std::runtime_error{"--" + flag + ": " + why}
    {}
};

/// The texts given for the flags, before anything is understood about them.
struct Flags {
    std::map<std::string, std::string> given;     ///< By name with underscores: "zk_url".
    std::map<std::string, std::string> defaults;  ///< Of those that have one.
    bool zk_url_on_command_line = false;          ///< Then its password can be seen with ps.
    std::optional<std::string> print;  ///< Asked for --help or --version: print it and end with 0.
};

using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Collects flags: the command line first, then MYSOS_<FLAG>, then the YAML file of --config.
/// `--zk-url` and `--zk_url` are the same flag. `arguments` go without the program's name.
/// Throws FlagError.
[[nodiscard]] Flags collect_flags(
    const std::vector<std::string>& arguments, const Environment& environment);

}  // namespace mysos::scheduler
