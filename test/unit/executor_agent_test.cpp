#include "test/support/executor_script.hpp"

#include <catch2/catch.hpp>

using namespace mysos;
using namespace mysos::executor;
using namespace mysos::executor::test;
using namespace std::chrono_literals;

namespace {

const mesos::TaskId t1{"t1"};

UpdateId update(std::uint64_t id)
{
    return UpdateId{id};
}

}  // namespace

TEST_CASE("executor: a LAUNCH is acknowledged by work, not by promises", "[executor]")
{
    Member member;
    CHECK(member.feed(Subscribed{}) == Lines{});
    CHECK(
        member.feed(Launched{t1, task_data("mariadb")}) ==
        Lines{"connect", "inspect", "update 1 starting: looks at its volume"});
    CHECK(member.feed(Launched{t1, task_data("mariadb")}) == Lines{"ignored launched already"});
    CHECK(
        member.feed(Launched{{"t2"}, task_data("mariadb")}) ==
        Lines{"update 2 failed: this executor runs task t1 and no other"});
}

TEST_CASE(
    "executor: task data that cannot be read fails the task and ends the program", "[executor]")
{
    Member member;
    member.feed(Subscribed{});
    CHECK(
        member.feed(LaunchUnreadable{t1, "task data: 'port' is missing"}) ==
        Lines{"update 1 failed: task data: 'port' is missing"});
    CHECK(member.phase() == control::Phase::failed);
    CHECK(member.feed(UpdateAcknowledged{update(1)}) == Lines{"exit"});
}

TEST_CASE("executor: a SHUTDOWN as the first event ends the program at once", "[executor]")
{
    Member member;
    CHECK(member.feed(ShutdownOrdered{}) == Lines{"exit"});
}

TEST_CASE(
    "executor: the task leaves the SUBSCRIBE with its first acknowledged update", "[executor]")
{
    Member member;
    CHECK_FALSE(task_unacknowledged(member.state));
    member.launch();
    CHECK(task_unacknowledged(member.state));
    REQUIRE(unacknowledged_updates(member.state).size() == 1);
    CHECK(member.feed(UpdateAcknowledged{update(7)}) == Lines{"ignored not an update that waits"});
    CHECK(member.feed(UpdateAcknowledged{update(1)}) == Lines{});
    CHECK_FALSE(task_unacknowledged(member.state));
    CHECK(unacknowledged_updates(member.state).empty());
}

TEST_CASE(
    "executor: what went with a SUBSCRIBE is not sent again, what came later is", "[executor]")
{
    Member member;
    member.config.checkpoint = true;
    member.launch();
    CHECK(member.feed(AgentLost{}) == Lines{});
    Volume volume;
    CHECK(member.feed(VolumeInspected{volume}) == Lines{"claim demo 1", "install"});
    CHECK(member.feed(InstallProgressed{InstallProgressed::Step::unpacking, 0}) == Lines{});
    REQUIRE(unacknowledged_updates(member.state).size() == 2);
    CHECK(
        member.feed(Subscribed{update(1)}) ==
        Lines{"update 2 starting: unpacks and checks the server's programs"});
    CHECK(
        member.feed(Installed{"10.11"}) ==
        Lines{"initialise", "update 3 starting: makes an empty data directory"});
}

TEST_CASE("executor: an update that the agent did not take is sent again, in order", "[executor]")
{
    Member member;
    member.launch();
    CHECK(member.feed(UpdateNotSent{update(9)}) == Lines{"ignored not an update that waits"});
    CHECK(member.feed(UpdateNotSent{update(1)}) == Lines{});
    Volume volume;
    member.feed(VolumeInspected{volume});
    CHECK(
        member.feed(Installed{"10.11"}) == Lines{"initialise"});  // Its update waits for its turn.
    CHECK(member.wait(999ms) == Lines{});
    CHECK(
        member.wait(1ms) == Lines{
                                "update 1 starting: looks at its volume",
                                "update 2 starting: makes an empty data directory"});
    member.config.checkpoint = true;
    member.feed(AgentLost{});
    CHECK(member.feed(UpdateNotSent{update(1)}) == Lines{"ignored goes with the next SUBSCRIBE"});
}

