#include "executor/control/connections.hpp"

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <sstream>

namespace mysos::executor {
namespace {

constexpr std::uint32_t established = 1;
constexpr std::uint32_t close_wait = 8;
constexpr std::uint32_t unanswered_max = 1;

struct Line {
    std::string number, local, peer, state, queues, timer, retransmissions, uid;
    std::uint32_t probes = 0;  ///< Of a peer that had no room, none of which was answered.
};

std::optional<std::uint32_t> hex(std::string_view text)
{
    std::uint32_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (ec != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return value;
}

/// Of "0100007F:0CEA"; each word is in the host's order, so that its bytes are the address's.
std::optional<std::uint16_t> port_of(std::string_view endpoint)
{
    const auto colon = endpoint.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto port = hex(endpoint.substr(colon + 1));
    if (!port || *port > 0xffff) return std::nullopt;
    return static_cast<std::uint16_t>(*port);
}

std::optional<std::string> text_of(std::string_view endpoint)
{
    const auto port = port_of(endpoint);
    const std::string_view words = endpoint.substr(0, endpoint.rfind(':'));
    if (!port || (words.size() != 8 && words.size() != 32)) return std::nullopt;
    std::array<unsigned char, 16> bytes{};
    for (std::size_t i = 0; i < words.size() / 8; ++i) {
        const auto word = hex(words.substr(i * 8, 8));
        if (!word) return std::nullopt;
        std::memcpy(bytes.data() + i * 4, &*word, 4);
    }
    constexpr std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    const bool is_mapped = std::memcmp(bytes.data(), mapped.data(), mapped.size()) == 0;
    const bool is_v4 = words.size() == 8 || is_mapped;
    const unsigned char* address = bytes.data() + (words.size() == 32 && is_mapped ? 12 : 0);
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (::inet_ntop(is_v4 ? AF_INET : AF_INET6, address, text.data(), text.size()) == nullptr)
        return std::nullopt;
    return std::string{text.data()} + ':' + std::to_string(*port);
}

bool is_stalled(const Line& line)
{
    const auto state = hex(line.state);
    if (state == close_wait) return true;
    const auto sent = hex(std::string_view{line.queues}.substr(0, line.queues.find(':')));
    const auto again = hex(line.retransmissions);
    const bool is_unanswered = again.value_or(0) > unanswered_max || line.probes > unanswered_max;
    return state == established && sent.value_or(0) > 0 && is_unanswered;
}

}  // namespace

std::set<std::string> stalled_peers(std::string_view table, std::uint16_t port)
{
    std::set<std::string> peers;
    std::istringstream lines{std::string{table}};
    for (std::string text; std::getline(lines, text);) {
        std::istringstream words{text};
        Line line;
        words >> line.number >> line.local >> line.peer >> line.state >> line.queues >>
            line.timer >> line.retransmissions >> line.uid >> line.probes;
        if (!words || port_of(line.local) != port || !is_stalled(line)) continue;
        if (const auto peer = text_of(line.peer)) peers.insert(*peer);
    }
    return peers;
}

}  // namespace mysos::executor
