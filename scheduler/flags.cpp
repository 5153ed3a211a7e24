#include "scheduler/flags.hpp"

#include "common/base/version.hpp"

#include <nlohmann/json.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>
#include <utility>
#include <yaml-cpp/yaml.h>

namespace mysos::scheduler {
namespace {

struct Flag {
    const char* group;
    const char* name;
    const char* value;  ///< What stands for the value in --help; nullptr: a switch.
    const char* fallback;
    const char* help;
};

constexpr const char* mesos = "Mesos";
constexpr const char* members = "Members";
constexpr const char* state = "State and secrets";
constexpr const char* api = "REST API";
constexpr const char* other = "Other";
constexpr const char* hidden = "";  ///< Not in --help.

constexpr std::array flags{
    Flag{
        mesos,
        "mesos_master",
        "ADDRESS",
        nullptr,
        "Required. The master: host:port, host:port,host:port or zk://host:port,host:port/mesos. "
        "With TLS https://host:port, https://host:port,host:port"},
    Flag{
        mesos,
        "mesos_tls",
        nullptr,
        nullptr,
        "Masters speak TLS. For zk://, which does not tell; https:// says so by itself"},
    Flag{
        mesos,
        "mesos_ca_file",
        "FILE",
        nullptr,
        "PEM: the authorities that may certify masters. Default: the system's"},
    Flag{
        mesos,
        "framework_user",
        "USER",
        nullptr,
        "The user on the agents that executors start as. Default: the one that runs this program"},
    Flag{
        mesos,
        "framework_role",
        "ROLE",
        "mysos",
        "The role that volumes are reserved for. Not '*', which cannot hold a reservation"},
    Flag{
        mesos,
        "framework_authentication_file",
        "FILE",
        nullptr,
        "YAML: principal, secret. Sent to the master as HTTP Basic authentication"},
    Flag{
        mesos,
        "framework_failover_timeout",
        "DURATION",
        "14d",
        "How long Mesos keeps the servers running while no scheduler is connected"},
    Flag{
        members,
        "executor_uri",
        "URI",
        nullptr,
        "Where agents fetch mysos-executor: http(s)://, hdfs:// or a path that exists on each "
        "agent"},
    Flag{
        members,
        "executor_cmd",
        "COMMAND",
        nullptr,
        "The command that starts the executor. Default: ./ and the file name of --executor_uri. "
        "One of the two flags is required"},
    Flag{
        members,
        "executor_environ",
        "JSON",
        "[]",
        R"(Environment of executors: [{"name":"A","value":"b"}])"},
    Flag{
        members,
        "executor_source_prefix",
        "TEXT",
        "mysos",
        "Executors' source in Mesos is <prefix>.<cluster>.<server id>"},
    Flag{
        members,
        "installer_args",
        "JSON",
        R"({"installer":"host","flavor":"mariadb"})",
        "Which server and where it comes from: installer host (installed on the agents) or tarball "
        "(with uri, sha256, version); flavor mariadb or mysql"},
    // Cotton's, known in order to be refused by name.
    Flag{hidden, "backup_store_args", "JSON", nullptr, "Where backups are kept"},
    Flag{
        members,
        "election_timeout",
        "DURATION",
        "60s",
        "An election that lacks answers for this long is reported as without a quorum"},
    Flag{
        members,
        "constraints",
        "JSON",
        "[]",
        R"(Where members of clusters that give no constraints may be, as in Marathon: )"
        R"([["rack","GROUP_BY"],["os","LIKE","deb.*"]]. Operators UNIQUE, CLUSTER, GROUP_BY, )"
        R"(LIKE, UNLIKE, MAX_PER; fields hostname, @region, @zone and agents' attributes)"},
    Flag{
        members,
        "use_unreserved",
        "BOOL",
        "true",
        "Reserve for members also what is reserved for nobody. false: only what an operator has "
        "reserved for --framework_role"},
    Flag{
        members,
        "replace_after",
        "DURATION",
        "10m",
        "A member whose agent or volume has been lost for this long gets another in its place"},
    Flag{
        members,
        "retire_after",
        "DURATION",
        "24h",
        "Volumes that no member needs any more are kept for this long, then destroyed"},
    Flag{
        members,
        "lease",
        "DURATION",
        "2s",
        "A primary that is silent to the scheduler, and to enough of its replicas, for this "
        "long is replaced. Not below 2s: both say something every second"},
    Flag{
        members,
        "hang_timeout",
        "DURATION",
        "2s",
        "A primary whose server has not answered its executor for this long is replaced. Not below "
        "the 2s that one probe takes"},
    Flag{
        members,
        "cut_timeout",
        "DURATION",
        "5s",
        "A primary whose commits have waited this long for replicas that lost it is replaced"},
    Flag{
        members,
        "failover_block",
        "DURATION",
        "30s",
        "A new primary is not replaced for lost replicas before this long. Crashes always count"},
    Flag{
        state,
        "zk_url",
        "URL",
        nullptr,
        "Required. zk://[user:password@]host:port,host:port/path. Clusters are published and "
        "leaders "
        "elected under it. With a password, give it as MYSOS_ZK_URL or in --config"},
    Flag{
        state,
        "state_storage",
        "zk|local",
        "zk",
        "Where the state is kept: under --zk_url, or in --work_dir (one scheduler only)"},
    Flag{
        state,
        "work_dir",
        "DIR",
        nullptr,
        "Default: /var/lib/mysos for root, else $HOME/.local/state/mysos"},
    Flag{
        state,
        "scheduler_keypath",
        "FILE",
        nullptr,
        "32 bytes that seal the passwords in the state; every scheduler needs the same. Default: "
        "scheduler.key in --work_dir, made at the first start: keep a copy"},
    Flag{
        state,
        "admin_keypath",
        "FILE",
        nullptr,
        "YAML: username, password. The operator's account on every server. Default: a generated "
        "one"},
    Flag{api, "port", "PORT", "55001", "The port of the REST API, the dashboard and the executors"},
    Flag{api, "bind", "ADDRESS", "0.0.0.0", "The address to listen on"},
    Flag{
        api,
        "advertise_host",
        "HOST",
        nullptr,
        "Name or address by which agents reach this program. Default: --bind when that is one "
        "address, else this host's address on the way to ZooKeeper"},
    Flag{
        other,
        "verbose",
        nullptr,
        nullptr,
        "Log what is received and decided, not only what changes"},
};

std::string normalised(std::string argument)
{
    if (!argument.starts_with("--")) return argument;
    const std::size_t end = std::min(argument.find('='), argument.size());
    std::replace(
        argument.begin() + 2, argument.begin() + static_cast<std::ptrdiff_t>(end), '-', '_');
    return argument;
}

std::string variable_name(const std::string& flag)
{
    std::string name = "MYSOS_" + flag;
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
    return name;
}

nlohmann::json to_json(const YAML::Node& node)
{
    // A quoted scalar is text; a plain one is what JSON makes of it, else text.
    if (node.IsScalar()) {
        if (node.Tag() == "!") return node.Scalar();
        nlohmann::json value = nlohmann::json::parse(node.Scalar(), nullptr, false);
        return value.is_number() || value.is_boolean() ? value : nlohmann::json(node.Scalar());
    }
    nlohmann::json value = node.IsMap() ? nlohmann::json::object() : nlohmann::json::array();
    for (const auto& item : node) {
        if (node.IsMap()) {
            value[item.first.as<std::string>()] = to_json(item.second);
        } else {
            value.push_back(to_json(item));
        }
    }
    return value;
}

std::map<std::string, std::string> read_config(const std::string& path)
try {
    const YAML::Node root = YAML::LoadFile(path);
    std::map<std::string, std::string> given;
    if (root.IsNull()) return given;
    if (!root.IsMap()) {
        throw FlagError{"config", "'" + path + "' must have one 'flag: value' a line"};
    }
    for (const auto& item : root) {
        const std::string name = normalised("--" + item.first.as<std::string>()).substr(2);
        const bool known =
            std::ranges::any_of(flags, [&](const Flag& flag) { return flag.name == name; });
        if (!known) throw FlagError{name, "in '" + path + "', is not a flag; see --help"};
        given[name] = item.second.IsScalar() ? item.second.Scalar() : to_json(item.second).dump();
    }
    return given;
} catch (const YAML::BadFile&) {
    throw FlagError{"config", "cannot read '" + path + "'"};
} catch (const YAML::Exception& e) {
    // The exception's text may quote the file, which may hold a password.
    throw FlagError{
        "config",
        "'" + path + "' is not YAML at line " + std::to_string(e.mark.line + 1) +
            "; write one 'flag: value' a line"};
}

/// How many single-letter changes lead from `a` to `b`.
std::size_t distance(const std::string& a, const std::string& b)
{
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, changed}));
        }
    }
    return row[b.size()];
}

