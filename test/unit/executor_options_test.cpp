#include "executor/options.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <string>
#include <vector>

using namespace mysos;
using namespace mysos::executor;
using namespace std::chrono_literals;

namespace {

using Variables = std::map<std::string, std::string>;

Variables agent_sets()
{
    return {
        {"MESOS_FRAMEWORK_ID", "f-1"},
        {"MESOS_EXECUTOR_ID", "mysos-demo-1-1"},
        {"MESOS_AGENT_ENDPOINT", "10.0.0.1:5051"},
        {"MESOS_SLAVE_PID", "slave(1)@10.0.0.1:5051"},
        {"MESOS_SANDBOX", "/sandbox"},
        {"MESOS_DIRECTORY", "/on/the/agent"},
        {"MESOS_CHECKPOINT", "1"},
        {"MESOS_SUBSCRIPTION_BACKOFF_MAX", "2500ms"},
        {"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "1mins"},
    };
}

Options read(const Variables& variables)
{
    return read_environment([&](const char* name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
    });
}

}  // namespace

TEST_CASE("executor options: what an agent sets is understood", "[executor]")
{
    const Options options = read(agent_sets());
    CHECK(options.framework_id == "f-1");
    CHECK(options.executor_id == "mysos-demo-1-1");
    CHECK(options.agent_host == "10.0.0.1");
    CHECK(options.agent_port == 5051);
    CHECK(options.agent_path == "/slave(1)/api/v1/executor");
    CHECK_FALSE(options.agent_tls);
    CHECK(options.sandbox == "/sandbox");
    CHECK(options.checkpoint);
    CHECK(options.subscription_backoff_max == 2500ms);
    CHECK(options.shutdown_grace == 60s);
    CHECK_FALSE(options.agent_token);
    CHECK_FALSE(options.defaults_file);
}

TEST_CASE("executor options: a missing or wrong variable is named", "[executor]")
{
    struct Case {
        std::string variable;
        std::string value;  ///< Empty: removed.
        std::string says;
    };
    const std::string unset = " is not set: the Mesos agent starts this program and sets it";
    const std::vector<Case> cases{
        {"MESOS_FRAMEWORK_ID", "", "MESOS_FRAMEWORK_ID" + unset},
        {"MESOS_EXECUTOR_ID", "", "MESOS_EXECUTOR_ID" + unset},
        {"MESOS_AGENT_ENDPOINT", "", "MESOS_AGENT_ENDPOINT" + unset},
        {"MESOS_SLAVE_PID", "", "MESOS_SLAVE_PID" + unset},
        {"MESOS_AGENT_ENDPOINT",
         "10.0.0.1",
         "MESOS_AGENT_ENDPOINT: '10.0.0.1' is not like 10.0.0.1:5051"},
        {"MESOS_AGENT_ENDPOINT",
         "10.0.0.1:99999",
         "MESOS_AGENT_ENDPOINT: '10.0.0.1:99999' is not like 10.0.0.1:5051"},
        {"MESOS_SLAVE_PID", "x", "MESOS_SLAVE_PID: 'x' is not like slave(1)@10.0.0.1:5051"},
        {"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD",
         "5 s",
         "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: '5 s' is not like 5secs or 1mins"},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.variable << " " << c.value)
        {
            Variables variables = agent_sets();
            if (c.value.empty()) {
                variables.erase(c.variable);
            } else {
                variables[c.variable] = c.value;
            }
            CHECK_THROWS_WITH(read(variables), c.says);
        }
    }
}

TEST_CASE("executor options: TLS is spoken as the agent was told to", "[executor]")
{
    Variables variables = agent_sets();
    variables["LIBPROCESS_SSL_CERT_FILE"] = "/agent.pem";
    CHECK_FALSE(read(variables).agent_tls);
    variables["LIBPROCESS_SSL_ENABLED"] = "0";
    CHECK_FALSE(read(variables).agent_tls);

    for (const char* const yes : {"1", "true"}) {
        variables["LIBPROCESS_SSL_ENABLED"] = yes;
        const Options plain = read(variables);
        REQUIRE(plain.agent_tls);
        CHECK_FALSE(plain.agent_tls->verifies);
        CHECK(plain.agent_tls->ca_file.empty());
    }

    variables["LIBPROCESS_SSL_CA_FILE"] = "/ca.pem";
    variables["LIBPROCESS_SSL_CA_DIR"] = "/ca";
    CHECK(read(variables).agent_tls->ca_file == "/ca.pem");
    CHECK(read(variables).agent_tls->ca_directory == "/ca");

    for (const char* const name :
         {"LIBPROCESS_SSL_VERIFY_SERVER_CERT",
          "LIBPROCESS_SSL_VERIFY_CERT",
          "LIBPROCESS_SSL_REQUIRE_CLIENT_CERT",
          "LIBPROCESS_SSL_REQUIRE_CERT",
          "SSL_VERIFY_CERT"}) {
        DYNAMIC_SECTION(name)
        {
            variables[name] = "true";
            CHECK(read(variables).agent_tls->verifies);
            variables[name] = "false";
            CHECK_FALSE(read(variables).agent_tls->verifies);
        }
    }
    variables["LIBPROCESS_SSL_VERIFY_CERT"] = "yes";
    CHECK_THROWS_WITH(
        read(variables), "LIBPROCESS_SSL_VERIFY_CERT: 'yes' is neither true nor false");
}

TEST_CASE("executor options: without MESOS_SANDBOX the agent's own path counts", "[executor]")
{
    Variables variables = agent_sets();
    variables.erase("MESOS_SANDBOX");
    CHECK(read(variables).sandbox == "/on/the/agent");
}

TEST_CASE("executor options: durations are read as Mesos prints them", "[executor]")
{
    CHECK(parse_mesos_duration("5secs") == 5s);
    CHECK(parse_mesos_duration("1.5secs") == 1500ms);
    CHECK(parse_mesos_duration("250us") == 250us);
    CHECK(parse_mesos_duration("15mins") == 15min);
    CHECK(parse_mesos_duration("2weeks") == 336h);
    for (const char* text :
         {"", "5", "secs", "-1secs", "5 secs", "5s", "1e3secs", "99999999weeks"}) {
        CHECK_FALSE(parse_mesos_duration(text));
    }
}

TEST_CASE("executor options: the command line knows three flags", "[executor]")
{
    CHECK(parse_command_line({}).command == Command::run);
    CHECK(parse_command_line({"--verbose"}).verbose);
    CHECK(parse_command_line({"--help"}).command == Command::help);
    CHECK(parse_command_line({"--version"}).command == Command::version);
    CHECK_THROWS_WITH(
        parse_command_line({"--port", "1"}),
        "unknown argument '--port'; --help lists what there is");
}
