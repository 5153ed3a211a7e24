#pragma once

#include "common/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mysos::mysql {

/// How far a MariaDB server has got in each replication domain: everything up to the transaction
/// named, since within a domain all servers see one order.
///
/// Shape:  list = [ gtid *( "," gtid ) ];  gtid = domain "-" server "-" sequence;
///         domain and server below 2^32, sequence below 2^64. Of several entries of a domain (as in
///         gtid_binlog_state) the highest sequence number counts; 0 is nothing. Spaces and newlines
///         mean nothing.
/// Errors: position_malformed.
/// Source: MariaDB manual, "Global Transaction ID".
class GtidList {
  public:
    struct Entry {
        std::uint32_t domain = 0;
        std::uint32_t server = 0;
        std::uint64_t sequence = 0;
        friend bool operator==(const Entry&, const Entry&) = default;
    };

    [[nodiscard]] static Result<GtidList> parse(std::string_view text);
    [[nodiscard]] std::string to_text() const;

    [[nodiscard]] bool empty() const { return entries_.empty(); }
    /// By sequence number alone; who wrote it does not matter.
    [[nodiscard]] bool includes(const GtidList& other) const;
    [[nodiscard]] GtidList unite(const GtidList& other) const;      ///< The farther of each domain.
    [[nodiscard]] GtidList intersect(const GtidList& other) const;  ///< The nearer of each domain.

    /// 0 when nothing of the domain is there.
    [[nodiscard]] std::uint64_t last_of(std::uint32_t domain) const;

    [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

    friend bool operator==(const GtidList&, const GtidList&) = default;

  private:
    std::vector<Entry> entries_;  ///< Ascending by domain, one each.
};

}  // namespace mysos::mysql
