#pragma once

#include "common/base/failure.hpp"
#include "common/io/response_stream.hpp"
#include "common/mysql/config.hpp"
#include "executor/install/installer.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace mysos::executor {

/// The programs that turn a stream into a data directory.
struct ReceiveOrder {
    std::string unpack;  ///< mbstream
    std::string backup;  ///< mariadb-backup
    mysql::Directories directories;
    std::string log_path;
    std::uint32_t memory_mb = 0;  ///< The task's.
};

/// MariaDB: unpacks a backup while it comes, makes it consistent, and puts it in the data
/// directory's place, which must be free. `on_bytes` is told how many have come. Errors:
/// download_failed: the stream did not come to its own end; else system_failed. Nothing is in
///         the data directory's place then.
[[nodiscard]] io::Awaitable<Outcome<void>> receive_backup(
    boost::asio::any_io_executor executor,
    ReceiveOrder order,
    io::ResponseStream& stream,
    std::function<void(std::uint64_t)> on_bytes);

/// The second half of it, after the stream's end. Blocks.
[[nodiscard]] Outcome<void> prepare_backup(const ReceiveOrder& order);

/// What a received data directory says it holds. Blocks. Errors: package_broken.
[[nodiscard]] Outcome<std::string> position_of_backup(const mysql::Directories& directories);

}  // namespace mysos::executor
