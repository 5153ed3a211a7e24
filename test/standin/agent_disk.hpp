#pragma once

#include "test/standin/messages.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mysos::standin {

/// Where one run of an executor has its files.
struct RunPath {
    AgentId agent;
    FrameworkId framework;
    ExecutorId executor;
    std::string container;
};

struct RecoveredTask {
    v1::TaskInfo info;
    std::vector<v1::TaskStatus> updates;  ///< In their order, acknowledged ones too.
    std::set<std::string> acknowledged;   ///< Their uuids.
};

struct RecoveredExecutor {
    v1::ExecutorInfo info;
    std::string container;
    int pid = -1;
    bool ended = false;
    bool is_command_task = false;
    std::vector<RecoveredTask> tasks;
};

struct RecoveredFramework {
    v1::FrameworkInfo info;
    std::vector<RecoveredExecutor> executors;
};

struct RecoveredAgent {
    std::optional<v1::AgentInfo> info;
    std::optional<Resources> total;
    std::vector<RecoveredFramework> frameworks;
    bool rebooted = false;
};

/// An agent's work directory, in the layout of a real one: sandboxes, volumes and what survives the
/// agent's process. Errors are exceptions of std::filesystem; an agent does not outlive a bad disk.
class AgentDisk {
  public:
    explicit AgentDisk(std::filesystem::path work_dir) : work_dir_{std::move(work_dir)} {}

    [[nodiscard]] std::filesystem::path sandbox(const RunPath& run) const;
    [[nodiscard]] std::filesystem::path volume(const v1::Resource& resource) const;
    /// Creates the sandbox, for `user` if there is one and we may, and points `runs/latest` to it.
    void make_sandbox(const RunPath& run, const std::optional<std::string>& user) const;

    void save_agent(const v1::AgentInfo& info) const;
    void save_resources(const Resources& total) const;
    void save_framework(const AgentId& agent, const v1::FrameworkInfo& info) const;
    void save_executor(const RunPath& run, const v1::ExecutorInfo& info, bool command_task) const;
    void save_pid(const RunPath& run, int pid) const;
    void save_task(const RunPath& run, const v1::TaskInfo& task) const;
    void add_update(const RunPath& run, const v1::TaskStatus& status) const;
    void add_acknowledgement(const RunPath& run, const TaskId& task, const std::string& uuid) const;
    void mark_ended(const RunPath& run) const;
    void forget_task(const RunPath& run, const TaskId& task) const;
    void forget_run(const RunPath& run) const;
    void forget_framework(const AgentId& agent, const FrameworkId& framework) const;
    void forget_agent() const;

    /// All that was saved. Another `boot_id` than at the last call means a reboot.
    [[nodiscard]] RecoveredAgent load(const std::string& boot_id) const;

  private:
    [[nodiscard]] std::filesystem::path meta(const RunPath& run) const;
    [[nodiscard]] std::filesystem::path meta_framework(
        const AgentId& agent, const FrameworkId& framework) const;
    [[nodiscard]] RecoveredFramework load_framework(const std::filesystem::path& directory) const;
    [[nodiscard]] std::optional<RecoveredExecutor> load_executor(
        const std::filesystem::path& directory) const;

    std::filesystem::path work_dir_;
};

}  // namespace mysos::standin
