#include "scheduler/in/rest_v1.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace mysos::scheduler {
namespace {

std::variant<PatchCall, io::Reply> patch(const std::string& body)
{
    io::Request request;
    request.method = "PATCH";
    request.body = body;
    return read_patch(request);
}

}  // namespace

TEST_CASE("v1: a change of a cluster is read from JSON", "[scheduler]")
{
    CHECK(std::get<PatchCall>(patch(R"({"num_nodes": 5})")).num_nodes == 5);
    // What makes no sense for a cluster is the decision's to refuse.
    CHECK(std::get<PatchCall>(patch(R"({"num_nodes": 0})")).num_nodes == 0);

    struct Case {
        std::string body;
        std::string detail;
    };
    const std::string shape = R"(the body must be JSON like {"num_nodes": 3})";
    const std::string number = "num_nodes: must be a number of members, at least 1";
    const std::vector<Case> cases{
        {"", shape},
        {"{", shape},
        {"[3]", shape},
        {"3", shape},
        {"{}", R"(nothing to change; give {"num_nodes": 3})"},
        {R"({"num_nodes": -1})", number},
        {R"({"num_nodes": 2.5})", number},
        {R"({"num_nodes": "3"})", number},
        {R"({"num_nodes": 4294967296})", number},
        {R"({"size": {}, "num_nodes": 3})", "only 'num_nodes' can be changed, not 'size'"}};
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.body)
        {
            const auto reply = std::get<io::Reply>(patch(c.body));
            CHECK(reply.status == 400);
            CHECK(nlohmann::json::parse(reply.body).at("detail") == c.detail);
        }
    }
}

TEST_CASE("v1: a switchover and a force say to whom", "[scheduler]")
{
    io::Request request;
    request.method = "POST";
    request.body = R"({"to": 2})";
    CHECK(std::get<MemberCall>(read_member_call(request)).to == MemberId{2});
    for (const char* const body :
         {"", "{}", "[2]", R"({"to": "2"})", R"({"to": -2})", R"({"to": 2, "now": true})"}) {
        INFO(body);
        request.body = body;
        const auto reply = std::get<io::Reply>(read_member_call(request));
        CHECK(reply.status == 400);
        CHECK(
            nlohmann::json::parse(reply.body).at("detail") ==
            R"(the body must be JSON like {"to": 2}, a member's server_id)");
    }
}

TEST_CASE("v1: a refusal is a problem with the decision's words", "[scheduler]")
{
    const io::Reply reply = refused_problem({Refused::Why::not_connected, "not now"});
    CHECK(reply.status == 503);
    CHECK(reply.headers.find("Retry-After") == "5");
    CHECK(nlohmann::json::parse(reply.body).at("detail") == "not now");
}

}  // namespace mysos::scheduler
