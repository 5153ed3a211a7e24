#include "scheduler/decide/requests.hpp"
#include "scheduler/decide/scheduler.hpp"

#include <catch2/catch.hpp>

#include <functional>

namespace mysos::scheduler {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint t0{1000s};
const std::string uuid = "0c6f0d5e-0000-4000-8000-000000000001";

CreateForm form()
{
    CreateForm result;
    result.name = "demo";
    result.cluster_user = "app";
    return result;
}

Config config()
{
    Config result;
    result.framework.role = "mysos";
    return result;
}

State subscribed()
{
    State state;
    static_cast<void>(step(state, config(), Recovered{{}, {}, 1'795'342'087'000}, t0));
    static_cast<void>(
        step(state, config(), EventArrived{mesos::Subscribed{{"F"}, 15s, "m:5050"}}, t0));
    return state;
}

Effects create(State& state, const CreateForm& asked)
{
    return step(state, config(), CreateRequested{RequestId{7}, asked, uuid, "sealed"}, t0);
}

/// The one reply among the effects.
Answer reply(const Effects& effects)
{
    std::optional<Answer> found;
    for (const Effect& effect : effects) {
        if (const auto* one = std::get_if<Reply>(&effect)) {
            CHECK(one->request == RequestId{7});
            CHECK_FALSE(found);
            found = one->answer;
        }
    }
    REQUIRE(found);
    return *found;
}

}  // namespace

TEST_CASE("requests: defaults are Cotton's", "[scheduler]")
{
    const auto asked = check(form(), config());
    REQUIRE(std::holds_alternative<Asked>(asked));
    CHECK(std::get<Asked>(asked) == Asked{"app", 1, {1000, 512, 2048}, "mariadb"});
}

TEST_CASE("requests: values are read with their units", "[scheduler]")
{
    CreateForm wanted = form();
    wanted.num_nodes = "3";
    wanted.size = R"({"cpus": 0.5, "mem": "1gb", "disk": "512mb"})";
    wanted.flavor = "mysql";
    const auto asked = check(wanted, config());
    REQUIRE(std::holds_alternative<Asked>(asked));
    CHECK(std::get<Asked>(asked) == Asked{"app", 3, {500, 1024, 512}, "mysql"});
}

TEST_CASE("requests: constraints are read, else the scheduler's are taken", "[scheduler]")
{
    using placement::Operator;
    Config with_default = config();
    with_default.default_constraints = {{"@zone", Operator::unique, ""}};
    const auto asked = [&with_default](const CreateForm& wanted) {
        const auto checked = check(wanted, with_default);
        REQUIRE(std::holds_alternative<Asked>(checked));
        return std::get<Asked>(checked);
    };
    CreateForm wanted = form();
    CHECK(asked(wanted).constraints == with_default.default_constraints);
    CHECK_FALSE(asked(wanted).colocate);
    wanted.constraints = "";  // A field of a form that was left empty.
    CHECK(asked(wanted).constraints == with_default.default_constraints);
    wanted.constraints = "[]";
    CHECK(asked(wanted).constraints.empty());
    wanted.constraints = R"([["rack","GROUP_BY","3"]])";
    CHECK(asked(wanted).constraints == placement::Constraints{{"rack", Operator::group_by, "3"}});
    wanted.constraints = R"([["hostname","CLUSTER"]])";
    wanted.num_nodes = "3";
    wanted.colocate = "true";
    CHECK(asked(wanted).colocate);

    State state = subscribed();
    static_cast<void>(create(state, wanted));
    const cluster::Record& record = state.clusters.at(wanted.name).record;
    CHECK(record.constraints == placement::Constraints{{"hostname", Operator::cluster, ""}});
    CHECK(record.colocate);
}

TEST_CASE("requests: of two members one goes on alone only if that is asked for", "[scheduler]")
{
    State state = subscribed();
    CreateForm wanted = form();
    wanted.num_nodes = "2";
    static_cast<void>(create(state, wanted));
    using cluster::TwoNodePolicy;
    CHECK(state.clusters.at(wanted.name).record.two_node_policy == TwoNodePolicy::consistent);
    wanted.name = "other";
    wanted.two_node_policy = "available";
    static_cast<void>(create(state, wanted));
    CHECK(state.clusters.at(wanted.name).record.two_node_policy == TwoNodePolicy::available);
}

