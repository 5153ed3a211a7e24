#pragma once

#include "test/standin/agent.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace mysos::standin {

/// The JWT that an agent gives its executor: HS256, claims fid, eid and cid, no expiry.
[[nodiscard]] std::string sign_token(const ExecutorClaims& claims, const std::string& key);
/// What a token says, if its signature is the key's.
[[nodiscard]] std::optional<ExecutorClaims> verify_token(
    std::string_view token, const std::string& key);

}  // namespace mysos::standin
