#pragma once

#include "common/base/result.hpp"
#include "common/base/zk_url.hpp"

#include <string>
#include <string_view>

namespace mysos::wire {

/// What stands in `<zk>/scheduler/leader`: where the leading scheduler listens.
///
/// Shape:  JSON {"host":…,"port":…}; other keys are ignored.
/// Errors: message_malformed.
[[nodiscard]] Result<HostPort> decode_leader(std::string_view json);
[[nodiscard]] std::string encode_leader(const HostPort& address);

}  // namespace mysos::wire