[[noreturn]] void refuse_unknown(const std::string& argument)
{
    if (!argument.starts_with("--")) {
        throw std::runtime_error{"'" + argument + "' is not expected: every flag begins with --"};
    }
    const std::string name = argument.substr(2, argument.find('=') - 2);
    const auto* nearest = std::ranges::min_element(
        flags, {}, [&](const Flag& flag) { return distance(name, flag.name); });
    const bool near = distance(name, nearest->name) <= 3;
    throw FlagError{
        name,
        std::string{"is not a flag"} +
            (near ? std::string{"; did you mean --"} + nearest->name + "?" : "; see --help")};
}

struct CommandLine {
    std::map<std::string, std::string> given;
    std::string config;
    std::optional<std::string> print;
};

CommandLine parse_command_line(const std::vector<std::string>& arguments)
{
    CommandLine line;
    std::map<std::string, std::string> values;
    CLI::App app{"Runs MySQL and MariaDB clusters on Apache Mesos.", "mysos-scheduler"};
    app.set_version_flag("--version", std::string{"mysos-scheduler "} + version_text);
    app.get_formatter()->column_width(42);
    app.allow_extras();
    app.footer(
        "Every flag can also be given as MYSOS_<FLAG> (MYSOS_ZK_URL) or in the file of --config; "
        "the "
        "command line\ncomes first, then the environment, then the file. --zk-url is the same as "
        "--zk_url.\nDurations: 60s 5m 14d. The API is described at /v1/openapi.json.");
    for (const Flag& flag : flags) {
        const std::string name = std::string{"--"} + flag.name;
        CLI::Option* option = flag.value == nullptr
                                  ? app.add_flag(name, values[flag.name], flag.help)
                                  : app.add_option(name, values[flag.name], flag.help);
        option->group(flag.group);
        if (flag.value != nullptr) option->type_name(flag.value);
        if (flag.fallback != nullptr) option->default_str(flag.fallback);
    }
    app.add_option("--config", line.config, "YAML file of flags: one 'flag: value' a line")
        ->type_name("FILE")
        ->group(other);

    std::vector<std::string> reversed;  // CLI11 takes them from the back.
    std::transform(arguments.rbegin(), arguments.rend(), std::back_inserter(reversed), normalised);
    try {
        app.parse(std::move(reversed));
    } catch (const CLI::CallForHelp&) {
        line.print = app.help();
    } catch (const CLI::CallForVersion&) {
        line.print = app.version() + "\n";
    } catch (const CLI::ParseError& e) {
        throw std::runtime_error{e.what()};
    }
    if (!line.print && !app.remaining().empty()) refuse_unknown(app.remaining().front());
    for (const Flag& flag : flags) {
        const std::string name = flag.name;
        if (app.count("--" + name) == 0) continue;
        line.given[name] = values[name];  // Of a switch without a value: true.
    }
    return line;
}

}  // namespace

Flags collect_flags(const std::vector<std::string>& arguments, const Environment& environment)
{
    CommandLine line = parse_command_line(arguments);
    Flags collected;
    collected.print = std::move(line.print);
    if (collected.print) return collected;
    collected.given = std::move(line.given);
    collected.zk_url_on_command_line = collected.given.contains("zk_url");

    for (const Flag& flag : flags) {
        if (const auto value = environment(variable_name(flag.name))) {
            collected.given.emplace(flag.name, *value);
        }
        if (flag.fallback != nullptr) collected.defaults.emplace(flag.name, flag.fallback);
    }
    if (line.config.empty()) line.config = environment("MYSOS_CONFIG").value_or("");
    if (!line.config.empty()) {
        // merge() keeps what stands there already.
        std::map<std::string, std::string> from_file = read_config(line.config);
        collected.given.merge(from_file);
    }
    return collected;
}

}  // namespace mysos::scheduler
