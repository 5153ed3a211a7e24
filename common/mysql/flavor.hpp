#pragma once

#include "common/control/messages.hpp"

#include <cstdint>
#include <string_view>

namespace mysos::mysql {

/// Which server a cluster is made of. All its members are of one flavour.
using control::Flavor;

[[nodiscard]] constexpr std::string_view name(Flavor flavor)
{
    return flavor == Flavor::mariadb ? "mariadb" : "mysql";
}

/// The most acknowledgements that a commit can be made to wait for. MariaDB (10.11, 11.8) has no
/// rpl_semi_sync_master_wait_for_slave_count: the first acknowledgement releases the commit.
/// So k is never above 1 there, and an electorate of more than three members costs quorum.
[[nodiscard]] constexpr std::uint32_t acks_max(Flavor flavor)
{
    return flavor == Flavor::mariadb ? 1 : 65535;
}

}  // namespace mysos::mysql
