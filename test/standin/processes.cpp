// Starting and killing what a container runs.
#include "test/standin/containers.hpp"
#include "test/standin/network.hpp"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <grp.h>
#include <iterator>
#include <pwd.h>
#include <sstream>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace mysos::standin {

namespace {

namespace fs = std::filesystem;

struct ProcessRow {
    pid_t pid = 0;
    pid_t parent = 0;
    pid_t group = 0;
    pid_t session = 0;
    char state = '?';
};

std::vector<pid_t> all_pids()
{
    std::vector<pid_t> pids;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator{"/proc", none}) {
        const std::string name = entry.path().filename().string();
        pid_t pid = 0;
        const auto [end, ec] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (ec == std::errc{} && end == name.data() + name.size()) pids.push_back(pid);
    }
    return pids;
}

/// Empty for one that has ended: reading then fails after the file was opened.
std::string told_of(pid_t pid, const std::string& what)
{
    const std::ifstream file{"/proc/" + std::to_string(pid) + '/' + what, std::ios::binary};
    std::ostringstream text;
    text << file.rdbuf();  // An error of the file ends it; an iterator would throw.
    return text.str();
}

std::vector<ProcessRow> all_processes()
{
    std::vector<ProcessRow> rows;
    for (const pid_t pid : all_pids()) {
        const std::string text = told_of(pid, "stat");
        const auto name_end = text.rfind(')');  // The name may hold anything, also ')'.
        if (name_end == std::string::npos) continue;
        std::istringstream fields{text.substr(name_end + 1)};
        ProcessRow row;
        row.pid = pid;
        if (fields >> row.state >> row.parent >> row.group >> row.session) rows.push_back(row);
    }
    return rows;
}

/// Those that hang on `leader` now: children of children, whole groups and sessions.
std::set<pid_t> members_of(pid_t leader)
{
    const auto rows = all_processes();
    const pid_t own_session = getsid(0);
    const pid_t own_group = getpgrp();
    std::set<pid_t> members{leader};
    std::set<pid_t> groups{leader};
    std::set<pid_t> sessions{leader};
    for (std::size_t before = 0; before != members.size();) {
        before = members.size();
        for (const auto& row : rows) {
            if (!members.contains(row.pid) && !members.contains(row.parent) &&
                !groups.contains(row.group) && !sessions.contains(row.session))
                continue;
            members.insert(row.pid);
            if (row.group != own_group) groups.insert(row.group);
            if (row.session != own_session) sessions.insert(row.session);
        }
    }
    members.erase(getpid());
    std::erase_if(members, [&](pid_t pid) {
        const auto row = std::ranges::find(rows, pid, &ProcessRow::pid);
        return row == rows.end() || row->state == 'Z';
    });
    return members;
}

[[noreturn]] void become(
    const Command& command, char* const* arguments, char* const* environment, const passwd* user)
{
    setsid();
    const int input = open("/dev/null", O_RDONLY);
    const int output = open("stdout", O_WRONLY | O_CREAT | O_APPEND, 0644);
    const int errors = open("stderr", O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (user != nullptr && (fchown(output, user->pw_uid, user->pw_gid) != 0 ||
                            fchown(errors, user->pw_uid, user->pw_gid) != 0))
        _exit(1);
    dup2(input, 0);
    dup2(output, 1);
    dup2(errors, 2);
    syscall(SYS_close_range, 3U, ~0U, 0U);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (const int number : {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGCHLD})
        std::signal(number, SIG_DFL);
    if (user != nullptr && (initgroups(user->pw_name, user->pw_gid) != 0 ||
                            setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
        _exit(1);
    execvpe(command.program.c_str(), arguments, environment);
    static constexpr char text[] = "Failed to execute the command\n";
    (void)!::write(2, text, sizeof text - 1);
    _exit(1);
}

std::vector<char*> pointers_to(std::vector<std::string>& texts)
{
    std::vector<char*> pointers;
    for (auto& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

}  // namespace

pid_t spawn(const Command& command)
{
    const passwd* user = nullptr;
    if (command.user && geteuid() == 0) {
        user = getpwnam(command.user->c_str());
        if (user == nullptr)
            throw std::system_error{
                ENOENT, std::generic_category(), "no such user '" + *command.user + "'"};
        if (user->pw_uid == 0) user = nullptr;
    }
    std::vector<std::string> arguments = command.arguments;
    std::vector<std::string> environment;
    for (const auto& [name, value] : command.environment) environment.push_back(name + "=" + value);
    const auto argv = pointers_to(arguments);
    const auto envp = pointers_to(environment);

    const InNetwork there{command.network};  // Inherited; the child may not be allowed to enter.
    const pid_t pid = fork();
    if (pid < 0) throw std::system_error{errno, std::generic_category(), "fork"};
    if (pid > 0) return pid;
    if (chdir(command.directory.c_str()) != 0) _exit(1);
    become(command, argv.data(), envp.data(), user);
}

void kill_session(pid_t leader)
{
    // New ones may be forked while the old ones die; a handful of rounds always was enough.
    for (int round = 0; round < 50; ++round) {
        const auto members = members_of(leader);
        if (members.empty()) return;
        for (const pid_t pid : members) kill(pid, SIGKILL);
        usleep(1000);
    }
}

int kill_strays(const std::string& work_dir)
{
    const std::string mark = "MESOS_SANDBOX=" + work_dir + "/";
    int killed = 0;
    for (const pid_t pid : all_pids()) {
        if (pid == getpid()) continue;
        const std::string text = told_of(pid, "environ");
        if (('\0' + text).find('\0' + mark) == std::string::npos) continue;
        if (kill(pid, SIGKILL) == 0) ++killed;
    }
    return killed;
}

}  // namespace mysos::standin
