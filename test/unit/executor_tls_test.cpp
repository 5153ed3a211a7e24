// The executor's connection to an agent that speaks TLS.
#include "common/io/http_server.hpp"
#include "common/io/log.hpp"
#include "executor/in/agent_events.hpp"
#include "mesos/v1/executor.pb.h"
#include "test/io/certificates.hpp"
#include "test/io/loop.hpp"

#include <catch2/catch.hpp>
#include <spdlog/sinks/ostream_sink.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

using namespace mysos;
using namespace std::chrono_literals;
using mysos::test::Certificates;
using mysos::test::Loop;

namespace {

/// What goes to the log of the agent's connection.
class AgentLog {
  public:
    AgentLog() { log::logger("agent")->sinks().push_back(sink_); }
    ~AgentLog() { std::erase(log::logger("agent")->sinks(), sink_); }
    AgentLog(const AgentLog&) = delete;
    AgentLog& operator=(const AgentLog&) = delete;
    [[nodiscard]] bool has(const std::string& part) const
    {
        return text_.str().find(part) != std::string::npos;
    }

  private:
    std::ostringstream text_;
    spdlog::sink_ptr sink_ = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
};

/// An agent with a certificate, and an executor that was started with these settings.
class Setup {
  public:
    Setup(const std::string& certified_name, executor::AgentTls settings)
    {
        const Certificates::Files files = authority.issue(certified_name);
        io::HttpServerConfig config;
        config.tls = io::Tls::server(files.certificate, files.key).value();
        agent.emplace(
            loop.executor(), std::move(config), [this](io::Request) -> io::Awaitable<io::Reply> {
                ::mesos::v1::executor::Event event;
                event.set_type(::mesos::v1::executor::Event::SUBSCRIBED);
                io::Reply reply;
                reply.stream = io::StreamWriter::make([](ErrorCode) {});
                reply.stream->write_record(event.SerializePartialAsString());
                streams.push_back(reply.stream);
                co_return reply;
            });
        REQUIRE(agent->listen() == ErrorCode{});
        loop.start(agent->run());

        executor::Options options;
        options.framework_id = "f";
        options.executor_id = "e";
        options.agent_host = "127.0.0.1";
        options.agent_port = agent->port();
        options.agent_path = "/slave(1)/api/v1/executor";
        options.agent_tls = std::move(settings);
        if (options.agent_tls->ca_file == "ours") options.agent_tls->ca_file = authority.ca_file();
        tasks.emplace(loop.executor());
        events.emplace(
            loop.executor(),
            options,
            *tasks,
            [this]() -> const executor::State& { return state; },
            [this](executor::Input input) { inputs.push_back(std::move(input)); });
        loop.start(events->run());
    }
    ~Setup()
    {
        agent->stop(0s);
        loop.cancel();
    }
    Setup(const Setup&) = delete;
    Setup& operator=(const Setup&) = delete;

    [[nodiscard]] bool is_subscribed() const
    {
        return std::ranges::any_of(inputs, [](const executor::Input& input) {
            return std::holds_alternative<executor::Subscribed>(input);
        });
    }

    AgentLog log;
    Loop loop;
    Certificates authority;
    executor::State state;
    std::vector<executor::Input> inputs;
    std::vector<std::shared_ptr<io::StreamWriter>> streams;
    std::optional<io::HttpServer> agent;
    std::optional<io::Tasks> tasks;
    std::optional<executor::AgentEvents> events;
};

}  // namespace

TEST_CASE("executor: an agent of the authority it was given is trusted", "[executor][tls]")
{
    // Certified by address, or by the name that the system has for it.
    for (const char* const name : {"127.0.0.1", "localhost"}) {
        DYNAMIC_SECTION(name)
        {
            Setup t{name, {true, "ours", ""}};
            t.loop.run_until([&] { return t.is_subscribed(); });
        }
    }
}

TEST_CASE("executor: without verification any agent is", "[executor][tls]")
{
    Setup t{"elsewhere.example", {false, "", ""}};
    t.loop.run_until([&] { return t.is_subscribed(); });
}

TEST_CASE(
    "executor: an agent of another authority or name is not, and it is said", "[executor][tls]")
{
    const std::string says =
        "its certificate does not hold: it must bear 127.0.0.1 or that address's name, and come "
        "from an authority in LIBPROCESS_SSL_CA_FILE or LIBPROCESS_SSL_CA_DIR";
    const Certificates stranger;
    SECTION("authority")
    {
        Setup t{"127.0.0.1", {true, stranger.ca_file(), ""}};
        t.loop.run_until([&] { return t.log.has(says); });
        CHECK_FALSE(t.is_subscribed());
    }
    SECTION("name")
    {
        Setup t{"elsewhere.example", {true, "ours", ""}};
        t.loop.run_until([&] { return t.log.has(says); });
        CHECK_FALSE(t.is_subscribed());
    }
}

TEST_CASE("executor: authorities that cannot be read are named", "[executor][tls]")
{
    Loop loop;
    io::Tasks tasks{loop.executor()};
    const executor::State state;
    executor::Options options;
    options.agent_host = "127.0.0.1";
    options.agent_tls = executor::AgentTls{true, "/nonexistent", ""};
    const auto make = [&] {
        const executor::AgentEvents events{
            loop.executor(),
            options,
            tasks,
            [&]() -> const executor::State& { return state; },
            [](const executor::Input&) {}};
    };
    CHECK_THROWS_WITH(make(), "LIBPROCESS_SSL_CA_FILE: cannot use '/nonexistent' with CA_DIR ''");
}
