#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mysos {

/// 16 bytes, compared as such.
struct Uuid {
    std::array<std::uint8_t, 16> bytes{};
    friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

/// 32 hexadecimal digits, with or without the four hyphens in their places. None: not a UUID.
[[nodiscard]] std::optional<Uuid> parse_uuid(std::string_view text);

/// 8-4-4-4-12, lower case.
[[nodiscard]] std::string to_text(const Uuid& uuid);

}  // namespace mysos
