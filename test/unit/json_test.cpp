#include "common/wire/json.hpp"

#include "common/wire/base64.hpp"
#include "common/wire/errc.hpp"
#include "common/wire/protobuf.hpp"
#include "mesos/v1/mesos.pb.h"
#include "mesos/v1/scheduler.pb.h"

#include <catch2/catch.hpp>

#include <limits>
#include <string>
#include <vector>

namespace v1 = mesos::v1;
using namespace mysos;
using wire::Errc;

namespace {

/// The same message once more as text, or why not.
template <class Message>
std::string read_and_written(const std::string& text)
{
    Message message;
    std::string why;
    const ErrorCode ec = wire::parse_json(text, message, &why);
    return ec ? ec.message() + ": " + why : wire::to_json(message);
}

std::string scalar(double value)
{
    v1::Value::Scalar message;
    message.set_value(value);
    return wire::to_json(message);
}

}  // namespace

TEST_CASE("json: doubles always show that they are doubles", "[json]")
{
    struct Case {
        double value;
        std::string text;
    };
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const std::vector<Case> cases{
        {0, "0.0"},
        {-0.0, "-0.0"},
        {15, "15.0"},
        {-15, "-15.0"},
        {0.1, "0.1"},
        {0.01, "0.01"},
        {1234.5678, "1234.5678"},
        {1e9, "1000000000.0"},
        {1700000000.123456, "1700000000.123456"},
        {1e20, "100000000000000000000.0"},
        {1e21, "1e21"},
        {1.5e22, "1.5e22"},
        {1e-6, "0.000001"},
        {1.5e-6, "0.0000015"},
        {1e-7, "1e-7"},
        {-2.5e-10, "-2.5e-10"},
        {std::numeric_limits<double>::max(), "1.7976931348623157e308"},
        {infinity, "\"Infinity\""},
        {-infinity, "\"-Infinity\""},
    };
    for (const Case& c : cases) {
        INFO(c.text);
        const std::string text = scalar(c.value);
        CHECK(text == "{\"value\":" + c.text + "}");
        CHECK(read_and_written<v1::Value::Scalar>(text) == text);
    }
}

TEST_CASE("json: 64-bit integers are numbers, exact to the last digit", "[json]")
{
    v1::Value::Range range;
    range.set_begin(1'700'000'000'123'456'789U);
    range.set_end(std::numeric_limits<std::uint64_t>::max());
    const std::string text = R"({"begin":1700000000123456789,"end":18446744073709551615})";
    CHECK(wire::to_json(range) == text);
    CHECK(read_and_written<v1::Value::Range>(text) == text);
    v1::DurationInfo duration;
    duration.set_nanoseconds(std::numeric_limits<std::int64_t>::min());
    CHECK(wire::to_json(duration) == R"({"nanoseconds":-9223372036854775808})");
    CHECK(
        read_and_written<v1::DurationInfo>(R"({"nanoseconds":-9223372036854775808})") ==
        R"({"nanoseconds":-9223372036854775808})");
}

TEST_CASE("json: texts are escaped as Mesos does, and no more", "[json]")
{
    v1::TaskID id;
    id.set_value("q\" b\\ n\n t\t \x01 \x1f \x7f / < & \xc3\xa4");
    const std::string text =
        "{\"value\":\"q\\\" b\\\\ n\\n t\\t \\u0001 \\u001F \x7f / < & \xc3\xa4\"}";
    CHECK(wire::to_json(id) == text);
    CHECK(read_and_written<v1::TaskID>(text) == text);
}

TEST_CASE("json: unset fields show explicit defaults, unless deprecated", "[json]")
{
    CHECK(wire::to_json(v1::Filters{}) == R"({"refuse_seconds":5.0})");
    CHECK(wire::to_json(v1::Labels{}) == "{}");
    // `role` has a default too, "*", and is deprecated.
    CHECK(
        read_and_written<v1::FrameworkInfo>(R"({"user":"u","name":"n"})") ==
        R"({"user":"u","name":"n","failover_timeout":0.0,"checkpoint":false})");
}

