#include "test/conformance/suite.hpp"

namespace mysos::conformance {
namespace {

using namespace std::chrono_literals;

void refused_in_the_stream(
    const Options& o, const Json& call, const std::string& message, const std::string& what)
{
    RecordStream stream{o.master, scheduler_request(o, call)};
    require_equal(stream.head().status, 200, what);
    const std::optional<std::string> record = stream.next(in(10s));
    require(record.has_value(), what + ": no event");
    const Json event = Json::parse(*record);
    require_equal(text(event, "/type"), std::string{"ERROR"}, what);
    if (!message.empty()) require_equal(text(event, "/error/message"), message, what);
    require(!stream.next(in(10s)) && stream.ended(), what + ": the stream does not end");
}

Json patched(const Options& o, const Json& patch)
{
    Json info = default_info(o);
    info.merge_patch(patch);
    return info;
}

void first_subscription(const Options& o)
{
    Framework framework{o};
    const Response& head = framework.stream().head();
    require_equal(
        head.header("mesos-stream-id").size(), std::size_t{36}, "length of the stream id");
    require_equal(head.header("transfer-encoding"), std::string{"chunked"}, "Transfer-Encoding");
    require(!head.has("content-length"), "a stream has no Content-Length");
}

void first_records(const Options& o)
{
    Framework framework{o};
    const Json& subscribed = framework.subscribed();
    require(!framework.id().empty(), "no framework_id");
    require_equal(
        at(subscribed, "/subscribed/heartbeat_interval_seconds").get<double>(), 15.0, "interval");
    require(subscribed["subscribed"].contains("master_info"), "no master_info");
    const std::optional<std::string> second = framework.stream().next(in(5s));
    require(second.has_value(), "no second record");
    require_equal(
        Json::parse(*second)["type"].get<std::string>(), std::string{"HEARTBEAT"}, "second");
}

void exact_framing(const Options& o)
{
    Json info = patched(o, {{"failover_timeout", 0.0}, {"roles", Json::array()}});
    Connection connection{o.master};
    connection.send(scheduler_request(o, subscribe_call(info)));
    require_equal(connection.read_head(in(10s)).status, 200, "SUBSCRIBE");
    std::string body;
    const std::string heartbeat = "20\n{\"type\":\"HEARTBEAT\"}";
    while (body.find(heartbeat) == std::string::npos) {
        const std::optional<std::string> bytes = connection.read_body(in(10s));
        require(bytes && !bytes->empty(), "no heartbeat of 20 bytes");
        body += *bytes;
    }
    const std::size_t line = body.find('\n');
    const std::size_t length = std::stoul(body.substr(0, line));
    require_equal(body.substr(line + 1 + length), heartbeat, "what follows the first record");
}

void ids_must_agree(const Options& o)
{
    Json call = subscribe_call(default_info(o));
    call["framework_id"] = {{"value", "x"}};
    require_equal(fetch(o.master, scheduler_request(o, call)).status, 400, "info.id unset");
    call["subscribe"]["framework_info"]["id"] = {{"value", "y"}};
    require_equal(fetch(o.master, scheduler_request(o, call)).status, 400, "different ids");
}

void foreign_id(const Options& o)
{
    const std::string id = new_id("conformance-id");
    const Framework framework{o, {{"id", {{"value", id}}}}};
    require_equal(framework.id(), id, "framework id");
}

void removed_id(const Options& o)
{
    std::string id;
    {
        Framework framework{o};
        id = framework.id();
        framework.must({{"type", "TEARDOWN"}});
        framework.leave();
    }
    const Json info = patched(o, {{"id", {{"value", id}}}});
    refused_in_the_stream(o, subscribe_call(info), "Framework has been removed", "removed id");
}

void newest_wins(const Options& o)
{
    Framework old{o};
    Framework taken{o, {{"id", {{"value", old.id()}}}}};
    const std::vector<Json> last = old.await_end();
    require(!last.empty(), "the old stream ends without an event");
    require_equal(text(last.back(), "/type"), std::string{"ERROR"}, "last event");
    require_equal(
        text(last.back(), "/error/message"), std::string{"Framework failed over"}, "message");
    require_equal(old.call({{"type", "REVIVE"}}).status, 400, "a call with the old stream id");
    old.leave();
}

void offers_end_with_the_stream(const Options& o)
{
    Framework old{o};
    const Json offer = old.offer([](const Json&) { return true; });
    Framework taken{o, {{"id", {{"value", old.id()}}}}};
    for (const Json& event : old.await_end()) {
        require(text(event, "/type") != "RESCIND", "the offer is rescinded: " + event.dump());
    }
    old.leave();
    const std::string task = new_id("stale-offer");
    taken.must(accept(offer, {launch({task_info(offer, task)})}));
    require_equal(
        text(taken.await_status(task), "/reason"), std::string{"REASON_INVALID_OFFERS"}, "reason");
}

void invalid_roles(const Options& o)
{
    for (const Json& roles :
         {Json{"a b"}, Json{"-a"}, Json{"a/../b"}, Json::array({"a", "a"}), Json{"a/"}}) {
        const Json list = roles.is_array() ? roles : Json::array({roles});
        refused_in_the_stream(o, subscribe_call(patched(o, {{"roles", list}})), "", list.dump());
    }
}

void role_and_roles(const Options& o)
{
    Json info = default_info(o);
    info.erase("roles");
    info["role"] = o.role;
    refused_in_the_stream(o, subscribe_call(info), "", "MULTI_ROLE with role");
    info = default_info(o);
    info["capabilities"] = Json::array({{{"type", "PARTITION_AWARE"}}});
    refused_in_the_stream(o, subscribe_call(info), "", "roles without MULTI_ROLE");
}

void unchangeable(const Options& o)
{
    Framework framework{o, {{"principal", "conformance-p"}}};
    Json info = framework.info();
    info["id"] = {{"value", framework.id()}};
    info["principal"] = "conformance-q";
    refused_in_the_stream(o, subscribe_call(info), "", "changed principal");
    // A refused re-subscription leaves the first one as it is.
    framework.must({{"type", "REVIVE"}});
    info["principal"] = "conformance-p";
    info["checkpoint"] = false;
    info["user"] = "somebody-else";
    RecordStream again{o.master, scheduler_request(o, subscribe_call(info))};
    const std::optional<std::string> record = again.next(in(10s));
    require(record.has_value(), "no event");
    require_equal(
        Json::parse(*record)["type"].get<std::string>(), std::string{"SUBSCRIBED"}, "user");
    framework.resubscribe();
}

void removed_at_once(const Options& o)
{
    Framework framework{o, {{"failover_timeout", 0.0}}};
    framework.disconnect();
    framework.leave();
    // The close travels on another connection than the next SUBSCRIBE, so the order is the
    // master's.
    const Json info = patched(o, {{"id", {{"value", framework.id()}}}});
    const Deadline deadline = in(10s);
    for (;;) {
        RecordStream stream{o.master, scheduler_request(o, subscribe_call(info))};
        const std::optional<std::string> record = stream.next(in(5s));
        require(record.has_value(), "no event");
        if (Json::parse(*record)["type"] == "ERROR") return;
        require(std::chrono::steady_clock::now() < deadline, "the framework is not removed");
    }
}

void kept_within_the_timeout(const Options& o)
{
    Framework framework{o};
    const Json offer = framework.offer();
    const std::string id = new_id("kept");
    framework.must(accept(offer, {launch({task_info(offer, id)})}, 3600));
    Executor executor{offer, framework.id(), id};
    executor.subscribe();
    (void)executor.await("LAUNCH");
    framework.disconnect();
    executor.must(executor.update(id, "TASK_RUNNING"));
    framework.resubscribe();
    const Json status = framework.await_status(id, "TASK_RUNNING");
    require(status.contains("uuid"), "the agent's update comes with its uuid");
    require_equal(text(status, "/source"), std::string{"SOURCE_EXECUTOR"}, "source");
}

void disconnected_calls(const Options& o)
{
    Framework framework{o};
    framework.disconnect();
    const Deadline deadline = in(10s);
    int status = 0;
    while (status != 403 && std::chrono::steady_clock::now() < deadline) {
        status = framework.call({{"type", "REVIVE"}}).status;
    }
    require_equal(status, 403, "a call of a disconnected framework");
}

void stream_ids(const Options& o)
{
    Framework framework{o};
    const Json body{{"type", "REVIVE"}, {"framework_id", {{"value", framework.id()}}}};
    Request request = scheduler_request(o, body);
    require_equal(fetch(o.master, request).status, 400, "no Mesos-Stream-Id");
    request.headers.emplace("Mesos-Stream-Id", "6d1f0a5e-7c5b-4b7e-9a0f-3a8d5b2f9c11");
    require_equal(fetch(o.master, request).status, 400, "another Mesos-Stream-Id");
}

}  // namespace

void add_subscribe_checks(std::vector<Check>& checks)
{
    const auto add =
        [&](int number, const char* name, auto run, Needs needs = Needs::no_credentials) {
            checks.push_back({number, name, needs, run});
        };
    add(24,
        "SUBSCRIBE is answered with a chunked stream and an id of 36 characters",
        first_subscription);
    add(25, "the first record is SUBSCRIBED, the second HEARTBEAT", first_records);
    add(
        26,
        "a HEARTBEAT comes every 15 s",
        [](const Options& o) {
            Framework framework{o, {{"roles", Json::array()}}};
            (void)framework.await("HEARTBEAT");
            const auto first = std::chrono::steady_clock::now();
            (void)framework.await("HEARTBEAT", {}, 40s);
            require(std::chrono::steady_clock::now() - first > 13s, "it came too early");
        },
        Needs::slow);
    add(27, "records are length, LF, payload, and nothing between", exact_framing);
    add(29, "SUBSCRIBE with a Mesos-Stream-Id is 400", [](const Options& o) {
        Request request = scheduler_request(o, subscribe_call(default_info(o)));
        request.headers.emplace("Mesos-Stream-Id", "6d1f0a5e-7c5b-4b7e-9a0f-3a8d5b2f9c11");
        require_equal(fetch(o.master, request).status, 400, "status");
    });
    add(30, "framework_id and framework_info.id must agree", ids_must_agree);
    add(31, "an id the master has never seen is accepted", foreign_id);
    add(32, "the id of a removed framework is refused in the stream", removed_id);
    add(33, "the newest subscription wins, the old stream gets ERROR and ends", newest_wins);
    add(34, "a take-over invalidates offers without RESCIND", offers_end_with_the_stream);
    add(35, "invalid roles are refused in the stream", invalid_roles);
    add(36, "role with MULTI_ROLE, or roles without, is refused", role_and_roles);
    add(37, "suppressed_roles outside the roles are refused", [](const Options& o) {
        Json call = subscribe_call(default_info(o));
        call["subscribe"]["suppressed_roles"] = Json::array({"another-role"});
        refused_in_the_stream(o, call, "", "foreign suppressed role");
    });
    add(38, "principal cannot change; user and checkpoint are silently kept", unchangeable);
    add(39, "with failover_timeout 0 the framework is gone with its connection", removed_at_once);
    add(40,
        "within failover_timeout tasks live on and pending updates come promptly",
        kept_within_the_timeout);
    add(41, "a disconnected framework's calls are 403", disconnected_calls);
    add(42, "calls of an unknown framework are 400", [](const Options& o) {
        const Json body{{"type", "REVIVE"}, {"framework_id", {{"value", new_id("nobody")}}}};
        require_equal(fetch(o.master, scheduler_request(o, body)).status, 400, "status");
    });
    add(43, "a call without, or with another, stream id is 400", stream_ids);
}

}  // namespace mysos::conformance
