#pragma once

#include "common/io/http_server.hpp"
#include "scheduler/decide/effect.hpp"

#include <cstdint>
#include <string>
#include <variant>

/// The bodies of /v1: JSON both ways, RFC 9457 on error. Pure; whether a value makes sense for the
/// cluster is judged by the decision.
namespace mysos::scheduler {

struct PatchCall {
    std::uint32_t num_nodes = 0;
};

/// PATCH /v1/clusters/<name>. Shape: {"num_nodes": number}. What cannot be changed is named.
[[nodiscard]] std::variant<PatchCall, io::Reply> read_patch(const io::Request& request);

struct MemberCall {
    MemberId to{};
};

/// POST /v1/clusters/<name>/switchover and …/force. Shape: {"to": server id}.
[[nodiscard]] std::variant<MemberCall, io::Reply> read_member_call(const io::Request& request);

[[nodiscard]] io::Reply refused_problem(const Refused& refused);

}  // namespace mysos::scheduler
