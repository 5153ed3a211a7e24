#include "scheduler/flag_reader.hpp"

#include "common/base/result.hpp"
#include "common/base/units.hpp"

#include <charconv>

namespace mysos::scheduler {

using nlohmann::json;

std::optional<std::string> FlagReader::optional(const std::string& flag) const
{
    if (const auto given = flags_.given.find(flag); given != flags_.given.end()) {
        return given->second;
    }
    const auto fallback = flags_.defaults.find(flag);
    if (fallback == flags_.defaults.end()) return std::nullopt;
    return fallback->second;
}

std::string FlagReader::required(const std::string& flag, const std::string& right) const
{
    const std::optional<std::string> text = optional(flag);
    if (!text || text->empty()) throw FlagError{flag, "is missing: " + right};
    return *text;
}

Duration FlagReader::duration(const std::string& flag) const
{
    const std::string text = required(flag, "give a duration such as 60s, 5m or 14d");
    const Result<Duration> parsed = parse_duration(text);
    if (!parsed || *parsed <= Duration::zero()) {
        throw FlagError{flag, "'" + text + "' is not a duration: give one such as 60s, 5m or 14d"};
    }
    return *parsed;
}

std::uint16_t FlagReader::port(const std::string& flag) const
{
    const std::string text = required(flag, "give a port");
    std::uint16_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, ec] = std::from_chars(text.data(), end, value);
    if (ec != std::errc{} || stop != end) {
        throw FlagError{
            flag, "'" + text + "' is not a port: give a number up to 65535, or 0 for any free one"};
    }
    return value;
}

json FlagReader::parsed_json(const std::string& flag, const std::string& example) const
{
    json value = json::parse(required(flag, "give JSON such as " + example), nullptr, false);
    if (value.is_discarded()) throw FlagError{flag, "is not JSON: give one such as " + example};
    return value;
}

bool FlagReader::is_set(const std::string& flag) const
{
    const std::string text = optional(flag).value_or("false");
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
    throw FlagError{flag, "'" + text + "' is neither true nor false"};
}

}  // namespace mysos::scheduler
