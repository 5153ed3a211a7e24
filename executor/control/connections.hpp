#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace mysos::executor {

/// Peers ("10.0.0.2:40312", "fd00::2:40312", as servers write it) of connections to the local port
/// that take nothing any more: what was sent to them was sent again at least twice without an
/// answer, or so often it was asked in vain whether they have room again, or they have closed.
/// `table`: what /proc/net/tcp or /proc/net/tcp6 shows; lines that are no connection are passed
/// over. (Documentation/networking/proc_net_tcp.rst of Linux.)
[[nodiscard]] std::set<std::string> stalled_peers(std::string_view table, std::uint16_t port);

}  // namespace mysos::executor