TEST_CASE("requests: commits wait for replicas unless that is not wanted", "[scheduler]")
{
    State state = subscribed();
    CreateForm wanted = form();
    static_cast<void>(create(state, wanted));
    using cluster::Durability;
    CHECK(state.clusters.at(wanted.name).record.durability == Durability::semisync);
    wanted.name = "other";
    wanted.durability = "async";
    static_cast<void>(create(state, wanted));
    CHECK(state.clusters.at(wanted.name).record.durability == Durability::async);
}

TEST_CASE("requests: a bad value is refused by its name, with what would be right", "[scheduler]")
{
    struct Case {
        std::string name;
        std::function<void(CreateForm&)> change;
        std::string message;
    };
    const std::string names =
        "name: must be 1 to 64 letters, digits, '-', '_' and '.', and begin with a letter or digit";
    const std::string nodes = "num_nodes: must be a number from 1 to 15";
    const std::string small =
        "size: is too small, an instance must be larger than the executor's share of 0.01 cpus, 32 "
        "MB of memory and 1 MB of disk";
    const std::string mem = R"(size: 'mem' must be text with a unit, like "512mb" or "2gb")";
    const std::vector<Case> cases{
        {"no user", [](auto& f) { f.cluster_user.reset(); }, "cluster_user: is missing"},
        {"empty user", [](auto& f) { f.cluster_user = ""; }, "cluster_user: is missing"},
        {"quotes in the user",
         [](auto& f) { f.cluster_user = "a'b"; },
         "cluster_user: must be 1 to 32 letters, digits, '-', '_' and '.'"},
        {"long user",
         [](auto& f) { f.cluster_user = std::string(33, 'a'); },
         "cluster_user: must be 1 to 32 letters, digits, '-', '_' and '.'"},
        {"root", [](auto& f) { f.cluster_user = "root"; }, "cluster_user: 'root' is reserved"},
        {"replication's",
         [](auto& f) { f.cluster_user = "repl_1"; },
         "cluster_user: 'repl_1' is reserved"},
        {"constraints of another form",
         [](auto& f) { f.constraints = "rack:UNIQUE"; },
         R"(constraints: must be a JSON list of lists, like [["rack", "UNIQUE"], ["os", "LIKE", "deb.*"]])"},
        {"an unknown operator",
         [](auto& f) { f.constraints = R"([["rack","NEAR","r1"]])"; },
         "constraints: 'NEAR' is no operator: UNIQUE, CLUSTER, GROUP_BY, LIKE, UNLIKE and MAX_PER "
         "are"},
        {"a bad pattern",
         [](auto& f) { f.constraints = R"([["rack","LIKE","("]])"; },
         "constraints: 'rack LIKE' has no valid regular expression: Unmatched marking parenthesis "
         "( or \\(."},
        {"a missing value",
         [](auto& f) { f.constraints = R"([["rack","MAX_PER"]])"; },
         "constraints: 'rack MAX_PER' needs a number from 1 up, how many members a value may have"},
        {"all on one host",
         [](auto& f) {
             f.constraints = R"([["hostname","CLUSTER"]])";
             f.num_nodes = "2";
         },
         "constraints: 'hostname CLUSTER' puts all members on one host, which 'colocate' must "
         "allow: give colocate=true"},
        {"two_node_policy",
         [](auto& f) { f.two_node_policy = "brave"; },
         "two_node_policy: must be 'consistent' or 'available'"},
        {"empty two_node_policy",
         [](auto& f) { f.two_node_policy = ""; },
         "two_node_policy: must be 'consistent' or 'available'"},
        {"durability",
         [](auto& f) { f.durability = "none"; },
         "durability: must be 'semisync' or 'async'"},
        {"a contradiction",
         [](auto& f) {
             f.durability = "async";
             f.two_node_policy = "consistent";
         },
         "two_node_policy: 'consistent' lets writes wait for the other member, and durability "
         "'async' for nobody: give one of them"},
        {"colocate", [](auto& f) { f.colocate = "yes"; }, "colocate: must be 'true' or 'false'"},
        {"no nodes", [](auto& f) { f.num_nodes = "0"; }, nodes},
        {"less than none", [](auto& f) { f.num_nodes = "-1"; }, nodes},
        {"nodes are no number", [](auto& f) { f.num_nodes = "x"; }, nodes},
        {"nodes with a tail", [](auto& f) { f.num_nodes = "3 "; }, nodes},
        {"empty nodes", [](auto& f) { f.num_nodes = ""; }, nodes},
        {"too many nodes", [](auto& f) { f.num_nodes = "1000"; }, nodes},
        {"far too many", [](auto& f) { f.num_nodes = "99999999999"; }, nodes},
        {"size is not JSON",
         [](auto& f) { f.size = "big"; },
         R"(size: must be JSON like {"cpus": 1.0, "mem": "512mb", "disk": "2gb"})"},
        {"size is no object",
         [](auto& f) { f.size = "[1]"; },
         R"(size: must be JSON like {"cpus": 1.0, "mem": "512mb", "disk": "2gb"})"},
        {"unknown unit", [&](auto& f) { f.size = R"({"mem": "512xb"})"; }, mem},
        {"no unit", [](auto& f) { f.size = R"({"mem": 512})"; }, mem},
        {"unknown key",
         [](auto& f) { f.size = R"({"memory": "1gb"})"; },
         "size: 'cpus', 'mem' and 'disk' are known, 'memory' is not"},
        {"cpus as text",
         [](auto& f) { f.size = R"({"cpus": "1"})"; },
         "size: 'cpus' must be a number"},
        {"negative cpus",
         [](auto& f) { f.size = R"({"cpus": -1})"; },
         "size: 'cpus' must be a number of cpus"},
        {"too few cpus", [](auto& f) { f.size = R"({"cpus": 0.01})"; }, small},
        {"too little memory", [](auto& f) { f.size = R"({"mem": "32mb"})"; }, small},
        {"too little disk", [](auto& f) { f.size = R"({"disk": "1mb"})"; }, small},
        {"slash", [](auto& f) { f.name = "a/b"; }, names},
        {"dots", [](auto& f) { f.name = ".."; }, names},
        {"long name", [](auto& f) { f.name = std::string(300, 'a'); }, names},
        {"no name", [](auto& f) { f.name = ""; }, names},
        {"a space", [](auto& f) { f.name = "a b"; }, names},
        {"flavor", [](auto& f) { f.flavor = "postgres"; }, "flavor: must be 'mariadb' or 'mysql'"},
        {"backup",
         [](auto& f) { f.backup_id = "b"; },
         "backup_id: this version does not restore backups"},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            CreateForm asked = form();
            c.change(asked);
            State state = subscribed();
            const State before = state;
            const Effects effects = create(state, asked);
            const auto answer = reply(effects);
            REQUIRE(std::holds_alternative<Refused>(answer));
            CHECK(std::get<Refused>(answer).why == Refused::Why::bad_value);
            const std::string& message = std::get<Refused>(answer).message;
            CHECK(message.substr(0, c.message.size()) == c.message);
            CHECK(effects.size() == 1);
            CHECK(state == before);
        }
    }
}

