#pragma once

#include "common/base/time.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mysos::executor {

/// How the agent itself was told to speak TLS; what it starts inherits the variables.
/// Source: Mesos, docs/ssl.md.
struct AgentTls {
    bool verifies = false;     ///< LIBPROCESS_SSL_VERIFY_SERVER_CERT and what implies it.
    std::string ca_file;       ///< LIBPROCESS_SSL_CA_FILE
    std::string ca_directory;  ///< LIBPROCESS_SSL_CA_DIR. Neither: the system's authorities.
};

/// What the agent says to the executor it starts.
struct Options {
    bool verbose = false;
    std::string framework_id;
    std::string executor_id;
    std::string agent_host;  ///< From MESOS_AGENT_ENDPOINT.
    std::uint16_t agent_port = 0;
    std::optional<std::string> agent_socket;  ///< MESOS_DOMAIN_SOCKET: instead of the address.
    std::string agent_path;                   ///< "/slave(1)/api/v1/executor"
    std::optional<AgentTls> agent_tls;        ///< Set: the agent speaks TLS.
    std::string sandbox;                      ///< Absolute; the working directory.
    bool checkpoint = false;                  ///< Without: the executor ends when the agent goes.
    Duration subscription_backoff_max = std::chrono::seconds{2};
    Duration shutdown_grace = std::chrono::seconds{5};
    std::optional<std::string> agent_token;    ///< Secret.
    std::optional<std::string> defaults_file;  ///< MYSOS_DEFAULTS_FILE: an extra option file.
    std::uint32_t rebuild_mb_per_second = 0;   ///< MYSOS_REBUILD_MB_PER_SECOND; 0: no bound.
};

/// A flag or a variable that cannot be used; the text is one line for a person.
class BadOption : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

using Environment = std::function<std::optional<std::string>(const char* name)>;

enum class Command { run, help, version };

struct CommandLine {
    Command command = Command::run;
    bool verbose = false;
};

/// Errors: throws BadOption.
[[nodiscard]] CommandLine parse_command_line(const std::vector<std::string>& arguments);
/// Errors: throws BadOption, naming the variable.
[[nodiscard]] Options read_environment(const Environment& environment);

/// Shape:  a number, fractions allowed, directly followed by ns, us, ms, secs, mins, hrs, days or
/// weeks. Errors: none when it is not that. Source: stout's duration.hpp, as the agent prints
/// MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD and others.
[[nodiscard]] std::optional<Duration> parse_mesos_duration(std::string_view text);

extern const char* const help_text;

}  // namespace mysos::executor
