#include "test/standin/options.hpp"

#include "common/base/version.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace mysos::standin {

namespace {

struct Texts {
    std::string resources;
    std::vector<std::string> agent_resources;
    std::vector<std::string> attributes;
    std::vector<std::string> domains;
    std::string master_domain;
    std::string credentials;
    std::string jwt_key;
    std::string work_dir;
    std::string zk;
    int agents = 1;
    std::vector<std::uint16_t> agent_ports;
    std::vector<std::string> agent_networks;
};

constexpr std::uint64_t first_port = 31000;
constexpr std::uint64_t ports_each = 100;

[[noreturn]] void reject(const std::string& flag, const std::string& why)
{
    throw std::invalid_argument{flag + ": " + why};
}

std::string read_text(const std::string& flag, const std::string& path)
{
    std::ifstream file{path, std::ios::binary};
    if (!file) reject(flag, "cannot read " + path);
    return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

std::map<std::string, std::string> read_credentials(const std::string& path)
{
    const auto document = nlohmann::json::parse(read_text("--credentials", path), nullptr, false);
    std::map<std::string, std::string> all;
    if (!document.is_object() || !document.contains("credentials"))
        reject("--credentials", R"(expected {"credentials":[{"principal":..,"secret":..}]})");
    for (const auto& one : document["credentials"])
        all[one.value("principal", "")] = one.value("secret", "");
    return all;
}

/// All agents run on one machine, so no two may offer the same port: agent i gets the i-th piece of
/// the range, or a range of its own.
void part_ports(Resources::List& resources, std::size_t index, std::size_t agents)
{
    for (auto& resource : resources) {
        if (resource.name() != "ports" || resource.type() != v1::Value::RANGES) continue;
        const auto whole = intervals_of(resource.ranges());
        if (whole.empty() || agents == 1) return;
        const std::uint64_t each = (whole[0].second - whole[0].first + 1) / agents;
        if (each == 0) reject("--resources", "fewer ports than agents");
        auto& range = *resource.mutable_ranges();
        range.clear_range();
        auto& piece = *range.add_range();
        piece.set_begin(whole[0].first + index * each);
        piece.set_end(whole[0].first + (index + 1) * each - 1);
        return;
    }
}

/// "region/zone".
v1::DomainInfo parse_domain(const std::string& flag, const std::string& text)
{
    const auto slash = text.find('/');
    if (slash == std::string::npos || slash == 0 || slash + 1 == text.size())
        reject(flag, "'" + text + "': expected region/zone");
    v1::DomainInfo domain;
    domain.mutable_fault_domain()->mutable_region()->set_name(text.substr(0, slash));
    domain.mutable_fault_domain()->mutable_zone()->set_name(text.substr(slash + 1));
    return domain;
}

AgentOptions agent_options(const Texts& texts, std::size_t index)
{
    AgentOptions agent;
    std::string why;
    const bool own = index < texts.agent_resources.size();
    const char* flag = own ? "--agent_resources" : "--resources";
    std::string text = own ? texts.agent_resources[index] : texts.resources;
    const auto count = static_cast<std::size_t>(texts.agents);
    if (text.empty())
        text = "cpus:4;mem:4096;disk:10000;ports:[" + std::to_string(first_port) + "-" +
               std::to_string(first_port + count * ports_each - 1) + "]";
    agent.resources = parse_resources(text, why);
    if (!why.empty()) reject(flag, why);
    if (!own) part_ports(agent.resources, index, count);
    if (!texts.attributes.empty()) {
        const auto& attributes = texts.attributes[std::min(index, texts.attributes.size() - 1)];
        agent.attributes = parse_attributes(attributes, why);
        if (!why.empty()) reject("--attributes", why);
    }
    if (!texts.domains.empty())
        agent.domain =
            parse_domain("--domain", texts.domains[std::min(index, texts.domains.size() - 1)]);
    if (index < texts.agent_ports.size()) agent.port = texts.agent_ports[index];
    if (index < texts.agent_networks.size()) {
        const std::string& network = texts.agent_networks[index];
        const auto equals = network.find('=');
        if (equals == std::string::npos || equals == 0 || equals + 1 == network.size())
            reject("--agent_network", "expected NAMESPACE=ADDRESS, not '" + network + "'");
        agent.network = network.substr(0, equals);
        agent.ip = network.substr(equals + 1);
    }
    return agent;
}

void add_durations(CLI::App& app, std::map<std::string, double>& seconds)
{
    const auto add = [&](const std::string& name, double otherwise, const std::string& what) {
        seconds[name] = otherwise;
        app.add_option("--" + name, seconds[name], what + ", seconds")
            ->capture_default_str()
            ->check(CLI::PositiveNumber);
    };
    add("allocation_interval", 1, "between two rounds of offers");
    add("heartbeat_interval", 15, "between two HEARTBEATs; the real master's cannot be changed");
    add("agent_ping_timeout", 15, "between two pings of an agent");
    add("agent_reregister_timeout", 600, "for agents to return after a master's restart");
    add("executor_registration_timeout", 60, "for an executor to subscribe after its launch");
    add("executor_reregistration_timeout", 2, "for executors to return after an agent's restart");
    add("executor_shutdown_grace_period", 5, "between SHUTDOWN and SIGKILL");
    add("recovery_timeout", 900, "told to executors as MESOS_RECOVERY_TIMEOUT");
    add("update_retry", 10, "before an unacknowledged update is first repeated");
}

void apply_durations(const std::map<std::string, double>& seconds, Options& options)
{
    const auto of = [&](const char* name) {
        return std::chrono::duration_cast<Duration>(
            std::chrono::duration<double>(seconds.at(name)));
    };
    options.master.allocation_interval = of("allocation_interval");
    options.master.heartbeat_interval = of("heartbeat_interval");
    options.master.agent_ping_timeout = of("agent_ping_timeout");
    options.master.agent_reregister_timeout = of("agent_reregister_timeout");
    options.agent.master_ping_timeout =
        options.master.agent_ping_timeout * options.master.max_agent_ping_timeouts;
    options.agent.executor_registration_timeout = of("executor_registration_timeout");
    options.agent.executor_reregistration_timeout = of("executor_reregistration_timeout");
    options.agent.executor_shutdown_grace_period = of("executor_shutdown_grace_period");
    options.agent.recovery_timeout = of("recovery_timeout");
    options.agent.update_retry_min = of("update_retry");
}

void add_addresses(CLI::App& app, Options& options, Texts& texts, std::string& port_file)
{
    app.add_option("--ip", options.ip, "IPv4 address to listen on")->capture_default_str();
    app.add_option("--hostname", options.hostname, "name that master and agents advertise")
        ->capture_default_str();
    app.add_option("--port", options.port, "of the master; 0 picks a free one")
        ->capture_default_str();
    app.add_option("--agent_port", texts.agent_ports, "of the agents, in their order; 0 picks one");
    app.add_option(
           "--agent_network",
           texts.agent_networks,
           "NAMESPACE=ADDRESS of one agent and its executors, as `ip netns` names it; repeat it "
           "for "
           "each. Needs root")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--port_file", port_file, "JSON with all ports is written here when all listen");
    app.add_flag(
        "--follower", options.with_follower, "a second master that follows, for failovers");
}

void add_agents(CLI::App& app, Options& options, Texts& texts)
{
    app.add_option("--agents", texts.agents, "how many agents")
        ->capture_default_str()
        ->check(CLI::Range(0, 100));
    app.add_option("--work_dir", texts.work_dir, "sandboxes, volumes and state of the agents")
        ->required();
    app.add_option(
        "--resources",
        texts.resources,
        "of each agent; a port range is shared out among them "
        "(cpus:4;mem:4096;disk:10000;ports:[31000-31099])");
    app.add_option(
           "--agent_resources", texts.agent_resources, "of one agent as it is; repeat it for each")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--attributes", texts.attributes, "rack:r1;zone:a; repeated, one an agent")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--domain", texts.domains, "fault domain, eu/eu-1; repeated, one an agent")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--master_domain", texts.master_domain, "fault domain of the master, eu/eu-1");
    app.add_option(
           "--switch_user", options.agent.switch_user, "run executors as the task's user, if root")
        ->capture_default_str();
    app.add_option(
           "--max_agent_ping_timeouts",
           options.master.max_agent_ping_timeouts,
           "unanswered pings that make an agent unreachable")
        ->capture_default_str();
}

}  // namespace

