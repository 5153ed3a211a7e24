#pragma once

#include "common/base/failure.hpp"
#include "common/io/http.hpp"
#include "executor/out/spawn.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace mysos::executor {

/// A program that works on a stream of bytes: one that writes them, or one that reads them.
///
/// Errors: `system_failed`, naming the program, with the last line of what it said.
/// Lifetime: destroying it kills the program and reaps it; it must outlive its operations. Thread:
/// the event loop's.
class Child {
  public:
    enum class Pipe { from_it, into_it };

    /// `log_path`: what it says on its standard error is appended there.
    [[nodiscard]] static Outcome<std::unique_ptr<Child>> start(
        boost::asio::any_io_executor executor,
        Spawn order,
        Pipe direction,
        const std::string& log_path);

    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child();

    /// At most `size` bytes; 0: it has closed its end.
    [[nodiscard]] io::Awaitable<Outcome<std::size_t>> read(char* into, std::size_t size);
    /// All of it. Waits for as long as the program needs to take it.
    [[nodiscard]] io::Awaitable<Outcome<void>> write(std::string_view bytes);
    /// Closes our end.
    void close_pipe();
    /// Waits for its end. Anything but status 0 is an error.
    [[nodiscard]] io::Awaitable<Outcome<void>> ended();
    void kill();

  private:
    struct Parts;
    explicit Child(std::unique_ptr<Parts> parts);

    std::unique_ptr<Parts> parts_;
};

}  // namespace mysos::executor
