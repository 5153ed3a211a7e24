// The volume: whose it is, what is kept there, and when it is full. And how the program ends.
#include "executor/install/path_lock.hpp"
#include "test/support/executor_world.hpp"
#include "test/support/packages.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace mysos;
using namespace mysos::test;

namespace {

namespace fs = std::filesystem;

void write(const std::string& path, const std::string& text)
{
    fs::create_directories(fs::path{path}.parent_path());
    std::ofstream{path, std::ios::binary} << text;
}

/// Every file below it and what it holds.
std::map<std::string, std::string> contents(const std::string& directory)
{
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
        files[entry.path()] = entry.is_regular_file() ? text_of(entry.path()) : "";
    }
    return files;
}

void await_end(ExecutorWorld& world, const TestMember& member)
{
    world.loop.run_until([&] { return member.process->ended().has_value(); });
}

/// Takes all that is left of the disk, and gives it back.
class Filler {
  public:
    explicit Filler(std::string path) : path_{std::move(path)}
    {
        constexpr mode_t mode = 0600;
        const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, mode);
        REQUIRE(file >= 0);
        const std::string block(65536, 'x');
        // The last bytes go one by one.
        for (std::size_t size = block.size(); size > 0;) {
            if (::write(file, block.data(), size) <= 0) size /= 2;
        }
        ::close(file);
    }
    Filler(const Filler&) = delete;
    Filler& operator=(const Filler&) = delete;
    ~Filler() { ::unlink(path_.c_str()); }

  private:
    std::string path_;
};

}  // namespace

TEST_CASE("executor: a volume that is not its own is named and left alone", "[executor]")
{
    const std::string ours = "server 1 of cluster 'demo' (5f0c6f6a-6a2e-4c8e-9f5d-111111111111)";
    struct Case {
        std::string name;
        std::string file;
        std::string text;
        std::string says;
    };
    const std::vector<Case> cases{
        {"another cluster's",
         "mysos/identity",
         R"({"cluster":"other","cluster_uuid":"aaaa","server_id":1})",
         "the volume belongs to server 1 of cluster 'other' (aaaa), this task is " + ours},
        {"another member's",
         "mysos/identity",
         R"({"cluster":"demo","cluster_uuid":"5f0c6f6a-6a2e-4c8e-9f5d-111111111111","server_id":2})",
         "the volume belongs to server 2 of cluster 'demo' "
         "(5f0c6f6a-6a2e-4c8e-9f5d-111111111111), this task is " +
             ours},
        {"who knows whose",
         "mysos/identity",
         "{",
         "VOLUME/mysos/identity does not say whose volume this is"},
        {"nobody's, with files",
         "mysql/data/notes",
         "keep me",
         "VOLUME/mysql/data is not empty and not a data directory: it has no ibdata1"},
        {"a data directory that nobody signed",
         "mysql/data/ibdata1",
         "",
         "the volume holds a data directory that nobody has signed"},
    };
    ExecutorWorld world;
    for (const Case& c : cases) {
        INFO(c.name);
        TestMember& member = world.make(1);
        fs::remove_all(member.volume);
        write(member.volume + "/" + c.file, c.text);
        if (c.file.ends_with("ibdata1"))
            fs::create_directories(member.volume + "/mysql/data/mysql");
        const auto before = contents(member.volume);
        world.start(member);
        await_end(world, member);
        std::string says = "TASK_FAILED: " + c.says;
        const auto at = says.find("VOLUME");
        if (at != std::string::npos) says.replace(at, 6, fs::canonical(member.volume).string());
        CHECK(member.agent->statuses().back() == says);
        CHECK(contents(member.volume) == before);
    }
}

TEST_CASE("executor: without a volume there is nothing to run on", "[executor]")
{
    ExecutorWorld world;
    TestMember& member = world.make(1);
    fs::remove(member.sandbox + "/data");
    world.start(member);
    await_end(world, member);
    CHECK(
        member.agent->statuses().back() ==
        "TASK_FAILED: no volume: " + member.sandbox + "/data: No such file or directory");
}

