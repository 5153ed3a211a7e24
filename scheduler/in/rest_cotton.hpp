#pragma once

#include "common/io/http_server.hpp"
#include "scheduler/decide/effect.hpp"
#include "scheduler/decide/input.hpp"

#include <optional>
#include <string>
#include <variant>

/// Cotton's two calls: what their forms say, and how they are answered. Pure: the values of a form
/// are judged by the decision, except passwords, which no decision sees.
namespace mysos::scheduler {

struct CreateCall {
    CreateForm form;
    std::optional<std::string> password;  ///< Unset: to be drawn.
};
struct DeleteCall {
    std::optional<std::string> password;
};

/// POST /clusters/<name>: a form, or the answer to what is none.
[[nodiscard]] std::variant<CreateCall, io::Reply> read_create(
    const std::string& name, const io::Request& request);
/// DELETE /clusters/<name>.
[[nodiscard]] std::variant<DeleteCall, io::Reply> read_delete(const io::Request& request);

/// The HTTP status of a refusal.
[[nodiscard]] unsigned status_of(Refused::Why why);
[[nodiscard]] io::Reply refusal(const Refused& refused);

}  // namespace mysos::scheduler
