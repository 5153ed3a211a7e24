// Whether a secret can be read where nobody should look for one.
#include "scheduler/secrets.hpp"

#include "common/cluster/names.hpp"
#include "common/wire/base64.hpp"
#include "common/wire/state.hpp"
#include "common/wire/task_data.hpp"
#include "test/e2e/cluster_world.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

using namespace mysos;
using namespace mysos::test;
namespace fs = std::filesystem;

namespace {

std::string content(const fs::path& path)
{
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

std::string hexadecimal(const std::string& bytes)
{
    constexpr const char* digits = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text.push_back(digits[byte >> 4U]);
        text.push_back(digits[byte & 0xfU]);
    }
    return text;
}

using Secrets = std::map<std::string, std::string>;  ///< What it is, and itself.

void add_bytes(Secrets& secrets, const std::string& what, const std::string& bytes)
{
    secrets[what] = bytes;
    secrets[what + " in hexadecimal"] = hexadecimal(bytes);
    secrets[what + " in base64"] = wire::encode_base64(bytes);
}

/// All there are, but the one-time tokens: those are for TaskInfo.data.
Secrets all_secrets(ClusterWorld& world, const std::string& password, Secrets& one_time)
{
    const std::string key = content(world.directory() + "/work/scheduler.key");
    REQUIRE(key.size() == 32);
    const scheduler::SecretBox box{key};
    const auto record = wire::decode_cluster(world.zk.read("/mysos/state/clusters/demo").data);
    REQUIRE(record.has_value());
    const scheduler::Secrets sealed = box.open(record->sealed_secrets).value();
    CHECK(sealed.cluster_password == password);

    Secrets secrets{
        {"the cluster's password", password},
        {"the generated administrator's password", sealed.admin_password},
        {"the administrator's password", "hush-hush-administrator"}};
    add_bytes(secrets, "the key", key);
    add_bytes(secrets, "the seed", sealed.seed);
    for (const auto& [id, member] : record->members) {
        const std::string who = member.task_id.text;
        secrets["the permanent token of " + who] = member_token(sealed, who);
        secrets["the replication password of " + who] =
            account_password(sealed, cluster::replication_user(id));
        one_time[who] = launch_token(sealed, who);
    }
    REQUIRE(record->members.size() == 3);
    return secrets;
}

void check_none(const Secrets& secrets, const std::string& where, const std::string& text)
{
    for (const auto& [what, secret] : secrets) {
        INFO(what << " in " << where);
        CHECK(text.find(secret) == std::string::npos);
    }
}

bool others_read(const fs::path& path)
{
    return (fs::status(path).permissions() & fs::perms::others_read) != fs::perms::none;
}

/// Files of agents: nobody's log has a secret, and no file that has one can be read by others.
/// What an agent keeps of a task is that task's TaskInfo, with the one-time token.
void check_files(const std::string& below, const Secrets& everything, const Secrets& secrets)
{
    std::size_t logs = 0;
    for (const auto& entry : fs::recursive_directory_iterator{below}) {
        if (entry.is_symlink() || !entry.is_regular_file()) continue;
        const std::string name = entry.path().filename();
        const bool is_log = name == "stdout" || name == "stderr" || name.ends_with(".log") ||
                            name.ends_with(".err");
        constexpr std::uintmax_t size_max = std::uintmax_t{4} << 20U;  // The rest is tablespaces.
        if (entry.file_size() > size_max || (!is_log && !others_read(entry.path()))) continue;
        if (is_log) ++logs;
        const bool is_agents = name == "task.info";
        check_none(is_agents ? secrets : everything, entry.path().string(), content(entry.path()));
    }
    CHECK(logs >= 6);
}

}  // namespace

TEST_CASE("secrets: no log, no Mesos-visible field and no znode has one", "[e2e]")
{
    const TemporaryDirectory directory;
    const std::string admin =
        directory.write("admin.yaml", "username: boss\npassword: hush-hush-administrator\n");
    ClusterWorld world{
        {"--verbose", "--admin_keypath=" + admin, "--executor_cmd=./mysos-executor --verbose"}};
    const std::string password = world.create(3);
    world.await_whole(3);
    world.kill_scheduler();
    world.start_scheduler();
    world.await_whole(3);
    // What is wrong is not repeated either.
    const std::string wrong = "password=" + password + "x";
    CHECK(send_form(world.scheduler().port(), "DELETE", "/clusters/demo", wrong).status == 403);

    Secrets one_time;
    const Secrets secrets = all_secrets(world, password, one_time);
    Secrets everything = secrets;
    for (const auto& [task, token] : one_time) everything["the one-time token of " + task] = token;

    const std::string logs = world.scheduler_logs();
    CHECK(logs.find("debug") != std::string::npos);
    check_none(everything, "the scheduler's log", logs);
    check_none(everything, "ZooKeeper", world.zk.everything("/"));
    check_none(
        everything, "GET /v1/clusters", get(world.scheduler().port(), "/v1/clusters/demo").body);
    check_none(everything, "GET /metrics", get(world.scheduler().port(), "/metrics").body);
    check_files(world.directory() + "/mesos", everything, secrets);

    // By design the one-time token is in TaskInfo.data, and nothing else secret anywhere there.
    nlohmann::json state = world.mesos_state();
    nlohmann::json& tasks = state.at("frameworks").at(world.framework()).at("tasks");
    REQUIRE(tasks.size() == 3);
    for (const auto& [id, task] : tasks.items()) {
        const std::string data =
            wire::decode_base64(task.at("info").at("data").get<std::string>()).value();
        CHECK(wire::decode_task_data(data)->token == one_time.at(id));
        check_none(secrets, "TaskInfo.data", data);
        task.at("info").erase("data");
    }
    check_none(everything, "Mesos", state.dump());
}
