#include "scheduler/in/rest_view.hpp"
#include "scheduler/out/metrics.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <regex>
#include <sstream>
#include <string>

using namespace mysos;
using namespace mysos::scheduler;
using namespace std::chrono_literals;

namespace {

constexpr MemberId m1{1};
constexpr MemberId m2{2};
constexpr TimePoint t0{1000s};
const std::string zk_url = "zk://zk1:2181/mysos";

cluster::MemberState connected(control::Phase phase)
{
    cluster::MemberState member;
    member.task = mesos::TaskState::running;
    member.stream = cluster::StreamId{7};
    member.heard_at = t0 - 250ms;
    member.observation.emplace();
    member.observation->phase = phase;
    member.observation->answers = true;
    member.observation->writable = phase == control::Phase::primary;
    member.observation->receiver_running = phase == control::Phase::replica;
    member.observation->applier_running = phase == control::Phase::replica;
    return member;
}

/// Two members, the first one primary and open, the second one following.
cluster::State running()
{
    cluster::State state;
    state.record.name = "demo";
    state.record.uuid = "u";
    state.record.num_nodes = 2;
    state.record.cluster_user = "app";
    state.record.sealed_secrets = "sealed";
    state.record.epoch = Epoch{3};
    state.record.electorate = {m1, m2};
    state.record.acks = 1;
    state.record.primary = m1;
    state.record.opened = true;
    state.record.ever_opened = true;
    state.record.created_at_unix_ms = 1'700'000'000'123;
    state.record.members[m1].hostname = "a1";
    state.record.members[m1].port = 31000;
    state.record.members[m1].launched = true;
    state.record.members[m2].hostname = "a2";
    state.record.members[m2].port = 31001;
    state.record.members[m2].launched = true;
    state.members[m1] = connected(control::Phase::primary);
    state.members[m2] = connected(control::Phase::replica);
    state.members[m2].observation->lag_seconds = 4;
    return state;
}

State scheduler_state()
{
    State state;
    state.recovered = true;
    state.subscription = Subscription::subscribed;
    state.master = "m1:5050 (1.12.0)";
    state.framework.framework_id.text = "f-0001";
    state.clusters["demo"] = running();
    state.counters.tasks_launched = 2;
    return state;
}

}  // namespace

TEST_CASE("view: a cluster's state says whether clients can write", "[rest]")
{
    cluster::State state = running();
    CHECK(health(state) == Health::running);

    SECTION("a member less is degraded")
    {
        state.members[m2].stream.reset();
        CHECK(health(state) == Health::degraded);
    }
    SECTION("a member that was not launched yet is degraded")
    {
        state.record.num_nodes = 3;
        CHECK(health(state) == Health::degraded);
    }
    SECTION("a replica that does not apply is degraded")
    {
        state.members[m2].observation->applier_running = false;
        CHECK(health(state) == Health::degraded);
    }
    SECTION("a primary out of sight still serves")
    {
        state.members[m1].stream.reset();
        CHECK(health(state) == Health::degraded);
    }
    SECTION("a primary whose task has ended does not")
    {
        state.members[m1].stream.reset();
        state.members[m1].task = mesos::TaskState::failed;
        CHECK(health(state) == Health::unavailable);
    }
    SECTION("a primary that is shut out is unavailable")
    {
        state.members[m1].observation->writable = false;
        CHECK(health(state) == Health::unavailable);
    }
    SECTION("no open primary is unavailable")
    {
        state.record.opened = false;
        CHECK(health(state) == Health::unavailable);
    }
    SECTION("never opened is being created")
    {
        state.record.opened = false;
        state.record.ever_opened = false;
        CHECK(health(state) == Health::creating);
    }
    SECTION("deleting comes first")
    {
        state.record.deleting = true;
        CHECK(health(state) == Health::deleting);
    }
}

TEST_CASE("view: a cluster shows its record, its members and where clients go", "[rest]")
{
    const nlohmann::json view = cluster_view(running(), zk_url, {}, t0);
    CHECK(view.at("name") == "demo");
    CHECK(view.at("state") == "running");
    CHECK(view.at("message") == "2 of 2 members serve");
    CHECK(view.at("cluster_url") == "zk://zk1:2181/mysos/discover/demo");
    CHECK(
        view.at("size") == nlohmann::json::parse(R"({"cpus":1.0,"mem":"512mb","disk":"2048mb"})"));
    CHECK(view.at("created_at") == "2023-11-14T22:13:20Z");
    CHECK(view.at("electorate") == nlohmann::json::parse("[1,2]"));
    CHECK(view.at("primary") == 1);
    CHECK(
        view.at("endpoints") ==
        nlohmann::json::parse(
            R"({"primary":{"host":"a1","port":31000},"replicas":[{"host":"a2","port":31001}]})"));
    REQUIRE(view.at("members").size() == 2);
    const auto& second = view.at("members").at(1);
    CHECK(second.at("server_id") == 2);
    CHECK(second.at("role") == "replica");
    CHECK(second.at("task_state") == "TASK_RUNNING");
    CHECK(second.at("server").at("phase") == "replica");
    CHECK(second.at("server").at("lag_seconds") == 4);
    CHECK(second.at("server").at("observed_ms_ago") == 250);
    // Secrets do not leave, not even sealed.
    CHECK(view.dump().find("sealed") == std::string::npos);
}

