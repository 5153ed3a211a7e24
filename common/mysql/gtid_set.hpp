#pragma once

#include "common/base/result.hpp"
#include "common/base/uuid.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mysos::mysql {

/// A set of MySQL transactions.
///
/// Shape:  set = [ source *( "," source ) ];  source = uuid 1*( ":" interval / ":" tag );
///         interval = n [ "-" n ], 1 <= n < 2^63 - 1;  tag = letter or "_", then up to 31 of those
///         and digits. Numbers behind a tag carry that tag. Spaces and newlines mean nothing, any
///         order and overlap is read; what is printed is the server's own canonical form.
/// Errors: position_malformed.
/// Source: MySQL 9.7 manual, "GTID Format and Storage".
class GtidSet {
  public:
    /// Numbers first..last, both included.
    struct Interval {
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        friend bool operator==(const Interval&, const Interval&) = default;
    };
    using Intervals = std::vector<Interval>;  ///< Ascending, neither touching nor overlapping.

    struct Source {
        Uuid uuid;
        std::string tag;      ///< Empty: untagged.
        Intervals intervals;  ///< Never empty.
        friend bool operator==(const Source&, const Source&) = default;
    };

    [[nodiscard]] static Result<GtidSet> parse(std::string_view text);
    [[nodiscard]] std::string to_text() const;

    [[nodiscard]] bool empty() const { return sources_.empty(); }
    [[nodiscard]] std::uint64_t count() const;  ///< Transactions; the largest number if more.
    [[nodiscard]] bool includes(const GtidSet& other) const;
    [[nodiscard]] GtidSet unite(const GtidSet& other) const;
    [[nodiscard]] GtidSet subtract(const GtidSet& other) const;
    [[nodiscard]] GtidSet intersect(const GtidSet& other) const;

    /// The highest untagged number of this source; 0: none.
    [[nodiscard]] std::uint64_t last_of(const Uuid& uuid) const;

    [[nodiscard]] const std::vector<Source>& sources() const { return sources_; }

    friend bool operator==(const GtidSet&, const GtidSet&) = default;

  private:
    std::vector<Source> sources_;  ///< Ascending by uuid, then tag.
};

}  // namespace mysos::mysql
