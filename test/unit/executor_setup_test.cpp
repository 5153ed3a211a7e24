#include "test/support/executor_script.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace mysos;
using namespace mysos::executor;
using namespace mysos::executor::test;
using namespace std::chrono_literals;

namespace {

constexpr Epoch e5{5};

Volume used(Role role, bool amnesiac = false)
{
    Volume volume;
    volume.identity = Identity{"demo", "uuid-demo", MemberId{1}};
    volume.has_data = true;
    volume.record = EpochRecord{e5, role, amnesiac, "boot"};
    volume.boot_id = "boot";
    return volume;
}

}  // namespace

TEST_CASE("executor: a new volume is claimed, installed on, initialised and started", "[executor]")
{
    Member member;
    member.launch();
    member.connect();
    Volume volume;
    volume.boot_id = "boot";
    CHECK(member.feed(VolumeInspected{volume}) == Lines{"claim demo 1", "epoch 0 none", "install"});
    member.feed(InstallProgressed{InstallProgressed::Step::fetching, 40});
    REQUIRE(member.observations().size() == 1);
    CHECK(member.observations().front().progress_percent == 40);
    CHECK(
        member.feed(Installed{"10.11.6"}) ==
        Lines{"initialise", "update 2 starting: makes an empty data directory"});
    CHECK(
        member.feed(DataInitialised{}) ==
        Lines{"start 1 fenced", "update 3 starting: starts mariadbd"});
    CHECK(member.wait(50ms) == Lines{"probe 1"});
    CHECK(member.feed(ProbeFailed{RunId{1}, "not there"}) == Lines{});
    CHECK(member.wait(50ms) == Lines{"probe 1"});
    CHECK(
        member.feed(Probed{RunId{1}, {}}) ==
        Lines{"update 4 running: answers; read-only, waits for orders"});
    const auto seen = observation(member.state);
    CHECK(seen.phase == control::Phase::fenced);
    CHECK(seen.answers);
    CHECK(seen.empty);
    CHECK_FALSE(seen.amnesiac);
}

TEST_CASE("executor: a token that comes before the volume is known waits for it", "[executor]")
{
    Member member;
    member.launch();
    member.connect();
    CHECK(
        member.order(control::Welcome{"permanent", "uuid-demo", {}, {}, "peers"}) ==
        Lines{"use token permanent", "use peer token peers"});
    Member ours = member;
    CHECK(ours.feed(VolumeInspected{{}}) == Lines{"claim demo 1", "token permanent", "install"});

    // Never on a volume of somebody else.
    Volume theirs;
    theirs.identity = Identity{"other", "uuid-other", MemberId{1}};
    const Lines refused = member.feed(VolumeInspected{theirs});
    CHECK(std::ranges::find(refused, "token permanent") == refused.end());
    CHECK(
        member.order(control::Welcome{"permanent", "uuid-demo", {}, {}, "peers"}) ==
        Lines{"use token permanent", "use peer token peers"});
}

TEST_CASE("executor: what is on a volume decides how its server is started", "[executor]")
{
    struct Case {
        std::string name;
        std::string flavor;
        Volume volume;
        Lines inspected;
        Lines installed;
        bool amnesiac;
    };
    const Lines start{"start 1 fenced", "update 2 starting: starts mariadbd"};
    const Lines start_mysql{"start 1 fenced", "update 2 starting: starts mysqld"};
    const Lines down{
        "update 2 starting: was the primary when it last ran; waits for orders with its data "
        "untouched"};
    Volume rebooted = used(Role::replica);
    rebooted.boot_id = "another boot";
    Volume rebooted_primary = used(Role::primary);
    rebooted_primary.boot_id = "another boot";
    Volume unreadable = used(Role::none);
    unreadable.record.reset();
    unreadable.epoch_file_corrupt = true;
    Volume unfinished;
    unfinished.identity = Identity{"demo", "uuid-demo", MemberId{1}};
    unfinished.record = EpochRecord{{}, Role::none, false, "boot"};
    unfinished.boot_id = "boot";

    const std::vector<Case> cases{
        {"never followed", "mariadb", used(Role::none), {"install"}, start, false},
        {"a MariaDB replica has forgotten",
         "mariadb",
         used(Role::replica),
         {"epoch 5 replica amnesiac", "install"},
         start,
         true},
        {"a MySQL replica has not", "mysql", used(Role::replica), {"install"}, start_mysql, false},
        {"unless the machine went down",
         "mysql",
         rebooted,
         {"epoch 5 replica amnesiac", "install"},
         start_mysql,
         true},
        {"or it had forgotten before",
         "mysql",
         used(Role::replica, true),
         {"install"},
         start_mysql,
         true},
        {"a primary is left down", "mariadb", used(Role::primary), {"install"}, down, false},
        {"and keeps its word over a reboot",
         "mariadb",
         rebooted_primary,
         {"epoch 5 primary", "install"},
         down,
         false},
        {"so is one half promoted",
         "mariadb",
         used(Role::candidate),
         {"epoch 5 candidate amnesiac", "install"},
         down,
         true},
        {"an epoch that cannot be read", "mariadb", unreadable, {"install"}, start, true},
        {"an initialisation that did not end",
         "mariadb",
         unfinished,
         {"install"},
         {"initialise", "update 2 starting: makes an empty data directory"},
         false},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            Member member;
            member.launch(c.flavor);
            CHECK(member.feed(VolumeInspected{c.volume}) == c.inspected);
            CHECK(member.feed(Installed{"1"}) == c.installed);
            CHECK(observation(member.state).amnesiac == c.amnesiac);
            CHECK(observation(member.state).epoch_unreadable == !c.volume.record);
        }
    }
}

