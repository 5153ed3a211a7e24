#include "test/support/executor_script.hpp"

#include <catch2/catch.hpp>

using namespace mysos;
using namespace mysos::executor;
using namespace mysos::executor::test;
using namespace std::chrono_literals;

namespace {

constexpr Epoch e4{4};
constexpr Epoch e5{5};
constexpr Epoch e6{6};
constexpr MemberId m2{2};
constexpr MemberId m3{3};

control::Promote promote(Epoch epoch, std::uint32_t acks = 1)
{
    return {epoch, "0-1-1", acks, {}};
}

bool has(const Lines& lines, const std::string& line)
{
    return std::find(lines.begin(), lines.end(), line) != lines.end();
}

}  // namespace

TEST_CASE("executor: Prepare is obeyed after its epoch is on the volume", "[executor]")
{
    Member member;
    member.fence();
    CHECK(member.order(control::Prepare{e5}) == Lines{"epoch 5 none", "do stop_receiver"});
    CHECK(member.order(control::Prepare{e5}) == Lines{"ignored already under way"});
    CHECK(member.feed(ReceiverStopped{member.op(), "0-1-7", e4}) == Lines{"say prepared 5 0-1-7"});
    // Said again: asked again, without another write.
    CHECK(member.order(control::Prepare{e5}) == Lines{"do stop_receiver"});
}

TEST_CASE("executor: an epoch that cannot be saved is not promised", "[executor]")
{
    Member member;
    member.fence();
    member.disk_full = true;
    CHECK(
        member.order(control::Prepare{e5}) ==
        Lines{
            "epoch 5 none",
            "report the epoch file cannot be written: no space left",
            "report refused to prepare: the epoch cannot be saved: no space left",
            "say refused prepare server_failed 0"});
    CHECK(member.state.record.epoch == Epoch{0});
    member.disk_full = false;
    CHECK(member.order(control::Prepare{e4}) == Lines{"epoch 4 none", "do stop_receiver"});
}

TEST_CASE("executor: orders of an older epoch are refused, whatever they are", "[executor]")
{
    const std::vector<control::ToMember> orders{
        control::Prepare{e4},
        promote(e4),
        follow(e4, m2, true),
        control::Open{e4},
        control::SetAcknowledgers{e4, 1, {}},
        control::LockAccount{e4, "repl_2", m2},
        control::Restart{e4},
    };
    for (const control::ToMember& order : orders) {
        Member member;
        member.fence();
        member.replicate(e5, m2, true);
        const State before = member.state;
        const Lines lines = member.order(order);
        REQUIRE(lines.size() == 2);
        CHECK(lines[1].find("old_epoch 5") != std::string::npos);
        CHECK(member.state == before);
    }
}

TEST_CASE("executor: an order that waits for its epoch's write binds already", "[executor]")
{
    Member member;
    member.fence();
    // Between the order and the news that its epoch is on the volume.
    CHECK(
        script(step(member.state, member.config, OrderArrived{control::Prepare{e6}}, member.now)) ==
        Lines{"epoch 6 none"});
    CHECK(
        member.order(promote(e5)) ==
        Lines{"report refused to promote: epoch 6 is promised", "say refused promote old_epoch 0"});
    CHECK(
        member.feed(EpochSaved{EpochRecord{e6, Role::none, false, "boot"}}) ==
        Lines{"do stop_receiver"});
}

TEST_CASE("executor: orders before there is a server, or after the end, are refused", "[executor]")
{
    Member member;
    member.launch();
    member.connect();
    CHECK(
        member.order(control::Prepare{e5}) ==
        Lines{
            "report refused to prepare: the server is not there yet",
            "say refused prepare busy 0"});
    member.feed(KillOrdered{{"t1"}, {}});
    CHECK(
        member.order(control::Prepare{e5}) ==
        Lines{
            "report refused to prepare: this member is stopping",
            "say refused prepare server_failed 0"});
}

