#include "common/base/uuid.hpp"

#include <cstddef>

namespace mysos {
namespace {

constexpr std::string_view digits = "0123456789abcdef";

std::optional<unsigned> hexadecimal(char c)
{
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
    return std::nullopt;
}

bool hyphen_before(std::size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

}  // namespace

std::optional<Uuid> parse_uuid(std::string_view text)
{
    const bool hyphens = text.size() == 36;
    if (!hyphens && text.size() != 32) return std::nullopt;
    Uuid uuid;
    std::size_t at = 0;
    for (std::size_t byte = 0; byte < uuid.bytes.size(); ++byte) {
        if (hyphens && hyphen_before(byte) && text[at++] != '-') return std::nullopt;
        const auto high = hexadecimal(text[at++]);
        const auto low = hexadecimal(text[at++]);
        if (!high || !low) return std::nullopt;
        uuid.bytes.at(byte) = static_cast<std::uint8_t>(*high << 4U | *low);
    }
    return uuid;
}

std::string to_text(const Uuid& uuid)
{
    std::string text;
    text.reserve(36);
    for (std::size_t byte = 0; byte < uuid.bytes.size(); ++byte) {
        if (hyphen_before(byte)) text += '-';
        text += digits[uuid.bytes.at(byte) >> 4U];
        text += digits[uuid.bytes.at(byte) & 0xfU];
    }
    return text;
}

}  // namespace mysos