TEST_CASE("view: a cluster that ails says how, and a deleted one no more", "[rest]")
{
    cluster::State state = running();
    for (auto& [id, member] : state.members) {
        member.understood.emplace();
        member.understood->phase = member.observation->phase;
        member.understood->answers = true;
        member.understood->epoch = Epoch{3};
    }
    state.members.at(m1).understood->semi_sync_clients = 1;
    state.members.at(m1).understood->acks_required = 1;
    state.members.at(m2).understood->acknowledges = true;
    state.members.at(m2).understood->source = m1;
    state.members.at(m2).understood->receiver_running = true;
    state.members.at(m2).understood->receiver_state = control::ReceiverState::running;
    state.verdict = diagnosis::Verdict::primary_shut;
    nlohmann::json view = cluster_view(state, zk_url, {}, t0);
    CHECK(view.at("verdict").at("code") == "primary_shut");
    CHECK(view.at("verdict").at("message") == "the primary takes no writes");
    const auto& situations = view.at("situations");
    const auto found = std::find_if(situations.begin(), situations.end(), [](const auto& one) {
        return one.at("code") == "read_only_primary";
    });
    INFO(situations.dump());
    REQUIRE(found != situations.end());
    CHECK(found->at("members") == nlohmann::json::parse("[1]"));
    CHECK(found->at("message").get<std::string>().find("opens it again") != std::string::npos);
    CHECK(found->at("detail").is_null());

    state.record.deleting = true;
    CHECK(cluster_view(state, zk_url, {}, t0).at("situations").empty());
    CHECK(cluster_view({}, zk_url, {}, t0).at("verdict").is_null());
}

TEST_CASE("view: a stuck election says whom it lacks, and what a force would lose", "[rest]")
{
    cluster::State state = running();
    CHECK(cluster_view(state, zk_url, {}, t0).at("stuck").is_null());
    state.stuck.emplace();
    state.stuck->missing = {m1};
    CHECK(cluster_view(state, zk_url, {}, t0).at("stuck").at("force").is_null());
    state.stuck->force = election::ForceOffer{m2, 4};
    CHECK(
        cluster_view(state, zk_url, {}, t0).at("stuck") ==
        nlohmann::json::parse(R"({"missing": [1], "may_have_forgotten": [],
            "force": {"to": 2, "transactions_lost_at_least": 4}})"));
}