TEST_CASE("executor: a server that is starting is waited for", "[executor]")
{
    Member member;
    member.fence();
    member.order(control::Restart{e4});
    member.feed(ServerExited{member.run(), "was killed by signal 9"});
    member.feed(Probed{member.run(), {}});
    member.order(control::Restart{e4});
    REQUIRE(member.phase() == control::Phase::start);
    CHECK(member.order(control::Prepare{e5}) == Lines{"epoch 5 none"});
    member.feed(ServerExited{member.run(), "was killed by signal 9"});
    CHECK(has(member.feed(Probed{member.run(), {}}), "do stop_receiver"));
}

TEST_CASE(
    "executor: the first primary gets its accounts before it says that it is promoted",
    "[executor]")
{
    Member member;
    member.fence();
    CHECK(
        member.order(promote(e5, 0)) ==
        Lines{
            "epoch 5 candidate",
            "do promote 5 0-1-1 acks=0",
            "update 5 running: applies what it received, then leads epoch 5"});
    CHECK(
        member.order(control::Open{e5}) ==
        Lines{
            "report refused to open: is not the primary of epoch 5",
            "say refused open not_primary 5"});
    CHECK(
        member.feed(ServerPromoted{member.op(), "0-1-2"}) ==
        Lines{"epoch 5 primary", "do accounts 0"});
    CHECK(member.order(control::Open{e5}) == Lines{});
    CHECK(member.feed(AccountsMade{member.op()}) == Lines{"say promoted 5 0-1-2", "do open"});
    CHECK(member.feed(ServerOpened{member.op()}) == Lines{"say opened 5"});
    CHECK(member.order(control::Open{e5}) == Lines{"say opened 5"});
}

TEST_CASE("executor: a later primary says so before it waits for acknowledgements", "[executor]")
{
    Member member;
    member.fence();
    member.replicate(e4, m2, true);
    CHECK(
        member.order(promote(e5)) ==
        Lines{
            "epoch 5 candidate",
            "do promote 5 0-1-1 acks=1",
            "update 6 running: applies what it received, then leads epoch 5"});
    CHECK(member.feed(PromotionBegun{member.op()}) == Lines{});
    CHECK(
        member.feed(ServerPromoted{member.op(), "0-1-2"}) ==
        Lines{"epoch 5 primary", "say promoted 5 0-1-2", "do accounts 0"});
    CHECK(member.feed(AccountsMade{member.op()}) == Lines{});
    // The answer was lost: asked again, it answers again.
    CHECK(member.order(promote(e5)) == Lines{"do accounts 0"});
    CHECK(member.feed(AccountsMade{member.op()}) == Lines{"say promoted 5 0-1-2"});
}

TEST_CASE("executor: who led last loses nothing by a promotion that fails", "[executor]")
{
    Member member;
    member.fence();
    member.order(promote(e4, 0));
    member.feed(ServerPromoted{member.op(), "0-1-2"});
    member.feed(AccountsMade{member.op()});
    member.feed(ServerExited{member.run(), "was killed by signal 9"});
    member.order(control::Prepare{e5});
    member.feed(Probed{member.run(), {}});
    member.feed(ReceiverStopped{member.op(), "0-1-2", e4});
    member.order(promote(e5));
    CHECK_FALSE(
        has(member.feed(ServerExited{member.run(), "was killed by signal 9"}),
            "epoch 5 candidate amnesiac"));
    CHECK(member.state.record == EpochRecord{e5, Role::primary, false, member.state.boot_id});
}

TEST_CASE("executor: a probe that shows the marker makes a candidate the primary", "[executor]")
{
    Member member;
    member.fence();
    member.replicate(e4, m2, true);
    member.order(promote(e5));
    member.feed(PromotionBegun{member.op()});
    control::Observation seen;
    CHECK(member.feed(Probed{member.run(), seen}) == Lines{});
    seen.marker = e5;
    CHECK(member.feed(Probed{member.run(), seen}) == Lines{"epoch 5 primary"});
    CHECK(member.feed(Probed{member.run(), seen}) == Lines{});
}

