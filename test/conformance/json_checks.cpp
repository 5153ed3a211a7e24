#include "test/conformance/suite.hpp"

namespace mysos::conformance {
namespace {

void emitted_types(const Options& o)
{
    Framework framework{o};
    // Parsed text hides the difference between 15 and 15.0, so the bytes are looked at.
    RecordStream stream{o.master, scheduler_request(o, subscribe_call([&] {
                                                        Json info = default_info(o);
                                                        info["failover_timeout"] = 0.0;
                                                        return info;
                                                    }()))};
    const std::optional<std::string> record = stream.next(in(std::chrono::seconds{10}));
    require(record.has_value(), "no event");
    require(
        record->find("\"heartbeat_interval_seconds\":15.0") != std::string::npos,
        "a double without a point: " + *record);
    require(record->find(": ") == std::string::npos, "there is white space: " + *record);
    const Json event = Json::parse(*record);
    require(at(event, "/subscribed/master_info/ip").is_number_unsigned(), "uint32 is no number");
    require(at(event, "/type").is_string(), "an enum is no name");
}

void emitted_defaults(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer();
    const std::string id = new_id("defaults");
    framework.must(accept(offer, {launch({task_info(offer, id)})}, 3600));
    Executor executor{offer, framework.id(), id};
    executor.subscribe();
    const Json subscribed = executor.await("SUBSCRIBED");
    require_equal(
        at(subscribed, "/subscribed/executor_info/command/shell").get<bool>(), true, "shell");
    const Json& info = at(subscribed, "/subscribed/framework_info");
    require(info.contains("failover_timeout"), "no failover_timeout");
    require(!info.contains("role"), "a deprecated default is emitted");
    const Json task = executor.await("LAUNCH");
    require(!at(task, "/launch/task/resources/0").contains("role"), "Resource.role is emitted");
}

void lenient(const Options& o)
{
    Json info = default_info(o);
    info["failover_timeout"] = "0.0";  // a number in a string
    info["roles"] = o.role;            // one value for a list
    info["hostname"] = nullptr;        // as if absent
    RecordStream stream{o.master, scheduler_request(o, subscribe_call(info))};
    const std::optional<std::string> record = stream.next(in(std::chrono::seconds{10}));
    require(record.has_value(), "no event");
    require_equal(
        Json::parse(*record)["type"].get<std::string>(), std::string{"SUBSCRIBED"}, "first event");

    Framework framework{o};
    const auto acknowledge = [&](const std::string& uuid) {
        return framework
            .call(
                {{"type", "ACKNOWLEDGE"},
                 {"acknowledge",
                  {{"agent_id", {{"value", "a"}}}, {"task_id", {{"value", "t"}}}, {"uuid", uuid}}}})
            .status;
    };
    std::string bytes(16, '\xff');
    bytes[6] = '\x4f';
    std::string padded = base64(bytes);
    const std::string bare = padded.substr(0, padded.find('='));
    require_equal(acknowledge(bare), 202, "base64 without padding");
    std::ranges::replace(padded, '/', '_');
    require_equal(acknowledge(padded), 400, "url-safe base64");
}

void redirect_endpoint(const Options& o)
{
    for (const char* path : {"/redirect", "/master/redirect"}) {
        Request request;
        request.method = "GET";
        request.path = path;
        const Response response = fetch(o.master, request);
        require_equal(response.status, 307, path);
        const std::string location = response.header("location");
        require(
            location.starts_with("//") && location.ends_with(":" + std::to_string(o.master.port)),
            "Location: " + location);
    }
}

}  // namespace

void add_json_checks(std::vector<Check>& checks)
{
    const auto add = [&](int number, const char* name, auto run) {
        checks.push_back({number, name, Needs::no_credentials, run});
    };
    add(144, "JSON: enums are names, doubles have a point, no white space", emitted_types);
    add(145, "JSON: explicit defaults are emitted, deprecated ones are not", emitted_defaults);
    add(146,
        "JSON: null, numbers in strings, single values and unpadded base64 are taken",
        lenient);
    add(147, "GET /redirect points to the leader", redirect_endpoint);
}

}  // namespace mysos::conformance
