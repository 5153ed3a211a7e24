#pragma once

#include "common/base/failure.hpp"

#include <boost/system/error_category.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace mysos::mysql {

/// Why an operator's option file is not used.
enum class OptionFileErrc {
    malformed = 1,  ///< Fail the task: the file is at fault, and the text names the line.
    contradicts     ///< Fail the task: the option named would break what the cluster promises.
};
[[nodiscard]] const boost::system::error_category& option_file_category() noexcept;
[[nodiscard]] inline boost::system::error_code make_error_code(OptionFileErrc e) noexcept
{
    return {static_cast<int>(e), option_file_category()};
}

struct FileOption {
    std::string group;
    std::string name;   ///< With underscores; `loose_` is gone; skip_x and disable_x are x = OFF.
    std::string value;  ///< Unquoted; "ON" for an option without one.
    std::size_t line = 0;
    friend bool operator==(const FileOption&, const FileOption&) = default;
};

/// Shape:  lines of "[group]", "name", "name = value", "# comment" or "; comment".
/// Errors: malformed, with the line. That includes !include and !includedir: what they would bring
///         could not be checked.
/// Source: MySQL manual, "Using Option Files"; MariaDB's is the same.
[[nodiscard]] Outcome<std::vector<FileOption>> parse_option_file(std::string_view text);

/// Whether a server reads this group. Versioned groups ([mysqld-9.7]) count as read.
[[nodiscard]] bool is_server_group(std::string_view group);

}  // namespace mysos::mysql

template <>
struct boost::system::is_error_code_enum<mysos::mysql::OptionFileErrc> : std::true_type {};
