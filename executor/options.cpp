#include "executor/options.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace mysos::executor {
namespace {

std::string required(const Environment& environment, const char* name)
{
    auto value = environment(name);
    if (!value || value->empty()) {
        throw BadOption{
            std::string{name} + " is not set: the Mesos agent starts this program and sets it"};
    }
    return *std::move(value);
}

/// Set to nothing is not set.
std::optional<std::string> optional(const Environment& environment, const char* name)
{
    auto value = environment(name);
    if (value && value->empty()) value.reset();
    return value;
}

Duration duration(const Environment& environment, const char* name, Duration otherwise)
{
    const auto text = environment(name);
    if (!text) return otherwise;
    const auto parsed = parse_mesos_duration(*text);
    if (!parsed)
        throw BadOption{std::string{name} + ": '" + *text + "' is not like 5secs or 1mins"};
    return *parsed;
}

/// "slave(1)@10.0.0.1:5051" -> "/slave(1)/api/v1/executor"
std::string executor_path(const std::string& agent_pid)
{
    const auto at = agent_pid.find('@');
    if (at == std::string::npos || at == 0) {
        throw BadOption{"MESOS_SLAVE_PID: '" + agent_pid + "' is not like slave(1)@10.0.0.1:5051"};
    }
    return "/" + agent_pid.substr(0, at) + "/api/v1/executor";
}

void read_endpoint(Options& options, const std::string& endpoint)
{
    const auto colon = endpoint.rfind(':');
    unsigned port = 0;
    if (colon != std::string::npos) {
        const char* const end = endpoint.data() + endpoint.size();
        const auto [stop, ec] = std::from_chars(endpoint.data() + colon + 1, end, port);
        if (ec != std::errc{} || stop != end) port = 0;
    }
    if (colon == std::string::npos || colon == 0 || port == 0 || port > 65535) {
        throw BadOption{"MESOS_AGENT_ENDPOINT: '" + endpoint + "' is not like 10.0.0.1:5051"};
    }
    options.agent_host = endpoint.substr(0, colon);
    options.agent_port = static_cast<std::uint16_t>(port);
}

/// A setting of libprocess; SSL_ without the prefix is its older name.
std::string ssl_setting(const Environment& environment, const std::string& name)
{
    auto value = optional(environment, ("LIBPROCESS_SSL_" + name).c_str());
    if (!value) value = optional(environment, ("SSL_" + name).c_str());
    return value.value_or("");
}

bool is_ssl_set(const Environment& environment, const std::string& name)
{
    const std::string value = ssl_setting(environment, name);
    if (value == "1" || value == "true") return true;
    if (value.empty() || value == "0" || value == "false") return false;
    throw BadOption{"LIBPROCESS_SSL_" + name + ": '" + value + "' is neither true nor false"};
}

std::optional<AgentTls> read_tls(const Environment& environment)
{
    if (!is_ssl_set(environment, "ENABLED")) return std::nullopt;
    AgentTls tls;
    for (const char* const name :
         {"VERIFY_SERVER_CERT", "VERIFY_CERT", "REQUIRE_CLIENT_CERT", "REQUIRE_CERT"}) {
        tls.verifies = is_ssl_set(environment, name) || tls.verifies;
    }
    tls.ca_file = ssl_setting(environment, "CA_FILE");
    tls.ca_directory = ssl_setting(environment, "CA_DIR");
    return tls;
}

/// 0 when it is not set.
std::uint32_t read_bound(const Environment& environment, const char* name)
{
    const std::string text = optional(environment, name).value_or("0");
    // What MySQL takes, and no more than 1 TB a second.
    constexpr std::uint32_t bound_max = 1U << 20U;
    std::uint32_t bound = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, ec] = std::from_chars(text.data(), end, bound);
    if (ec == std::errc{} && stop == end && bound <= bound_max) return bound;
    throw BadOption{std::string{name} + ": '" + text + "' is no number of MiB a second"};
}

}  // namespace

const char* const help_text =
    "usage: mysos-executor [--verbose]\n"
    "\n"
    "Runs one member of a MySQL or MariaDB cluster. The Mesos agent starts it in a sandbox, on "
    "behalf of\n"
    "mysos-scheduler; it is not started by hand.\n"
    "\n"
    "  --verbose   log every decision\n"
    "  --version   print the version\n"
    "  --help      print this\n"
    "\n"
    "MYSOS_DEFAULTS_FILE names an extra option file for the server.\n"
    "MYSOS_REBUILD_MB_PER_SECOND bounds how fast a member is copied, in MiB a second.\n";

CommandLine parse_command_line(const std::vector<std::string>& arguments)
{
    CommandLine line;
    for (const std::string& argument : arguments) {
        if (argument == "--help" || argument == "-h") {
            line.command = Command::help;
            return line;
        }
        if (argument == "--version") {
            line.command = Command::version;
            return line;
        }
        if (argument != "--verbose") {
            throw BadOption{"unknown argument '" + argument + "'; --help lists what there is"};
        }
        line.verbose = true;
    }
    return line;
}

Options read_environment(const Environment& environment)
{
    Options options;
    options.framework_id = required(environment, "MESOS_FRAMEWORK_ID");
    options.executor_id = required(environment, "MESOS_EXECUTOR_ID");
    read_endpoint(options, required(environment, "MESOS_AGENT_ENDPOINT"));
    options.agent_path = executor_path(required(environment, "MESOS_SLAVE_PID"));
    options.agent_tls = read_tls(environment);
    const auto sandbox = environment("MESOS_SANDBOX");
    options.sandbox =
        sandbox && !sandbox->empty() ? *sandbox : required(environment, "MESOS_DIRECTORY");
    options.checkpoint = environment("MESOS_CHECKPOINT").value_or("0") == "1";
    options.subscription_backoff_max =
        duration(environment, "MESOS_SUBSCRIPTION_BACKOFF_MAX", options.subscription_backoff_max);
    options.shutdown_grace =
        duration(environment, "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", options.shutdown_grace);
    options.agent_token = optional(environment, "MESOS_EXECUTOR_AUTHENTICATION_TOKEN");
    options.agent_socket = optional(environment, "MESOS_DOMAIN_SOCKET");
    options.defaults_file = optional(environment, "MYSOS_DEFAULTS_FILE");
    options.rebuild_mb_per_second = read_bound(environment, "MYSOS_REBUILD_MB_PER_SECOND");
    return options;
}

std::optional<Duration> parse_mesos_duration(std::string_view text)
{
    using Seconds = std::chrono::duration<double>;
    static constexpr std::array<std::pair<std::string_view, double>, 8> units{{
        {"ns", 1e-9},
        {"us", 1e-6},
        {"ms", 1e-3},
        {"secs", 1},
        {"mins", 60},
        {"hrs", 3600},
        {"days", 86400},
        {"weeks", 604800},
    }};
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, ec] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
    if (ec != std::errc{} || number < 0) return std::nullopt;
    const std::string_view suffix{stop, static_cast<std::size_t>(end - stop)};
    for (const auto& [name, seconds] : units) {
        // Past that a count of nanoseconds in 64 bits overflows.
        if (suffix == name && number * seconds < 9e9) {
            return std::chrono::duration_cast<Duration>(Seconds{number * seconds});
        }
    }
    return std::nullopt;
}

}  // namespace mysos::executor