TEST_CASE("json: maps are objects, sorted by key", "[json]")
{
    const std::string text = R"({"quantities":{"cpus":{"value":1.0},"mem":{"value":2.0}}})";
    CHECK(
        read_and_written<v1::OfferFilters::ResourceQuantities>(
            R"({"quantities":{"mem":{"value":2},"cpus":{"value":1}}})") == text);
    CHECK(
        read_and_written<v1::OfferFilters::ResourceQuantities>(R"({"quantities":[]})").empty() ==
        false);
}

TEST_CASE("json: what Mesos accepts is accepted, with its meaning", "[json]")
{
    struct Case {
        std::string name;
        std::string given;
        std::string meaning;
    };
    const std::string task = R"("name":"t","task_id":{"value":"t"},"agent_id":{"value":"a"})";
    const std::vector<Case> cases{
        {"unknown keys", "{" + task + R"(,"taskId":1,"x":{"y":[]}})", "{" + task + "}"},
        {"null is absent", "{" + task + R"(,"data":null,"labels":null})", "{" + task + "}"},
        {"null in a list", "{" + task + R"(,"resources":[null]})", "{" + task + "}"},
        {"a value for a list",
         "{" + task + R"(,"labels":{"labels":{"key":"k"}}})",
         "{" + task + R"(,"labels":{"labels":[{"key":"k"}]}})"},
        {"equal keys: the last", R"({"name":"s",)" + task + "}", "{" + task + "}"},
        {"a number as text",
         "{" + task + R"(,"kill_policy":{"grace_period":{"nanoseconds":"5000000000"}}})",
         "{" + task + R"(,"kill_policy":{"grace_period":{"nanoseconds":5000000000}}})"},
        {"an integer with a point",
         "{" + task + R"(,"kill_policy":{"grace_period":{"nanoseconds":5e9}}})",
         "{" + task + R"(,"kill_policy":{"grace_period":{"nanoseconds":5000000000}}})"},
        {"base64 without padding",
         "{" + task + R"(,"data":"YQ"})",
         "{" + task + R"(,"data":"YQ=="})"},
        {"base64 with white space",
         "{" + task + R"(,"data":" Y\nQ =="})",
         "{" + task + R"(,"data":"YQ=="})"},
        {"an unknown enumerator",
         "{" + task + R"(,"discovery":{"visibility":"CLUSTER","ports":{"ports":[{"number":1,)" +
             R"("visibility":"cluster"}]}}})",
         "{" + task + R"(,"discovery":{"visibility":"CLUSTER","ports":{"ports":[{"number":1}]}}})"},
        {"white space around", " \n{" + task + "}\t ", "{" + task + "}"},
    };
    for (const Case& c : cases) {
        INFO(c.name);
        CHECK(read_and_written<v1::TaskInfo>(c.given) == c.meaning);
    }
    CHECK(read_and_written<v1::Value::Scalar>(R"({"value":"7.5"})") == R"({"value":7.5})");
    CHECK(
        read_and_written<v1::Value::Scalar>(R"({"value":"-Infinity"})") ==
        R"({"value":"-Infinity"})");
}

