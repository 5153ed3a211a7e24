// A member that is rebuilt from another one: what is done in which order, and what a crash or a new
// order in each step leaves behind.
#include "test/support/executor_script.hpp"

#include <catch2/catch.hpp>

#include <functional>

using namespace mysos;
using namespace mysos::executor;
using namespace mysos::executor::test;

namespace {

constexpr Epoch e5{5};
constexpr Epoch e6{6};
constexpr MemberId m2{2};
const std::string killed = "was killed by signal 9";

control::Rebuild rebuild(Epoch epoch, MemberId donor = m2, std::uint64_t serial = 7)
{
    control::Rebuild order;
    order.epoch = epoch;
    order.primary = m2;
    order.donor = donor;
    order.donor_host = "10.0.0.2";
    order.donor_port = 3306;
    order.donor_peer_port = 3307;
    order.position = "0-2-9";
    order.serial = serial;
    return order;
}

bool has(const Lines& lines, const std::string& line)
{
    return std::find(lines.begin(), lines.end(), line) != lines.end();
}

control::Observation holding(const std::string& position)
{
    control::Observation seen;
    seen.position = position;
    return seen;
}

/// A replica of epoch 5, told to be rebuilt, as far as that step of its rebuild.
enum class Step { saving, replacing, recipient, cloning, cloned, starting, finishing, rebuilt };

Member at(Step step, const std::string& flavor = "mariadb")
{
    Member member;
    member.fence(flavor);
    member.replicate(e5, m2, true);
    member.order(rebuild(e5));
    member.feed(ServerExited{member.run(), killed});
    if (step == Step::saving) return member;
    member.feed(ErrantSaved{member.op(), 3, "file"});
    if (step == Step::replacing) return member;
    member.feed(DataReplaced{member.op()});
    if (flavor == "mysql") {
        if (step == Step::recipient) return member;
        member.feed(Probed{member.run(), {}});
        if (step == Step::cloning) return member;
        member.feed(DataCloned{member.op()});
        if (step == Step::cloned) return member;
        member.feed(ServerExited{member.run(), "exited with status 16"});
    }
    if (step == Step::starting) return member;
    member.feed(Probed{member.run(), {}});
    if (step == Step::finishing) return member;
    member.feed(RebuildFinished{member.op(), "0-2-12"});
    return member;
}

}  // namespace

TEST_CASE("executor: a member is rebuilt, MariaDB", "[executor]")
{
    Member member;
    member.fence();
    member.replicate(e5, m2, true);
    CHECK(
        member.order(rebuild(e5)) ==
        Lines{"kill 1", "update 6 running: stops its server to be rebuilt from server 2"});
    CHECK(member.phase() == control::Phase::clone);
    CHECK_FALSE(observation(member.state).answers);
    // A killed MariaDB replica has forgotten what it acknowledged, rebuilt or not.
    CHECK(
        member.feed(ServerExited{RunId{1}, killed}) ==
        Lines{"epoch 5 replica amnesiac", "do save_errant beyond 0-2-9"});
    CHECK(
        member.feed(ErrantSaved{member.op(), 3, "x.sql"}) ==
        Lines{
            "report saved 3 transactions that nobody acknowledged: x.sql",
            "epoch 5 rebuilding amnesiac",
            "do replace_data from 2"});
    CHECK(observation(member.state).errant_transactions == 3);
    member.feed(RebuildProgressed{member.op(), 26, "120 of 450 MB"});
    CHECK(observation(member.state).message == "clones from server 2: 120 of 450 MB");
    CHECK(observation(member.state).progress_percent == 26);
    CHECK_FALSE(observation(member.state).needs_rebuild);
    CHECK(member.feed(DataReplaced{member.op()}) == Lines{"start 2 fenced"});
    CHECK(member.feed(Probed{RunId{2}, holding("0-2-12")}) == Lines{"do finish_rebuild"});
    // What a server holds that is not whole is nobody's business.
    CHECK(observation(member.state).position.empty());
    CHECK(
        member.feed(RebuildFinished{member.op(), "0-2-12"}) ==
        Lines{
            "epoch 5 replica amnesiac",
            "report rebuilt from server 2",
            "say rebuilt 5 0-2-12 errant=3 serial=7",
            "update 7 running: answers; read-only, waits for orders"});
    CHECK(member.phase() == control::Phase::fenced);
    CHECK(observation(member.state).amnesiac);
    CHECK_FALSE(observation(member.state).empty);
    CHECK(observation(member.state).position == "0-2-12");
    CHECK(has(member.order(follow(e5, m2, true)), "do follow 5 2 acknowledging"));
}

