#include "common/mesos/detection.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <vector>

using namespace mysos;
using namespace mysos::mesos;
using Names = std::vector<std::string>;

TEST_CASE("detection: the member with the smallest number leads", "[detection]")
{
    struct Case {
        Names children;
        std::optional<std::string> leader;
    };
    const std::vector<Case> cases{
        {{}, std::nullopt},
        {{"log_replicas"}, std::nullopt},
        {{"json.info_0000000131"}, "json.info_0000000131"},
        {{"json.info_0000000131", "json.info_0000000130", "log_replicas"}, "json.info_0000000130"},
        {{"json.info_9", "json.info_10"}, "json.info_9"},
        {{"json.info_0000000002", "info_0000000003", "0000000004"}, "json.info_0000000002"},
        // ZooKeeper's counter is an int32 and turns negative.
        {{"json.info_0000000001", "json.info_-2147483648"}, "json.info_-2147483648"},
        {{"json.info_", "json.info_1x", "json.info_99999999999", "x_y"}, std::nullopt},
        {{"json.info_extra_7"}, "json.info_extra_7"},
    };
    for (const Case& c : cases) {
        INFO((c.children.empty() ? "" : c.children.front()));
        const auto leader = leading_member(c.children);
        REQUIRE(leader.has_value());
        CHECK(*leader == c.leader);
    }
}

TEST_CASE("detection: a member that cannot be judged is an error, not a guess", "[detection]")
{
    CHECK(leading_member({"json.info_2", "info_1"}).error() == DetectionErrc::master_too_old);
    CHECK(leading_member({"json.info_2", "0000000001"}).error() == DetectionErrc::master_too_old);
    CHECK(leading_member({"json.info_1", "v2.info_2"}).error() == DetectionErrc::label_unknown);
}

TEST_CASE("detection: a master's description is read from any form it has", "[detection]")
{
    struct Case {
        std::string json;
        Master master;
    };
    const std::vector<Case> cases{
        {R"({"address":{"hostname":"h1","ip":"10.0.0.1","port":5051},"capabilities":[],)"
         R"("hostname":"h0","id":"m","ip":16777226,"pid":"master@10.0.0.9:1","port":5050})",
         {"m", "10.0.0.1", "h1", 5051}},
        {R"({"x":{},"address":{"port":1,"ip":"::1"}})", {"", "::1", "::1", 1}},
        {R"({"address":{"hostname":"h","port":1}})", {"", "h", "h", 1}},
        {R"({"id":"m","hostname":"h","pid":"master@10.0.0.1:6000"})", {"m", "10.0.0.1", "h", 6000}},
        {R"({"pid":"master@[::1]:6000","port":7000})", {"", "::1", "::1", 7000}},
        {R"({"hostname":"h"})", {"", "h", "h", 5050}},
    };
    for (const Case& c : cases) {
        INFO(c.json);
        const Result<Master> master = parse_master_info(c.json);
        REQUIRE(master.has_value());
        CHECK(*master == c.master);
    }
    for (const char* const bad :
         {"",
          "[]",
          "{",
          "{}",
          R"({"address":{}})",
          R"({"address":{"ip":"10.0.0.1"}})",
          R"({"address":{"ip":"10.0.0.1","port":0}})",
          R"({"address":{"ip":"a","port":65536}})",
          R"({"address":{"ip":"a","port":"5050"}})",
          R"({"address":{"ip":7,"port":5050}})",
          R"({"hostname":"h","port":-1})"}) {
        INFO(bad);
        REQUIRE(parse_master_info(bad).has_error());
        CHECK(parse_master_info(bad).error() == DetectionErrc::master_malformed);
    }
}
