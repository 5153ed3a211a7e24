#include "common/base/units.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace mysos {
namespace {

class Category final : public boost::system::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "unit"; }

    [[nodiscard]] std::string message(int value) const override
    {
        switch (static_cast<UnitErrc>(value)) {
            case UnitErrc::malformed: return "is not a number with a unit";
            case UnitErrc::unit_unknown: return "has an unknown unit";
            case UnitErrc::too_large: return "is too large";
        }
        return "unknown unit error " + std::to_string(value);
    }
};

using std::chrono::milliseconds;

constexpr std::array<std::pair<std::string_view, milliseconds>, 5> time_units{{
    {"d", std::chrono::hours{24}},
    {"h", std::chrono::hours{1}},
    {"m", std::chrono::minutes{1}},
    {"s", std::chrono::seconds{1}},
    {"ms", milliseconds{1}},
}};

constexpr std::int64_t milliseconds_max =
    std::chrono::duration_cast<milliseconds>(Duration::max()).count();

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Kibibytes of one unit; 0: no such unit.
std::int64_t kibibytes(std::string_view unit)
{
    std::string name;
    for (const char c : unit) name.push_back(lower(c));
    if (name.ends_with('b')) name.pop_back();
    if (name == "k") return 1;
    if (name == "m") return std::int64_t{1} << 10U;
    if (name == "g") return std::int64_t{1} << 20U;
    if (name == "t") return std::int64_t{1} << 30U;
    return 0;
}

}  // namespace

const boost::system::error_category& unit_category() noexcept
{
    static const Category instance;
    return instance;
}

Result<Duration> parse_duration(std::string_view text)
{
    std::int64_t total = 0;
    std::size_t larger = 0;  // Units before this one are larger than the last one read.
    if (text.empty()) return UnitErrc::malformed;
    while (!text.empty()) {
        std::int64_t count = 0;
        const char* const end = text.data() + text.size();
        if (!is_digit(text.front())) return UnitErrc::malformed;
        const auto [stop, ec] = std::from_chars(text.data(), end, count);
        if (ec != std::errc{}) return UnitErrc::too_large;
        text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
        std::size_t unit_size = 0;
        while (unit_size < text.size() && !is_digit(text[unit_size])) ++unit_size;
        const std::string_view unit = text.substr(0, unit_size);
        text.remove_prefix(unit_size);
        if (unit.empty()) return UnitErrc::malformed;

        std::size_t i = 0;
        while (i < time_units.size() && time_units[i].first != unit) ++i;
        if (i == time_units.size()) return UnitErrc::unit_unknown;
        if (i < larger) return UnitErrc::malformed;
        larger = i + 1;
        const std::int64_t factor = time_units[i].second.count();
        if (count > (milliseconds_max - total) / factor) return UnitErrc::too_large;
        total += count * factor;
    }
    return Duration{milliseconds{total}};
}

Result<std::int64_t> parse_mebibytes(std::string_view text)
{
    constexpr double mebibytes_max = 1e12;  // An exbibyte: far above any disk, far below overflow.
    double number = 0;
    const char* const end = text.data() + text.size();
    if (text.empty() || !is_digit(text.front())) return UnitErrc::malformed;
    const auto [stop, ec] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
    if (ec == std::errc::result_out_of_range) return UnitErrc::too_large;
    if (ec != std::errc{}) return UnitErrc::malformed;
    const std::string_view unit{stop, static_cast<std::size_t>(end - stop)};
    if (unit.empty()) return UnitErrc::malformed;
    const std::int64_t factor = kibibytes(unit);
    if (factor == 0) return UnitErrc::unit_unknown;
    const double mebibytes = number * static_cast<double>(factor) / 1024;
    if (mebibytes > mebibytes_max) return UnitErrc::too_large;
    return static_cast<std::int64_t>(mebibytes);
}

std::string print(Duration duration)
{
    std::int64_t rest = std::chrono::duration_cast<milliseconds>(duration).count();
    if (rest == 0) return "0s";
    std::string text = rest < 0 ? "-" : "";
    if (rest < 0) rest = -rest;
    for (const auto& [name, unit] : time_units) {
        const std::int64_t count = rest / unit.count();
        rest %= unit.count();
        if (count > 0) text += std::to_string(count) + std::string{name};
    }
    return text;
}

}  // namespace mysos
