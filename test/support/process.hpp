#pragma once

#include "test/support/temporary_directory.hpp"

#include <filesystem>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace mysos::test {

/// A program under test, with everything it prints in one file.
///
/// It dies with this object, and with the process that started it. Waiting is for events: what it
/// prints, or its end. A wait that lasts beyond any reason throws std::runtime_error with the end
/// of what it printed.
class Process {
  public:
    struct Order {
        std::vector<std::string> arguments;  ///< The program's path first.
        std::vector<std::pair<std::string, std::string>> environment;  ///< Beside ours.
        std::filesystem::path output;
    };

    explicit Process(Order order);
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();

    [[nodiscard]] pid_t pid() const { return pid_; }
    void signal(int number) const;
    /// Asks for its end and waits for it; the destructor is less polite.
    void end() noexcept;
    /// Waits for its end: the exit status, or minus the signal that ended it.
    int wait();
    /// The first line with `part` in it, printed or yet to be; throws when it ends without one.
    [[nodiscard]] std::string wait_for_line(const std::string& part);
    [[nodiscard]] std::string output() const;

  private:
    Order order_;
    pid_t pid_ = -1;
    int pidfd_ = -1;
    int exit_status_ = 0;
};

/// What stands between `before` and the next white space or end, in a line that has it.
[[nodiscard]] std::string after(const std::string& line, const std::string& before);

}  // namespace mysos::test
