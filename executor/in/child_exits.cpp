#include "executor/in/child_exits.hpp"

#include <utility>

namespace mysos::executor {

std::string reason_in(const std::string& log_tail)
{
    std::string last;
    std::string error;
    for (std::size_t begin = 0; begin < log_tail.size();) {
        const std::size_t end = std::min(log_tail.find('\n', begin), log_tail.size());
        last = log_tail.substr(begin, end - begin);
        const std::size_t mark = last.find("[ERROR]");
        if (mark != std::string::npos) error = last.substr(mark + std::string{"[ERROR] "}.size());
        begin = end + 1;
    }
    return error.empty() ? last : error;
}

io::Awaitable<void> watch_exit(
    std::shared_ptr<ServerProcess> process, RunId run, std::string log_path, Post post)
{
    const Result<ProcessExit> exit = co_await process->exited();
    if (exit.has_error()) co_return;  // Cancelled: the program ends, and the server with it.
    std::string how = describe(*exit);
    constexpr std::size_t lines = 10;
    const std::string reason = reason_in(log_tail(log_path, lines));
    if (exit->signal == 0 && exit->status != 0 && !reason.empty()) how += ": " + reason;
    post(ServerExited{run, std::move(how)});
}

}  // namespace mysos::executor
