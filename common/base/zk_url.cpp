#include "common/base/zk_url.hpp"

#include <algorithm>
#include <charconv>

namespace mysos {
namespace {

class Category final : public boost::system::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "url"; }

    [[nodiscard]] std::string message(int value) const override
    {
        switch (static_cast<UrlErrc>(value)) {
            case UrlErrc::scheme_missing: return "does not begin with zk://";
            case UrlErrc::credentials_malformed: return "credentials are not user:password";
            case UrlErrc::server_missing: return "names no server";
            case UrlErrc::host_malformed: return "a host is empty or has a character no host has";
            case UrlErrc::port_malformed: return "a port is missing or not between 1 and 65535";
            case UrlErrc::path_missing: return "has no path below the root";
            case UrlErrc::path_malformed: return "the path has an empty, . or .. part";
        }
        return "unknown url error " + std::to_string(value);
    }
};

bool in_host(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

bool in_ipv6(char c)
{
    return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':' ||
           c == '.';
}

Result<std::uint16_t> parse_port(std::string_view digits)
{
    std::uint16_t port = 0;
    const char* const last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, port);
    if (error != std::errc{} || end != last) return UrlErrc::port_malformed;
    return port;
}

Result<std::string> parse_path(std::string_view text)
{
    while (text.ends_with('/')) text.remove_suffix(1);
    if (text.empty()) return UrlErrc::path_missing;
    for (std::string_view rest = text.substr(1);;) {
        const std::string_view part = rest.substr(0, rest.find('/'));
        if (part.empty() || part == "." || part == "..") return UrlErrc::path_malformed;
        if (part.size() == rest.size()) return std::string{text};
        rest.remove_prefix(part.size() + 1);
    }
}

}  // namespace

const boost::system::error_category& url_category() noexcept
{
    static const Category instance;
    return instance;
}

Result<HostPort> parse_host_port(std::string_view text, std::uint16_t port_default)
{
    const bool bracketed = text.starts_with('[');
    const std::size_t host_end = text.find(bracketed ? ']' : ':');
    if (bracketed && host_end == std::string_view::npos) return UrlErrc::host_malformed;
    const std::string_view host =
        bracketed ? text.substr(1, host_end - 1) : text.substr(0, host_end);
    if (host.empty() || !std::ranges::all_of(host, bracketed ? in_ipv6 : in_host))
        return UrlErrc::host_malformed;
    std::string_view rest = text.substr(std::min(host_end, text.size()));
    if (bracketed) rest.remove_prefix(1);
    if (!rest.empty() && rest.front() != ':') return UrlErrc::host_malformed;

    HostPort out{.host = std::string{host}, .port = port_default};
    if (!rest.empty()) {
        const Result<std::uint16_t> port = parse_port(rest.substr(1));
        if (!port) return port.error();
        out.port = *port;
    }
    if (out.port == 0) return UrlErrc::port_malformed;
    return out;
}

Result<std::vector<HostPort>> parse_host_ports(std::string_view text, std::uint16_t port_default)
{
    if (text.empty()) return UrlErrc::server_missing;
    std::vector<HostPort> out;
    for (;;) {
        const std::string_view one = text.substr(0, text.find(','));
        const Result<HostPort> address = parse_host_port(one, port_default);
        if (!address) return address.error();
        out.push_back(*address);
        if (one.size() == text.size()) return out;
        text.remove_prefix(one.size() + 1);
    }
}

Result<ZkUrl> parse_zk_url(std::string_view text)
{
    constexpr std::string_view scheme = "zk://";
    constexpr std::uint16_t zookeeper_port = 2181;
    if (!text.starts_with(scheme)) return UrlErrc::scheme_missing;
    text.remove_prefix(scheme.size());
    const std::size_t slash = text.find('/');
    std::string_view servers = text.substr(0, slash);

    ZkUrl out;
    if (const std::size_t at = servers.rfind('@'); at != std::string_view::npos) {
        const std::string_view credentials = servers.substr(0, at);
        servers.remove_prefix(at + 1);
        const std::size_t colon = credentials.find(':');
        if (colon == std::string_view::npos || colon == 0) return UrlErrc::credentials_malformed;
        out.user = credentials.substr(0, colon);
        out.password = credentials.substr(colon + 1);
    }
    Result<std::vector<HostPort>> addresses = parse_host_ports(servers, zookeeper_port);
    if (!addresses) return addresses.error();
    out.servers = std::move(*addresses);
    if (slash == std::string_view::npos) return UrlErrc::path_missing;
    Result<std::string> path = parse_path(text.substr(slash));
    if (!path) return path.error();
    out.path = std::move(*path);
    return out;
}

std::string print(const HostPort& address)
{
    const bool v6 = address.host.find(':') != std::string::npos;
    const std::string host = v6 ? "[" + address.host + "]" : address.host;
    return host + ":" + std::to_string(address.port);
}

std::string print(const std::vector<HostPort>& addresses)
{
    std::string out;
    for (const HostPort& address : addresses) out += (out.empty() ? "" : ",") + print(address);
    return out;
}

std::string print(const ZkUrl& url)
{
    return "zk://" + print(url.servers) + url.path;
}

}  // namespace mysos
