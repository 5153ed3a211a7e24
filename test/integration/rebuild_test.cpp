// A member is rebuilt from another one, with real servers and real programs.
#include "executor/rebuild/peer.hpp"
#include "test/support/executor_world.hpp"
#include "test/support/free_port.hpp"
#include "test/support/packages.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <thread>

using namespace mysos;
using namespace mysos::test;

namespace {

namespace fs = std::filesystem;

bool can_run(const std::string& flavor)
{
    if (flavor == "mariadb") return true;
    const auto& programs = server_programs(mysql::Flavor::mysql);
    if (programs.has_error()) WARN(programs.error().text);
    return programs.has_value();
}

control::FromMember next_answer(ExecutorWorld& world, const TestMember& member)
{
    std::optional<control::FromMember> got;
    world.loop.run_until([&] { return (got = world.control->take(member.task)).has_value(); });
    return std::move(*got);
}

std::string count(ExecutorWorld& world, const TestMember& member)
{
    const auto rows = world.sql_as_administrator(member, "SELECT COUNT(*) FROM d.t");
    return rows.has_error() ? rows.error().text : rows->scalar();
}

void write(ExecutorWorld& world, const TestMember& primary, int from, int to)
{
    for (int i = from; i <= to; ++i) {
        const auto done = world.sql(primary, "INSERT INTO d.t VALUES (" + std::to_string(i) + ")");
        INFO((done.has_error() ? done.error().text : ""));
        REQUIRE(done.has_value());
    }
}

/// The primary of epoch 1 with two replicas, and ten rows.
struct Three {
    explicit Three(const std::string& flavor) : world{flavor}
    {
        world.start_pair(one, two);
        world.start(three);
        world.await_phase(three, control::Phase::fenced);
        world.follow(three, one, 1, false);
        REQUIRE(world.sql(one, "CREATE DATABASE d").has_value());
        REQUIRE(world.sql(one, "CREATE TABLE d.t (a INT PRIMARY KEY)").has_value());
        write(world, one, 1, 10);
        await_count(two, "10");
        await_count(three, "10");
    }

    void await_count(const TestMember& member, const std::string& wanted)
    {
        world.loop.run_until([&] { return count(world, member) == wanted; });
    }

    /// The first goes on writing that nobody hears; the second leads epoch 2.
    void leave_behind(int errant)
    {
        for (const TestMember* member : {&two, &three}) {
            world.control->send(member->task, control::Prepare{Epoch{2}});
            static_cast<void>(world.answer<control::Prepared>(*member));
        }
        write(world, one, 101, 100 + errant);
        world.promote(two, 2, 0);
        world.open(two, 2);
        world.follow(three, two, 2, true);
        write(world, two, 11, 20);
        await_count(three, "20");
    }

    ExecutorWorld world;
    TestMember& one = world.make(1);
    TestMember& two = world.make(2);
    TestMember& three = world.make(3);
};

std::vector<fs::path> artifacts(const TestMember& member)
{
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(member.volume + "/mysos/errant")) {
        files.push_back(entry.path());
    }
    return files;
}

void check_no_secret(const std::string& text)
{
    for (const char* secret : {peer_secret, clone_secret}) {
        CHECK(text.find(secret) == std::string::npos);
    }
}

std::string command_lines()
{
    std::string all;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        std::ifstream file{entry.path() / "cmdline", std::ios::binary};
        all.append(std::istreambuf_iterator<char>{file}, {});
        all += '\n';
    }
    return all;
}

}  // namespace

