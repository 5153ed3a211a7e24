// What the scheduler answers to bad requests, as a program with a real ZooKeeper and the stand-in.
#include "test/e2e/cluster_world.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>

#include <iterator>
#include <string>
#include <vector>

using namespace mysos;
using namespace mysos::test;

namespace {

namespace asio = boost::asio;

/// A scheduler that is subscribed. Executors only sleep.
struct World {
    World() { (void)scheduler.process().wait_for_line("mesos: subscribed framework="); }

    TemporaryDirectory directory;
    ZookeeperServer zookeeper;
    StandinProgram standin{directory.path()};
    SchedulerProgram scheduler{
        {directory.path(),
         zookeeper.url("/mysos"),
         standin.address(),
         {"--executor_cmd=exec sleep 100000"}}};
};

/// Sends a part of a request, and then waits.
class SlowClient {
  public:
    SlowClient(asio::io_context& context, std::uint16_t port, const std::string& part)
        : socket_{context}
    {
        socket_.connect({asio::ip::address_v4::loopback(), port});
        asio::write(socket_, asio::buffer(part));
    }
    [[nodiscard]] bool has_answer() const { return socket_.available() != 0; }
    /// All of it, until the server closes.
    [[nodiscard]] std::string answer()
    {
        std::string text;
        boost::system::error_code end;
        asio::read(socket_, asio::dynamic_buffer(text), end);
        return text;
    }

  private:
    asio::ip::tcp::socket socket_;
};

}  // namespace

TEST_CASE("scheduler: bad requests get their exact answers", "[e2e]")
{
    World world;
    SchedulerProgram& scheduler = world.scheduler;
    const std::uint16_t port = scheduler.port();
    REQUIRE(send_form(port, "POST", "/clusters/there", "cluster_user=app").status == 200);

    struct Case {
        std::string method;
        std::string target;
        std::string body;
        unsigned status;
        std::string answer;
    };
    const std::string name_rule =
        "name: must be 1 to 64 letters, digits, '-', '_' and '.', and begin with a letter or "
        "digit\n";
    const std::string nodes_rule = "num_nodes: must be a number from 1 to 15\n";
    const std::string user = "cluster_user=app";
    const std::vector<Case> cases{
        {"POST", "/clusters/a", "", 400, "cluster_user: is missing\n"},
        {"POST", "/clusters/a", user + "&num_nodes=0", 400, nodes_rule},
        {"POST", "/clusters/a", user + "&num_nodes=-1", 400, nodes_rule},
        {"POST", "/clusters/a", user + "&num_nodes=x", 400, nodes_rule},
        {"POST", "/clusters/a", user + "&num_nodes=1000", 400, nodes_rule},
        {"POST",
         "/clusters/a",
         user + "&size=big",
         400,
         "size: must be JSON like {\"cpus\": 1.0, \"mem\": \"512mb\", \"disk\": \"2gb\"}\n"},
        {"POST",
         "/clusters/a",
         user + R"(&size={"mem":"512xb"})",
         400,
         "size: 'mem' must be text with a unit, like \"512mb\" or \"2gb\": has an unknown unit\n"},
        {"POST",
         "/clusters/a",
         user + R"(&size={"mem":"32mb"})",
         400,
         "size: is too small, an instance must be larger than the executor's share of 0.01 cpus, "
         "32 MB of memory and 1 MB of disk\n"},
        {"POST",
         "/clusters/a",
         user + R"(&size={"disk":2})",
         400,
         "size: 'disk' must be text with a unit, like \"512mb\" or \"2gb\"\n"},
        {"POST",
         "/clusters/a",
         user + "&backup_id=b",
         400,
         "backup_id: this version does not restore backups\n"},
        {"POST", "/clusters//", user, 400, name_rule},
        {"POST", "/clusters/a/b", user, 400, name_rule},
        {"POST", "/clusters/a%2Fb", user, 400, name_rule},
        {"POST", "/clusters/..", user, 400, name_rule},
        {"POST", "/clusters/", user, 400, name_rule},
        {"POST", "/clusters/" + std::string(300, 'n'), user, 400, name_rule},
        {"POST", "/clusters/there", user, 409, "cluster 'there' exists already\n"},
        {"DELETE", "/clusters/there", "", 403, "password: is missing\n"},
        {"DELETE", "/clusters/there", "password=x", 403, "password: is not the cluster's\n"},
        {"DELETE", "/clusters/absent", "password=x", 404, "there is no cluster 'absent'\n"},
    };
    for (const Case& c : cases) {
        INFO(c.method << " " << c.target << " " << c.body);
        const io::Response response = send_form(port, c.method, c.target, c.body);
        CHECK(response.status == c.status);
        CHECK(response.body == c.answer);
    }
}

