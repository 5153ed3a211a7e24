#include "scheduler/out/zookeeper_publisher.hpp"

#include "test/integration/zookeeper_fixture.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <memory>
#include <string>
#include <variant>

using namespace mysos;
using namespace mysos::scheduler;
using namespace mysos::test;
using zookeeper::any_version;
using zookeeper::Client;
using zookeeper::CreateMode;

namespace {

/// The publishing machine of one cluster, and the shell that acts for it on a real ZooKeeper.
struct Given : ZookeeperFixture {
    Given()
    {
        zookeeper::Config mine = config();
        mine.url.path = path;
        publishing = std::make_unique<Client>(io.get_executor(), mine);
        REQUIRE(run(publishing->ensure_path(path)).has_value());
        candidate =
            run(publishing->create(path + "/c_", "", CreateMode::ephemeral_sequential)).value();
        shell = std::make_unique<ZookeeperPublisher>(
            io.get_executor(), *publishing, candidate, [this](Input input) {
                inbox.push_back(std::get<TreeAnswered>(std::move(input)));
            });
    }
    ~Given()
    {
        shell->cancel();
        run(shell->wait(TimePoint::max()));
    }
    Given(const Given&) = delete;
    Given& operator=(const Given&) = delete;

    /// One input, and all that follows from it until the machine waits for nothing.
    publish::Effects settle(const publish::Input& input)
    {
        publish::Effects last;
        for (std::deque<publish::Input> todo{input}; !todo.empty(); todo.pop_front()) {
            last = publish::step(machine, settings, todo.front(), TimePoint{});
            for (const publish::Effect& effect : last) {
                if (const auto* read = std::get_if<publish::ReadTree>(&effect)) {
                    shell->start(ReadTree{"demo", *read});
                } else if (const auto* apply = std::get_if<publish::Apply>(&effect)) {
                    shell->start(ApplyTree{"demo", *apply});
                } else {
                    continue;
                }
                const TreeAnswered answered = answer();
                CHECK(answered.cluster == "demo");
                std::visit([&todo](const auto& got) { todo.emplace_back(got); }, answered.answer);
            }
        }
        return last;
    }

    TreeAnswered answer()
    {
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        io.restart();
        while (inbox.empty() && std::chrono::steady_clock::now() < limit) io.run_one_until(limit);
        REQUIRE_FALSE(inbox.empty());
        const TreeAnswered out = inbox.front();
        inbox.pop_front();
        return out;
    }

    static publish::WantedChanged wanted(std::optional<MemberId> master, int members)
    {
        publish::WantedChanged out;
        out.wanted.master = master;
        for (int i = 1; i <= members; ++i) {
            publish::Endpoint endpoint{.host = "h" + std::to_string(i), .port = 3306};
            out.wanted.members[MemberId{static_cast<std::uint32_t>(i)}] = endpoint;
        }
        return out;
    }

    std::vector<std::string> children(const std::string& of)
    {
        return run(client.children(path + "/discover/demo" + of)).value();
    }

    std::string path = fresh_path();
    std::unique_ptr<Client> publishing;
    std::string candidate;
    std::deque<TreeAnswered> inbox;
    std::unique_ptr<ZookeeperPublisher> shell;
    publish::State machine;
    publish::Config settings{
        .retry_min = std::chrono::seconds{1}, .retry_max = std::chrono::seconds{2}};
};

using Names = std::vector<std::string>;
const std::string one = "member_0000000001";
const std::string two = "member_0000000002";

}  // namespace

TEST_CASE("publisher: members are shown, moved in one transaction, and removed", "[publisher]")
{
    Given given;
    CHECK(
        given.settle(Given::wanted(MemberId{1}, 2)) ==
        publish::Effects{publish::ReportPublished{MemberId{1}}});
    CHECK(given.children("/master") == Names{one});
    CHECK(given.children("/slaves") == Names{two});
    const auto node = given.run(given.client.get(given.path + "/discover/demo/master/" + one));
    CHECK(
        node.value().data ==
        R"({"serviceEndpoint":{"host":"h1","port":3306},"additionalEndpoints":{},)"
        R"("status":"ALIVE","shard":1})");

    CHECK(
        given.settle(Given::wanted(MemberId{2}, 2)) ==
        publish::Effects{publish::ReportPublished{MemberId{2}}});
    CHECK(given.children("/master") == Names{two});
    CHECK(given.children("/slaves") == Names{one});
    const std::string demo = given.path + "/discover/demo";
    const auto master = given.run(given.client.exists(demo + "/master/" + two)).value();
    const auto slave = given.run(given.client.exists(demo + "/slaves/" + one)).value();
    CHECK(master->created_zxid == slave->created_zxid);

    CHECK(given.settle(publish::RemovalWanted{}) == publish::Effects{publish::ReportRemoved{}});
    CHECK(given.run(given.client.children(given.path + "/discover")).value().empty());
}

TEST_CASE("publisher: what an earlier scheduler left is read, not remembered", "[publisher]")
{
    Given given;
    const std::string demo = given.path + "/discover/demo";
    REQUIRE(given.run(given.client.ensure_path(demo + "/master/" + two)).has_value());
    REQUIRE(given.run(given.client.ensure_path(demo + "/others/deep")).has_value());
    REQUIRE(given.run(given.client.set(demo + "/others", "x", any_version)).has_value());
    given.shell->start(ReadTree{"demo", publish::ReadTree{7}});
    const TreeAnswered answered = given.answer();
    const auto* found = std::get_if<publish::TreeRead>(&answered.answer);
    REQUIRE(found != nullptr);
    CHECK(found->serial == 7);
    const publish::Tree expected{
        {"", {"", 0}},
        {"master", {"", 0}},
        {"master/" + two, {"", 0}},
        {"others", {"x", 1}},
        {"others/deep", {"", 0}}};
    CHECK((found->tree == expected));

    given.settle(Given::wanted(MemberId{1}, 2));
    CHECK(given.children("/master") == Names{one});
    CHECK(given.children("/slaves") == Names{two});
    CHECK(given.children("/others") == Names{"deep"});
}

TEST_CASE("publisher: a deposed scheduler shows clients nothing", "[publisher]")
{
    Given given;
    given.settle(Given::wanted(MemberId{1}, 2));
    REQUIRE(given.run(given.client.remove(given.candidate, any_version)).has_value());
    given.settle(Given::wanted(MemberId{2}, 2));
    CHECK(std::holds_alternative<publish::Waiting>(given.machine.phase));
    CHECK(given.children("/master") == Names{one});
}

TEST_CASE("publisher: a change made behind its back is found, and put right", "[publisher]")
{
    Given given;
    given.settle(Given::wanted(MemberId{1}, 2));
    const std::string demo = given.path + "/discover/demo";
    REQUIRE(given.run(given.client.set(demo + "/master/" + one, "?", any_version)).has_value());
    given.settle(Given::wanted(MemberId{2}, 2));
    CHECK(std::holds_alternative<publish::Waiting>(given.machine.phase));
    CHECK(given.children("/master") == Names{one});
    given.settle(publish::SessionRenewed{});
    CHECK(given.children("/master") == Names{two});
}
