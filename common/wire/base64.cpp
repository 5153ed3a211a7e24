#include "common/wire/base64.hpp"

#include "common/wire/errc.hpp"

#include <cstddef>
#include <cstdint>

namespace mysos::wire {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

}  // namespace

std::string encode_base64(std::string_view bytes)
{
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const std::string_view group = bytes.substr(at, 3);
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            bits = bits << 8U | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            const std::uint32_t digit = bits >> (18U - 6U * i) & 63U;
            text.push_back(i <= group.size() ? alphabet[digit] : '=');
        }
    }
    return text;
}

Result<std::string> decode_base64(std::string_view text)
{
    std::string bytes;
    std::uint32_t bits = 0;
    unsigned bit_count = 0;
    bool padded = false;
    for (const char c : text) {
        if (is_space(c)) continue;
        if (c == '=') {
            padded = true;
            continue;
        }
        const std::size_t digit = alphabet.find(c);
        if (padded || digit == std::string_view::npos) return Errc::message_malformed;
        bits = (bits << 6U | static_cast<std::uint32_t>(digit)) & 0xffffU;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            bytes.push_back(static_cast<char>(bits >> bit_count & 0xffU));
        }
    }
    return bytes;
}

}  // namespace mysos::wire
