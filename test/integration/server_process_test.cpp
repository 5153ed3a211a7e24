#include "executor/out/server_process.hpp"

#include "executor/out/spawn.hpp"
#include "test/support/database_server.hpp"
#include "test/support/packages.hpp"
#include "test/support/run.hpp"
#include "test/support/temporary_directory.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace mysos;
using namespace mysos::executor;
using namespace mysos::test;

namespace {

/// Starts scripts as if they were servers.
struct Fixture {
    TemporaryDirectory directory;
    boost::asio::io_context loop;

    Fixture()
    {
        const auto user = server_user().value();
        if (user) REQUIRE(::chown(directory.path().c_str(), user->uid, user->gid) == 0);
    }

    [[nodiscard]] ServerLaunch launch(const std::string& script) const
    {
        ServerLaunch launch;
        launch.programs.server = directory.write_program("server", script);
        launch.option_file = directory.path() + "/my.cnf";
        launch.arguments = {"--one", "--two=2"};
        launch.data_dir = directory.path();
        launch.log_path = directory.path() + "/log";
        launch.user = server_user().value();
        return launch;
    }

    [[nodiscard]] std::unique_ptr<ServerProcess> start(const std::string& script)
    {
        auto started = ServerProcess::start(loop.get_executor(), launch(script));
        REQUIRE(started.has_value());
        return std::move(started.value());
    }

    [[nodiscard]] ProcessExit end_of(ServerProcess& process)
    {
        const auto ended = run(loop, process.exited());
        return ended.value();
    }