TEST_CASE("scheduler: what is no route, method or size of ours is answered in JSON", "[e2e]")
{
    World world;
    const std::uint16_t port = world.scheduler.port();
    const auto problem = [](unsigned status, const std::string& title, const std::string& detail) {
        const nlohmann::json body{
            {"type", "about:blank"}, {"title", title}, {"status", status}, {"detail", detail}};
        return body.dump() + "\n";
    };
    const std::string nothing = "there is nothing here; /v1/openapi.json lists what there is";
    for (const char* const target : {"/v2/clusters", "/clusters", "/index.html", "/v1"}) {
        INFO(target);
        const io::Response unknown = get(port, target);
        CHECK(unknown.status == 404);
        CHECK(unknown.headers.find("Content-Type") == "application/problem+json");
        CHECK(unknown.body == problem(404, "Not Found", nothing));
    }

    struct Case {
        std::string method;
        std::string target;
        std::string allow;
    };
    const std::vector<Case> cases{
        {"PUT", "/clusters/a", "POST, DELETE"},
        {"GET", "/clusters/a", "POST, DELETE"},
        {"POST", "/v1/clusters", "GET"},
        {"DELETE", "/v1/clusters/a", "GET, PATCH"},
        {"GET", "/executor/v1/stream", "POST"},
    };
    for (const Case& c : cases) {
        INFO(c.method << " " << c.target);
        const io::Response wrong = send_form(port, c.method, c.target, "cluster_user=app");
        CHECK(wrong.status == 405);
        CHECK(wrong.headers.find("Allow") == c.allow);
        CHECK(wrong.body == problem(405, "Method Not Allowed", "use " + c.allow + " here"));
    }

    constexpr std::size_t body_max = std::size_t{1} << 20U;
    const io::Response large =
        send_form(port, "POST", "/clusters/a", std::string(body_max + 1, 'x'));
    CHECK(large.status == 413);
    CHECK(large.headers.find("Content-Type") == "application/json");
    CHECK(large.body == "{\"error\":\"Content Too Large\"}\n");
    // One byte less is looked at.
    CHECK(send_form(port, "POST", "/clusters/a", std::string(body_max, 'x')).status == 400);
}

TEST_CASE("scheduler: a client that sends half a request is told, and delays nobody", "[e2e]")
{
    World world;
    const std::uint16_t port = world.scheduler.port();
    boost::asio::io_context context{1};
    const std::string half_a_body =
        "POST /clusters/slow HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\ncluster_user=";
    const std::string half_a_head = "POST /clusters/slow HTTP/1.1\r\nHost:";
    SlowClient first{context, port, half_a_body};
    SlowClient second{context, port, half_a_head};

    CHECK(get(port, "/healthz").status == 200);
    CHECK(send_form(port, "POST", "/clusters/quick", "cluster_user=app").status == 200);
    CHECK(get(port, "/v1/clusters/quick").status == 200);
    CHECK_FALSE(first.has_answer());
    CHECK_FALSE(second.has_answer());

    for (SlowClient* const client : {&first, &second}) {
        const std::string answer = client->answer();
        CHECK(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
        CHECK_THAT(answer, Catch::Matchers::EndsWith("\r\n\r\n{\"error\":\"Request Timeout\"}\n"));
    }
    CHECK(get(port, "/v1/clusters/slow").status == 404);
}

TEST_CASE("scheduler: a cluster too large for any agent is accepted and says what lacks", "[e2e]")
{
    World world;
    SchedulerProgram& scheduler = world.scheduler;
    struct Case {
        std::string size;
        std::string says;
    };
    const std::vector<Case> cases{
        {R"({"cpus":900})", "no agent offers 900 cpus; largest offered 4"},
        {R"({"mem":"900gb"})", "no agent offers 921600 MB of memory; largest offered 4096"},
        {R"({"disk":"900gb"})", "no agent offers 921600 MB of disk; largest offered 10000"},
    };
    for (const Case& c : cases) {
        INFO(c.size);
        const std::string form = "cluster_user=app&size=" + c.size;
        const io::Response made = send_form(scheduler.port(), "POST", "/clusters/big", form);
        REQUIRE(made.status == 200);
        nlohmann::json message;
        await_true("the member says which resource no agent offers", [&] {
            const nlohmann::json view = scheduler.get_json("/v1/clusters/big");
            message = view.at("members").at(0).at("message");
            return message != "no offer has come yet";
        });
        CHECK(message == c.says);
        const std::string password = nlohmann::json::parse(made.body).at("cluster_password");
        const std::string goodbye = "password=" + password;
        REQUIRE(send_form(scheduler.port(), "DELETE", "/clusters/big", goodbye).status == 200);
        await_true(
            "it is gone", [&] { return get(scheduler.port(), "/v1/clusters/big").status == 404; });
    }
}