TEST_CASE("rebuild: a primary that was left behind loses what it alone holds, saved", "[rebuild]")
{
    const std::string flavor = GENERATE("mariadb", "mysql");
    if (!can_run(flavor)) return;
    Three of{flavor};
    ExecutorWorld& world = of.world;
    of.leave_behind(5);
    REQUIRE(count(world, of.one) == "15");

    world.rebuild(of.one, of.two, of.three, 2, 7);
    std::string words;
    unsigned looks = 0;
    std::optional<control::FromMember> got;
    world.loop.run_until([&] {
        constexpr unsigned every = 50;
        if (looks++ % every == 0) words += command_lines();
        return (got = world.control->take(of.one.task)).has_value();
    });
    INFO(text_of(of.one.sandbox + "/stderr"));
    REQUIRE(std::holds_alternative<control::Rebuilt>(*got));
    const auto& rebuilt = std::get<control::Rebuilt>(*got);
    CHECK(rebuilt.epoch == Epoch{2});
    CHECK(rebuilt.serial == 7);
    CHECK(rebuilt.errant_saved == 5);
    world.await_phase(of.one, control::Phase::fenced);
    const control::Observation seen = world.control->seen(of.one.task);
    CHECK(seen.errant_transactions == 5);
    CHECK(seen.amnesiac);
    CHECK_FALSE(seen.needs_rebuild);
    CHECK(seen.position == rebuilt.position);
    CHECK(seen.marker == Epoch{2});
    CHECK(seen.server_uuid.empty() == world.is_mariadb());
    CHECK_FALSE((
        !world.is_mariadb() && seen.server_uuid == world.control->seen(of.three.task).server_uuid));
    CHECK(count(world, of.one) == "20");
    CHECK_THAT(text_of(of.one.volume + "/mysos/epoch"), Catch::Contains("\"role\":\"replica\""));

    const auto files = artifacts(of.one);
    REQUIRE(files.size() == 1);
    struct stat facts {};
    REQUIRE(::stat(files.front().c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777U) == 0600);
    CHECK(files.front().filename().string().starts_with("2-"));
    const std::string artifact = text_of(files.front());
    for (int i = 101; i <= 105; ++i) {
        CHECK_THAT(artifact, Catch::Contains("###   @1=" + std::to_string(i) + "\n"));
    }
    CHECK(artifact.find("###   @1=10\n") == std::string::npos);
    CHECK(artifact.find("###   @1=11\n") == std::string::npos);

    check_no_secret(words);
    check_no_secret(artifact);
    for (const TestMember* member : {&of.one, &of.two, &of.three}) {
        check_no_secret(text_of(member->sandbox + "/stderr"));
        check_no_secret(text_of(member->sandbox + "/server.log"));
    }

    // A member like any other: it follows, and can become the primary.
    world.follow(of.one, of.two, 2, true);
    write(world, of.two, 21, 25);
    of.await_count(of.one, "25");
    world.control->send(of.one.task, control::Prepare{Epoch{3}});
    static_cast<void>(world.answer<control::Prepared>(of.one));
    world.promote(of.one, 3, 0);
    world.open(of.one, 3);
    world.follow(of.three, of.one, 3, true);
    write(world, of.one, 26, 30);
    of.await_count(of.three, "30");

    // And others are rebuilt from it, as often as need be: nothing was left behind this time.
    world.rebuild(of.three, of.one, of.one, 3, 8);
    CHECK(world.answer<control::Rebuilt>(of.three).errant_saved == 0);
    world.follow(of.three, of.one, 3, true);
    write(world, of.one, 31, 35);
    of.await_count(of.three, "35");
}

TEST_CASE(
    "rebuild: of two, the old primary is made from the new one, whose marker waits for it",
    "[rebuild]")
{
    // MariaDB has its tail cut instead: a backup would wait for the marker's commit, which is a
    // row.
    if (!can_run("mysql")) return;
    ExecutorWorld world{"mysql"};
    TestMember& one = world.make(1);
    TestMember& two = world.make(2);
    world.start_pair(one, two);
    REQUIRE(world.sql(one, "CREATE DATABASE d").has_value());
    REQUIRE(world.sql(one, "CREATE TABLE d.t (a INT PRIMARY KEY)").has_value());
    write(world, one, 1, 10);
    world.loop.run_until([&] { return count(world, two) == "10"; });
    world.control->send(two.task, control::Prepare{Epoch{2}});
    static_cast<void>(world.answer<control::Prepared>(two));
    write(world, one, 101, 103);
    world.promote(two, 2, 1);
    world.loop.run_until([&] { return world.control->seen(two.task).commits_waiting == 1; });

    world.rebuild(one, two, two, 2, 1);
    CHECK(world.answer<control::Rebuilt>(one).errant_saved == 3);
    world.follow(one, two, 2, true);
    world.loop.run_until([&] { return world.control->seen(one.task).marker == Epoch{2}; });
    world.open(two, 2);
    write(world, two, 11, 12);
    world.loop.run_until([&] { return count(world, one) == "12"; });
}