TEST_CASE(
    "requests: a cluster's name is stored before its record, and that before the answer",
    "[scheduler]")
{
    State state = subscribed();
    CreateForm asked = form();
    asked.num_nodes = "3";
    const Effects effects = create(state, asked);
    REQUIRE(effects.size() == 4);
    const auto& framework = std::get<SaveFramework>(effects[0]).record;
    CHECK(framework.clusters == std::set<std::string>{"demo"});
    CHECK(framework.framework_id.text == "F");
    const cluster::Record& record = std::get<SaveCluster>(effects[1]).record;
    CHECK(record.name == "demo");
    CHECK(record.uuid == uuid);
    CHECK(record.sealed_secrets == "sealed");
    CHECK(record.members.size() == 3);
    CHECK(record.next_server_id == 4);
    CHECK(record.created_at_unix_ms == 1'795'342'087'000);
    CHECK(std::get<Reply>(effects[2]) == Reply{RequestId{7}, Created{"demo"}});
    CHECK(std::get<SendCall>(effects[3]) == SendCall{mesos::Revive{}});
    CHECK(state.clusters.at("demo").record == record);
}

TEST_CASE("requests: a name is given once", "[scheduler]")
{
    State state = subscribed();
    static_cast<void>(create(state, form()));
    const auto answer = reply(create(state, form()));
    CHECK(answer == Answer{Refused{Refused::Why::exists, "cluster 'demo' exists already"}});
}

