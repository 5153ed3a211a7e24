#pragma once

#include "common/io/http_server.hpp"

#include <nlohmann/json.hpp>

#include <string>

/// Bodies and headers of our answers. What came from outside may be in a text: it is not trusted to
/// be UTF-8, and what is not is replaced.
namespace mysos::scheduler {

[[nodiscard]] io::Reply json_reply(unsigned status, const nlohmann::json& body);

/// RFC 9457. `detail` says what is wrong and what to do.
[[nodiscard]] io::Reply problem(unsigned status, const std::string& detail);

/// What Cotton answered an error with: its text alone, with a line feed.
[[nodiscard]] io::Reply plain(unsigned status, const std::string& text);

}  // namespace mysos::scheduler