TEST_CASE("rebuild: an empty member is made from a primary that is written to", "[rebuild]")
{
    const std::string flavor = GENERATE("mariadb", "mysql");
    if (!can_run(flavor)) return;
    ExecutorWorld world{flavor};
    TestMember& one = world.make(1);
    TestMember& two = world.make(2);
    world.start_pair(one, two);
    REQUIRE(world.sql(one, "CREATE DATABASE d").has_value());
    REQUIRE(world.sql(one, "CREATE TABLE d.t (a INT PRIMARY KEY)").has_value());
    TestMember& three = world.make(3);
    world.start(three);
    world.await_phase(three, control::Phase::fenced);

    std::atomic<int> written = 0;
    std::atomic<bool> failed = false;
    {
        const std::jthread writer{[&](const std::stop_token& stop) {
            while (!stop.stop_requested() && !failed) {
                const std::string next = std::to_string(written + 1);
                failed = world.sql(one, "INSERT INTO d.t VALUES (" + next + ")").has_error();
                ++written;
            }
        }};
        world.loop.run_until([&] { return written > 10 || failed; });
        world.rebuild(three, one, one, 1, 1);
        CHECK(world.answer<control::Rebuilt>(three).errant_saved == 0);
        CHECK_FALSE(failed);
        world.follow(three, one, 1, true);
    }
    CHECK_FALSE(failed);
    world.loop.run_until([&] { return count(world, three) == std::to_string(written); });
}

TEST_CASE("rebuild: a donor that dies half way is replaced by another", "[rebuild]")
{
    const std::string flavor = GENERATE("mariadb", "mysql");
    if (!can_run(flavor)) return;
    Three of{flavor};
    ExecutorWorld& world = of.world;
    // Slow enough to be caught in the middle: here the donor bounds it, there the recipient.
    TestMember& donor = [&]() -> TestMember& {
        of.three.process->kill();
        world.loop.run_until([&] { return of.three.process->ended().has_value(); });
        TestMember& again = world.make(3);
        again.mb_per_second = "1";
        world.start(again);
        world.await_phase(again, control::Phase::fenced);
        return again;
    }();
    TestMember& four = world.make(4);
    four.mb_per_second = "1";
    world.start(four);
    world.await_phase(four, control::Phase::fenced);
    // Something to carry.
    REQUIRE(world.sql(of.one, "CREATE TABLE d.big (a LONGBLOB)").has_value());
    for (int i = 0; i < 10; ++i) {
        const auto done = world.sql(of.one, "INSERT INTO d.big VALUES (REPEAT(UUID(), 100000))");
        REQUIRE(done.has_value());
    }
    world.follow(donor, of.one, 1, false);
    world.loop.run_until([&] {
        const auto rows = world.sql_as_administrator(donor, "SELECT COUNT(*) FROM d.big");
        return rows.has_value() && rows->scalar() == "10";
    });

    world.rebuild(four, of.one, donor, 1, 1);
    world.loop.run_until([&] {
        const std::string message = world.control->seen(four.task).message;
        const std::string begin = "clones from server 3: ";
        return message.starts_with(begin) && !message.starts_with(begin + "0 ");
    });
    CHECK(world.control->seen(four.task).phase == control::Phase::clone);
    CHECK_THAT(text_of(four.volume + "/mysos/epoch"), Catch::Contains("rebuilding"));
    donor.process->kill();
    const control::FromMember answer = next_answer(world, four);
    INFO(text_of(four.sandbox + "/stderr"));
    REQUIRE(std::holds_alternative<control::Refused>(answer));
    const auto& refused = std::get<control::Refused>(answer);
    CHECK(refused.order == "rebuild");
    CHECK(refused.reason == control::Refused::Reason::server_failed);
    INFO(refused.message);
    world.loop.run_until([&] { return world.control->seen(four.task).needs_rebuild; });

    SECTION("at once")
    {
        world.rebuild(four, of.one, of.two, 1, 2);
        CHECK(world.answer<control::Rebuilt>(four).serial == 2);
        CHECK(count(world, four) == "10");
    }
    SECTION("after a relaunch, which starts no server on what is there")
    {
        four.process->kill();
        world.loop.run_until([&] { return four.process->ended().has_value(); });
        TestMember& again = world.make(4);
        again.mb_per_second = "";
        world.start(again);
        world.await_phase(again, control::Phase::clone);
        CHECK(world.control->seen(again.task).needs_rebuild);
        CHECK(server_of(again.process->pid()) == 0);
        world.control->send(again.task, control::Prepare{Epoch{2}});
        CHECK(std::holds_alternative<control::Refused>(next_answer(world, again)));
        CHECK(server_of(again.process->pid()) == 0);
        world.rebuild(again, of.one, of.two, 1, 2);
        CHECK(world.answer<control::Rebuilt>(again).serial == 2);
        world.follow(again, of.one, 1, true);
        write(world, of.one, 11, 12);
        of.await_count(again, "12");
    }
}

