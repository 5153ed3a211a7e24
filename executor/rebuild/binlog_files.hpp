#pragma once

#include "common/base/failure.hpp"
#include "common/mysql/binlog.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mysos::executor {

/// The files that an index names, oldest first, in the index's own directory: the server may know
/// them by another path. None when there is no index. Blocks.
/// Errors: system_failed, naming the file; also of one that the index names and that is gone.
[[nodiscard]] Outcome<std::vector<std::string>> log_files(const std::string& index);

using OnEvent = std::function<void(std::uint64_t offset, const mysql::BinlogEvent& event)>;
/// Goes through a binary or relay log and says where its last whole event ends: a server that was
/// killed may have left half of one behind it. Reads little of each event. Blocks.
/// Errors: system_failed, naming the file; of an encrypted one too.
[[nodiscard]] Outcome<std::uint64_t> walk_log(const std::string& path, const OnEvent& on_event);

}  // namespace mysos::executor
