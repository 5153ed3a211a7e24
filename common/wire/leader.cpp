#include "common/wire/leader.hpp"

#include "common/wire/errc.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>

namespace mysos::wire {

Result<HostPort> decode_leader(std::string_view json)
{
    const auto leader = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
    if (!leader.is_object()) return Errc::message_malformed;
    const auto host = leader.find("host");
    const auto port = leader.find("port");
    if (host == leader.end() || !host->is_string() || port == leader.end() ||
        !port->is_number_unsigned())
        return Errc::message_malformed;
    const auto number = port->get<std::uint64_t>();
    HostPort out{.host = host->get<std::string>(), .port = static_cast<std::uint16_t>(number)};
    if (out.host.empty() || number == 0 || number > std::numeric_limits<std::uint16_t>::max())
        return Errc::message_malformed;
    return out;
}

std::string encode_leader(const HostPort& address)
{
    return nlohmann::json{{"host", address.host}, {"port", address.port}}.dump();
}

}  // namespace mysos::wire
