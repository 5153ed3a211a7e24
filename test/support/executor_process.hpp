#pragma once

#include <csignal>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace mysos::test {

/// The program mysos-executor, as an agent starts it: in a sandbox, with an environment of its own.
/// It dies with the process that started it, and with this object.
class ExecutorProcess {
  public:
    using Environment = std::map<std::string, std::string>;

    /// A file system of its own, which nobody else sees; the superuser can make one.
    struct SmallDisk {
        std::string path;
        std::string size;  ///< "300m"
    };

    /// `output`: a file that what it says is appended to.
    ExecutorProcess(
        const std::vector<std::string>& arguments,
        const Environment& environment,
        const std::string& directory,
        const std::string& output,
        const std::optional<SmallDisk>& disk = {});
    ExecutorProcess(const ExecutorProcess&) = delete;
    ExecutorProcess& operator=(const ExecutorProcess&) = delete;
    ~ExecutorProcess();

    void kill() { signal(SIGKILL); }
    void signal(int number);
    /// waitpid's value once it has ended.
    [[nodiscard]] std::optional<int> ended();
    [[nodiscard]] pid_t pid() const { return pid_; }
    /// That path as the process sees it.
    [[nodiscard]] std::string seen(const std::string& path) const
    {
        return "/proc/" + std::to_string(pid_) + "/root" + path;
    }

  private:
    pid_t pid_;
    std::optional<int> status_;
};

/// The pid of the server that is a child of `parent`, or 0.
[[nodiscard]] pid_t server_of(pid_t parent);
[[nodiscard]] std::string text_of(const std::string& path);

}  // namespace mysos::test
