#include "common/wire/task_data.hpp"
#include "scheduler/errc.hpp"
#include "scheduler/out/executor_commands.hpp"
#include "scheduler/out/mesos_calls.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <variant>

using namespace mysos;
using namespace mysos::scheduler;

namespace {

const Secrets secrets{"cluster", "admin", std::string(32, 's')};

AcceptOffer accept_offer()
{
    AcceptOffer effect;
    effect.data.cluster = "demo";
    effect.data.cluster_uuid = "uuid";
    effect.data.member = MemberId{2};
    effect.data.task_id.text = "mysos-demo-2";
    effect.data.flavor = "mysql";
    effect.data.host = "a2";
    effect.data.ip = "10.0.0.2";
    effect.data.port = 31000;
    effect.data.peer_port = 31001;
    effect.data.mem_mb = 480;
    effect.data.disk_mb = 2047;
    mesos::Launch launch;
    launch.task.id.text = "mysos-demo-2";
    effect.accept.operations = {mesos::Reserve{}, mesos::Create{}, launch};
    return effect;
}

}  // namespace

TEST_CASE("out: a task's data says all that an executor needs, and one secret", "[scheduler]")
{
    const ZkUrl zk = parse_zk_url("zk://user:hush@z1:2181,z2:2182/mysos").value();
    const nlohmann::json installer{{"installer", "host"}, {"flavor", "mariadb"}};
    const mesos::Accept accept = with_task_data(accept_offer(), secrets, zk, installer);
    REQUIRE(accept.operations.size() == 3);
    const std::string& text = std::get<mesos::Launch>(accept.operations[2]).task.data;
    const auto data = wire::decode_task_data(text);
    REQUIRE(data.has_value());
    CHECK(data->token == launch_token(secrets, "mysos-demo-2"));
    CHECK(data->zk == "zk://z1:2181,z2:2182/mysos");
    CHECK(data->cluster == "demo");
    CHECK(data->cluster_uuid == "uuid");
    CHECK(data->server_id == 2);
    CHECK(data->flavor == "mysql");
    CHECK(data->host == "a2");
    CHECK(data->ip == "10.0.0.2");
    CHECK(data->port == 31000);
    CHECK(data->peer_port == 31001);
    CHECK(data->mem_mb == 480);
    CHECK(data->disk_mb == 2047);
    // The cluster's flavour, not the framework's default.
    CHECK(nlohmann::json::parse(data->installer).at("flavor") == "mysql");
    CHECK(text.find("hush") == std::string::npos);
    CHECK(text.find(member_token(secrets, "mysos-demo-2")) == std::string::npos);
}

TEST_CASE("out: a program is fetched executable, an archive is unpacked", "[scheduler]")
{
    Options options;
    options.executor_uri = "http://h/mysos-executor";
    options.executor_cmd = "./mysos-executor";
    options.executor_environ = {{"A", "b"}};
    const mesos::Command command = executor_command(options);
    CHECK(command.value == "./mysos-executor");
    REQUIRE(command.uris.size() == 1);
    CHECK(command.uris[0].executable);
    CHECK_FALSE(command.uris[0].extract);
    REQUIRE(command.environment.size() == 1);
    CHECK(command.environment[0].name == "A");
    CHECK(command.environment[0].value == "b");

    options.executor_uri = "/opt/mysos-executor.tar.gz";
    CHECK(executor_command(options).uris[0].extract);
    CHECK_FALSE(executor_command(options).uris[0].executable);

    options.executor_uri.clear();
    CHECK(executor_command(options).uris.empty());
}

TEST_CASE("out: orders get the passwords of the accounts that they name", "[scheduler]")
{
    using Kind = control::AccountSpec::Kind;
    const control::AccountSpec admin{Kind::admin, {}};
    const control::AccountSpec application{Kind::application, {"app", ""}};
    const control::AccountSpec replication{Kind::replication, {"repl_2", ""}};
    control::Promote promote;
    promote.accounts = {admin, application, replication};

    const Dispenser generated{};
    const auto filled = std::get<control::Promote>(generated.fill(promote, secrets));
    CHECK(filled.accounts[0].account == control::Account{"mysos_admin", "admin"});
    CHECK(filled.accounts[1].account == control::Account{"app", "cluster"});
    CHECK(
        filled.accounts[2].account ==
        control::Account{"repl_2", account_password(secrets, "repl_2")});

    const Dispenser given{Credentials{"boss", "own"}};
    const auto with_own = std::get<control::Promote>(given.fill(promote, secrets));
    CHECK(with_own.accounts[0].account == control::Account{"boss", "own"});

    control::SetAcknowledgers acknowledgers;
    acknowledgers.accounts = {replication};
    const auto joined = std::get<control::SetAcknowledgers>(generated.fill(acknowledgers, secrets));
    CHECK(joined.accounts[0] == filled.accounts[2]);

    control::Follow follow;
    follow.account.user = "repl_2";
    const auto following = std::get<control::Follow>(generated.fill(follow, secrets));
    CHECK(following.account == filled.accounts[2].account);

    control::Rebuild rebuild;
    rebuild.account.user = "clone";
    const auto rebuilding = std::get<control::Rebuild>(generated.fill(rebuild, secrets));
    CHECK(rebuilding.account == control::Account{"clone", account_password(secrets, "clone")});

    CHECK(generated.fill(control::Stop{}, secrets) == control::ToMember{control::Stop{}});
}

TEST_CASE("out: a welcome brings the permanent token and the administrator", "[scheduler]")
{
    control::Welcome welcome;
    welcome.cluster_uuid = "uuid";
    welcome.epoch = Epoch{4};
    const control::Welcome filled = Dispenser{}.fill(welcome, secrets, "t1");
    CHECK(filled.token == member_token(secrets, "t1"));
    CHECK(filled.admin == control::Account{"mysos_admin", "admin"});
    CHECK(filled.peer_token == peer_token(secrets, "uuid"));
    CHECK(filled.peer_token != peer_token(secrets, "uuid of another"));
    CHECK(filled.peer_token != filled.token);
    CHECK(filled.cluster_uuid == "uuid");
    CHECK(filled.epoch == Epoch{4});
}

TEST_CASE("errors: each says what happened", "[scheduler]")
{
    CHECK(make_error_code(Errc::state_unreadable).message() == "the stored state cannot be read");
    CHECK(make_error_code(Errc::refused_by_mesos).message() == "Mesos refused the framework");
    CHECK(make_error_code(Errc::deposed).message() == "another scheduler may lead");
}