TEST_CASE("executor: a promotion that fails", "[executor]")
{
    Member member;
    member.fence();
    member.replicate(e4, m2, true);
    member.order(promote(e5));
    SECTION("for want of the position leaves a replica shut out")
    {
        CHECK(
            member.feed(
                OpFailed{member.op(), control::Refused::Reason::lacks_position, "lacks 0-1-9"}) ==
            Lines{
                "report refused to promote: lacks 0-1-9",
                "say refused promote lacks_position 5",
                "update 7 running: answers; read-only, waits for orders"});
    }
    SECTION("half way takes the server down until ordered")
    {
        CHECK(
            member.feed(OpFailed{member.op(), control::Refused::Reason::server_failed, "gone"}) ==
            Lines{
                "kill 1",
                "report refused to promote: gone",
                "say refused promote server_failed 5",
                "update 7 running: the promotion failed: gone"});
        member.feed(ServerExited{member.run(), "was killed by signal 9"});
        CHECK(member.phase() == control::Phase::crashed);
        CHECK(
            member.order(promote(e5)) == Lines{
                                             "report refused to promote: the server is down",
                                             "say refused promote server_failed 5"});
    }
}

TEST_CASE("executor: Follow, and what it means to be told again", "[executor]")
{
    Member member;
    member.fence();
    CHECK(
        member.order(follow(e5, m2, true)) ==
        Lines{"epoch 5 replica", "do follow 5 2 acknowledging"});
    CHECK(
        member.feed(PrimaryFollowed{member.op()}) ==
        Lines{"say followed 5 acknowledging", "update 5 running: follows server 2"});
    SECTION("the receiver runs: nothing is touched")
    {
        control::Observation seen;
        seen.receiver_running = true;
        member.feed(Probed{member.run(), seen});
        CHECK(member.order(follow(e5, m2, true)) == Lines{"say followed 5 acknowledging"});
    }
    SECTION("the receiver does not run: done again")
    {
        CHECK(member.order(follow(e5, m2, true)) == Lines{"do follow 5 2 acknowledging"});
    }
    SECTION("without acknowledging: done, in the same epoch")
    {
        CHECK(member.order(follow(e5, m2, false)) == Lines{"do follow 5 2"});
    }
    SECTION("itself: refused")
    {
        CHECK(
            member.order(follow(e6, MemberId{1}, true)) ==
            Lines{
                "report refused to follow: asked to follow itself",
                "say refused follow server_failed 5"});
    }
    SECTION("the epoch's preparation is over")
    {
        CHECK(
            member.order(control::Prepare{e5}) ==
            Lines{
                "report refused to prepare: epoch 5 is past its preparation here",
                "say refused prepare old_epoch 5"});
    }
    SECTION("an error of the server is passed on, and nothing is known of its source")
    {
        member.order(follow(e6, m3, true));
        member.feed(OpFailed{member.op(), control::Refused::Reason::errant, "has more"});
        CHECK(member.phase() == control::Phase::fenced);
    }
}

TEST_CASE(
    "executor: one that has forgotten acknowledges and votes when it has caught up", "[executor]")
{
    Member member;
    member.fence();
    member.replicate(e4, m2, true);
    member.feed(ServerExited{member.run(), "was killed by signal 9"});
    member.feed(Probed{member.run(), {}});
    REQUIRE(observation(member.state).amnesiac);

    CHECK(
        member.order(follow(e5, m2, true)) ==
        Lines{"epoch 5 replica amnesiac", "do follow 5 2 acknowledging"});
    CHECK(has(member.feed(PrimaryFollowed{member.op()}), "say followed 5 acknowledging"));
    CHECK(observation(member.state).amnesiac);

    auto caught_up = follow(e5, m2, true);
    caught_up.caught_up = true;
    caught_up.server_run = observation(member.state).server_run;
    SECTION("as it is told when it was seen to")
    {
        CHECK(member.order(caught_up) == Lines{"do follow 5 2 acknowledging"});
        CHECK(
            member.feed(PrimaryFollowed{member.op()}) ==
            Lines{"epoch 5 replica", "say followed 5 acknowledging caught up"});
        CHECK_FALSE(observation(member.state).amnesiac);
    }
    SECTION("not when it has restarted since")
    {
        member.feed(ServerExited{member.run(), "was killed by signal 9"});
        member.wait(1min);
        member.feed(Probed{member.run(), {}});
        member.order(caught_up);
        CHECK(has(member.feed(PrimaryFollowed{member.op()}), "say followed 5 acknowledging"));
        CHECK(observation(member.state).amnesiac);
    }
}

