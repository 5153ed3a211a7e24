#include "scheduler/in/rest_v1.hpp"

#include "scheduler/in/rest_cotton.hpp"
#include "scheduler/in/rest_reply.hpp"

#include <limits>
#include <optional>

namespace mysos::scheduler {
namespace {

using nlohmann::json;

bool fits(const json& value)
{
    return value.is_number_unsigned() &&
           value.get<std::uint64_t>() <= std::numeric_limits<std::uint32_t>::max();
}

}  // namespace

std::variant<PatchCall, io::Reply> read_patch(const io::Request& request)
{
    const json body = json::parse(request.body, nullptr, false);
    if (!body.is_object()) return problem(400, R"(the body must be JSON like {"num_nodes": 3})");
    std::optional<std::uint32_t> num_nodes;
    for (const auto& [key, value] : body.items()) {
        if (key != "num_nodes") {
            return problem(400, "only 'num_nodes' can be changed, not '" + key + "'");
        }
        if (!fits(value)) return problem(400, "num_nodes: must be a number of members, at least 1");
        num_nodes = value.get<std::uint32_t>();
    }
    if (!num_nodes) return problem(400, R"(nothing to change; give {"num_nodes": 3})");
    return PatchCall{*num_nodes};
}

std::variant<MemberCall, io::Reply> read_member_call(const io::Request& request)
{
    const json body = json::parse(request.body, nullptr, false);
    const auto to = body.is_object() ? body.find("to") : body.end();
    if (to == body.end() || !fits(*to) || body.size() != 1) {
        return problem(400, R"(the body must be JSON like {"to": 2}, a member's server_id)");
    }
    return MemberCall{MemberId{to->get<std::uint32_t>()}};
}

io::Reply refused_problem(const Refused& refused)
{
    io::Reply reply = problem(status_of(refused.why), refused.message);
    if (refused.why == Refused::Why::not_connected) reply.headers.set("Retry-After", "5");
    return reply;
}

}  // namespace mysos::scheduler
