#include "common/cluster/names.hpp"

#include "common/mysql/statements.hpp"

#include <charconv>

namespace mysos::cluster {
namespace {

constexpr std::string_view prefix = "mysos-";

std::string name(const Record& record, MemberId member, std::uint64_t serial)
{
    return std::string{prefix} + record.name + '-' + to_text(member) + '-' + uuid8(record) + '.' +
           std::to_string(serial);
}

}  // namespace

mesos::TaskId task_id(const Record& record, MemberId member, std::uint64_t serial)
{
    return {name(record, member, serial)};
}

mesos::PersistenceId persistence_id(const Record& record, MemberId member, std::uint64_t serial)
{
    return {name(record, member, serial)};
}

std::optional<Name> parse_name(std::string_view text)
{
    if (!text.starts_with(prefix)) return std::nullopt;
    text.remove_prefix(prefix.size());
    const std::size_t last = text.rfind('-');
    if (last == std::string_view::npos || last == 0) return std::nullopt;
    const std::size_t before = text.rfind('-', last - 1);
    if (before == std::string_view::npos || before == 0) return std::nullopt;

    const std::string_view digits = text.substr(before + 1, last - before - 1);
    std::uint32_t member = 0;
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), member);
    if (ec != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;

    const std::string_view suffix = text.substr(last + 1);
    const std::size_t dot = suffix.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    return Name{
        std::string{text.substr(0, before)}, MemberId{member}, std::string{suffix.substr(0, dot)}};
}

std::string uuid8(const Record& record)
{
    return record.uuid.substr(0, 8);
}

std::string replication_user(MemberId member)
{
    return std::string{mysql::replication_user_prefix} + to_text(member);
}

std::string clone_user()
{
    return "mysos_clone";
}

std::string to_text(MemberId member)
{
    return std::to_string(static_cast<std::uint32_t>(member));
}

}  // namespace mysos::cluster
