#include "common/wire/task_data.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

using namespace mysos::wire;

namespace {

TaskData sample()
{
    TaskData data;
    data.token = "one-time";
    data.zk = "zk://127.0.0.1:2181/mysos";
    data.cluster = "demo";
    data.cluster_uuid = "5f0c6f6a-6a2e-4c8e-9f5d-111111111111";
    data.server_id = 1;
    data.flavor = "mariadb";
    data.installer = R"({"installer":"host"})";
    data.port = 31000;
    data.peer_port = 31001;
    data.mem_mb = 512;
    data.disk_mb = 2047;
    data.host = "agent-1";
    data.ip = "10.0.0.1";
    return data;
}

}  // namespace

TEST_CASE("task data: what the scheduler encodes the executor decodes", "[task_data]")
{
    const auto decoded = decode_task_data(encode_task_data(sample()));
    REQUIRE(decoded.has_value());
    CHECK(*decoded == sample());
}

TEST_CASE("task data: a field of a newer scheduler is passed over", "[task_data]")
{
    auto object = nlohmann::json::parse(encode_task_data(sample()));
    object["shape_of_things_to_come"] = 1;
    CHECK(decode_task_data(object.dump()).has_value());
}

TEST_CASE(
    "task data: who does not say that commits wait for nobody wants them to wait", "[task_data]")
{
    TaskData async = sample();
    async.async = true;
    CHECK(decode_task_data(encode_task_data(async))->async);
    auto object = nlohmann::json::parse(encode_task_data(async));
    object.erase("async");
    CHECK_FALSE(decode_task_data(object.dump())->async);
    object["async"] = "yes";
    CHECK(
        decode_task_data(object.dump()).error() == "task data: 'async' is neither true nor false");
}

TEST_CASE("task data: bad data is refused with a line that names the field", "[task_data]")
{
    struct Case {
        std::string name;
        std::string field;
        nlohmann::json value;  ///< null: the field is removed.
        std::string complaint;
    };
    const std::vector<Case> cases{
        {"missing", "server_id", nullptr, "task data: 'server_id' is missing"},
        {"zero id", "server_id", 0, "task data: 'server_id' is 0"},
        {"negative", "mem_mb", -1, "task data: 'mem_mb' is not a number in range"},
        {"too large", "port", 70000, "task data: 'port' is not a number in range"},
        {"number as text", "port", "31000", "task data: 'port' is not a number in range"},
        {"text as number", "cluster", 7, "task data: 'cluster' is not a text"},
        {"empty", "zk", "", "task data: 'zk' is not a text"},
        {"flavor", "flavor", "oracle", "task data: 'flavor' is neither mariadb nor mysql"},
        {"installer", "installer", "host", "task data: 'installer' is not an object"},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            auto object = nlohmann::json::parse(encode_task_data(sample()));
            if (c.value.is_null()) {
                object.erase(c.field);
            } else {
                object[c.field] = c.value;
            }
            const auto decoded = decode_task_data(object.dump());
            REQUIRE(decoded.has_error());
            CHECK(decoded.error() == c.complaint);
        }
    }
    for (const char* text : {"", "nonsense", "[1]", "{\"token\":"}) {
        CHECK(decode_task_data(text).error() == "task data is not a JSON object");
    }
}
