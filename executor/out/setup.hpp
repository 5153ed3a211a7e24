#pragma once

#include "common/io/offload.hpp"
#include "common/io/tasks.hpp"
#include "common/wire/task_data.hpp"
#include "executor/install/data_directory.hpp"
#include "executor/install/installer.hpp"
#include "executor/post.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <optional>
#include <string>

namespace mysos::executor {

/// Gets a member's volume, programs and data directory ready for a server.
///
/// Each call starts its work on a pool thread and returns; what came of it is posted.
/// Lifetime: must outlive its tasks. Thread: the event loop's.
class Setup {
  public:
    Setup(boost::asio::any_io_executor executor, io::Offload& offload, io::Tasks& tasks, Post post);

    /// What a launch brought. `volume` and `sandbox`: absolute, without symbolic links.
    void begin(
        const wire::TaskData& data, std::string volume, std::string sandbox, std::string log_path);

    void inspect();
    void install();
    void initialise();

    /// Once installed.
    [[nodiscard]] const ServerPrograms& programs() const { return programs_; }

  private:
    [[nodiscard]] io::Awaitable<void> inspect_now();
    [[nodiscard]] io::Awaitable<void> install_now();
    [[nodiscard]] io::Awaitable<void> initialise_now();

    boost::asio::any_io_executor executor_;
    io::Offload& offload_;
    io::Tasks& tasks_;
    Post post_;
    wire::TaskData data_;
    std::string volume_;
    std::string sandbox_;
    std::string log_path_;
    ServerPrograms programs_;
};

}  // namespace mysos::executor
