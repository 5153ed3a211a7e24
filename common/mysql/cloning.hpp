#pragma once

#include "common/mysql/gtid_list.hpp"
#include "common/mysql/statements.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a server needs to become a copy of another one, and to be told apart from it.
namespace mysos::mysql {

/// MySQL, on the recipient. The last one takes as long as the data do; the server ends with it, and
/// so may the connection, without an answer. `mb_per_second` 0: as fast as it goes.
[[nodiscard]] Statements clone_from(const Source& donor, std::uint32_t mb_per_second);

/// MariaDB: one row, one column: `History` as text.
[[nodiscard]] Statement history();

/// On a server that was just started on a copy. MySQL: it forgets whom the donor followed. MariaDB:
/// it learns what it holds (`position`), and who wrote it (`history`), since its binlog is empty.
[[nodiscard]] Statements begin_on_copy(
    Flavor flavor, std::string_view position, std::string_view history);

/// MariaDB: the last transaction of each domain and server. A position names one for each domain
/// alone, and says nothing of what an earlier primary wrote last: its successor's numbers are
/// higher.
///
/// Shape:  as of GtidList, several entries a domain; the last of a domain is the newest.
/// Errors: position_malformed.
class History {
  public:
    [[nodiscard]] static Result<History> parse(std::string_view text);
    [[nodiscard]] std::string to_text() const;

    [[nodiscard]] bool holds(const GtidList::Entry& transaction) const;
    /// The newest of its domain.
    void add(const GtidList::Entry& newest);

    friend bool operator==(const History&, const History&) = default;

  private:
    std::vector<GtidList::Entry> entries_;  ///< One a domain and server, oldest first.
};

}  // namespace mysos::mysql
