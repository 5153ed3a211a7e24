#pragma once

#include <string_view>

/// Files of this folder as the program carries them; web.cpp is made at configuration time.
namespace mysos::scheduler::web {

extern const std::string_view dashboard_html;
extern const std::string_view openapi_json;

}  // namespace mysos::scheduler::web