    void await_log(const std::string& text) const
    {
        REQUIRE(eventually([&] { return directory.read("log").find(text) != std::string::npos; }));
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "server process: its end is told, whichever way it ends")
{
    auto process = start("exit 3");
    CHECK(end_of(*process) == ProcessExit{3, 0});
    CHECK(process->exit() == ProcessExit{3, 0});
    CHECK(end_of(*process) == ProcessExit{3, 0});
    CHECK(describe(ProcessExit{3, 0}) == "exited with status 3");

    process = start("kill -9 $$");
    CHECK(end_of(*process) == ProcessExit{0, SIGKILL});
    CHECK(describe(ProcessExit{0, SIGKILL}) == "was killed by signal 9");

    process = start("exec sleep 1000");
    process->kill();
    CHECK(end_of(*process) == ProcessExit{0, SIGKILL});
}

TEST_CASE("server process: the lock that a killed MySQL left behind stops nobody")
{
    const auto programs = server_programs(mysql::Flavor::mysql);
    if (programs.has_error()) {
        WARN("skipped: " << programs.error().text);
        return;
    }
    DatabaseServer server{mysql::Flavor::mysql, 1};
    // After a reboot any process may go by the number in it.
    std::ofstream{server.directories().data + "/my.sock.lock"} << ::getpid() << '\n';
    server.start();
    CHECK(server.ask("SELECT 1") == "1");
}

TEST_CASE_METHOD(Fixture, "server process: two can wait for its end")
{
    auto process = start("exec sleep 1000");
    int told = 0;
    const auto count = [&](std::exception_ptr, Result<ProcessExit> ended) {
        if (ended.has_value() && ended.value().signal == SIGKILL) ++told;
    };
    boost::asio::co_spawn(loop, process->exited(), count);
    boost::asio::co_spawn(loop, process->exited(), count);
    loop.poll();
    process->kill();
    loop.restart();
    loop.run();
    CHECK(told == 2);
}

TEST_CASE_METHOD(Fixture, "server process: a stop asks first and kills when the grace is over")
{
    auto process = start("trap 'exit 0' TERM; echo up; while :; do sleep 0.01; done");
    await_log("up");
    auto ended = run(loop, process->stop(std::chrono::seconds{60}));
    CHECK(ended.value() == ProcessExit{0, 0});

    process = start("trap '' TERM; echo deaf; while :; do sleep 0.01; done");
    await_log("deaf");
    ended = run(loop, process->stop(std::chrono::milliseconds{50}));
    CHECK(ended.value() == ProcessExit{0, SIGKILL});
}

TEST_CASE_METHOD(Fixture, "server process: it inherits neither descriptors nor what we know")
{
    ::setenv("MESOS_EXECUTOR_AUTHENTICATION_TOKEN", "s3cret", 1);
    const std::string ours = directory.write("ours", "s3cret");
    FILE* open = ::fopen(ours.c_str(), "r");
    auto process = start("echo \"$@\"; env; ls -l /proc/$$/fd; id -u; pwd; trap; cat; umask");
    CHECK(end_of(*process) == ProcessExit{0, 0});
    ::fclose(open);
    ::unsetenv("MESOS_EXECUTOR_AUTHENTICATION_TOKEN");
    const std::string said = directory.read("log");
    CAPTURE(said);
    CHECK(said.find("s3cret") == std::string::npos);
    CHECK(said.find("/ours") == std::string::npos);
    CHECK(said.find("socket:") == std::string::npos);
    CHECK(said.find("--defaults-file=" + directory.path() + "/my.cnf --one --two=2\n") == 0);
    CHECK(said.find("MYSQLD_PARENT_PID=" + std::to_string(::getpid())) != std::string::npos);
    CHECK(said.find("\n" + directory.path() + "\n") != std::string::npos);
    CHECK(said.find("0027\n") != std::string::npos);
    const auto user = server_user().value();
    const uid_t uid = user ? user->uid : ::geteuid();
    CHECK(uid != 0);
    CHECK(said.find("\n" + std::to_string(uid) + "\n") != std::string::npos);
}

TEST_CASE_METHOD(
    Fixture, "server process: it dies with the object and with the thread that made it")
{
    auto process = start("exec sleep 1000");
    const pid_t pid = process->pid();
    process.reset();
    CHECK(::kill(pid, 0) == -1);

    std::thread{[&] { process = start("exec sleep 1000"); }}.join();
    CHECK(end_of(*process) == ProcessExit{0, SIGKILL});
}

TEST_CASE_METHOD(Fixture, "server process: what cannot be started is named")
{
    ServerLaunch order = launch("exit 0");
    const auto failure_of_start = [&](const ServerLaunch& launch) {
        const auto started = ServerProcess::start(loop.get_executor(), launch);
        REQUIRE(started.has_error());
        return started.error();
    };
    ServerLaunch wrong = order;
    wrong.programs.server = "/no/such/mysqld";
    CHECK(
        failure_of_start(wrong) ==
        Failure{
            InstallErrc::server_missing, "cannot run /no/such/mysqld: No such file or directory"});
    wrong = order;
    wrong.programs.server = directory.write("text", "no program");
    CHECK(failure_of_start(wrong).code == InstallErrc::system_failed);
    CHECK(
        failure_of_start(wrong).text ==
        "cannot run " + directory.path() + "/text: Permission denied");
    wrong = order;
    wrong.data_dir = "/no/such/data";
    CHECK(
        failure_of_start(wrong).text == "data directory /no/such/data: No such file or directory");
    wrong = order;
    wrong.log_path = "/no/such/log";
    CHECK(failure_of_start(wrong).text == "log /no/such/log: No such file or directory");
    if (::geteuid() == 0) {
        wrong = order;
        REQUIRE(::chmod(directory.path().c_str(), 0700) == 0);
        wrong.user = ServerUser{12345, 12345, "stranger"};
        CHECK(
            failure_of_start(wrong).text ==
            "cannot enter " + directory.path() + ": Permission denied");
    }
}

TEST_CASE_METHOD(Fixture, "server process: the log is appended, and its end can be told")
{
    auto process = start("echo first");
    CHECK(end_of(*process) == ProcessExit{0, 0});
    process = start("echo; echo second >&2; printf third");
    CHECK(end_of(*process) == ProcessExit{0, 0});
    CHECK(log_tail(directory.path() + "/log", 10) == "first\nsecond\nthird");
    CHECK(log_tail(directory.path() + "/log", 2) == "second\nthird");
    CHECK(log_tail("/no/such/log", 2).empty());
}

TEST_CASE("run program: gives what it said, or its last words and how it ended")
{
    const TemporaryDirectory directory;
    const auto run_script = [&](const std::string& script, std::chrono::seconds limit) {
        Spawn order;
        order.arguments = {directory.write_program("program", script), "word"};
        order.environment = bare_environment();
        return run_program(order, limit);
    };
    const std::string program = directory.path() + "/program";
    const std::chrono::seconds long_enough{60};
    CHECK(run_script("echo $1; echo more >&2", long_enough).value() == "word\nmore\n");
    CHECK(
        run_script("echo why; exit 4", long_enough).error().text ==
        program + " ended with status 4: why");
    CHECK(
        run_script("kill -6 $$", long_enough).error().text ==
        program + " was killed by signal 6: it said nothing");
    CHECK(
        run_script("exec sleep 1000", std::chrono::seconds{1}).error().text ==
        program + " did not end within 1 s");
    CHECK(
        run_script("exec >&- 2>&-; exec sleep 1000", std::chrono::seconds{1}).error().text ==
        program + " did not end within 1 s");
}
