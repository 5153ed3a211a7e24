#include "test/conformance/suite.hpp"

#include <mesos/v1/scheduler.pb.h>

namespace mysos::conformance {
namespace {

using namespace std::chrono_literals;

Request raw(const std::string& content_type, const std::string& body)
{
    Request request;
    request.path = "/api/v1/scheduler";
    request.body = body;
    if (!content_type.empty()) request.headers.emplace("Content-Type", content_type);
    return request;
}

void expect_status(const Options& o, const Request& request, int status, const std::string& what)
{
    require_equal(fetch(o.master, request).status, status, what);
}

std::string subscribe_body(const Options& o)
{
    Json info = default_info(o);
    info["failover_timeout"] = 0.0;
    return subscribe_call(info).dump();
}

/// Subscribes with this Accept header and returns the head; the framework ends with the connection.
Response head_with_accept(const Options& o, const std::optional<std::string>& accept)
{
    Request request = scheduler_request(o, Json::parse(subscribe_body(o)));
    request.headers.erase("Accept");
    if (accept) request.headers.emplace("Accept", *accept);
    return RecordStream{o.master, request}.head();
}

void not_acceptable(const Options& o)
{
    Request request = scheduler_request(o, Json::parse(subscribe_body(o)));
    request.headers.erase("Accept");
    request.headers.emplace("Accept", "text/html");
    expect_status(o, request, 406, "Accept: text/html");
    for (const char* accept : {"*/*", "application/*", ""}) {
        const auto header = *accept == '\0' ? std::nullopt : std::optional<std::string>{accept};
        const Response head = head_with_accept(o, header);
        require_equal(head.status, 200, std::string{"Accept: "} + accept);
        require_equal(head.header("content-type"), std::string{"application/json"}, accept);
    }
}

void protobuf_answers(const Options& o)
{
    Request request = scheduler_request(o, Json::parse(subscribe_body(o)));
    request.headers.erase("Accept");
    request.headers.emplace("Accept", "application/x-protobuf");
    RecordStream stream{o.master, request};
    require_equal(stream.head().status, 200, "status");
    require_equal(
        stream.head().header("content-type"), std::string{"application/x-protobuf"}, "type");
    const std::optional<std::string> record = stream.next(in(10s));
    mesos::v1::scheduler::Event event;
    require(record && event.ParseFromString(*record), "the first record is not an Event");
    require(
        event.type() == mesos::v1::scheduler::Event::SUBSCRIBED && event.has_subscribed(),
        "the first event is not SUBSCRIBED");
}

void corrupting_second_request(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer([](const Json&) { return true; });
    Json body = decline(offer, 0);
    body["framework_id"] = {{"value", framework.id()}};
    Request request = scheduler_request(o, body);
    request.headers.emplace("Mesos-Stream-Id", framework.stream_id());
    Connection& connection = framework.stream().connection();
    connection.send(request);
    std::string seen;
    const Deadline deadline = in(10s);
    while (seen.find("HTTP/1.1 202") == std::string::npos) {
        const std::optional<std::string> bytes = connection.read_raw(deadline);
        require(bytes && !bytes->empty(), "no raw answer between the chunks");
        seen += *bytes;
    }
    framework.disconnect();
}

void accepted_calls(const Options& o)
{
    Framework framework{o};
    const Response revived = framework.call({{"type", "REVIVE"}});
    require_equal(revived.status, 202, "REVIVE");
    require_equal(revived.header("content-length"), std::string{"0"}, "Content-Length");
    require(!revived.has("content-type"), "a 202 has no Content-Type");
    Json info = framework.info();
    info["id"] = {{"value", framework.id()}};
    const Response updated = framework.call(
        {{"type", "UPDATE_FRAMEWORK"}, {"update_framework", {{"framework_info", info}}}});
    require_equal(updated.status, 200, "UPDATE_FRAMEWORK " + updated.body);
    require_equal(updated.body, std::string{}, "its body");
}

void missing_required(const Options& o)
{
    // KILL without kill.task_id, which the schema requires: built by hand, since no serializer
    // would.
    const std::string call{
        "\x18\x06\x42\x00", 4};  // type = KILL, an empty length-delimited field 8
    expect_status(o, raw("application/x-protobuf", call), 400, "protobuf without a required field");
    mesos::v1::scheduler::Call subscribe;
    subscribe.set_type(mesos::v1::scheduler::Call::SUBSCRIBE);
    subscribe.mutable_subscribe()->mutable_framework_info()->set_user("nobody");
    expect_status(
        o,
        raw("application/x-protobuf", subscribe.SerializePartialAsString()),
        400,
        "SUBSCRIBE without framework_info.name");
}

void wrong_bodies(const Options& o)
{
    for (const char* body : {"not json", "", "[]", "{} {}"}) {
        expect_status(o, raw("application/json", body), 400, std::string{"body '"} + body + "'");
    }
}

void unknown_keys(const Options& o)
{
    Framework framework{o};
    framework.must({{"type", "REVIVE"}, {"revive", {{"role", "x"}}}, {"surplus", {1, 2, 3}}});
}

void redirects(const Options& o)
{
    for (const char* method : {"POST", "GET"}) {
        Request request = raw("application/json", "{}");
        request.method = method;
        const Response response = fetch(*o.follower, request);
        require_equal(response.status, 307, method);
        const std::string location = response.header("location");
        require(location.starts_with("//"), "Location has a scheme: " + location);
        require(
            location.ends_with(":" + std::to_string(o.master.port) + "/master/api/v1/scheduler"),
            "Location: " + location);
    }
}

void other_path(const Options& o)
{
    Request request = scheduler_request(o, Json::parse(subscribe_body(o)));
    request.path = "/master/api/v1/scheduler";
    RecordStream stream{o.master, request};
    require_equal(stream.head().status, 200, "SUBSCRIBE at /master/api/v1/scheduler");
    request.method = "GET";
    expect_status(o, request, 405, "GET there");
}

}  // namespace

void add_http_checks(std::vector<Check>& checks)
{
    const auto add = [&](int number, const char* name, auto run) {
        checks.push_back({number, name, Needs::no_credentials, run});
    };
    add(1, "GET is answered with 405 and Allow: POST", [](const Options& o) {
        Request request;
        request.method = "GET";
        request.path = "/api/v1/scheduler";
        const Response response = fetch(o.master, request);
        require_equal(response.status, 405, "status");
        require_equal(response.header("allow"), std::string{"POST"}, "Allow");
    });
    add(2, "a POST without Content-Type is 400", [](const Options& o) {
        expect_status(o, raw("", subscribe_body(o)), 400, "no Content-Type");
    });
    add(3, "Content-Type: text/plain is 415, whatever the body", [](const Options& o) {
        for (const std::string& body : {subscribe_body(o), std::string{}, std::string{"x"}}) {
            expect_status(o, raw("text/plain", body), 415, "body '" + body + "'");
        }
    });
    add(4, "a charset in the Content-Type is 415", [](const Options& o) {
        expect_status(o, raw("application/json; charset=utf-8", subscribe_body(o)), 415, "charset");
    });
    add(5, "a body that is no JSON object is 400", wrong_bodies);
    add(6, "an enum as a number is 400", [](const Options& o) {
        expect_status(o, raw("application/json", R"({"type":5})"), 400, "type 5");
    });
    add(7, "an unknown or lower-case type is 400", [](const Options& o) {
        expect_status(o, raw("application/json", R"({"type":"FOO"})"), 400, "FOO");
        expect_status(o, raw("application/json", R"({"type":"subscribe"})"), 400, "subscribe");
    });
    add(8, "unknown keys of a call are ignored", unknown_keys);
    add(9, "a string where an object is expected is 400", [](const Options& o) {
        Framework framework{o};
        const Response response = framework.call({{"type", "KILL"}, {"kill", {{"task_id", "t"}}}});
        require_equal(response.status, 400, "KILL with a string");
    });
    add(10, "an Accept that cannot be met is 406, wildcards give JSON", not_acceptable);
    add(11, "Accept: application/x-protobuf gives protobuf even to a JSON call", protobuf_answers);
    checks.push_back(
        {12,
         "a follower redirects with 307 to //leader/master/api/v1/scheduler",
         Needs::follower,
         redirects});
    add(14, "/master/api/v1/scheduler is the same endpoint", other_path);
    add(15,
        "a request on the subscribe connection is answered raw between chunks",
        corrupting_second_request);
    add(16,
        "calls are answered 202 with Content-Length 0, UPDATE_FRAMEWORK with 200",
        accepted_calls);
    add(17, "a protobuf call that lacks a required field is 400", missing_required);
}

}  // namespace mysos::conformance
