#include "common/wire/base64.hpp"
#include "common/wire/errc.hpp"
#include "common/wire/json.hpp"
#include "common/wire/protobuf.hpp"
#include "mesos/v1/executor.pb.h"
#include "mesos/v1/scheduler.pb.h"

#include <catch2/catch.hpp>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace fs = std::filesystem;
namespace v1 = mesos::v1;
using namespace mysos;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

struct Line {
    std::string where;  ///< File and line, for a failed check.
    bool is_scheduler = false;
    ordered_json json;
};

/// Every line of every recording whose kind is `kind`.
std::vector<Line> recorded(const std::string& kind)
{
    std::vector<Line> lines;
    for (const auto& entry :
         fs::recursive_directory_iterator{std::string{MYSOS_TEST_DATA} + "/mesos-traces"}) {
        if (entry.path().extension() != ".ndjson") continue;
        std::ifstream file{entry.path()};
        std::string text;
        for (int number = 1; std::getline(file, text); ++number) {
            ordered_json line = ordered_json::parse(text);
            if (line.at("kind") != kind) continue;
            lines.push_back(
                {entry.path().string() + ":" + std::to_string(number),
                 entry.path().filename() == "scheduler.ndjson",
                 std::move(line)});
        }
    }
    return lines;
}

std::unique_ptr<Message> event_of(const Line& line)
{
    if (line.is_scheduler) return std::make_unique<v1::scheduler::Event>();
    return std::make_unique<v1::executor::Event>();
}

std::unique_ptr<Message> call_of(const Line& line)
{
    if (line.is_scheduler) return std::make_unique<v1::scheduler::Call>();
    return std::make_unique<v1::executor::Call>();
}

}  // namespace

TEST_CASE("traces: every recorded event is written again exactly as it was", "[traces]")
{
    std::size_t events = 0;
    std::size_t same_length = 0;
    for (const Line& line : recorded("event")) {
        if (!line.json.contains("body")) continue;
        INFO(line.where);
        const std::unique_ptr<Message> event = event_of(line);
        std::string why;
        REQUIRE(wire::parse_json(line.json.at("body").dump(), *event, &why) == ErrorCode{});
        // The same keys in the same order, and the same values down to 15 against 15.0.
        const std::string text = wire::to_json(*event);
        CHECK(ordered_json::parse(text) == line.json.at("body"));
        CHECK(text == line.json.at("body").dump());
        ++events;
        if (line.json.value("record_len", std::size_t{0}) == text.size()) ++same_length;
    }
    CHECK(events == 143);
    // Local paths were replaced after recording; the others have their length on the wire.
    CHECK(same_length >= 90);
}

TEST_CASE("traces: every recorded call means the same after decoding and encoding", "[traces]")
{
    std::size_t calls = 0;
    for (const Line& line : recorded("call")) {
        if (!line.json.contains("body") || line.json.at("body").contains("_raw")) continue;
        INFO(line.where);
        const std::unique_ptr<Message> call = call_of(line);
        std::string why;
        const ErrorCode ec = wire::parse_json(line.json.at("body").dump(), *call, &why);
        INFO(why);
        REQUIRE(ec == ErrorCode{});

        // What was sent is contained in what we write, which has explicit defaults in addition and
        // no empty lists.
        const json written = json::parse(wire::to_json(*call));
        const json sent = json::parse(line.json.at("body").dump());
        for (const json& change : json::diff(sent, written)) {
            INFO(change);
            const json::json_pointer at{change.at("path").get<std::string>()};
            const bool was_empty = change.at("op") == "remove" && sent.at(at) == json::array();
            CHECK((was_empty || change.at("op") == "add"));
        }
        const std::unique_ptr<Message> again = call_of(line);
        REQUIRE(wire::parse_json(written.dump(), *again) == ErrorCode{});
        CHECK(wire::to_json(*again) == wire::to_json(*call));
        ++calls;
    }
    CHECK(calls >= 110);
}

TEST_CASE("traces: what a master refused as malformed is refused", "[traces]")
{
    const std::vector<std::string> malformed{"{nope", "[]", R"({"type": 5})"};
    for (const std::string& text : malformed) {
        INFO(text);
        v1::scheduler::Call call;
        CHECK(wire::parse_json(text, call) == wire::Errc::message_malformed);
    }
    // An unknown name is not malformed: the type stays unset, and is refused for that.
    v1::scheduler::Call call;
    CHECK(wire::parse_json(R"({"type": "FOO"})", call) == ErrorCode{});
    CHECK(!call.has_type());
}

TEST_CASE("traces: protobuf records are written again byte by byte", "[traces]")
{
    std::size_t records = 0;
    for (const Line& line : recorded("event")) {
        if (!line.json.contains("protobuf_base64")) continue;
        INFO(line.where);
        const Result<std::string> bytes =
            wire::decode_base64(line.json.at("protobuf_base64").get<std::string>());
        REQUIRE(bytes.has_value());
        CHECK(bytes->size() == line.json.at("record_len"));
        const std::unique_ptr<Message> event = event_of(line);
        REQUIRE(wire::parse_protobuf(*bytes, *event) == ErrorCode{});
        CHECK(wire::serialize_protobuf(*event) == *bytes);

        const std::unique_ptr<Message> from_text = event_of(line);
        REQUIRE(google::protobuf::TextFormat::ParseFromString(
            line.json.at("text").get<std::string>(), from_text.get()));
        CHECK(MessageDifferencer::Equals(*event, *from_text));

        // And through JSON, which loses nothing.
        const std::unique_ptr<Message> from_json = event_of(line);
        REQUIRE(wire::parse_json(wire::to_json(*event), *from_json) == ErrorCode{});
        CHECK(wire::to_json(*from_json) == wire::to_json(*event));
        ++records;
    }
    CHECK(records == 6);
}