TEST_CASE(
    "executor: an agent's work directory that is closed to others is no obstacle", "[executor]")
{
    if (::geteuid() != 0) {
        WARN("needs the superuser, whose servers run as somebody else");
        return;
    }
    const std::string flavor = GENERATE("mariadb", "mysql");
    if (flavor == "mysql" && server_programs(mysql::Flavor::mysql).has_error()) {
        WARN(server_programs(mysql::Flavor::mysql).error().text);
        return;
    }
    ExecutorWorld world{flavor};
    TestMember& member = world.make(1);
    const fs::path work_dir = world.directory() + "/agent1";
    REQUIRE(member.volume.starts_with(work_dir.string()));
    fs::permissions(work_dir, fs::perms{0700});
    world.start(member);
    world.await_phase(member, control::Phase::fenced);
    world.promote(member, 1, 0);
    world.open(member, 1);
    REQUIRE(world.sql(member, "CREATE DATABASE d").has_value());
    member.process->kill();
    await_end(world, member);

    // Opened or not, its logs are where they were.
    fs::permissions(work_dir, fs::perms{0755});
    TestMember& again = world.make(1);
    world.start(again);
    world.await_phase(again, control::Phase::crashed);
    world.control->send(again.task, control::Prepare{Epoch{2}});
    CHECK(world.answer<control::Prepared>(again).marker == Epoch{1});
    world.control->send(again.task, control::Promote{Epoch{2}, "", 0, {}});
    static_cast<void>(world.answer<control::Promoted>(again));
    world.open(again, 2);
    CHECK(world.sql(again, "CREATE TABLE d.t (a INT)").has_value());
}

TEST_CASE(
    "executor: with a corrupt epoch it obeys nobody's promotion until it follows", "[executor]")
{
    ExecutorWorld world;
    control::Refused refused;
    const auto await_refusal = [&](const TestMember& member) {
        world.loop.run_until([&] {
            const auto answer = world.control->take(member.task);
            const auto* got = answer ? std::get_if<control::Refused>(&*answer) : nullptr;
            if (got != nullptr) refused = *got;
            return got != nullptr;
        });
    };
    TestMember& one = world.make(1);
    TestMember& two = world.make(2);
    world.start_pair(one, two);
    two.process->kill();
    await_end(world, two);
    const std::string epoch = two.volume + "/mysos/epoch";
    std::string text = text_of(epoch);
    const auto digit = text.find("\"epoch\":1");
    REQUIRE(digit != std::string::npos);
    text[digit + 8] = '0';
    write(epoch, text);

    TestMember& again = world.make(2);
    world.start(again);
    world.await_phase(again, control::Phase::fenced);
    CHECK(world.control->seen(again.task).epoch_unreadable);
    CHECK(world.control->seen(again.task).amnesiac);
    CHECK(text_of(epoch) == text);
    world.control->send(again.task, control::Promote{Epoch{2}, "", 0, {}});
    await_refusal(again);
    CHECK(refused.reason == control::Refused::Reason::lacks_position);
    CHECK(refused.message == "quarantined: the epoch on its volume cannot be read");

    // Following the primary of the day makes it a member again.
    world.follow(again, one, 1, false);
    world.loop.run_until([&] { return !world.control->seen(again.task).epoch_unreadable; });
    CHECK(world.control->seen(again.task).amnesiac);
    CHECK(text_of(epoch) != text);
}

