#include "scheduler/out/mesos_calls.hpp"

#include "common/wire/task_data.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <variant>

namespace mysos::scheduler {
namespace {

bool is_archive(std::string_view uri)
{
    constexpr std::array<std::string_view, 7> endings{
        ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".zip"};
    return std::ranges::any_of(
        endings, [uri](std::string_view ending) { return uri.ends_with(ending); });
}

}  // namespace

mesos::Command executor_command(const Options& options)
{
    mesos::Command command;
    command.value = options.executor_cmd;
    if (!options.executor_uri.empty()) {
        // The fetcher unpacks an archive, or makes a program executable; it cannot do both.
        const bool archive = is_archive(options.executor_uri);
        mesos::Uri uri;
        uri.value = options.executor_uri;
        uri.extract = archive;
        uri.executable = !archive;
        command.uris.push_back(std::move(uri));
    }
    for (const auto& [name, value] : options.executor_environ) {
        mesos::Variable variable;
        variable.name = name;
        variable.value = value;
        command.environment.push_back(std::move(variable));
    }
    return command;
}

mesos::Accept with_task_data(
    AcceptOffer effect, const Secrets& secrets, const ZkUrl& zk, const nlohmann::json& installer)
{
    const cluster::LaunchData& launch = effect.data;
    wire::TaskData data;
    data.token = launch_token(secrets, launch.task_id.text);
    data.zk = print(zk);
    data.cluster = launch.cluster;
    data.cluster_uuid = launch.cluster_uuid;
    data.server_id = number(launch.member);
    data.flavor = launch.flavor;
    nlohmann::json arguments = installer;
    arguments["flavor"] = launch.flavor;
    data.installer = arguments.dump();
    data.port = launch.port;
    data.peer_port = launch.peer_port;
    data.mem_mb = static_cast<std::uint32_t>(launch.mem_mb);
    data.disk_mb = static_cast<std::uint32_t>(launch.disk_mb);
    data.host = launch.host;
    data.ip = launch.ip;
    data.async = launch.async;
    for (mesos::Operation& operation : effect.accept.operations) {
        auto* const task = std::get_if<mesos::Launch>(&operation);
        if (task != nullptr) task->task.data = wire::encode_task_data(data);
    }
    return std::move(effect.accept);
}

}  // namespace mysos::scheduler
