#include "executor/in/child_exits.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace mysos::executor {

std::string reason_in(const std::string& log_tail)
{
    constexpr std::string_view mark = "[ERROR] ";
    std::string last;
    std::vector<std::string> errors;
    for (std::size_t begin = 0; begin < log_tail.size();) {
        const std::size_t end = std::min(log_tail.find('\n', begin), log_tail.size());
        last = log_tail.substr(begin, end - begin);
        begin = end + 1;
        const std::size_t marked = last.find(mark);
        // Both servers end with the error "Aborting", which says nothing.
        if (marked == std::string::npos || last.ends_with("Aborting")) continue;
        std::string error = last.substr(marked + mark.size());
        // The log is appended: an earlier start may have failed in the same way.
        if (std::ranges::find(errors, error) == errors.end()) errors.push_back(std::move(error));
    }
    if (errors.empty()) return last;
    constexpr std::size_t errors_max = 3;
    std::string text;
    for (std::size_t i = errors.size() - std::min(errors.size(), errors_max); i < errors.size();
         ++i)
        text += (text.empty() ? "" : "; ") + errors[i];
    return text;
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
