#include "test/standin/agent_disk.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <pwd.h>
#include <unistd.h>

namespace mysos::standin {

namespace {

namespace fs = std::filesystem;

void write_file(const fs::path& path, const std::string& text)
{
    fs::create_directories(path.parent_path());
    const fs::path next = path.string() + ".next";
    std::ofstream{next, std::ios::binary | std::ios::trunc} << text;
    fs::rename(next, path);
}

std::optional<std::string> read_file(const fs::path& path)
{
    std::ifstream file{path, std::ios::binary};
    if (!file) return {};
    return std::string{std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

template <class Message>
std::optional<Message> read_message(const fs::path& path)
{
    const auto bytes = read_file(path);
    Message message;
    if (!bytes || !message.ParseFromString(*bytes)) return {};
    return message;
}

/// Kind ('U' update, 'A' acknowledgement), length in decimal, LF, bytes.
void append_record(const fs::path& path, char kind, const std::string& bytes)
{
    fs::create_directories(path.parent_path());
    std::ofstream file{path, std::ios::binary | std::ios::app};
    file << kind << bytes.size() << '\n' << bytes;
}

void read_updates(const fs::path& path, RecoveredTask& task)
{
    std::ifstream file{path, std::ios::binary};
    char kind = 0;
    std::size_t size = 0;
    while (file.get(kind) && file >> size && file.get() == '\n') {
        std::string bytes(size, '\0');
        if (!file.read(bytes.data(), static_cast<std::streamsize>(size))) return;
        v1::TaskStatus status;
        if (kind == 'A')
            task.acknowledged.insert(bytes);
        else if (status.ParseFromString(bytes))
            task.updates.push_back(std::move(status));
    }
}

std::vector<fs::path> directories_in(const fs::path& path)
{
    std::vector<fs::path> found;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator{path, none})
        if (entry.is_directory() && !entry.is_symlink()) found.push_back(entry.path());
    std::ranges::sort(found);
    return found;
}

void point_to(const fs::path& link, const fs::path& target)
{
    fs::remove(link);
    fs::create_directory_symlink(target, link);
}

}  // namespace

fs::path AgentDisk::sandbox(const RunPath& run) const
{
    return work_dir_ / "slaves" / run.agent / "frameworks" / run.framework / "executors" /
           run.executor / "runs" / run.container;
}

fs::path AgentDisk::volume(const v1::Resource& resource) const
{
    fs::path root = work_dir_;
    const auto& source = resource.disk().source();
    if (source.has_mount()) return work_dir_ / source.mount().root();
    if (source.has_path()) root = work_dir_ / source.path().root();
    std::string role = reservation_role(resource);
    std::ranges::replace(role, '/', ' ');
    return root / "volumes" / "roles" / role / resource.disk().persistence().id();
}

void AgentDisk::make_sandbox(const RunPath& run, const std::optional<std::string>& user) const
{
    const fs::path path = sandbox(run);
    fs::create_directories(path);
    // An unknown user, or one that may not have it, fails the launch when the process is started.
    const passwd* owner = user && geteuid() == 0 ? getpwnam(user->c_str()) : nullptr;
    if (owner != nullptr) (void)!chown(path.c_str(), owner->pw_uid, owner->pw_gid);
    point_to(path.parent_path() / "latest", path);
}

fs::path AgentDisk::meta_framework(const AgentId& agent, const FrameworkId& framework) const
{
    return work_dir_ / "meta" / "slaves" / agent / "frameworks" / framework;
}

fs::path AgentDisk::meta(const RunPath& run) const
{
    return meta_framework(run.agent, run.framework) / "executors" / run.executor / "runs" /
           run.container;
}

void AgentDisk::save_agent(const v1::AgentInfo& info) const
{
    const fs::path slaves = work_dir_ / "meta" / "slaves";
    write_file(slaves / info.id().value() / "slave.info", info.SerializeAsString());
    point_to(slaves / "latest", slaves / info.id().value());
}

void AgentDisk::save_resources(const Resources& total) const
{
    v1::AgentInfo carrier;  // Any message with a list of resources will do.
    carrier.set_hostname("");
    for (const auto& item : total.items()) *carrier.add_resources() = item;
    write_file(work_dir_ / "meta" / "resources" / "resources.info", carrier.SerializeAsString());
}

void AgentDisk::save_framework(const AgentId& agent, const v1::FrameworkInfo& info) const
{
    write_file(
        meta_framework(agent, info.id().value()) / "framework.info", info.SerializeAsString());
}

void AgentDisk::save_executor(
    const RunPath& run, const v1::ExecutorInfo& info, bool command_task) const
{
    const fs::path of_run = meta(run);
    write_file(of_run.parent_path().parent_path() / "executor.info", info.SerializeAsString());
    write_file(of_run / (command_task ? "command.marker" : "http.marker"), "");
    point_to(of_run.parent_path() / "latest", of_run);
}

void AgentDisk::save_pid(const RunPath& run, int pid) const
{
    write_file(meta(run) / "pids" / "forked.pid", std::to_string(pid));
}

void AgentDisk::save_task(const RunPath& run, const v1::TaskInfo& task) const
{
    write_file(
        meta(run) / "tasks" / task.task_id().value() / "task.info", task.SerializeAsString());
}

void AgentDisk::add_update(const RunPath& run, const v1::TaskStatus& status) const
{
    append_record(
        meta(run) / "tasks" / status.task_id().value() / "task.updates",
        'U',
        status.SerializeAsString());
}

void AgentDisk::add_acknowledgement(
    const RunPath& run, const TaskId& task, const std::string& uuid) const
{
    append_record(meta(run) / "tasks" / task / "task.updates", 'A', uuid);
}

void AgentDisk::mark_ended(const RunPath& run) const
{
    write_file(meta(run) / "executor.sentinel", "");
}

void AgentDisk::forget_task(const RunPath& run, const TaskId& task) const
{
    fs::remove_all(meta(run) / "tasks" / task);
}

void AgentDisk::forget_run(const RunPath& run) const
{
    fs::remove_all(meta(run).parent_path().parent_path());
}

void AgentDisk::forget_framework(const AgentId& agent, const FrameworkId& framework) const
{
    fs::remove_all(meta_framework(agent, framework));
}

void AgentDisk::forget_agent() const
{
    fs::remove(work_dir_ / "meta" / "slaves" / "latest");
}

std::optional<RecoveredExecutor> AgentDisk::load_executor(const fs::path& directory) const
{
    const auto info = read_message<v1::ExecutorInfo>(directory / "executor.info");
    std::error_code none;
    const fs::path run = fs::read_symlink(directory / "runs" / "latest", none);
    if (!info || none) return {};
    RecoveredExecutor executor;
    executor.info = *info;
    executor.container = run.filename().string();
    executor.ended = fs::exists(run / "executor.sentinel");
    executor.is_command_task = fs::exists(run / "command.marker");
    if (const auto pid = read_file(run / "pids" / "forked.pid")) executor.pid = std::stoi(*pid);
    for (const auto& path : directories_in(run / "tasks")) {
        const auto task_info = read_message<v1::TaskInfo>(path / "task.info");
        if (!task_info) continue;
        RecoveredTask task;
        task.info = *task_info;
        read_updates(path / "task.updates", task);
        executor.tasks.push_back(std::move(task));
    }
    return executor;
}

RecoveredFramework AgentDisk::load_framework(const fs::path& directory) const
{
    RecoveredFramework framework;
    if (auto info = read_message<v1::FrameworkInfo>(directory / "framework.info"))
        framework.info = std::move(*info);
    for (const auto& path : directories_in(directory / "executors"))
        if (auto executor = load_executor(path))
            framework.executors.push_back(std::move(*executor));
    return framework;
}

RecoveredAgent AgentDisk::load(const std::string& boot_id) const
{
    const fs::path meta = work_dir_ / "meta";
    RecoveredAgent agent;
    const auto before = read_file(meta / "boot_id");
    agent.rebooted = before && *before != boot_id;
    write_file(meta / "boot_id", boot_id);
    if (const auto saved = read_message<v1::AgentInfo>(meta / "resources" / "resources.info"))
        agent.total = Resources{saved->resources()};
    std::error_code none;
    const fs::path latest = fs::read_symlink(meta / "slaves" / "latest", none);
    if (none) return agent;
    agent.info = read_message<v1::AgentInfo>(latest / "slave.info");
    for (const auto& path : directories_in(latest / "frameworks"))
        agent.frameworks.push_back(load_framework(path));
    return agent;
}

}  // namespace mysos::standin