TEST_CASE("executor: with checkpointing an agent's absence changes nothing", "[executor]")
{
    Member member;
    member.config.checkpoint = true;
    member.fence();
    const State before = member.state;
    CHECK(member.feed(AgentLost{}) == Lines{});
    CHECK(member.state.phase == before.phase);
    CHECK(member.feed(AgentLost{}) == Lines{"ignored lost already"});
}

TEST_CASE("executor: without checkpointing the agent's loss is a shutdown", "[executor]")
{
    Member member;
    member.fence();
    CHECK(member.feed(AgentLost{}) == Lines{"stop 1"});
    CHECK(member.phase() == control::Phase::stopping);
    // Nobody to tell any more, so nothing to wait for.
    member.feed(ServerExited{member.run(), "exited with status 0"});
    CHECK(member.feed(AgentLost{}) == Lines{"exit"});
}

TEST_CASE(
    "executor: a KILL stops the server, reports, waits for the word to be taken, ends",
    "[executor]")
{
    Member member;
    member.fence();
    while (!unacknowledged_updates(member.state).empty()) {
        member.feed(UpdateAcknowledged{unacknowledged_updates(member.state).front().id});
    }
    CHECK(
        member.feed(KillOrdered{{"other"}, {}}) ==
        Lines{"ignored not a task of this executor: other"});
    CHECK(member.feed(KillOrdered{t1, 60s}) == Lines{"stop 1"});
    CHECK(member.feed(KillOrdered{t1, 60s}) == Lines{"ignored already stopping"});
    CHECK(
        member.feed(ServerExited{member.run(), "exited with status 0"}) ==
        Lines{"update 5 killed: killed as ordered"});
    CHECK(member.feed(KillOrdered{t1, {}}) == Lines{"ignored the task has ended already"});
    CHECK(member.feed(UpdateAcknowledged{update(5)}) == Lines{"exit"});
}

TEST_CASE("executor: a server that does not stop within the grace is killed", "[executor]")
{
    Member member;
    member.fence();
    member.feed(KillOrdered{t1, 20s});
    const Lines early = member.wait(18s);
    CHECK(std::count(early.begin(), early.end(), "kill 1") == 0);
    const Lines late = member.wait(1s);
    CHECK(std::count(late.begin(), late.end(), "kill 1") == 1);
}

TEST_CASE("executor: a shutdown shortens the grace of a kill", "[executor]")
{
    Member member;
    member.fence();
    member.feed(KillOrdered{t1, 60s});
    member.feed(ShutdownOrdered{});
    const Lines lines = member.wait(4s);
    CHECK(std::count(lines.begin(), lines.end(), "kill 1") == 1);
}

TEST_CASE("executor: a KILL before there is a server ends the task at once", "[executor]")
{
    Member member;
    member.launch();
    CHECK(member.feed(KillOrdered{t1, {}}) == Lines{"update 2 killed: killed as ordered"});
    Volume volume;
    CHECK(member.feed(VolumeInspected{volume}) == Lines{"ignored nothing was being inspected"});
}

TEST_CASE("executor: last words that nobody takes do not keep the program alive", "[executor]")
{
    Member member;
    member.launch();
    member.feed(KillOrdered{t1, {}});
    CHECK(member.wait(9s) == Lines{});
    CHECK(member.wait(1s) == Lines{"exit"});
}

TEST_CASE("executor: last words wait for an agent that is being restarted", "[executor]")
{
    Member member;
    member.config.checkpoint = true;
    member.launch();
    member.feed(AgentLost{});
    member.feed(SetupFailed{"the volume cannot be read"});
    CHECK(member.wait(1h) == Lines{});
    CHECK(member.feed(Subscribed{update(2)}) == Lines{});
    CHECK(member.feed(UpdateAcknowledged{update(1)}) == Lines{});
    CHECK(member.feed(UpdateAcknowledged{update(2)}) == Lines{"exit"});
}

TEST_CASE(
    "executor: an agent that answers a SUBSCRIBE with SHUTDOWN gets no last words", "[executor]")
{
    Member member;
    member.config.checkpoint = true;
    member.fence();
    member.feed(AgentLost{});
    // It came back too late for the restarted agent.
    CHECK(member.feed(ShutdownOrdered{}) == Lines{"stop 1"});
    member.feed(ServerExited{member.run(), "exited with status 0"});
    CHECK(member.wait(1h) == Lines{});
    CHECK(member.feed(ShutdownOrdered{}) == Lines{"exit"});
}
