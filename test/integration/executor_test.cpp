#include "test/support/executor_world.hpp"
#include "test/support/packages.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <filesystem>

using namespace mysos;
using namespace mysos::test;

namespace {

bool is_replicated(ExecutorWorld& world, const TestMember& member, const std::string& rows)
{
    const auto answer = world.sql(member, "SELECT COUNT(*) FROM d.t");
    return answer.has_value() && answer->scalar() == rows;
}

/// Two members through launch, failover, rejoin and the end.
void play(ExecutorWorld& world)
{
    const bool mariadb = world.is_mariadb();
    ControlServer& control = *world.control;
    TestMember& one = world.make(1);
    world.start(one);
    world.await_phase(one, control::Phase::fenced);
    world.loop.run_until([&] { return one.agent->was_told("TASK_RUNNING"); });
    CHECK(
        one.agent->statuses() ==
        Statuses{
            "TASK_STARTING: looks at its volume",
            "TASK_STARTING: unpacks and checks the server's programs",
            "TASK_STARTING: makes an empty data directory",
            mariadb ? "TASK_STARTING: starts mariadbd" : "TASK_STARTING: starts mysqld",
            "TASK_RUNNING: answers; read-only, waits for orders"});
    CHECK(control.seen(one.task).empty);
    CHECK(one.agent->authorization() == "Bearer agent-token");
    // The agent's token is for the executor alone.
    const pid_t first_server = server_of(one.process->pid());
    REQUIRE(first_server > 0);
    CHECK(
        text_of("/proc/" + std::to_string(first_server) + "/environ").find("agent-token") ==
        std::string::npos);
    CHECK(text_of(one.sandbox + "/data/mysos/token") == "permanent-t1\n");

    // The first primary of a cluster, nobody to wait for.
    world.promote(one, 1, 0);
    // On MySQL these tests speak as the administrator, whom being shut out does not concern.
    if (mariadb) CHECK(world.sql(one, "CREATE DATABASE d").has_error());
    world.open(one, 1);
    REQUIRE(world.sql(one, "CREATE DATABASE d").has_value());
    REQUIRE(world.sql(one, "CREATE TABLE d.t (a INT PRIMARY KEY)").has_value());
    REQUIRE(world.sql(one, "INSERT INTO d.t VALUES (1)").has_value());

    // A second one follows, and then acknowledges.
    TestMember& two = world.make(2);
    world.start(two);
    world.await_phase(two, control::Phase::fenced);
    world.follow(two, one, 1, true);
    world.loop.run_until([&] { return is_replicated(world, two, "1"); });
    CHECK(world.sql(two, "INSERT INTO d.t VALUES (99)").has_error());
    control.send(one.task, control::SetAcknowledgers{Epoch{1}, 1, {}, 7});
    const auto set = world.answer<control::AcknowledgersSet>(one);
    CHECK(set.serial == 7);
    REQUIRE(world.sql(one, "INSERT INTO d.t VALUES (2)").has_value());

    // An agent that goes and comes back finds everything as it was, and misses no word.
    one.agent->drop();
    REQUIRE(::kill(first_server, SIGKILL) == 0);
    world.await_phase(one, control::Phase::crashed);
    CHECK_FALSE(one.agent->was_told("was killed by signal 9"));
    one.agent->accept(true);
    world.loop.run_until([&] { return one.agent->was_told("was killed by signal 9"); });
    CHECK(one.agent->unacknowledged_updates() == 1);
    CHECK(one.agent->unacknowledged_tasks() == 0);
    CHECK(server_of(one.process->pid()) == 0);

    // The other one is elected, with the old primary down.
    control.send(two.task, control::Prepare{Epoch{2}});
    const auto prepared = world.answer<control::Prepared>(two);
    CHECK(prepared.marker == Epoch{1});
    CHECK_FALSE(prepared.amnesiac);
    const control::AccountSpec first{
        control::AccountSpec::Kind::replication, {"repl_1", "repl-password"}};
    control.send(two.task, control::Promote{Epoch{2}, prepared.position, 0, {first}});
    static_cast<void>(world.answer<control::Promoted>(two));
    world.open(two, 2);
    CHECK(is_replicated(world, two, "2"));
    REQUIRE(world.sql(two, "INSERT INTO d.t VALUES (3)").has_value());

    // The old primary comes back as a replica. MariaDB's has cut what was undecided, row 2 with it,
    // and gets it back from the new primary.
    world.follow(one, two, 2, true);
    world.loop.run_until([&] { return is_replicated(world, one, "3"); });
    CHECK(control.seen(one.task).amnesiac == mariadb);
    world.follow(one, two, 2, true, true);
    world.loop.run_until([&] { return !control.seen(one.task).amnesiac; });
    control.send(one.task, control::Prepare{Epoch{1}});
    world.loop.run_until([&] {
        const auto answer = control.take(one.task);
        const auto* refused = answer ? std::get_if<control::Refused>(&*answer) : nullptr;
        return refused != nullptr && refused->reason == control::Refused::Reason::old_epoch;
    });

    // The end.
    for (TestMember* member : {&one, &two}) {
        member->agent->kill_task(member->task);
        world.loop.run_until([&] { return member->process->ended().has_value(); });
        CHECK(member->process->ended() == 0);
        CHECK(member->agent->statuses().back() == "TASK_KILLED: killed as ordered");
        CHECK(member->agent->complaints().empty());
        CHECK(
            text_of(member->sandbox + "/server.log").find("Shutdown complete") !=
            std::string::npos);
    }
    CHECK(control.authorizations().front() == "Bearer one-time");
}

}  // namespace

