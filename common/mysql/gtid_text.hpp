#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>

/// What the GTID texts of both flavours have in common: lists cut by one character, with spaces and
/// newlines that mean nothing.
namespace mysos::mysql {

[[nodiscard]] constexpr std::string_view trim(std::string_view text)
{
    constexpr std::string_view blank = " \t\r\n";
    const std::size_t first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

/// Takes the trimmed piece before the next `separator`, or the rest; `text` keeps what is behind
/// it.
[[nodiscard]] constexpr std::string_view take(std::string_view& text, char separator)
{
    const std::size_t end = text.find(separator);
    const std::string_view piece = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    return trim(piece);
}

/// All of the text as a number; none: something else, or too large.
template <class Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text)
{
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [stop, ec] = std::from_chars(text.data(), end, number);
    if (ec != std::errc{} || stop != end) return std::nullopt;
    return number;
}

}  // namespace mysos::mysql
