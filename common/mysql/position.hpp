#pragma once

#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/base/uuid.hpp"
#include "common/mysql/flavor.hpp"
#include "common/mysql/gtid_list.hpp"
#include "common/mysql/gtid_set.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace mysos::mysql {

/// What a member holds, received or applied, of either flavour. Compared by content, never as text;
/// positions of different flavours include nothing of each other. The empty position belongs to
/// both flavours and is included in every other.
class Position {
  public:
    Position() = default;
    explicit Position(GtidSet set);
    explicit Position(GtidList list);

    /// The server's own text. Errors: position_malformed.
    [[nodiscard]] static Result<Position> parse(Flavor flavor, std::string_view text);
    [[nodiscard]] std::string to_text() const;

    [[nodiscard]] bool empty() const { return std::holds_alternative<Nothing>(held_); }
    [[nodiscard]] bool includes(const Position& other) const;
    /// Neither holds all of the other, or both do and yet they differ: no failover makes that.
    [[nodiscard]] bool diverged_from(const Position& other) const;
    /// Of two flavours: this one.
    [[nodiscard]] Position unite(const Position& other) const;
    /// Of two flavours: nothing.
    [[nodiscard]] Position intersect(const Position& other) const;
    /// How many transactions of this one the other lacks. None: not known, as a MariaDB position
    /// does not tell it across a marker, where sequence numbers leap.
    [[nodiscard]] std::optional<std::uint64_t> beyond(const Position& other) const;

    /// The newest epoch whose marker is held. MySQL: the highest number of the cluster's own UUID.
    /// MariaDB: the high bits of the sequence number in domain 0. Epoch 0: no marker.
    [[nodiscard]] Epoch marker(const Uuid& cluster) const;

    friend bool operator==(const Position&, const Position&) = default;

  private:
    using Nothing = std::monostate;
    std::variant<Nothing, GtidSet, GtidList> held_;  ///< A set or list in it is never empty.
};

/// Sequence numbers of MariaDB carry the epoch above this many bits.
inline constexpr unsigned marker_shift = 40;

}  // namespace mysos::mysql
