#include "common/mesos/detection.hpp"

#include "common/base/zk_url.hpp"

#include <nlohmann/json.hpp>

#include <charconv>
#include <limits>

namespace mysos::mesos {
namespace {

class Category final : public boost::system::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "detection"; }

    [[nodiscard]] std::string message(int value) const override
    {
        switch (static_cast<DetectionErrc>(value)) {
            case DetectionErrc::label_unknown: return "a member has an unknown label";
            case DetectionErrc::master_too_old: return "the leading master is older than 0.24";
            case DetectionErrc::master_malformed: return "the leading master's data is malformed";
        }
        return "unknown detection error " + std::to_string(value);
    }
};

struct Member {
    std::string_view label;  ///< Empty: none.
    std::int32_t sequence = 0;
};

std::optional<Member> member_of(std::string_view child)
{
    Member out;
    const std::size_t last = child.rfind('_');
    const std::string_view digits = last == std::string_view::npos ? child : child.substr(last + 1);
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, out.sequence);
    if (error != std::errc{} || stop != end) return std::nullopt;
    if (last != std::string_view::npos) out.label = child.substr(0, child.find('_'));
    return out;
}

const nlohmann::json* find(const nlohmann::json& object, const char* key)
{
    const auto it = object.find(key);
    return it == object.end() ? nullptr : &*it;
}

std::string text_of(const nlohmann::json& object, const char* key)
{
    const nlohmann::json* const value = find(object, key);
    return value != nullptr && value->is_string() ? value->get<std::string>() : std::string{};
}

/// 0: there is one, but it is no port.
std::uint16_t port_of(const nlohmann::json& object, std::uint16_t where_absent)
{
    const nlohmann::json* const value = find(object, "port");
    if (value == nullptr) return where_absent;
    if (!value->is_number_unsigned()) return 0;
    const auto port = value->get<std::uint64_t>();
    return port <= std::numeric_limits<std::uint16_t>::max() ? static_cast<std::uint16_t>(port)
                                                             : std::uint16_t{0};
}

}  // namespace

const boost::system::error_category& detection_category() noexcept
{
    static const Category instance;
    return instance;
}

Result<std::optional<std::string>> leading_member(const std::vector<std::string>& children)
{
    std::optional<Member> leader;
    std::optional<std::string> name;
    for (const std::string& child : children) {
        const std::optional<Member> member = member_of(child);
        if (!member) continue;
        if (member->label != "json.info" && member->label != "info" && !member->label.empty())
            return DetectionErrc::label_unknown;
        if (leader && leader->sequence <= member->sequence) continue;
        leader = member;
        name = child;
    }
    if (leader && leader->label != "json.info") return DetectionErrc::master_too_old;
    return name;
}

Result<Master> parse_master_info(std::string_view json)
{
    constexpr std::uint16_t port_default = 5050;
    const auto info = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
    if (!info.is_object()) return DetectionErrc::master_malformed;
    Master out;
    out.id = text_of(info, "id");
    out.hostname = text_of(info, "hostname");
    if (const nlohmann::json* const address = find(info, "address");
        address != nullptr && address->is_object()) {
        out.ip = text_of(*address, "ip");
        out.port = port_of(*address, 0);
        if (const std::string name = text_of(*address, "hostname"); !name.empty())
            out.hostname = name;
    } else {
        const std::string pid = text_of(info, "pid");
        const Result<HostPort> listens = parse_host_port(pid.substr(pid.find('@') + 1), 0);
        if (listens) out.ip = listens->host;
        out.port = port_of(info, listens ? listens->port : port_default);
    }
    if (out.ip.empty()) out.ip = out.hostname;
    if (out.hostname.empty()) out.hostname = out.ip;
    if (out.ip.empty() || out.port == 0) return DetectionErrc::master_malformed;
    return out;
}

}  // namespace mysos::mesos
