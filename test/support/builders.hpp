#pragma once

#include "common/base/ids.hpp"
#include "common/base/uuid.hpp"
#include "common/mysql/observation.hpp"
#include "common/mysql/position.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// Short ways to write what a test is given.
namespace mysos::test {

inline const Uuid cluster_uuid = *parse_uuid("c0ffee00-0000-4000-8000-000000000001");

[[nodiscard]] inline mysql::Position mysql_position(std::string_view text)
{
    return mysql::Position::parse(mysql::Flavor::mysql, text).value();
}

[[nodiscard]] inline mysql::Position mariadb_position(std::string_view text)
{
    return mysql::Position::parse(mysql::Flavor::mariadb, text).value();
}

/// MariaDB: `transactions` behind the marker of `epoch`; both 0: nothing.
[[nodiscard]] inline mysql::Position holds(std::uint64_t epoch, std::uint64_t transactions = 0)
{
    const std::uint64_t sequence = (epoch << mysql::marker_shift) + transactions;
    return mariadb_position("0-1-" + std::to_string(sequence));
}

}  // namespace mysos::test