TEST_CASE("rebuild: a donor serves who has the cluster's token, one copy at a time", "[rebuild]")
{
    ExecutorWorld world;
    TestMember& one = world.make(1);
    one.mb_per_second = "1";
    world.start(one);
    world.await_phase(one, control::Phase::fenced);
    const std::string later = std::string{executor::member_target} + "?epoch=";
    const auto ask = [&](const std::string& target, const std::string& token) {
        io::ResponseStreamConfig config;
        config.endpoint.host = one.data.ip;
        config.endpoint.port = one.data.peer_port;
        if (!token.empty()) config.authorization = io::bearer_authorization(token);
        auto stream = std::make_unique<io::ResponseStream>(world.loop.executor(), config);
        io::Request request;
        request.target = target;
        const TimePoint deadline = Clock::now() + std::chrono::minutes{1};
        auto head = world.loop.await(stream->open(std::move(request), deadline)).value();
        return std::pair{std::move(stream), std::move(head)};
    };
    for (const char* target : {executor::member_target, executor::backup_target, "/"}) {
        CHECK(ask(target, "").second.status == 401);
        CHECK(ask(target, "secret-of-others").second.status == 401);
        CHECK(ask(target, "").second.headers.find("WWW-Authenticate") == "Bearer");
    }
    CHECK(ask("/peer/v1/other", peer_secret).second.status == 404);
    // It may hold what nobody else does, until it has a part in the epoch.
    CHECK(ask(executor::member_target, peer_secret).second.status == 503);
    world.promote(one, 1, 0);
    CHECK(ask(later + "2", peer_secret).second.status == 503);
    CHECK(ask(later + "1", peer_secret).second.status == 200);

    auto [facts_stream, facts_head] = ask(executor::member_target, peer_secret);
    REQUIRE(facts_head.status == 200);
    const std::string body =
        world.loop.await(facts_stream->next(Clock::now() + std::chrono::minutes{1})).value();
    const auto facts = executor::parse_peer_facts(body);
    REQUIRE(facts.has_value());
    CHECK(facts->flavor == "mariadb");
    CHECK(facts->bytes > (1U << 20U));

    {
        const auto first = ask(executor::backup_target, peer_secret);
        CHECK(first.second.status == 200);
        const auto second = ask(executor::backup_target, peer_secret);
        CHECK(second.second.status == 503);
        CHECK(second.second.headers.find("Retry-After") == "5");
    }
    // Who goes away leaves room for the next.
    unsigned status = 0;
    while (status != 200) status = ask(executor::backup_target, peer_secret).second.status;
}

TEST_CASE(
    "rebuild: without a donor, without the token or without room nothing is deleted", "[rebuild]")
{
    Three of{"mariadb"};
    ExecutorWorld& world = of.world;
    const std::string before = count(world, of.three);
    TestMember nobody;
    nobody.server_id = 2;
    nobody.data = of.two.data;
    nobody.data.peer_port = free_port();
    world.rebuild(of.three, of.one, nobody, 1, 1);
    const control::FromMember answer = next_answer(world, of.three);
    REQUIRE(std::holds_alternative<control::Refused>(answer));
    CHECK_THAT(
        std::get<control::Refused>(answer).message,
        Catch::StartsWith("the donor at 127.0.0.1:") && Catch::Contains("refused"));
    world.await_phase(of.three, control::Phase::fenced);
    CHECK_FALSE(world.control->seen(of.three.task).needs_rebuild);
    CHECK(count(world, of.three) == before);
    world.follow(of.three, of.one, 1, true);
}
