#pragma once

#include "common/base/result.hpp"
#include "common/base/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

/// Durations and sizes as people write them in flags and requests.
namespace mysos {

/// Each is for the person who wrote it.
enum class UnitErrc {
    malformed = 1,  ///< Not a number with a unit behind it.
    unit_unknown,
    too_large,  ///< Does not fit.
};

[[nodiscard]] const boost::system::error_category& unit_category() noexcept;

[[nodiscard]] inline ErrorCode make_error_code(UnitErrc e) noexcept
{
    return {static_cast<int>(e), unit_category()};
}

/// Shape:  1*( 1*DIGIT unit ), units ms s m h d, from the largest to the smallest: "60s", "1d12h".
/// Errors: UnitErrc.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

/// Shape:  1*DIGIT [ "." 1*DIGIT ] unit, units kb mb gb tb in either case, with or without the b.
/// Units:  the result is in mebibytes (1 mb = 1024 * 1024 bytes), rounded down.
/// Errors: UnitErrc.
[[nodiscard]] Result<std::int64_t> parse_mebibytes(std::string_view text);

/// "60s", "1d12h": what parse_duration reads back, to the millisecond.
[[nodiscard]] std::string print(Duration duration);

}  // namespace mysos

template <>
struct boost::system::is_error_code_enum<mysos::UnitErrc> : std::true_type {};
