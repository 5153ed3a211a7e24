// What parses bytes from outside meets bytes that nobody meant. Deterministic, so a failure
// repeats.
#include "common/base/prng.hpp"
#include "common/wire/base64.hpp"
#include "common/wire/errc.hpp"
#include "common/wire/json.hpp"
#include "common/wire/protobuf.hpp"
#include "common/wire/recordio.hpp"
#include "mesos/v1/scheduler.pb.h"

#include <catch2/catch.hpp>
#include <google/protobuf/stubs/logging.h>
#include <nlohmann/json.hpp>

#include <array>
#include <fstream>
#include <string>
#include <vector>

namespace v1 = mesos::v1;
using namespace mysos;

namespace {

constexpr std::uint64_t rounds = 2000;

std::vector<v1::scheduler::Event> recorded_events()
{
    std::vector<v1::scheduler::Event> events;
    std::ifstream file{
        std::string{MYSOS_TEST_DATA} + "/mesos-traces/r9_protobuf_stream/scheduler.ndjson"};
    std::string text;
    while (std::getline(file, text)) {
        const auto line = nlohmann::json::parse(text);
        if (!line.contains("protobuf_base64")) continue;
        const auto bytes = wire::decode_base64(line.at("protobuf_base64").get<std::string>());
        events.push_back(wire::parse_protobuf<v1::scheduler::Event>(bytes.value()).value());
    }
    return events;
}

/// A few bytes changed, removed, doubled or inserted.
std::string mutated(std::string bytes, Prng& prng)
{
    for (std::uint64_t i = 0; i <= prng.below(4) && !bytes.empty(); ++i) {
        const std::size_t at = prng.below(bytes.size());
        const std::size_t length = prng.below(std::min<std::size_t>(bytes.size() - at, 16)) + 1;
        switch (prng.below(5)) {
            case 0: bytes[at] = static_cast<char>(prng.below(256)); break;
            case 1: bytes.erase(at, length); break;
            case 2: bytes.insert(at, bytes.substr(at, length)); break;
            case 3: bytes.insert(at, 1, "{}[]\":,0e-"[prng.below(10)]); break;
            default: bytes.resize(at); break;
        }
    }
    return bytes;
}

}  // namespace

TEST_CASE("mutation: a changed message is read or refused, and what is read is sound", "[fuzz]")
{
    const std::vector<v1::scheduler::Event> events = recorded_events();
    REQUIRE(events.size() == 6);
    const google::protobuf::LogSilencer quiet;  // A debug build warns of text that is not UTF-8.
    Prng prng{20261122};
    std::uint64_t json_read = 0;
    std::uint64_t protobuf_read = 0;
    for (std::uint64_t i = 0; i < rounds; ++i) {
        const v1::scheduler::Event& event = events[prng.below(events.size())];
        v1::scheduler::Event read;
        if (!wire::parse_json(mutated(wire::to_json(event), prng), read)) {
            ++json_read;
            v1::scheduler::Event again;
            const std::string text = wire::to_json(read);
            REQUIRE(wire::parse_json(text, again) == ErrorCode{});
            REQUIRE(wire::to_json(again) == text);
        }
        if (!wire::parse_protobuf(mutated(wire::serialize_protobuf(event), prng), read)) {
            ++protobuf_read;
            const std::string bytes = wire::serialize_protobuf(read);
            REQUIRE(wire::parse_protobuf<v1::scheduler::Event>(bytes).has_value());
        }
    }
    // Both outcomes must have been met often, or this proves nothing.
    CHECK(json_read > rounds / 20);
    CHECK(json_read < rounds - rounds / 20);
    CHECK(protobuf_read > rounds / 20);
    CHECK(protobuf_read < rounds - rounds / 20);
}

TEST_CASE("mutation: a changed stream gives bounded records, whatever its chunks", "[fuzz]")
{
    constexpr std::size_t record_max = 2000;
    std::string stream;
    for (const v1::scheduler::Event& event : recorded_events()) {
        stream += wire::encode_record(wire::serialize_protobuf(event));
    }
    Prng prng{42};
    std::uint64_t faults = 0;
    for (std::uint64_t i = 0; i < rounds; ++i) {
        const std::string bytes = mutated(stream, prng);
        // Cut two ways, the outcome is the same.
        std::array<std::vector<std::string>, 2> seen;
        std::array<ErrorCode, 2> failed;
        for (std::size_t way = 0; way < 2; ++way) {
            wire::RecordDecoder decoder{record_max};
            std::size_t at = 0;
            while (at < bytes.size() && !failed[way]) {
                const std::size_t size = way == 0 ? bytes.size() : prng.below(64) + 1;
                const auto records = decoder.feed(std::string_view{bytes}.substr(at, size));
                at += size;
                if (records.has_error()) {
                    failed[way] = records.error();
                    continue;
                }
                for (const std::string& record : *records) {
                    REQUIRE(record.size() <= record_max);
                    seen[way].push_back(record);
                }
            }
            if (!failed[way]) {
                const auto rest = decoder.feed({});
                if (rest.has_error()) failed[way] = rest.error();
            }
        }
        REQUIRE(seen[0] == seen[1]);
        REQUIRE(failed[0] == failed[1]);
        if (failed[0]) ++faults;
    }
    CHECK(faults > rounds / 20);
    CHECK(faults < rounds);
}
