#pragma once

#include "common/base/result.hpp"

#include <string>
#include <string_view>

namespace mysos::wire {

/// Standard alphabet, padded.
[[nodiscard]] std::string encode_base64(std::string_view bytes);

/// Shape:  as Mesos reads it: the standard alphabet, white space anywhere, padding may be missing;
///         nothing but white space after padding.
/// Errors: message_malformed, also for the url-safe alphabet's '-' and '_'.
[[nodiscard]] Result<std::string> decode_base64(std::string_view text);

}  // namespace mysos::wire