TEST_CASE("executor: what cannot be kept on a full disk is not promised", "[executor]")
{
    if (::geteuid() != 0) {
        WARN("needs the superuser, who can make a small disk");
        return;
    }
    ExecutorWorld world;
    TestMember& member = world.make(1);
    world.start_on(member, "400m");
    world.await_phase(member, control::Phase::fenced);
    const std::string volume = member.process->seen(member.volume);
    const std::string epoch = volume + "/mysos/epoch";
    const std::string before = text_of(epoch);
    REQUIRE_FALSE(before.empty());
    {
        const Filler filler{volume + "/filler"};
        world.control->send(member.task, control::Prepare{Epoch{5}});
        std::optional<control::FromMember> answer;
        world.loop.run_until(
            [&] { return (answer = world.control->take(member.task)).has_value(); });
        REQUIRE(std::holds_alternative<control::Refused>(*answer));
        const auto& refused = std::get<control::Refused>(*answer);
        CHECK(refused.reason == control::Refused::Reason::server_failed);
        CHECK_THAT(refused.message, Catch::StartsWith("the epoch cannot be saved: /"));
        CHECK_THAT(refused.message, Catch::EndsWith(": No space left on device"));
        CHECK(refused.epoch == Epoch{});
        CHECK(text_of(epoch) == before);
    }
    // Said again with room for it.
    world.control->send(member.task, control::Prepare{Epoch{5}});
    CHECK(world.answer<control::Prepared>(member).epoch == Epoch{5});
    CHECK(text_of(epoch) != before);
}

TEST_CASE("executor: a volume too small for a data directory fails the task", "[executor]")
{
    if (::geteuid() != 0) {
        WARN("needs the superuser, who can make a small disk");
        return;
    }
    ExecutorWorld world;
    TestMember& member = world.make(1);
    world.start_on(member, "1m");
    await_end(world, member);
    const std::string last = member.agent->statuses().back();
    CHECK_THAT(last, Catch::StartsWith("TASK_FAILED: "));
    CHECK_THAT(last, Catch::Contains(member.volume));
    CHECK_THAT(last, Catch::Contains("No space left on device"));
}

TEST_CASE("executor: a volume that another executor still has is left to it", "[executor]")
{
    ExecutorWorld world;
    TestMember& member = world.make(1);
    const auto other = executor::PathLock::of_volume(fs::canonical(member.volume));
    REQUIRE(other.has_value());
    world.start(member);
    await_end(world, member);
    CHECK(
        member.agent->statuses().back() ==
        "TASK_FAILED: another executor still runs on " + fs::canonical(member.volume).string());
    CHECK(contents(member.volume).empty());
}

TEST_CASE("executor: an agent that does not know it any more ends it cleanly", "[executor]")
{
    ExecutorWorld world;
    TestMember& member = world.make(1);
    world.start(member);
    world.await_phase(member, control::Phase::fenced);
    const pid_t server = server_of(member.process->pid());
    REQUIRE(server > 0);
    member.agent->forget();
    await_end(world, member);
    CHECK(member.process->ended() == 0);
    CHECK(::kill(server, 0) != 0);
    CHECK_THAT(text_of(member.sandbox + "/server.log"), Catch::Contains("Shutdown complete"));
}

TEST_CASE("executor: its server ends with it, cleanly where there is time", "[executor]")
{
    ExecutorWorld world;
    TestMember& member = world.make(1);
    world.start(member);
    world.await_phase(member, control::Phase::fenced);
    const pid_t server = server_of(member.process->pid());
    REQUIRE(server > 0);
    member.process->signal(SIGTERM);
    await_end(world, member);
    CHECK(member.process->ended() == 0);
    CHECK(::kill(server, 0) != 0);
    CHECK(member.agent->statuses().back() == "TASK_KILLED: stopped: the executor got signal 15");
    CHECK_THAT(text_of(member.sandbox + "/server.log"), Catch::Contains("Shutdown complete"));

    TestMember& again = world.make(1);
    world.start(again);
    world.await_phase(again, control::Phase::fenced);
    const pid_t second = server_of(again.process->pid());
    REQUIRE(second > 0);
    again.process->kill();
    await_end(world, again);
    CHECK(again.process->ended() == SIGKILL);
    world.loop.run_until([&] { return ::kill(second, 0) != 0; });
}