TEST_CASE("executor: a newer epoch pushes out what waits for an older one", "[executor]")
{
    Member member;
    member.fence();
    member.order(follow(e4, m2, true));
    const OpId slow = member.op();
    CHECK(member.order(control::Prepare{e5}) == Lines{"abandon", "epoch 5 replica"});
    CHECK(member.order(control::Prepare{e6}) == Lines{"abandon", "epoch 6 replica"});
    CHECK(
        member.feed(OpFailed{slow, control::Refused::Reason::busy, "a newer order"}) ==
        Lines{
            "report refused to follow: a newer order",
            "say refused follow busy 6",
            "do stop_receiver"});
    // The answer to an older Prepare is not given once a newer epoch is promised.
    member.order(follow(Epoch{7}, m2, true));
    CHECK(
        member.feed(ReceiverStopped{member.op(), "0-1-7", e4}) ==
        Lines{"do follow 7 2 acknowledging"});
}

TEST_CASE("executor: orders to a primary", "[executor]")
{
    Member member;
    member.fence();
    member.promote(e5, 0, true);
    SECTION("change of acknowledgers")
    {
        CHECK(member.order(control::SetAcknowledgers{e5, 1, {}, 7}) == Lines{"do acks 1"});
        CHECK(member.order(control::LockAccount{e5, "repl_2", m2, 8}) == Lines{});
        CHECK(member.order(control::Open{e5}) == Lines{"say opened 5"});
        CHECK(
            member.order(control::SetAcknowledgers{e5, 2, {}, 9}) ==
            Lines{
                "report refused to set_acknowledgers: an earlier order is under way",
                "say refused set_acknowledgers busy 5"});
        CHECK(
            member.feed(AcknowledgersChanged{member.op(), "0-1-3"}) ==
            Lines{"say acknowledgers 5 1 0-1-3 serial=7", "do lock repl_2"});
        CHECK(
            member.feed(AccountBarred{member.op(), "0-1-4"}) ==
            Lines{"say locked 5 2 0-1-4 serial=8"});
    }
    SECTION("clients are let in before anything else that waits")
    {
        member.state.phase = Primary{.epoch = e5, .begun = true, .promoted = true};
        member.order(control::LockAccount{e5, "repl_2", m2, 8});
        member.order(control::SetAcknowledgers{e5, 1, {}, 7});
        CHECK(
            member.order(control::Open{e5}) ==
            Lines{
                "report refused to set_acknowledgers: clients are let in first",
                "say refused set_acknowledgers busy 5"});
        CHECK(has(member.feed(AccountBarred{member.op(), "0-1-4"}), "do open"));
    }
    SECTION("to shut clients out, and to let them in again")
    {
        CHECK(member.order(control::ShutOut{e5, 7}) == Lines{"do shut"});
        CHECK(member.feed(ServerShut{member.op(), "0-1-9"}) == Lines{"say shut 5 0-1-9"});
        CHECK(member.order(control::Open{e5}) == Lines{"do open"});
    }
    SECTION("to shut clients out, which fails: it may be half done")
    {
        member.order(control::ShutOut{e5, 7});
        const OpFailed failed{member.op(), control::Refused::Reason::server_failed, "timed out"};
        CHECK(
            member.feed(failed) ==
            Lines{"report refused to shut_out: timed out", "say refused shut_out server_failed 5"});
        CHECK(member.order(control::Open{e5}) == Lines{"do open"});
    }
    SECTION("of an epoch it is not the primary of")
    {
        CHECK(
            member.order(control::SetAcknowledgers{e6, 1, {}}) ==
            Lines{
                "report refused to set_acknowledgers: is not the primary of epoch 6",
                "say refused set_acknowledgers not_primary 5"});
        CHECK(member.state.record.epoch == e5);
    }
    SECTION("to promote it in another epoch without preparing it")
    {
        CHECK(has(member.order(promote(e6)), "say refused promote server_failed 5"));
    }
    SECTION("to follow in the epoch that it is the primary of")
    {
        CHECK(has(member.order(follow(e5, m2, true)), "say refused follow server_failed 5"));
    }
    SECTION("Prepare of a newer epoch fences it by killing, never by asking")
    {
        CHECK(
            member.order(control::Prepare{e6}) ==
            Lines{"epoch 6 primary", "kill 1", "update 6 running: starts mariadbd"});
        CHECK(
            member.feed(ServerExited{RunId{1}, "was killed by signal 9"}) ==
            Lines{"start 2 fenced"});
        CHECK(
            member.feed(Probed{RunId{2}, {}}) ==
            Lines{"do stop_receiver", "update 7 running: answers; read-only, waits for orders"});
        CHECK(
            member.feed(ReceiverStopped{member.op(), "0-1-9", e5}) ==
            Lines{"say prepared 6 0-1-9"});
    }
    SECTION("Follow of a newer epoch kills it, and cuts what nobody acknowledged")
    {
        CHECK(
            member.order(follow(e6, m2, true)) ==
            Lines{"epoch 6 replica amnesiac", "kill 1", "update 6 running: starts mariadbd"});
        CHECK(
            member.feed(ServerExited{RunId{1}, "was killed by signal 9"}) ==
            Lines{"start 2 as_replica"});
        CHECK(
            member.feed(Probed{RunId{2}, {}}) ==
            Lines{
                "do follow 6 2 acknowledging",
                "update 7 running: answers; read-only, waits for orders"});
    }
}

