// What cannot be run: each a task that fails, with a message that names what is wrong.
#include "common/io/http_server.hpp"
#include "common/io/tasks.hpp"
#include "executor/install/download.hpp"
#include "test/support/executor_world.hpp"
#include "test/support/free_port.hpp"
#include "test/support/packages.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <stdexcept>

using namespace mysos;
using namespace mysos::test;

namespace {

struct Case {
    std::string name;
    std::string data;
    std::string says;  ///< The whole message.
};

/// Launches the task and sees it fail with exactly that message, and the program end well.
void fails(ExecutorWorld& world, TestMember& member, const Case& c)
{
    INFO(c.name);
    world.start(member, c.data);
    world.loop.run_until([&] { return member.process->ended().has_value(); });
    CHECK(member.process->ended() == 0);
    REQUIRE_FALSE(member.agent->statuses().empty());
    CHECK(member.agent->statuses().back() == "TASK_FAILED: " + c.says);
    CHECK(member.agent->complaints().empty());
}

/// The member's task data with another installer.
std::string installed_by(const TestMember& member, const nlohmann::json& arguments)
{
    wire::TaskData data = member.data;
    data.installer = arguments.dump();
    return wire::encode_task_data(data);
}

std::string tarball(
    const TestMember& member,
    const std::string& uri,
    const std::string& sha256,
    const std::string& version = "")
{
    nlohmann::json arguments{{"installer", "tarball"}, {"uri", uri}, {"sha256", sha256}};
    if (!version.empty()) arguments["version"] = version;
    return installed_by(member, arguments);
}

io::Awaitable<io::Reply> not_found(io::Request)
{
    io::Reply reply;
    reply.status = 404;
    co_return reply;
}

/// A web server that has nothing, for as long as it lives.
struct Site {
    explicit Site(Loop& loop_) : loop{loop_}, tasks{loop.executor()}
    {
        if (const ErrorCode ec = server.listen()) throw std::runtime_error(ec.message());
        tasks.spawn(server.run());
    }
    ~Site()
    {
        tasks.cancel();
        loop.await(tasks.wait());
    }
    Site(const Site&) = delete;
    Site& operator=(const Site&) = delete;

    Loop& loop;
    io::HttpServer server{loop.executor(), {}, not_found};
    io::Tasks tasks;
};

}  // namespace

TEST_CASE("executor: task data that it cannot work with", "[executor]")
{
    ExecutorWorld world;
    TestMember& member = world.make(1);
    wire::TaskData bad_zk = member.data;
    bad_zk.zk = "zk://127.0.0.1:0/mysos";
    const std::vector<Case> cases{
        {"no field", "{}", "task data: 'token' is missing"},
        {"zk",
         wire::encode_task_data(bad_zk),
         "task data: 'zk': " + parse_zk_url(bad_zk.zk).error().message()},
        {"installer",
         installed_by(member, {{"installer", "wishes"}}),
         "installer arguments: there is no installer 'wishes': host or tarball"},
        {"argument",
         installed_by(member, {{"installer", "host"}, {"servre", "/x"}}),
         "installer arguments: unknown field servre"},
    };
    for (const Case& c : cases) fails(world, member, c);
}

TEST_CASE("executor: a machine without the server that is wanted", "[executor]")
{
    ExecutorWorld world;
    TestMember& member = world.make(1);
    fails(
        world,
        member,
        {"missing",
         installed_by(member, {{"installer", "host"}, {"server", "/opt/none/mariadbd"}}),
         "there is no server at /opt/none/mariadbd"});

    // The one that is there is of another version.
    const auto& programs = server_programs(mysql::Flavor::mariadb).value();
    const nlohmann::json other{
        {"installer", "host"}, {"server", programs.server}, {"version", "5.5.1"}};
    fails(
        world,
        member,
        {"version",
         installed_by(member, other),
         programs.server + " is version " + programs.version + ", wanted is 5.5.1"});
}

TEST_CASE("executor: a package that is not what the framework was told", "[executor]")
{
    ExecutorWorld world;
    TestMember& member = world.make(1);
    const Site web{world.loop};
    const std::string site = "http://127.0.0.1:" + std::to_string(web.server.port());
    const FakePackage package;
    const FakePackage empty{"x", "other"};
    const FakePackage mysql{"mysqld  Ver 9.9.9 for Linux", "mariadbd"};
    const std::string text = package.directory.write("text", "not a package");
    const std::string other(64, '0');
    const std::string refusing = "http://127.0.0.1:" + std::to_string(free_port());

    const std::vector<Case> cases{
        {"sha256",
         tarball(member, package.file, other),
         package.file + " has sha256 " + package.sha256 + ", wanted is " + other},
        {"no file", tarball(member, "/none.tar.gz", other), "cannot read /none.tar.gz"},
        {"no such uri",
         tarball(member, site + "/none.tar.gz", other),
         site + "/none.tar.gz: the answer is 404"},
        {"nobody there",
         tarball(member, refusing + "/x.tar.gz", other),
         refusing + "/x.tar.gz: Connection refused"},
        {"no server in it",
         tarball(member, empty.file, empty.sha256),
         empty.file + " has no bin/mariadbd"},
        {"another server in it",
         tarball(member, mysql.file, mysql.sha256),
         world.directory() + "/cache/packages/" + mysql.sha256 +
             "/some-name/bin/mariadbd is not mariadb but says: mysqld  Ver 9.9.9 for Linux"},
        {"version",
         tarball(member, package.file, package.sha256, "10.98.0"),
         package.file + " is version 10.99.1, wanted is 10.98.0"},
    };
    for (const Case& c : cases) fails(world, member, c);

    // The last words are tar's own.
    world.start(member, tarball(member, text, executor::sha256_of(text).value()));
    world.loop.run_until([&] { return member.process->ended().has_value(); });
    CHECK_THAT(
        member.agent->statuses().back(),
        Catch::StartsWith("TASK_FAILED: " + text + ": /bin/tar ended with status 2: "));
}

TEST_CASE("executor: a port that somebody else has taken", "[executor]")
{
    const std::string flavor = GENERATE("mariadb", "mysql");
    if (flavor == "mysql" && server_programs(mysql::Flavor::mysql).has_error()) {
        WARN(server_programs(mysql::Flavor::mysql).error().text);
        return;
    }
    ExecutorWorld world{flavor};
    TestMember& member = world.make(1);
    boost::asio::io_context context;
    using boost::asio::ip::tcp;
    const tcp::acceptor taken{context, {boost::asio::ip::address_v4::loopback(), 0}};
    member.data.port = taken.local_endpoint().port();
    world.start(member);
    world.loop.run_until([&] { return member.process->ended().has_value(); });
    const std::string last = member.agent->statuses().back();
    CHECK_THAT(last, Catch::StartsWith("TASK_FAILED: "));
    CHECK_THAT(last, Catch::Contains("exited with status 1: "));
    CHECK_THAT(last, Catch::Contains("Address already in use"));
    CHECK_THAT(last, Catch::Contains("port: " + std::to_string(member.data.port)));
    CHECK_THAT(last, Catch::EndsWith("before it answered"));
}