TEST_CASE("executor: a volume of another member is refused by name and left alone", "[executor]")
{
    struct Case {
        std::string name;
        Volume volume;
        std::string says;
    };
    Volume other_cluster = used(Role::replica);
    other_cluster.identity = Identity{"prod", "uuid-prod", MemberId{1}};
    Volume other_member = used(Role::replica);
    other_member.identity->member = MemberId{2};
    Volume unsigned_data = used(Role::replica);
    unsigned_data.identity.reset();
    const std::vector<Case> cases{
        {"cluster",
         other_cluster,
         "the volume belongs to server 1 of cluster 'prod' (uuid-prod), this task is server 1 of "
         "cluster 'demo' (uuid-demo)"},
        {"member",
         other_member,
         "the volume belongs to server 2 of cluster 'demo' (uuid-demo), this task is server 1 of "
         "cluster 'demo' (uuid-demo)"},
        {"unsigned", unsigned_data, "the volume holds a data directory that nobody has signed"},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            Member member;
            member.launch();
            CHECK(member.feed(VolumeInspected{c.volume}) == Lines{"update 2 failed: " + c.says});
        }
    }
}

TEST_CASE("executor: a setup that fails fails the task with its reason", "[executor]")
{
    Member member;
    member.launch();
    member.feed(VolumeInspected{{}});
    CHECK(
        member.feed(SetupFailed{"no server at /opt/none/mariadbd"}) ==
        Lines{"update 2 failed: no server at /opt/none/mariadbd"});
    CHECK(member.feed(SetupFailed{"again"}) == Lines{"ignored no setup under way"});
    CHECK(member.feed(Installed{"1"}) == Lines{"ignored no installation under way"});
    CHECK(member.feed(DataInitialised{}) == Lines{"ignored no initialisation under way"});
    CHECK(
        member.feed(InstallProgressed{InstallProgressed::Step::fetching, 1}) ==
        Lines{"ignored no installation under way"});
}

TEST_CASE(
    "executor: a server that ends before it answers is tried again, then given up", "[executor]")
{
    Member member;
    member.launch();
    member.feed(VolumeInspected{used(Role::none)});
    member.feed(Installed{"1"});
    const Lines warned{"report mariadbd exited with status 1 before it answered"};
    CHECK(member.feed(ServerExited{RunId{1}, "exited with status 1"}) == warned);
    CHECK(member.wait(999ms) == Lines{});
    CHECK(member.wait(1ms) == Lines{"start 2 fenced"});
    CHECK(member.feed(ServerExited{RunId{1}, "late"}) == Lines{"ignored another run"});
    CHECK(member.feed(ServerExited{RunId{2}, "exited with status 1"}) == warned);
    CHECK(member.wait(2s) == Lines{"start 3 fenced"});
    CHECK(
        member.feed(ServerExited{RunId{3}, "exited with status 1"}) ==
        Lines{"update 3 failed: mariadbd exited with status 1 before it answered"});
}

TEST_CASE("executor: a server that cannot be started at all fails the task", "[executor]")
{
    Member member;
    member.launch();
    member.feed(VolumeInspected{used(Role::none)});
    member.feed(Installed{"1"});
    CHECK(
        member.feed(ServerNotStarted{RunId{1}, "/opt/none/mariadbd: no such file"}) ==
        Lines{"update 3 failed: /opt/none/mariadbd: no such file"});
}