TEST_CASE("view: what a member waits for is said at the member and at the cluster", "[rest]")
{
    cluster::State state = running();
    state.record.members[m2] = {};
    state.members[m2] = {};
    state.record.size.milli_cpus = 900'000;
    state.offered[mesos::AgentId{"agent"}] = {{4000, 8192, 100'000, 10}, {}};
    const nlohmann::json view = cluster_view(state, zk_url, {}, t0);
    CHECK(
        view.at("message") ==
        "1 of 2 members serve; member 2: no agent offers 900 cpus; largest offered 4");
    const auto& second = view.at("members").at(1);
    CHECK(second.at("message") == "no agent offers 900 cpus; largest offered 4");
    CHECK(second.at("host").is_null());
    CHECK(second.at("server").is_null());
    CHECK(second.at("task_state").is_null());
}

TEST_CASE("view: constraints, where members are by them, and which one nobody meets", "[rest]")
{
    cluster::State state = running();
    CHECK(cluster_view(state, zk_url, {}, t0).at("constraints") == nlohmann::json::array());
    CHECK(cluster_view(state, zk_url, {}, t0).at("colocate") == false);
    using placement::Operator;
    state.record.constraints = {{"rack", Operator::unique, ""}, {"@zone", Operator::max_per, "1"}};
    CHECK(cluster_view(state, zk_url, {}, t0).at("two_node_policy") == "consistent");
    CHECK(cluster_view(state, zk_url, {}, t0).at("durability") == "semisync");
    state.record.durability = cluster::Durability::async;
    state.record.colocate = true;
    state.record.two_node_policy = cluster::TwoNodePolicy::available;
    auto& first = state.record.members.begin()->second;
    first.agent_id.text = "another";
    first.launched = true;
    first.region = "eu";
    first.zone = "eu-1";
    first.attributes = {{"rack", "r1"}};
    state.record.members[m2] = {};
    state.members[m2] = {};
    state.offered[mesos::AgentId{"agent"}] = {
        {4000, 8192, 100'000, 10}, {"h", "eu", "eu-2", {{"rack", "r1"}}}};
    const nlohmann::json view = cluster_view(state, zk_url, {}, t0);
    CHECK(
        view.at("constraints") ==
        nlohmann::json::parse(R"([["rack", "UNIQUE"], ["@zone", "MAX_PER", "1"]])"));
    CHECK(view.at("colocate") == true);
    CHECK(view.at("two_node_policy") == "available");
    CHECK(view.at("durability") == "async");
    const auto& placed = view.at("members").at(0);
    CHECK(placed.at("region") == "eu");
    CHECK(placed.at("zone") == "eu-1");
    CHECK(placed.at("attributes") == nlohmann::json::parse(R"({"rack": "r1"})"));
    const auto& waits = view.at("members").at(1);
    CHECK(waits.at("region").is_null());
    CHECK(waits.at("message") == "no agent offers rack UNIQUE; members are on: r1; offered: r1");
}

TEST_CASE("view: a member that keeps failing says what its task said last", "[rest]")
{
    cluster::State state = running();
    state.record.members[m2].launched = false;
    state.record.members[m2].failures = 3;
    state.members[m2] = {};
    state.members[m2].task = mesos::TaskState::failed;
    state.members[m2].task_message = "there is no /opt/mariadbd";
    state.members[m2].launch_not_before = t0 + 4s;
    const nlohmann::json view = cluster_view(state, zk_url, {}, t0);
    CHECK(
        view.at("members").at(1).at("message") ==
        "launched again in 4 s, after 3 failures in a row: there is no /opt/mariadbd");
}

TEST_CASE("view: the list has every cluster and the framework", "[rest]")
{
    const nlohmann::json view = clusters_view(scheduler_state(), zk_url, {}, t0);
    CHECK(view.at("clusters").size() == 1);
    const nlohmann::json framework{
        {"id", "f-0001"},
        {"connected", true},
        {"master", "m1:5050 (1.12.0)"},
        {"retired_volumes", 0}};
    CHECK(view.at("framework") == framework);

    const nlohmann::json before = clusters_view(State{}, zk_url, {}, t0);
    CHECK(before.at("clusters") == nlohmann::json::array());
    CHECK(before.at("framework").at("connected") == false);
    CHECK(before.at("framework").at("master").is_null());
}

TEST_CASE("metrics: Cotton's names are all there", "[metrics]")
{
    const nlohmann::json expected{
        {"scheduler.cluster_count", 1},
        {"scheduler.total_requested_cpus", 2.0},
        {"scheduler.total_requested_mem_mb", 1024},
        {"scheduler.total_requested_disk_mb", 4096},
        {"scheduler.framework_registered", 1},
        {"scheduler.uptime", 90.0},
        {"scheduler.tasks_launched", 2},
        {"scheduler.tasks_lost", 0},
        {"scheduler.tasks_finished", 0},
        {"scheduler.tasks_failed", 0},
        {"scheduler.tasks_killed", 0},
        {"scheduler.resource_offers", 0},
        {"scheduler.offers_incompatible_role", 0},
        {"scheduler.offers_unused", 0}};
    CHECK(cotton_metrics(scheduler_state(), 90s) == expected);
}

TEST_CASE("metrics: the Prometheus text is well formed and says what is", "[metrics]")
{
    State state = scheduler_state();
    state.clusters["we\"ird\\"] = running();
    state.clusters["we\"ird\\"].record.deleting = true;
    const std::string text = prometheus_metrics(state, 90s);
    CHECK(text.find("mysos_uptime_seconds 90.0\n") != std::string::npos);
    CHECK(text.find("mysos_clusters{state=\"running\"} 1\n") != std::string::npos);
    CHECK(text.find("mysos_clusters{state=\"deleting\"} 1\n") != std::string::npos);
    CHECK(text.find("mysos_cluster_up{cluster=\"we\\\"ird\\\\\"} 0\n") != std::string::npos);
    CHECK(
        text.find("mysos_member_lag_seconds{cluster=\"demo\",server_id=\"2\"} 4\n") !=
        std::string::npos);
    CHECK(
        text.find("mysos_member_phase{cluster=\"demo\",server_id=\"1\",phase=\"primary\"} 1\n") !=
        std::string::npos);

    const std::regex line{
        R"re(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z_]+="([^"\\]|\\["\\n])*",?)+\})? [0-9.e+-]+)re"};
    std::istringstream lines{text};
    for (std::string one; std::getline(lines, one);) {
        INFO(one);
        CHECK(std::regex_match(one, line));
    }
}