std::optional<CommandLine> parse_command_line(int argc, char** argv)
{
    CommandLine line;
    Options& options = line.options;
    Texts texts;
    std::map<std::string, double> seconds;
    CLI::App app{"A Mesos master and agents in one process, for tests and the quickstart."};
    bool version = false;
    app.add_flag("--version", version, "print the version and exit");
    add_addresses(app, options, texts, line.port_file);
    add_agents(app, options, texts);
    add_durations(app, seconds);
    app.add_flag(
        "--authenticate_http_frameworks",
        options.authenticate,
        "ask frameworks for Basic credentials");
    app.add_option(
        "--credentials",
        texts.credentials,
        "JSON file of principals and secrets; switches authentication on");
    app.add_option(
        "--jwt_secret_key", texts.jwt_key, "file with a key; switches executor authentication on");
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        std::fputs(app.help().c_str(), stdout);
        return {};
    } catch (const CLI::ParseError& fault) {
        for (int i = 1; i < argc; ++i)
            if (std::string_view{argv[i]} == "--version") version = true;
        if (!version) throw std::invalid_argument{fault.what()};
    }
    if (version) {
        std::printf("mesos-standin %s\n", version_text);
        return {};
    }
    apply_durations(seconds, options);
    if (!texts.credentials.empty()) {
        options.credentials = read_credentials(texts.credentials);
        options.authenticate = true;
    }
    if (!texts.master_domain.empty())
        options.master.domain = parse_domain("--master_domain", texts.master_domain);
    if (!texts.zk.empty()) {
        const auto url = parse_zk_url(texts.zk);
        if (!url) reject("--zk", url.error().message());
        options.zk = *url;
    }
    if (options.authenticate && options.credentials.empty())
        reject("--authenticate_http_frameworks", "needs --credentials");
    if (!texts.jwt_key.empty())
        options.agent.jwt_key = read_text("--jwt_secret_key", texts.jwt_key);
    options.work_dir = std::filesystem::absolute(texts.work_dir);
    for (std::size_t i = 0; i < static_cast<std::size_t>(texts.agents); ++i)
        options.agents.push_back(agent_options(texts, i));
    return line;
}

}  // namespace mysos::standin
