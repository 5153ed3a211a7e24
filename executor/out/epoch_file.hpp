#pragma once

#include "executor/decide/input.hpp"

#include <optional>
#include <string>
#include <string_view>

/// The two small files by which a volume is known, as text.
namespace mysos::executor {

/// Shape:  one line of JSON, {"format":1,"epoch":5,"role":"replica","amnesiac":false,"boot_id":"…",
///         "sum":"9f3c02aa"}, where `sum` is the CRC-32 of the rest.
[[nodiscard]] std::string print_epoch_file(const EpochRecord& record);
/// None: not such a file, or not as it was written.
[[nodiscard]] std::optional<EpochRecord> parse_epoch_file(std::string_view text);

/// Shape:  one line of JSON, {"cluster":"demo","cluster_uuid":"…","server_id":1}.
[[nodiscard]] std::string print_identity(const Identity& identity);
[[nodiscard]] std::optional<Identity> parse_identity(std::string_view text);

}  // namespace mysos::executor
