#include "executor/out/epoch_file.hpp"

#include <boost/crc.hpp>
#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
#include <limits>
#include <utility>

namespace mysos::executor {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<Role, const char*>, 5> roles{{
    {Role::none, "none"},
    {Role::replica, "replica"},
    {Role::candidate, "candidate"},
    {Role::primary, "primary"},
    {Role::rebuilding, "rebuilding"},
}};

std::string checksum(const json& object)
{
    const std::string text = object.dump(-1, ' ', false, json::error_handler_t::replace);
    boost::crc_32_type crc;
    crc.process_bytes(text.data(), text.size());
    std::array<char, 9> digits{};
    std::snprintf(digits.data(), digits.size(), "%08x", crc.checksum());
    return digits.data();
}

/// The field if it is there and of that type.
template <class T>
const T* field(const json& object, const char* name)
{
    const auto found = object.find(name);
    return found == object.end() ? nullptr : found->get_ptr<const T*>();
}

}  // namespace

std::string print_epoch_file(const EpochRecord& record)
{
    json object{
        {"format", 1},
        {"epoch", static_cast<std::uint64_t>(record.epoch)},
        {"amnesiac", record.amnesiac},
        {"boot_id", record.boot_id}};
    for (const auto& [role, name] : roles) {
        if (role == record.role) object["role"] = name;
    }
    object["sum"] = checksum(object);
    return object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::optional<EpochRecord> parse_epoch_file(std::string_view text)
{
    json object = json::parse(text, nullptr, false);
    if (!object.is_object()) return std::nullopt;
    const auto* sum = field<json::string_t>(object, "sum");
    if (sum == nullptr) return std::nullopt;
    const std::string written = *sum;
    object.erase("sum");
    if (checksum(object) != written) return std::nullopt;

    const auto* format = field<json::number_unsigned_t>(object, "format");
    const auto* epoch = field<json::number_unsigned_t>(object, "epoch");
    const auto* amnesiac = field<json::boolean_t>(object, "amnesiac");
    const auto* boot_id = field<json::string_t>(object, "boot_id");
    const auto* name = field<json::string_t>(object, "role");
    if (format == nullptr || *format != 1 || epoch == nullptr || amnesiac == nullptr ||
        boot_id == nullptr || name == nullptr) {
        return std::nullopt;
    }
    for (const auto& [role, role_name] : roles) {
        if (*name == role_name) return EpochRecord{Epoch{*epoch}, role, *amnesiac, *boot_id};
    }
    return std::nullopt;
}

std::string print_identity(const Identity& identity)
{
    const json object{
        {"cluster", identity.cluster},
        {"cluster_uuid", identity.cluster_uuid},
        {"server_id", static_cast<std::uint32_t>(identity.member)}};
    return object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::optional<Identity> parse_identity(std::string_view text)
{
    const json object = json::parse(text, nullptr, false);
    if (!object.is_object()) return std::nullopt;
    const auto* cluster = field<json::string_t>(object, "cluster");
    const auto* uuid = field<json::string_t>(object, "cluster_uuid");
    const auto* id = field<json::number_unsigned_t>(object, "server_id");
    if (cluster == nullptr || uuid == nullptr || id == nullptr ||
        *id > std::numeric_limits<std::uint32_t>::max()) {
        return std::nullopt;
    }
    return Identity{*cluster, *uuid, MemberId{static_cast<std::uint32_t>(*id)}};
}

}  // namespace mysos::executor