TEST_CASE(
    "executor: a member is rebuilt, MySQL, whose server clones and ends by itself", "[executor]")
{
    Member member = at(Step::replacing, "mysql");
    CHECK(member.feed(DataReplaced{member.op()}) == Lines{"start 2 recipient"});
    CHECK(member.feed(Probed{RunId{2}, {}}) == Lines{"do clone from 2"});
    SECTION("the answer comes first")
    {
        CHECK(member.feed(DataCloned{member.op()}) == Lines{"kill 2"});
        CHECK(
            member.feed(ServerExited{RunId{2}, "exited with status 16"}) ==
            Lines{"start 3 fenced"});
    }
    SECTION("the end comes first")
    {
        CHECK(member.feed(ServerExited{RunId{2}, "exited with status 16"}) == Lines{});
        CHECK(has(member.feed(DataCloned{member.op()}), "start 3 fenced"));
    }
    CHECK(member.feed(Probed{RunId{3}, {}}) == Lines{"do finish_rebuild"});
    CHECK(
        has(member.feed(RebuildFinished{member.op(), "u:1-5"}),
            "say rebuilt 5 u:1-5 errant=3 serial=7"));
}

TEST_CASE("executor: what a rebuild is refused for", "[executor]")
{
    Member member;
    member.fence();
    SECTION("the primary of that epoch")
    {
        member.promote(e5, 0, true);
        CHECK(has(member.order(rebuild(e5)), "say refused rebuild server_failed 5"));
        CHECK(member.phase() == control::Phase::primary);
    }
    SECTION("the member that the order itself calls the primary, or the donor")
    {
        control::Rebuild order = rebuild(e5);
        order.primary = MemberId{1};
        CHECK(has(member.order(order), "say refused rebuild server_failed 0"));
        CHECK(has(member.order(rebuild(e5, MemberId{1})), "say refused rebuild server_failed 0"));
    }
    SECTION("an old epoch")
    {
        member.replicate(e6, m2, true);
        CHECK(has(member.order(rebuild(e5)), "say refused rebuild old_epoch 6"));
        CHECK(member.phase() == control::Phase::replica);
    }
    SECTION("data to lose, and no word of what the primary holds")
    {
        control::Rebuild order = rebuild(e5);
        order.position = "";
        CHECK(has(member.order(order), "say refused rebuild server_failed 0"));
    }
    CHECK(member.state.record.role != Role::rebuilding);
}

TEST_CASE(
    "executor: a primary that another has replaced is rebuilt, its server killed", "[executor]")
{
    Member member;
    member.fence();
    member.promote(e5, 1, true);
    const Lines told = member.order(rebuild(e6));
    CHECK(has(told, "kill 1"));
    CHECK(has(told, "epoch 6 primary"));
    CHECK(member.feed(ServerExited{RunId{1}, killed}) == Lines{"do save_errant beyond 0-2-9"});
    // A failure before anything was deleted leaves it as it was: down, its data untouched.
    CHECK(
        has(member.feed(OpFailed{member.op(), control::Refused::Reason::server_failed, "no room"}),
            "say refused rebuild server_failed 6"));
    CHECK(member.phase() == control::Phase::crashed);
    CHECK(member.state.record.role == Role::primary);
    // And can be ordered again.
    CHECK(has(member.order(rebuild(e6, m2, 8)), "do save_errant beyond 0-2-9"));
}

TEST_CASE("executor: what cannot be saved is not deleted", "[executor]")
{
    Member member = at(Step::saving);
    const Lines failed =
        member.feed(OpFailed{member.op(), control::Refused::Reason::server_failed, "no tool"});
    CHECK(has(failed, "say refused rebuild server_failed 5"));
    CHECK(has(failed, "start 2 fenced"));
    CHECK(member.state.record.role == Role::replica);
    CHECK_FALSE(observation(member.state).needs_rebuild);
}

TEST_CASE("executor: nothing is deleted before the volume says so", "[executor]")
{
    Member member = at(Step::saving);
    member.disk_full = true;
    const Lines failed = member.feed(ErrantSaved{member.op(), 3, "x.sql"});
    CHECK(has(failed, "say refused rebuild server_failed 5"));
    CHECK_FALSE(has(failed, "do replace_data from 2"));
    CHECK(has(failed, "start 2 fenced"));
}

