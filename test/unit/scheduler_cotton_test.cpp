#include "scheduler/in/rest_cotton.hpp"
#include "scheduler/in/rest_reply.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <variant>
#include <vector>

using namespace mysos;
using namespace mysos::scheduler;

namespace {

io::Request form(const std::string& body, const std::string& type)
{
    io::Request request;
    request.method = "POST";
    request.headers.set("Content-Type", type);
    request.body = body;
    return request;
}

io::Request urlencoded(const std::string& body)
{
    return form(body, "application/x-www-form-urlencoded");
}

}  // namespace

TEST_CASE("cotton: create takes the same fields from both kinds of form", "[rest]")
{
    const std::string multipart =
        "--b\r\nContent-Disposition: form-data; name=\"cluster_user\"\r\n\r\napp\r\n"
        "--b\r\nContent-Disposition: form-data; name=\"num_nodes\"\r\n\r\n3\r\n"
        "--b\r\nContent-Disposition: form-data; name=\"size\"\r\n\r\n{\"cpus\":1}\r\n"
        "--b\r\nContent-Disposition: form-data; name=\"cluster_password\"\r\n\r\ns3 +cret\r\n"
        "--b--\r\n";
    const std::string encoded =
        "cluster_user=app&num_nodes=3&size=%7B%22cpus%22%3A1%7D&cluster_password=s3+%2Bcret";
    for (const io::Request& request :
         {form(multipart, "multipart/form-data; boundary=b"), urlencoded(encoded)}) {
        const auto read = read_create("demo", request);
        REQUIRE(std::holds_alternative<CreateCall>(read));
        const auto& call = std::get<CreateCall>(read);
        CHECK(call.form.name == "demo");
        CHECK(call.form.cluster_user == "app");
        CHECK(call.form.num_nodes == "3");
        CHECK(call.form.size == R"({"cpus":1})");
        CHECK_FALSE(call.form.backup_id.has_value());
        CHECK_FALSE(call.form.flavor.has_value());
        CHECK(call.password == "s3 +cret");
    }
}

TEST_CASE("cotton: a password that is absent or empty is to be drawn", "[rest]")
{
    for (const char* body : {"cluster_user=app", "cluster_user=app&cluster_password="}) {
        const auto read = read_create("demo", urlencoded(body));
        REQUIRE(std::holds_alternative<CreateCall>(read));
        CHECK_FALSE(std::get<CreateCall>(read).password.has_value());
    }
}

TEST_CASE("cotton: what is no form of the call is answered, in words", "[rest]")
{
    struct Case {
        std::string name;
        io::Request request;
        unsigned status;
        std::string body;
    };
    const std::string password_rule =
        "cluster_password must be 1 to 79 printable ASCII characters; without it one is generated "
        "and returned\n";
    const std::vector<Case> cases{
        {"json",
         form("{}", "application/json"),
         415,
         "the body is not a form: send application/x-www-form-urlencoded or multipart/form-data, "
         "as "
         "'curl --form name=value' does\n"},
        {"cut multipart",
         form("--b\r\n", "multipart/form-data; boundary=b"),
         400,
         "the multipart body ends before its closing boundary\n"},
        {"bad escape", urlencoded("a=%"), 400, "a '%' is not followed by two hex digits\n"},
        {"misspelt field",
         urlencoded("cluster_user=app&num_node=3"),
         400,
         "'num_node' is not a field of this call: cluster_user, num_nodes, size, backup_id, "
         "cluster_password, flavor, constraints, colocate, two_node_policy and durability are\n"},
        {"long password",
         urlencoded("cluster_user=app&cluster_password=" + std::string(80, 'x')),
         400,
         password_rule},
        {"password with a line feed",
         urlencoded("cluster_user=app&cluster_password=a%0Ab"),
         400,
         password_rule},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            const auto read = read_create("demo", c.request);
            REQUIRE(std::holds_alternative<io::Reply>(read));
            const auto& reply = std::get<io::Reply>(read);
            CHECK(reply.status == c.status);
            CHECK(reply.body == c.body);
            CHECK(reply.headers.find("content-type") == "text/plain; charset=utf-8");
        }
    }
}

TEST_CASE("cotton: delete takes a password, or none", "[rest]")
{
    const auto with = read_delete(urlencoded("password=secret"));
    REQUIRE(std::holds_alternative<DeleteCall>(with));
    CHECK(std::get<DeleteCall>(with).password == "secret");

    const auto without = read_delete(form("", ""));
    REQUIRE(std::holds_alternative<DeleteCall>(without));
    CHECK_FALSE(std::get<DeleteCall>(without).password.has_value());

    const auto broken = read_delete(form("x", "text/xml"));
    REQUIRE(std::holds_alternative<io::Reply>(broken));
    CHECK(std::get<io::Reply>(broken).status == 415);
}

TEST_CASE("cotton: refusals are Cotton's codes with a plain text", "[rest]")
{
    const std::vector<std::pair<Refused::Why, unsigned>> cases{
        {Refused::Why::bad_value, 400},
        {Refused::Why::wrong_password, 403},
        {Refused::Why::not_found, 404},
        {Refused::Why::exists, 409},
        {Refused::Why::not_connected, 503},
    };
    for (const auto& [why, status] : cases) {
        const io::Reply reply = refusal(Refused{why, "because"});
        CHECK(reply.status == status);
        CHECK(reply.body == "because\n");
        CHECK(reply.headers.contains("Retry-After") == (status == 503));
    }
}

TEST_CASE("rest: a problem is RFC 9457 JSON, whatever bytes are in its text", "[rest]")
{
    const io::Reply reply = problem(404, "no '\xff'");
    CHECK(reply.status == 404);
    CHECK(reply.headers.find("Content-Type") == "application/problem+json");
    const auto body = nlohmann::json::parse(reply.body);
    CHECK(body.at("type") == "about:blank");
    CHECK(body.at("title") == "Not Found");
    CHECK(body.at("status") == 404);
    CHECK(body.at("detail") == "no '\xEF\xBF\xBD'");
}
