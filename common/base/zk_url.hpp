#pragma once

#include "common/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace mysos {

struct HostPort {
    std::string host;  ///< A name or an address; IPv6 without brackets.
    std::uint16_t port = 0;
    friend bool operator==(const HostPort&, const HostPort&) = default;
};

/// Where a ZooKeeper ensemble is, who we are there, and which path is ours.
struct ZkUrl {
    std::vector<HostPort> servers;  ///< Never empty.
    std::string user;               ///< Empty: no authentication.
    std::string password;           ///< Secret: `print` leaves it out, and so does every log.
    std::string path;               ///< "/mysos": absolute, no slash at the end, never the root.
    friend bool operator==(const ZkUrl&, const ZkUrl&) = default;
};

/// What is wrong with an address. Each is for the person who wrote it.
enum class UrlErrc {
    scheme_missing = 1,  ///< Does not begin with zk://.
    credentials_malformed,
    server_missing,
    host_malformed,
    port_malformed,
    path_missing,
    path_malformed,
};

[[nodiscard]] const boost::system::error_category& url_category() noexcept;

[[nodiscard]] inline ErrorCode make_error_code(UrlErrc e) noexcept
{
    return {static_cast<int>(e), url_category()};
}

/// Shape:  "zk://" [ user ":" password "@" ] host [ ":" port ] *( "," host [ ":" port ] ) path
///         An IPv6 address stands in brackets. The password may contain "@" and ":", but no "/".
/// Units:  the port is 2181 where absent.
/// Errors: UrlErrc; its message never repeats the text, since that may hold a password.
/// Source: Mesos, include/mesos/zookeeper/url.hpp.
[[nodiscard]] Result<ZkUrl> parse_zk_url(std::string_view text);

/// "host:port" of one peer; `port_default` 0 means that a port must be there.
[[nodiscard]] Result<HostPort> parse_host_port(std::string_view text, std::uint16_t port_default);

/// "h1:p1,h2:p2", at least one. Same errors.
[[nodiscard]] Result<std::vector<HostPort>> parse_host_ports(
    std::string_view text, std::uint16_t port_default);

/// "host:port", IPv6 in brackets.
[[nodiscard]] std::string print(const HostPort& address);
[[nodiscard]] std::string print(const std::vector<HostPort>& addresses);
/// The URL without its credentials: fit for logs, answers and other processes.
[[nodiscard]] std::string print(const ZkUrl& url);

}  // namespace mysos

template <>
struct boost::system::is_error_code_enum<mysos::UrlErrc> : std::true_type {};
