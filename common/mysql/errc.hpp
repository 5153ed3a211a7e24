#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>

#include <type_traits>

namespace mysos::mysql {

/// Why a server's text is not understood. Each says what the caller does next.
enum class Errc {
    position_malformed = 1,  ///< Not a GTID set or list. Believe nothing else of that report.
};

[[nodiscard]] const boost::system::error_category& category() noexcept;

[[nodiscard]] inline boost::system::error_code make_error_code(Errc e) noexcept
{
    return {static_cast<int>(e), category()};
}

}  // namespace mysos::mysql

template <>
struct boost::system::is_error_code_enum<mysos::mysql::Errc> : std::true_type {};
