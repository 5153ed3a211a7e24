#include "scheduler/options.hpp"

#include "scheduler/flag_reader.hpp"
#include "scheduler/master_address.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <pwd.h>
#include <set>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

namespace mysos::scheduler {
namespace {

using nlohmann::json;

constexpr std::size_t key_size = 32;

std::string read_file(const std::string& flag, const std::string& path)
{
    std::ifstream file{path, std::ios::binary};
    std::ostringstream content;
    if (file) content << file.rdbuf();
    if (!file || file.bad()) throw FlagError{flag, "cannot read '" + path + "'"};
    return content.str();
}

void warn_if_readable_by_others(
    const std::string& flag, const std::string& path, std::vector<std::string>& warnings)
{
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || (status.st_mode & (S_IRGRP | S_IROTH)) == 0) return;
    warnings.push_back(
        "--" + flag + ": others can read '" + path + "', which holds a secret; chmod 600 it");
}

/// A YAML file of two texts.
Credentials read_credentials(
    const std::string& flag, const std::string& path, const char* name_key, const char* secret_key)
{
    const std::string right =
        "'" + path + "' must have two lines, '" + name_key + ": ...' and '" + secret_key + ": ...'";
    Credentials credentials;
    try {
        // The exceptions' texts may quote the file: they are not passed on.
        const YAML::Node root = YAML::Load(read_file(flag, path));
        if (!root.IsMap()) throw FlagError{flag, right};
        credentials.name = root[name_key].as<std::string>();
        credentials.secret = root[secret_key].as<std::string>();
    } catch (const YAML::Exception&) {
        throw FlagError{flag, right};
    }
    if (credentials.name.empty() || credentials.secret.empty()) throw FlagError{flag, right};
    return credentials;
}

std::string own_user()
{
    const passwd* const entry = ::getpwuid(::geteuid());
    if (entry == nullptr) {
        throw FlagError{
            "framework_user", "is missing, and this program's user has no name: give one"};
    }
    return entry->pw_name;
}

std::string default_work_dir()
{
    if (::geteuid() == 0) return "/var/lib/mysos";
    const char* const home = std::getenv("HOME");
    if (home == nullptr || *home == '\0') {
        throw FlagError{"work_dir", "is missing, and HOME is not set: give a directory"};
    }
    return std::string{home} + "/.local/state/mysos";
}

void understand_mesos(const FlagReader& read, Options& options)
{
    MasterAddress master = read_master(read);
    options.mesos_master = std::move(master.address);
    options.mesos_tls = std::move(master.tls);
    options.framework_user = read.optional("framework_user").value_or("");
    if (options.framework_user.empty()) options.framework_user = own_user();

    options.framework_role = read.required("framework_role", "give a role, for example mysos");
    const std::string& role = options.framework_role;
    if (role == "*") {
        throw FlagError{
            "framework_role",
            "'*' cannot hold reservations or volumes, which members need: give a role of its own, "
            "for example mysos"};
    }
    std::istringstream components{role + "/"};
    for (std::string component; std::getline(components, component, '/');) {
        const bool bad_name = component.empty() || component == "." || component == ".." ||
                              component == "*" || component.front() == '-';
        if (bad_name || component.find_first_of(" \t\n\v\f\r\x7f") != std::string::npos) {
            throw FlagError{
                "framework_role",
                "'" + role +
                    "' is not a role Mesos takes: no white space, and no part of it may be "
                    "empty, '.', '..', '*' or begin with '-'"};
        }
    }

    options.framework_failover_timeout = read.duration("framework_failover_timeout");
    if (const auto path = read.optional("framework_authentication_file")) {
        const std::string flag = "framework_authentication_file";
        options.framework_authentication = read_credentials(flag, *path, "principal", "secret");
        const Credentials& found = *options.framework_authentication;
        if ((found.name + found.secret).find(':') != std::string::npos) {
            throw FlagError{
                flag, "principal or secret in '" + *path + "' has a ':', which Mesos cannot take"};
        }
        warn_if_readable_by_others(flag, *path, options.warnings);
    }
}

/// Shorter than what executors and replicas need to notice, it would only be a wrong promise.
Duration read_evidence(const FlagReader& read, const std::string& flag)
{
    const Duration value = read.duration(flag);
    if (value < std::chrono::seconds{2}) {
        throw FlagError{flag, "is too short: executors notice after 2s, give that or more"};
    }
    return value;
}

void understand_installer(const FlagReader& read, Options& options)
{
    const std::string flag = "installer_args";
    const std::string example = R"({"installer":"host","flavor":"mariadb"})";
    json& args = options.installer_args = read.parsed_json(flag, example);
    if (!args.is_object())
        throw FlagError{flag, "is not a JSON object: give one such as " + example};

    const std::set<std::string> known{"installer", "flavor", "uri", "sha256", "version", "server"};
    for (const auto& [name, value] : args.items()) {
        if (!known.contains(name)) {
            throw FlagError{
                flag,
                "'" + name +
                    "' is not known: installer, flavor, uri, sha256, version and server are"};
        }
        if (!value.is_string()) throw FlagError{flag, "'" + name + "' must be a text"};
    }
    if (!args.contains("installer")) args["installer"] = "host";
    if (!args.contains("flavor")) args["flavor"] = "mariadb";
    if (args["installer"] != "host" && args["installer"] != "tarball") {
        throw FlagError{flag, "'installer' must be host or tarball"};
    }
    if (args["flavor"] != "mariadb" && args["flavor"] != "mysql") {
        throw FlagError{flag, "'flavor' must be mariadb or mysql"};
    }
    if (args["installer"] == "tarball") {
        if (!args.contains("uri")) throw FlagError{flag, "installer tarball needs 'uri'"};
        const std::string sha256 = args.value("sha256", "");
        const bool hex = sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
        if (sha256.size() != 64 || !hex) {
            throw FlagError{
                flag,
                "installer tarball needs 'sha256', 64 lower-case hex digits, as sha256sum prints"};
        }
    }
}

void understand_executor(const FlagReader& read, Options& options)
{
    options.executor_uri = read.optional("executor_uri").value_or("");
    options.executor_cmd = read.optional("executor_cmd").value_or("");
    if (options.executor_uri.empty() && options.executor_cmd.empty()) {
        throw FlagError{
            "executor_uri",
            "is missing: say where agents fetch mysos-executor, an http(s) address or a path that "
            "exists on each agent; or give --executor_cmd if it is installed on them"};
    }
    if (options.executor_cmd.empty()) {
        const std::string path = options.executor_uri.substr(0, options.executor_uri.find('?'));
        const std::string name = path.substr(path.rfind('/') + 1);
        if (name.empty()) {
            throw FlagError{
                "executor_uri", "'" + options.executor_uri + "' does not end in a file's name"};
        }
        options.executor_cmd = "./" + name;
    }
    options.executor_source_prefix =
        read.required("executor_source_prefix", "give a text, for example mysos");

    const std::string example = R"([{"name":"A","value":"b"}])";
    const json environment = read.parsed_json("executor_environ", example);
    const auto is_variable = [](const json& item) {
        return item.is_object() && item.size() == 2 && item.contains("name") &&
               item["name"].is_string() && item.contains("value") && item["value"].is_string();
    };
    if (!environment.is_array() || !std::ranges::all_of(environment, is_variable)) {
        throw FlagError{"executor_environ", "must be a JSON list such as " + example};
    }
    for (const json& item : environment) {
        options.executor_environ.emplace_back(item["name"], item["value"]);
    }

    if (const auto args = read.optional("backup_store_args"); args && !args->empty()) {
        throw FlagError{
            "backup_store_args", "this version has no backup store: leave the flag out"};
    }
    options.election_timeout = read.duration("election_timeout");
    options.replace_after = read.duration("replace_after");
    options.retire_after = read.duration("retire_after");
    options.diagnosis.lease = read_evidence(read, "lease");
    options.diagnosis.hang_timeout = read_evidence(read, "hang_timeout");
    options.diagnosis.cut_timeout = read.duration("cut_timeout");
    options.diagnosis.failover_block = read.duration("failover_block");
}

void understand_placement(const FlagReader& read, Options& options)
{
    const std::string flag = "constraints";
    auto parsed = placement::parse_constraints(read.optional(flag).value_or("[]"));
    if (auto* bad = std::get_if<placement::BadConstraints>(&parsed)) {
        throw FlagError{flag, bad->why};
    }
    options.constraints = std::get<placement::Constraints>(std::move(parsed));
    options.unreserved =
        read.is_set("use_unreserved") ? placement::Unreserved::used : placement::Unreserved::left;
}

void understand_state(const FlagReader& read, const Flags& flags, Options& options)
{
    const std::string right =
        "give zk://host:port,host:port/path, for example zk://127.0.0.1:2181/mysos";
    const Result<ZkUrl> zk = parse_zk_url(read.required("zk_url", right));
    if (!zk) throw FlagError{"zk_url", zk.error().message() + ": " + right};
    options.zk = *zk;
    if (flags.zk_url_on_command_line && !options.zk.password.empty()) {
        options.warnings.emplace_back(
            "--zk_url: its password can be seen with ps; give it as MYSOS_ZK_URL or in --config");
    }

    const std::string storage = read.required("state_storage", "give zk or local");
    if (storage != "zk" && storage != "local") {
        throw FlagError{"state_storage", "'" + storage + "' is neither zk nor local"};
    }
    options.state_storage = storage == "zk" ? StateStorage::zookeeper : StateStorage::local;
    options.work_dir = read.optional("work_dir").value_or("");
    if (options.work_dir.empty()) options.work_dir = default_work_dir();

    if (const auto path = read.optional("scheduler_keypath")) {
        const std::string flag = "scheduler_keypath";
        options.scheduler_key = read_file(flag, *path);
        if (options.scheduler_key->size() != key_size) {
            throw FlagError{
                flag,
                "'" + *path + "' has " + std::to_string(options.scheduler_key->size()) +
                    " bytes, a key has 32: make one with 'head -c 32 /dev/urandom > FILE'"};
        }
        warn_if_readable_by_others(flag, *path, options.warnings);
    }
    if (const auto path = read.optional("admin_keypath")) {
        options.admin = read_credentials("admin_keypath", *path, "username", "password");
        warn_if_readable_by_others("admin_keypath", *path, options.warnings);
    }
}

void understand_api(const FlagReader& read, Options& options)
{
    options.port = read.port("port");
    options.bind = read.required("bind", "give an address, for example 0.0.0.0");
    boost::system::error_code ec;
    (void)boost::asio::ip::make_address(options.bind, ec);
    if (ec) {
        throw FlagError{
            "bind", "'" + options.bind + "' is not an address: give one, for example 0.0.0.0"};
    }
    options.advertise_host = read.optional("advertise_host").value_or("");
    options.verbose = read.is_set("verbose");
}

}  // namespace

Options understand(const Flags& flags)
{
    const FlagReader read{flags};
    Options options;
    understand_mesos(read, options);
    understand_executor(read, options);
    understand_placement(read, options);
    understand_installer(read, options);
    understand_state(read, flags, options);
    understand_api(read, options);
    return options;
}

}  // namespace mysos::scheduler