TEST_CASE("executor: from the first deletion on, it waits to be rebuilt", "[executor]")
{
    struct Case {
        std::string name;
        std::string flavor;
        Step step;
        std::function<Lines(Member&)> happens;
        bool kills;
    };
    const auto op_fails = [](Member& member) {
        return member.feed(
            OpFailed{member.op(), control::Refused::Reason::server_failed, "the donor died"});
    };
    const auto exits = [](Member& member) {
        return member.feed(ServerExited{member.run(), "was killed by signal 11"});
    };
    const auto does_not_start = [](Member& member) {
        return member.feed(ServerNotStarted{member.run(), "no such program"});
    };
    const auto cannot_record = [](Member& member) {
        member.disk_full = true;
        return member.feed(RebuildFinished{member.op(), "0-2-12"});
    };
    const std::vector<Case> cases{
        {"the donor dies", "mariadb", Step::replacing, op_fails, false},
        {"the recipient does not start", "mysql", Step::recipient, exits, false},
        {"cannot be started at all", "mysql", Step::recipient, does_not_start, false},
        {"the donor dies while it is cloned", "mysql", Step::cloning, op_fails, true},
        {"the copy does not start", "mariadb", Step::starting, exits, false},
        {"or does not start, MySQL", "mysql", Step::starting, exits, false},
        {"the copy is not whole", "mariadb", Step::finishing, op_fails, true},
        {"its server ends", "mariadb", Step::finishing, exits, false},
        {"the volume is full", "mariadb", Step::finishing, cannot_record, true},
    };
    for (const Case& c : cases) {
        INFO(c.name);
        Member member = at(c.step, c.flavor);
        const std::string kill = "kill " + std::to_string(static_cast<unsigned>(member.run()));
        const Lines told = c.happens(member);
        CHECK(has(told, "say refused rebuild server_failed 5"));
        CHECK(has(told, kill) == c.kills);
        CHECK(observation(member.state).needs_rebuild);
        CHECK(member.phase() == control::Phase::clone);
        CHECK(member.state.record.role == Role::rebuilding);
        member.disk_full = false;
        if (c.kills) CHECK(member.feed(ServerExited{member.run(), killed}) == Lines{});

        // No other order starts a server on it.
        for (const control::ToMember& order : std::vector<control::ToMember>{
                 control::Prepare{e6},
                 control::Restart{e6},
                 follow(e6, m2, true),
                 control::Promote{e6, "", 0, {}}}) {
            CHECK(member.order(order).size() == 2);
            CHECK(observation(member.state).needs_rebuild);
        }
        if (member.state.operation) {
            CHECK(member.order(rebuild(e6, MemberId{3}, 8)) == Lines{"abandon"});
            CHECK(has(op_fails(member), "do replace_data from 3"));
            continue;
        }
        // Another donor: cleanly from the beginning, and what was saved is saved.
        CHECK(has(member.order(rebuild(e6, MemberId{3}, 8)), "do replace_data from 3"));
        CHECK(member.state.record.epoch == e6);
        CHECK_FALSE(observation(member.state).needs_rebuild);
    }
}

