#include "scheduler/in/rest_cotton.hpp"

#include "common/wire/form.hpp"
#include "scheduler/in/rest_reply.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace mysos::scheduler {
namespace {

constexpr std::size_t password_size_max = 79;  // What both servers take from every client.

std::optional<std::string> field(wire::Form& form, const char* name)
{
    const auto found = form.find(name);
    if (found == form.end()) return std::nullopt;
    return std::move(found->second);
}

io::Reply not_a_form(const ErrorCode& error)
{
    const bool type = error == wire::FormErrc::content_type_unsupported;
    return plain(type ? 415 : 400, error.message());
}

bool is_printable_ascii(const std::string& text)
{
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

std::variant<CreateCall, io::Reply> read_create(const std::string& name, const io::Request& request)
{
    Result<wire::Form> form = wire::parse_form(request.headers.find("Content-Type"), request.body);
    if (!form) return not_a_form(form.error());

    constexpr std::array<std::string_view, 10> known{
        "cluster_user",
        "num_nodes",
        "size",
        "backup_id",
        "cluster_password",
        "flavor",
        "constraints",
        "colocate",
        "two_node_policy",
        "durability"};
    for (const auto& [key, value] : *form) {
        if (std::ranges::find(known, key) != known.end()) continue;
        return plain(
            400,
            "'" + key +
                "' is not a field of this call: cluster_user, num_nodes, size, backup_id, "
                "cluster_password, flavor, constraints, colocate, two_node_policy and durability "
                "are");
    }

    CreateCall call;
    call.form.name = name;
    call.form.cluster_user = field(*form, "cluster_user");
    call.form.num_nodes = field(*form, "num_nodes");
    call.form.size = field(*form, "size");
    call.form.backup_id = field(*form, "backup_id");
    call.form.flavor = field(*form, "flavor");
    call.form.constraints = field(*form, "constraints");
    call.form.colocate = field(*form, "colocate");
    call.form.two_node_policy = field(*form, "two_node_policy");
    call.form.durability = field(*form, "durability");
    call.password = field(*form, "cluster_password");
    if (call.password && call.password->empty()) call.password.reset();
    if (!call.password) return call;
    if (call.password->size() > password_size_max || !is_printable_ascii(*call.password)) {
        return plain(
            400,
            "cluster_password must be 1 to 79 printable ASCII characters; without it one is "
            "generated and returned");
    }
    return call;
}

std::variant<DeleteCall, io::Reply> read_delete(const io::Request& request)
{
    Result<wire::Form> form = wire::parse_form(request.headers.find("Content-Type"), request.body);
    if (!form) return not_a_form(form.error());
    return DeleteCall{field(*form, "password")};
}

unsigned status_of(Refused::Why why)
{
    switch (why) {
        case Refused::Why::bad_value: return 400;
        case Refused::Why::wrong_password: return 403;
        case Refused::Why::not_found: return 404;
        case Refused::Why::exists:
        case Refused::Why::cannot: return 409;
        case Refused::Why::not_connected: return 503;
    }
    return 500;
}

io::Reply refusal(const Refused& refused)
{
    io::Reply reply = plain(status_of(refused.why), refused.message);
    if (refused.why == Refused::Why::not_connected) reply.headers.set("Retry-After", "5");
    return reply;
}

}  // namespace mysos::scheduler