TEST_CASE("requests: without a Mesos master nothing is begun", "[scheduler]")
{
    const Answer not_connected{
        Refused{Refused::Why::not_connected, "the scheduler is not connected to Mesos, try again"}};
    State state;
    CHECK(reply(create(state, form())) == not_connected);
    state = subscribed();
    static_cast<void>(create(state, form()));
    static_cast<void>(step(state, config(), MesosDisconnected{"gone"}, t0));
    CreateForm other = form();
    other.name = "other";
    CHECK(reply(create(state, other)) == not_connected);
    const DeleteRequested request{RequestId{7}, "demo", Password::right};
    CHECK(reply(step(state, config(), request, t0)) == not_connected);
    CHECK_FALSE(state.clusters.at("demo").record.deleting);
}

TEST_CASE("requests: deletion wants the cluster's password", "[scheduler]")
{
    State state = subscribed();
    static_cast<void>(create(state, form()));
    const auto ask = [&state](const std::string& name, Password password) {
        return reply(step(state, config(), DeleteRequested{RequestId{7}, name, password}, t0));
    };
    CHECK(
        ask("other", Password::wrong) ==
        Answer{Refused{Refused::Why::not_found, "there is no cluster 'other'"}});
    CHECK(
        ask("demo", Password::missing) ==
        Answer{Refused{Refused::Why::wrong_password, "password: is missing"}});
    CHECK(
        ask("demo", Password::wrong) ==
        Answer{Refused{Refused::Why::wrong_password, "password: is not the cluster's"}});
    CHECK_FALSE(state.clusters.at("demo").record.deleting);
    CHECK(ask("demo", Password::right) == Answer{DeletionBegun{"demo"}});
    CHECK(state.clusters.at("demo").record.deleting);
}

TEST_CASE("requests: a cluster is told how many members it is to have", "[scheduler]")
{
    State state = subscribed();
    static_cast<void>(create(state, form()));
    const auto ask = [&state](const std::string& name, std::uint32_t num_nodes) {
        return reply(step(state, config(), ScaleRequested{RequestId{7}, name, num_nodes}, t0));
    };
    using Why = Refused::Why;
    CHECK(ask("other", 3) == Answer{Refused{Why::not_found, "there is no cluster 'other'"}});
    const std::uint32_t max = config().num_nodes_max;
    const std::string range = "num_nodes: must be a number from 1 to " + std::to_string(max);
    CHECK(ask("demo", 0) == Answer{Refused{Why::bad_value, range}});
    CHECK(ask("demo", max + 1) == Answer{Refused{Why::bad_value, range}});
    CHECK(ask("demo", 5) == Answer{ScalingBegun{"demo"}});
    CHECK(state.clusters.at("demo").record.num_nodes == 5);

    static_cast<void>(
        step(state, config(), DeleteRequested{RequestId{7}, "demo", Password::right}, t0));
    CHECK(ask("demo", 3) == Answer{Refused{Why::exists, "cluster 'demo' is being deleted"}});

    State unborn;
    const Answer too_early =
        reply(step(unborn, config(), ScaleRequested{RequestId{7}, "demo", 3}, t0));
    CHECK(std::get<Refused>(too_early).why == Why::not_connected);
}

TEST_CASE("requests: deletion is stored before it is answered", "[scheduler]")
{
    State state = subscribed();
    static_cast<void>(create(state, form()));
    const Effects effects =
        step(state, config(), DeleteRequested{RequestId{7}, "demo", Password::right}, t0);
    std::optional<std::size_t> saved;
    std::optional<std::size_t> replied;
    for (std::size_t i = 0; i < effects.size(); ++i) {
        const auto* save = std::get_if<SaveCluster>(&effects[i]);
        if (save != nullptr && save->record.deleting) saved = i;
        if (std::holds_alternative<Reply>(effects[i])) replied = i;
    }
    REQUIRE(saved);
    REQUIRE(replied);
    CHECK(*saved < *replied);
}

}  // namespace mysos::scheduler