TEST_CASE("executor: another order to be rebuilt takes the place of the first", "[executor]")
{
    const control::Rebuild other = rebuild(e5, MemberId{3}, 8);
    SECTION("the same again is under way")
    {
        Member member = at(Step::replacing);
        CHECK(member.order(rebuild(e5)) == Lines{"ignored already under way"});
        control::Rebuild later = rebuild(e5);
        later.position = "0-2-11";
        CHECK(member.order(later) == Lines{"ignored already under way"});
    }
    SECTION("the same again has been done")
    {
        Member member = at(Step::rebuilt);
        CHECK(member.order(rebuild(e5)) == Lines{"say rebuilt 5 0-2-12 errant=3 serial=7"});
        CHECK(member.phase() == control::Phase::fenced);
        CHECK(has(member.order(other), "kill 2"));
        CHECK(member.phase() == control::Phase::clone);
    }
    SECTION("while a copy is on its way")
    {
        Member member = at(Step::replacing);
        CHECK(member.order(other) == Lines{"abandon"});
        CHECK(
            has(member.feed(OpFailed{member.op(), control::Refused::Reason::busy, "given up"}),
                "do replace_data from 3"));
    }
    SECTION("or has just come")
    {
        Member member = at(Step::replacing);
        member.order(other);
        CHECK(has(member.feed(DataReplaced{member.op()}), "do replace_data from 3"));
    }
    SECTION("while what it alone holds is saved")
    {
        Member member = at(Step::saving);
        member.order(other);
        const Lines saved = member.feed(ErrantSaved{member.op(), 3, "x.sql"});
        CHECK(has(saved, "do replace_data from 3"));
        CHECK(observation(member.state).errant_transactions == 3);
    }
    SECTION("while a server clones")
    {
        Member member = at(Step::cloning, "mysql");
        const OpId op = member.op();
        CHECK(member.order(other) == Lines{"abandon", "kill 2"});
        CHECK(member.feed(ServerExited{RunId{2}, killed}) == Lines{});
        CHECK(
            has(member.feed(OpFailed{op, control::Refused::Reason::server_failed, "lost"}),
                "do replace_data from 3"));
    }
    SECTION("while a server starts on the copy")
    {
        Member member = at(Step::starting);
        CHECK(has(member.order(other), "kill 2"));
        CHECK(has(member.feed(ServerExited{RunId{2}, killed}), "do replace_data from 3"));
    }
    SECTION("an older epoch is refused")
    {
        Member member = at(Step::replacing);
        CHECK(has(member.order(rebuild(Epoch{4})), "say refused rebuild old_epoch 5"));
    }
    SECTION("and any other order has to wait")
    {
        Member member = at(Step::replacing);
        CHECK(has(member.order(follow(e5, m2, true)), "say refused follow busy 5"));
    }
}

TEST_CASE("executor: relaunched in the middle, it starts no server and waits", "[executor]")
{
    for (const bool has_data : {false, true}) {
        Member member;
        member.launch();
        member.connect();
        Volume volume;
        volume.identity = Identity{"demo", "uuid-demo", MemberId{1}};
        volume.record = EpochRecord{e5, Role::rebuilding, true, "boot"};
        volume.boot_id = "boot";
        volume.has_data = has_data;
        volume.errant = 4;
        CHECK(member.feed(VolumeInspected{volume}) == Lines{"install"});
        CHECK(
            member.feed(Installed{"10.11"}) ==
            Lines{"update 2 starting: its data directory is not whole: it waits to be rebuilt"});
        CHECK(observation(member.state).needs_rebuild);
        CHECK(observation(member.state).errant_transactions == 4);
        CHECK(observation(member.state).amnesiac);
        // With nothing left to save, what the primary holds need not be known.
        control::Rebuild order = rebuild(e5);
        order.position = "";
        CHECK(has(member.order(order), "do replace_data from 2"));
    }
}

TEST_CASE("executor: a task can end while its member is rebuilt", "[executor]")
{
    for (const Step step : {Step::saving, Step::replacing, Step::starting}) {
        Member member = at(step);
        member.feed(KillOrdered{{"t1"}, {}});
        if (step == Step::starting) member.feed(ServerExited{member.run(), "exited with status 0"});
        CHECK(member.phase() == control::Phase::stopping);
        CHECK_FALSE(has(member.feed(DataReplaced{member.op()}), "start 2 fenced"));
    }
}

TEST_CASE("executor: a server that is down or still starts can be rebuilt as well", "[executor]")
{
    Member member;
    member.fence();
    member.replicate(e5, m2, true);
    member.feed(ServerExited{RunId{1}, killed});
    REQUIRE(member.phase() == control::Phase::start);
    CHECK(has(member.order(rebuild(e5)), "kill 2"));
    CHECK(has(member.feed(ServerExited{RunId{2}, killed}), "do save_errant beyond 0-2-9"));
}

TEST_CASE("executor: a rebuild waits for the order that is being carried out", "[executor]")
{
    Member member;
    member.fence();
    member.order(follow(e5, m2, true));
    const OpId following = member.op();
    const Lines told = member.order(rebuild(e5));
    // The follow is an order of the same epoch that is under way, not one that waits.
    CHECK(has(told, "abandon"));
    CHECK(has(told, "kill 1"));
    CHECK_FALSE(has(member.feed(ServerExited{RunId{1}, killed}), "do save_errant beyond 0-2-9"));
    CHECK(
        has(member.feed(OpFailed{following, control::Refused::Reason::server_failed, "gone"}),
            "do save_errant beyond 0-2-9"));
}
