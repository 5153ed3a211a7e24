#include "scheduler/decide/requests.hpp"

#include "common/base/units.hpp"
#include "common/mesos/resources.hpp"
#include "common/volume/volume.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

namespace mysos::scheduler {
namespace {

using nlohmann::json;

constexpr std::size_t name_length_max = 64;
constexpr std::size_t user_length_max = 32;  // MySQL's own limit.

constexpr bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_word(std::string_view text)
{
    return std::ranges::all_of(
        text, [](char c) { return is_letter_or_digit(c) || c == '_' || c == '-' || c == '.'; });
}

Refused bad(std::string message)
{
    return {Refused::Why::bad_value, std::move(message)};
}

std::optional<Refused> check_name(const std::string& name)
{
    if (!name.empty() && name.size() <= name_length_max && is_letter_or_digit(name.front()) &&
        is_word(name)) {
        return std::nullopt;
    }
    return bad(
        "name: must be 1 to 64 letters, digits, '-', '_' and '.', and begin with a letter or "
        "digit");
}

/// Names of accounts that are the server's or ours.
bool is_reserved(const std::string& user)
{
    return user == "root" || user == "mysql" || user == "mariadb.sys" ||
           user.starts_with("mysql.") || user.starts_with("repl_") || user.starts_with("mysos_");
}

std::optional<Refused> check_user(const std::optional<std::string>& user)
{
    if (!user || user->empty()) return bad("cluster_user: is missing");
    if (user->size() > user_length_max || !is_word(*user)) {
        return bad("cluster_user: must be 1 to 32 letters, digits, '-', '_' and '.'");
    }
    if (is_reserved(*user)) return bad("cluster_user: '" + *user + "' is reserved");
    return std::nullopt;
}

std::variant<std::uint32_t, Refused> read_num_nodes(
    const std::optional<std::string>& text, std::uint32_t max)
{
    if (!text) return std::uint32_t{1};
    std::uint32_t value = 0;
    const auto [end, ec] = std::from_chars(text->data(), text->data() + text->size(), value);
    const bool is_number = ec == std::errc{} && end == text->data() + text->size();
    if (!is_number || value < 1 || value > max) {
        return bad("num_nodes: must be a number from 1 to " + std::to_string(max));
    }
    return value;
}

std::variant<std::int64_t, Refused> read_mebibytes(const json& value, const std::string& key)
{
    const std::string hint =
        "size: '" + key + R"(' must be text with a unit, like "512mb" or "2gb")";
    if (!value.is_string()) return bad(hint);
    const Result<std::int64_t> amount = parse_mebibytes(value.get<std::string>());
    if (amount.has_error()) return bad(hint + ": " + amount.error().message());
    return *amount;
}

std::variant<std::int64_t, Refused> read_cpus(const json& value)
{
    constexpr double cpus_max = 1e6;
    if (!value.is_number()) return bad("size: 'cpus' must be a number");
    const auto cpus = value.get<double>();
    if (!std::isfinite(cpus) || cpus < 0 || cpus > cpus_max) {
        return bad("size: 'cpus' must be a number of cpus");
    }
    return mesos::to_thousandths(cpus);
}

std::variant<cluster::Size, Refused> read_size(const std::optional<std::string>& text)
{
    cluster::Size size;
    if (!text) return size;
    const json parsed = json::parse(*text, nullptr, false);
    if (!parsed.is_object()) {
        return bad(R"(size: must be JSON like {"cpus": 1.0, "mem": "512mb", "disk": "2gb"})");
    }
    for (const auto& [key, value] : parsed.items()) {
        std::variant<std::int64_t, Refused> amount;
        if (key == "cpus") {
            amount = read_cpus(value);
        } else if (key == "mem" || key == "disk") {
            amount = read_mebibytes(value, key);
        } else {
            return bad("size: 'cpus', 'mem' and 'disk' are known, '" + key + "' is not");
        }
        if (const auto* refused = std::get_if<Refused>(&amount)) return *refused;
        const std::int64_t number = std::get<std::int64_t>(amount);
        if (key == "cpus") size.milli_cpus = number;
        if (key == "mem") size.mem_mb = number;
        if (key == "disk") size.disk_mb = number;
    }
    constexpr placement::Amounts share = volume::executor_share;
    if (size.milli_cpus <= share.milli_cpus || size.mem_mb <= share.mem_mb ||
        size.disk_mb <= share.disk_mb) {
        return bad(
            "size: is too small, an instance must be larger than the executor's share of 0.01 "
            "cpus, "
            "32 MB of memory and 1 MB of disk");
    }
    return size;
}

std::optional<Refused> read_placement(const CreateForm& form, const Config& config, Asked& asked)
{
    asked.constraints = config.default_constraints;
    if (form.constraints && !form.constraints->empty()) {
        auto parsed = placement::parse_constraints(*form.constraints);
        if (auto* wrong = std::get_if<placement::BadConstraints>(&parsed)) {
            return bad("constraints: " + wrong->why);
        }
        asked.constraints = std::get<placement::Constraints>(std::move(parsed));
    }
    const std::string colocate = form.colocate.value_or("false");
    if (colocate != "true" && colocate != "false") {
        return bad("colocate: must be 'true' or 'false'");
    }
    asked.colocate = colocate == "true";
    const bool on_one_agent = std::ranges::any_of(asked.constraints, [](const auto& constraint) {
        return constraint.op == placement::Operator::cluster &&
               (constraint.field == "hostname" || constraint.field == "@hostname");
    });
    if (on_one_agent && !asked.colocate && asked.num_nodes > 1) {
        return bad(
            "constraints: 'hostname CLUSTER' puts all members on one host, which 'colocate' must "
            "allow: give colocate=true");
    }
    return std::nullopt;
}

std::optional<Refused> read_safety(const CreateForm& form, Asked& asked)
{
    if (form.durability) {
        const auto durability = cluster::durability_named(*form.durability);
        if (!durability) return bad("durability: must be 'semisync' or 'async'");
        asked.durability = *durability;
    }
    if (!form.two_node_policy) return std::nullopt;
    const auto policy = cluster::two_node_policy_named(*form.two_node_policy);
    if (!policy) return bad("two_node_policy: must be 'consistent' or 'available'");
    asked.two_node_policy = *policy;
    const bool is_contrary = asked.durability == cluster::Durability::async &&
                             *policy == cluster::TwoNodePolicy::consistent;
    if (is_contrary) {
        return bad(
            "two_node_policy: 'consistent' lets writes wait for the other member, and durability "
            "'async' for nobody: give one of them");
    }
    return std::nullopt;
}

}  // namespace

std::variant<Asked, Refused> check(const CreateForm& form, const Config& config)
{
    if (auto refused = check_name(form.name)) return *std::move(refused);
    if (auto refused = check_user(form.cluster_user)) return *std::move(refused);
    Asked asked;
    asked.cluster_user = *form.cluster_user;

    auto num_nodes = read_num_nodes(form.num_nodes, config.num_nodes_max);
    if (auto* refused = std::get_if<Refused>(&num_nodes)) return std::move(*refused);
    asked.num_nodes = std::get<std::uint32_t>(num_nodes);

    auto size = read_size(form.size);
    if (auto* refused = std::get_if<Refused>(&size)) return std::move(*refused);
    asked.size = std::get<cluster::Size>(size);

    asked.flavor = form.flavor.value_or(config.default_flavor);
    if (asked.flavor != "mariadb" && asked.flavor != "mysql") {
        return bad("flavor: must be 'mariadb' or 'mysql'");
    }
    if (auto refused = read_placement(form, config, asked)) return *std::move(refused);
    if (auto refused = read_safety(form, asked)) return *std::move(refused);
    if (form.backup_id && !form.backup_id->empty()) {
        return bad("backup_id: this version does not restore backups");
    }
    return asked;
}

}  // namespace mysos::scheduler
