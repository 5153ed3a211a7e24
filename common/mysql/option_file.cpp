#include "common/mysql/option_file.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace mysos::mysql {
namespace {

class Category final : public boost::system::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "option file"; }

    [[nodiscard]] std::string message(int value) const override
    {
        switch (static_cast<OptionFileErrc>(value)) {
            case OptionFileErrc::malformed: return "the option file does not parse";
            case OptionFileErrc::contradicts:
                return "the option file contradicts what the cluster rests on";
        }
        return "unknown option file error " + std::to_string(value);
    }
};

std::string_view trimmed(std::string_view text)
{
    constexpr std::string_view blank = " \t\r\n";
    const auto first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::string unquoted(std::string_view text)
{
    if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
        text.back() == text.front())
        text = text.substr(1, text.size() - 2);
    return std::string(text);
}

/// A value ends at a '#' that a blank precedes, outside of quotes.
std::string_view without_comment(std::string_view text)
{
    char quote = '\0';
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (quote != '\0') {
            if (text[i] == quote) quote = '\0';
        } else if (text[i] == '"' || text[i] == '\'') {
            quote = text[i];
        } else if (text[i] == '#') {
            return text.substr(0, i);
        }
    }
    return text;
}

bool take_prefix(std::string& name, std::string_view prefix)
{
    if (!name.starts_with(prefix)) return false;
    name.erase(0, prefix.size());
    return true;
}

/// Options whose own name begins with skip_ and which are not the negation of another.
bool is_whole_name(std::string_view name)
{
    constexpr std::array<std::string_view, 8> names{
        "skip_name_resolve",
        "skip_networking",
        "skip_grant_tables",
        "skip_slave_start",
        "skip_replica_start",
        "skip_log_bin",
        "skip_show_database",
        "skip_external_locking"};
    return std::find(names.begin(), names.end(), name) != names.end();
}

FileOption option_of(std::string_view group, std::string_view text, std::size_t line)
{
    FileOption option{std::string(group), "", "ON", line};
    const auto equals = text.find('=');
    option.name = std::string(trimmed(text.substr(0, equals)));
    std::replace(option.name.begin(), option.name.end(), '-', '_');
    std::transform(option.name.begin(), option.name.end(), option.name.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (equals != std::string_view::npos) option.value = unquoted(trimmed(text.substr(equals + 1)));
    take_prefix(option.name, "loose_");
    if (!is_whole_name(option.name)) {
        if (take_prefix(option.name, "skip_") || take_prefix(option.name, "disable_"))
            option.value = "OFF";
        else
            take_prefix(option.name, "enable_");
    }
    return option;
}

Failure malformed(std::size_t line, const std::string& why)
{
    return Failure{
        make_error_code(OptionFileErrc::malformed), "line " + std::to_string(line) + ": " + why};
}

}  // namespace

const boost::system::error_category& option_file_category() noexcept
{
    static const Category instance;
    return instance;
}

Outcome<std::vector<FileOption>> parse_option_file(std::string_view text)
{
    std::vector<FileOption> options;
    std::string group;
    std::size_t number = 0;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view line = trimmed(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        ++number;
        if (line.empty() || line.front() == '#' || line.front() == ';') continue;
        if (line.front() == '!') return malformed(number, "a file cannot be included from here");
        if (line.front() == '[') {
            const auto close = line.find(']');
            if (close == std::string_view::npos) return malformed(number, "the group has no ']'");
            group = std::string(trimmed(line.substr(1, close - 1)));
            continue;
        }
        if (group.empty()) return malformed(number, "an option stands before any [group]");
        FileOption option = option_of(group, trimmed(without_comment(line)), number);
        if (option.name.empty()) return malformed(number, "an option has no name");
        options.push_back(std::move(option));
    }
    return options;
}

bool is_server_group(std::string_view group)
{
    constexpr std::array<std::string_view, 6> names{
        "mysqld", "server", "mariadb", "mariadbd", "mariadb_server", "galera"};
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
        return group == name ||
               (group.starts_with(name) && group.substr(name.size()).starts_with('-'));
    });
}

}  // namespace mysos::mysql