TEST_CASE("executor: two members through launch, failover, rejoin and the end", "[executor]")
{
    ExecutorWorld world;
    play(world);
}

TEST_CASE("executor: the same with MySQL", "[executor]")
{
    if (server_programs(mysql::Flavor::mysql).has_error()) {
        WARN(server_programs(mysql::Flavor::mysql).error().text);
        return;
    }
    ExecutorWorld world{"mysql"};
    play(world);
}

TEST_CASE("executor: a primary's next task waits for orders with the data untouched", "[executor]")
{
    ExecutorWorld world;
    TestMember& member = world.make(1);
    world.start(member);
    world.await_phase(member, control::Phase::fenced);
    world.promote(member, 1, 0);
    world.open(member, 1);
    REQUIRE(world.sql(member, "CREATE DATABASE d").has_value());
    const pid_t server = server_of(member.process->pid());
    member.process->kill();
    world.loop.run_until([&] { return member.process->ended().has_value(); });
    // It dies with its executor.
    world.loop.run_until([&] { return ::kill(server, 0) != 0; });

    TestMember& again = world.make(1);
    world.start(again);
    world.await_phase(again, control::Phase::crashed);
    CHECK(world.control->seen(again.task).epoch == Epoch{1});
    CHECK_FALSE(world.control->seen(again.task).amnesiac);
    world.control->send(again.task, control::Prepare{Epoch{2}});
    const auto prepared = world.answer<control::Prepared>(again);
    CHECK(prepared.marker == Epoch{1});
    world.control->send(again.task, control::Promote{Epoch{2}, prepared.position, 0, {}});
    static_cast<void>(world.answer<control::Promoted>(again));
    world.open(again, 2);
    CHECK(world.sql(again, "CREATE TABLE d.t (a INT)").has_value());

    // A scheduler's absence stops nobody; the next Hello has the permanent token.
    world.control->drop(again.task);
    world.loop.run_until([&] { return world.control->has(again.task); });
    CHECK(world.sql(again, "INSERT INTO d.t VALUES (1)").has_value());
    const auto& authorizations = world.control->authorizations();
    CHECK(authorizations.back() == "Bearer permanent-t1again");

    // The agent shuts it down.
    again.agent->shut_down();
    world.loop.run_until([&] { return again.process->ended().has_value(); });
    CHECK(again.agent->was_told("TASK_KILLED: stopped: the agent shut the executor down"));
}

TEST_CASE(
    "executor: a primary cut off from its scheduler and its replica ends itself", "[executor]")
{
    ExecutorWorld world;
    TestMember& one = world.make(1);
    TestMember& two = world.make(2);
    world.start_pair(one, two);
    world.control->send(one.task, control::SetAcknowledgers{Epoch{1}, 1, {}, 1});
    static_cast<void>(world.answer<control::AcknowledgersSet>(one));
    world.loop.run_until([&] { return world.control->seen(one.task).semi_sync_clients == 1; });

    world.control->lead(false);
    two.process->kill();
    world.loop.run_until([&] { return server_of(one.process->pid()) == 0; });
    CHECK_FALSE(one.process->ended());
    world.control->lead(true);
    world.await_phase(one, control::Phase::crashed);
    CHECK_THAT(world.control->seen(one.task).message, Catch::StartsWith("ended itself: cut off"));
    CHECK_FALSE(world.control->seen(one.task).amnesiac);

    // What it holds is untouched: it can be made the primary again.
    world.control->send(one.task, control::Prepare{Epoch{2}});
    CHECK(world.answer<control::Prepared>(one).marker == Epoch{1});
}

TEST_CASE("executor: a first event SHUTDOWN ends it", "[executor]")
{
    ExecutorWorld world;
    TestMember& member = world.make(1);
    world.start(member, "");
    world.loop.run_until([&] { return member.agent->is_subscribed(); });
    member.agent->shut_down();
    world.loop.run_until([&] { return member.process->ended().has_value(); });
    CHECK(member.process->ended() == 0);
}

TEST_CASE("executor: the command line and a missing environment", "[executor]")
{
    struct Case {
        std::vector<std::string> arguments;
        int code;
        std::string says;
    };
    const std::vector<Case> cases{
        {{"--version"}, 0, "mysos-executor 0.1.0 ("},
        {{"--help"}, 0, "usage: mysos-executor"},
        {{"--port"}, 2, "mysos-executor: unknown argument '--port'; --help lists what there is\n"},
        {{},
         2,
         "mysos-executor: MESOS_FRAMEWORK_ID is not set: the Mesos agent starts this program and "
         "sets it\n"},
    };
    std::string pattern = "/tmp/mysos-ex-XXXXXX";
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    Loop loop;
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const std::string output = pattern + "/" + std::to_string(i);
        ExecutorProcess process{cases[i].arguments, {}, pattern, output};
        loop.run_until([&] { return process.ended().has_value(); });
        CHECK(WEXITSTATUS(*process.ended()) == cases[i].code);
        CHECK_THAT(text_of(output), Catch::StartsWith(cases[i].says));
    }
    std::filesystem::remove_all(pattern);
}