TEST_CASE(
    "executor: no server is started while an order to the last one is under way", "[executor]")
{
    Member member;
    member.fence();
    member.promote(e5, 0, true);
    member.order(control::SetAcknowledgers{e5, 1, {}, 7});
    const OpId hanging = member.op();
    member.order(control::Prepare{e6});
    CHECK(member.feed(ServerExited{RunId{1}, "was killed by signal 9"}) == Lines{});
    CHECK(
        member.feed(OpFailed{hanging, control::Refused::Reason::server_failed, "gone"}) ==
        Lines{
            "report refused to set_acknowledgers: gone",
            "say refused set_acknowledgers server_failed 6",
            "start 2 fenced"});
}

TEST_CASE("executor: outcomes of what is not under way change nothing", "[executor]")
{
    Member member;
    member.fence();
    member.replicate(e5, m2, true);
    const State before = member.state;
    const OpId none{99};
    const std::vector<Input> inputs{
        ReceiverStopped{none, "", {}},
        ServerPromoted{none, ""},
        AccountsMade{none},
        PrimaryFollowed{none},
        ServerOpened{none},
        AcknowledgersChanged{none, ""},
        AccountBarred{none, ""},
        ServerShut{none},
        OpFailed{none, {}, ""},
    };
    for (const Input& input : inputs) {
        CHECK(member.feed(input) == Lines{"ignored not the operation under way"});
        CHECK(member.state == before);
    }
}

TEST_CASE("executor: a Welcome's token is kept, heartbeats need no answer", "[executor]")
{
    Member member;
    member.fence();
    CHECK(
        member.order(control::Welcome{"permanent", "uuid-demo", {}, e4, "peers"}) ==
        Lines{"token permanent", "use token permanent", "use peer token peers"});
    CHECK(member.order(control::Heartbeat{}) == Lines{});
}