TEST_CASE("json: what Mesos refuses is refused, and the reason names the place", "[json]")
{
    struct Case {
        std::string given;
        std::string why;
    };
    const std::string malformed = "record is not the message expected: ";
    const std::string incomplete = "message lacks a required field: ";
    const std::vector<Case> cases{
        {"", malformed + "not JSON"},
        {"{} {}", malformed + "not JSON"},
        {"{}x", malformed + "not JSON"},
        {R"({"name":Infinity})", malformed + "not JSON"},
        {"[]", malformed + "not an object"},
        {"7", malformed + "not an object"},
        {R"({"name":7})", malformed + "name: not a text"},
        {R"({"name":["a"]})", malformed + "name: a list, where one value is expected"},
        {R"({"task_id":"t"})", malformed + "task_id: not an object"},
        {R"({"data":"-_8="})", malformed + "data: not base64"},
        {R"({"discovery":{"visibility":2}})",
         malformed + "discovery.visibility: not the name of an enumerator"},
        {R"({"discovery":{"ports":{"ports":[{"number":true}]}}})",
         malformed + "discovery.ports.ports.number: a value of the wrong kind"},
        {R"({"discovery":{"ports":{"ports":[{"number":-1}]}}})",
         malformed + "discovery.ports.ports.number: a value of the wrong kind"},
        {R"({"discovery":{"ports":{"ports":[{"number":4294967296}]}}})",
         malformed + "discovery.ports.ports.number: a value of the wrong kind"},
        {R"({"discovery":{"ports":{"ports":[{"number":"1x"}]}}})",
         malformed + "discovery.ports.ports.number: a value of the wrong kind"},
        {R"({"command":{"shell":1}})", malformed + "command.shell: a value of the wrong kind"},
        {R"({"name":"n","agent_id":{"value":"a"},"task_id":{}})",
         incomplete + "missing task_id.value"},
        {"{}", incomplete + "missing name, task_id, agent_id"},
        {R"({"name":"n","task_id":{"value":"t"},"agent_id":{"value":"a"},)"
         R"("discovery":{"visibility":"NO"}})",
         incomplete + "missing discovery.visibility"},
    };
    for (const Case& c : cases) {
        INFO(c.given);
        CHECK(read_and_written<v1::TaskInfo>(c.given) == c.why);
    }
}

TEST_CASE("json: endless nesting is refused", "[json]")
{
    std::string text;
    for (int i = 0; i < 200; ++i) text += R"({"value":"c","parent":)";
    text += "null" + std::string(200, '}');
    v1::ContainerID id;
    std::string why;
    CHECK(wire::parse_json(text, id, &why) == Errc::message_malformed);
    CHECK(why.ends_with("nested too deeply"));
}

TEST_CASE("protobuf: bytes that are no message, or lack something, are told apart", "[protobuf]")
{
    v1::TaskID id;
    std::string why;
    CHECK(wire::parse_protobuf("\x07", id, &why) == Errc::message_malformed);
    CHECK(why == "not a mesos.v1.TaskID");
    CHECK(wire::parse_protobuf("", id, &why) == Errc::message_incomplete);
    CHECK(why == "missing value");
    CHECK(wire::parse_protobuf<v1::TaskID>("\n\x01t")->value() == "t");
    CHECK(wire::parse_protobuf<v1::TaskID>("").error() == Errc::message_incomplete);
    CHECK(wire::parse_json<v1::TaskID>("{}").error() == Errc::message_incomplete);
}

TEST_CASE("protobuf: fields of a newer Mesos survive", "[protobuf]")
{
    const std::string bytes = "\n\x01t\xfa\x07\x01x";  // Field 127.
    const Result<v1::TaskID> id = wire::parse_protobuf<v1::TaskID>(bytes);
    REQUIRE(id.has_value());
    CHECK(wire::serialize_protobuf(*id) == bytes);
}

TEST_CASE("base64: every length and byte goes there and back", "[base64]")
{
    std::string bytes;
    for (int i = 0; i < 300; ++i) {
        const std::string text = wire::encode_base64(bytes);
        CHECK(text.size() == (bytes.size() + 2) / 3 * 4);
        CHECK(wire::decode_base64(text).value() == bytes);
        bytes.push_back(static_cast<char>(i * 7));
    }
    CHECK(wire::encode_base64("\xfb\xff\xfe") == "+//+");
    for (const std::string text : {"-_", "a=b", "a!", "\xc3\xa4"}) {
        CHECK(wire::decode_base64(text).error() == Errc::message_malformed);
    }
}
