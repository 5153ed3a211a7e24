#include "test/support/executor_process.hpp"

#include <fcntl.h>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <stdexcept>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mysos::test {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts)
{
    std::vector<char*> out;
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

bool mount(const ExecutorProcess::SmallDisk& disk)
{
    const std::string options = "mode=0755,size=" + disk.size;
    return ::unshare(CLONE_NEWNS) == 0 &&
           ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount("tmpfs", disk.path.c_str(), "tmpfs", 0, options.c_str()) == 0;
}

}  // namespace

ExecutorProcess::ExecutorProcess(
    const std::vector<std::string>& arguments,
    const Environment& environment,
    const std::string& directory,
    const std::string& output,
    const std::optional<SmallDisk>& disk)
{
    const std::string program = std::string{MYSOS_BINARY_DIR} + "/executor/mysos-executor";
    std::vector<std::string> words{program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> variables;
    for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
    const std::vector<char*> argv = pointers(words);
    const std::vector<char*> envp = pointers(variables);

    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error{"fork"};
    if (pid_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // What an agent may hand down to it.
    ::umask(S_IRWXG | S_IRWXO);
    ::signal(SIGCHLD, SIG_IGN);
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, nullptr);
    // Else it would keep the connections of others open.
    ::close_range(3, ~0U, 0);
    constexpr mode_t readable = 0644;
    const int log = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, readable);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    if (disk && !mount(*disk)) ::_exit(126);
    if (::chdir(directory.c_str()) == 0) ::execve(program.c_str(), argv.data(), envp.data());
    ::_exit(127);
}

ExecutorProcess::~ExecutorProcess()
{
    if (ended()) return;
    kill();
    ::waitpid(pid_, nullptr, 0);
}

void ExecutorProcess::signal(int number)
{
    if (!ended()) ::kill(pid_, number);
}

std::optional<int> ExecutorProcess::ended()
{
    int status = 0;
    if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
    return status_;
}

pid_t server_of(pid_t parent)
{
    const std::string path =
        "/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children";
    std::istringstream children{text_of(path)};
    for (pid_t child = 0; children >> child;) {
        const std::string name = text_of("/proc/" + std::to_string(child) + "/comm");
        if (name.starts_with("mariadbd") || name.starts_with("mysqld")) return child;
    }
    return 0;
}

std::string text_of(const std::string& path)
{
    std::ifstream file{path, std::ios::binary};
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace mysos::test
