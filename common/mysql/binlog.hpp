#pragma once

#include "common/mysql/gtid_list.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mysos::mysql {

/// One event of a binary or relay log, as far as a reader needs it who looks for its end and for
/// MariaDB's transactions.
///
/// Shape:  a file begins with 4 bytes, then events: time (4), type (1), server (4), size (4), end
/// (4),
///         flags (2), then what the type has; little-endian. MariaDB's GTID event: sequence (8),
///         domain (4), flags.
/// Errors: none: `parse_event` gives nothing for what is no event.
/// Source: the servers' manuals on the binary log's format.
struct BinlogEvent {
    std::uint64_t size = 0;
    bool is_transaction = false;            ///< One begins here.
    std::optional<GtidList::Entry> begins;  ///< MariaDB: which one.
    bool encrypts = false;                  ///< MariaDB: all behind it is encrypted.
    friend bool operator==(const BinlogEvent&, const BinlogEvent&) = default;
};

inline constexpr std::string_view binlog_magic =
    "\xfe"
    "bin";  // How every file begins.
/// Of an event's first bytes, these are enough.
inline constexpr std::size_t event_prefix_size = 19 + 12;

/// `bytes`: its first ones, `event_prefix_size` unless the file ends before.
[[nodiscard]] std::optional<BinlogEvent> parse_event(std::string_view bytes);

}  // namespace mysos::mysql
