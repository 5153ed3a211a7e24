#include "scheduler/in/rest_reply.hpp"

namespace mysos::scheduler {
namespace {

std::string dump(const nlohmann::json& body)
{
    constexpr int compact = -1;
    const auto replace = nlohmann::json::error_handler_t::replace;
    return body.dump(compact, ' ', false, replace) + "\n";
}

io::Reply reply(unsigned status, const char* type, std::string body)
{
    io::Reply made;
    made.status = status;
    made.headers.set("Content-Type", type);
    made.headers.set("Cache-Control", "no-store");
    made.headers.set("X-Content-Type-Options", "nosniff");
    made.body = std::move(body);
    return made;
}

}  // namespace

io::Reply json_reply(unsigned status, const nlohmann::json& body)
{
    return reply(status, "application/json", dump(body));
}

io::Reply problem(unsigned status, const std::string& detail)
{
    const nlohmann::json body{
        {"type", "about:blank"},
        {"title", io::reason_phrase(status)},
        {"status", status},
        {"detail", detail}};
    return reply(status, "application/problem+json", dump(body));
}

io::Reply plain(unsigned status, const std::string& text)
{
    return reply(status, "text/plain; charset=utf-8", text + "\n");
}

}  // namespace mysos::scheduler
