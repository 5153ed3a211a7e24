#include "common/wire/base64.hpp"
#include "common/wire/errc.hpp"
#include "common/wire/mesos.hpp"
#include "mesos/v1/scheduler.pb.h"

#include <catch2/catch.hpp>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>

namespace mysos::wire {
namespace {

namespace pb = ::mesos::v1;
using nlohmann::json;

std::vector<json> trace(const std::string& scenario)
{
    const auto path = std::filesystem::path{MYSOS_TEST_DATA} / "mesos-traces" / scenario;
    std::ifstream file{path / "scheduler.ndjson"};
    std::vector<json> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
    REQUIRE_FALSE(lines.empty());
    return lines;
}

template <class Message>
Message from_json(const json& body)
{
    Message message;
    REQUIRE(google::protobuf::util::JsonStringToMessage(body.dump(), &message).ok());
    return message;
}

std::vector<mesos::Event> events(const std::string& scenario)
{
    std::vector<mesos::Event> result;
    for (const json& line : trace(scenario)) {
        if (line["kind"] != "event" || !line.contains("body")) continue;
        const auto event = to_event(from_json<pb::scheduler::Event>(line["body"]));
        REQUIRE(event.has_value());
        result.push_back(*event);
    }
    return result;
}

template <class Kind>
std::vector<Kind> only(const std::vector<mesos::Event>& events)
{
    std::vector<Kind> result;
    for (const mesos::Event& event : events) {
        if (const auto* found = std::get_if<Kind>(&event)) result.push_back(*found);
    }
    return result;
}

pb::scheduler::Call call(const std::string& bytes)
{
    pb::scheduler::Call result;
    REQUIRE(result.ParseFromString(bytes));
    return result;
}

}  // namespace

TEST_CASE("wire: every recorded event is understood", "[mesos]")
{
    const std::vector<std::string> scenarios{
        "r1_subscribe_offers",
        "r2_volume_life",
        "r3_failover",
        "r4_executor_ends",
        "r5_agent_lost",
        "r6_invalid",
        "r7_authentication",
        "r8_two_masters"};
    for (const std::string& scenario : scenarios) {
        INFO(scenario);
        const std::vector<mesos::Event> all = events(scenario);
        CHECK_FALSE(all.empty());
        CHECK(only<mesos::NotUnderstood>(all).empty());
    }
}

TEST_CASE("wire: the recorded protobuf bytes give the same events as their text", "[mesos]")
{
    std::size_t records = 0;
    for (const json& line : trace("r9_protobuf_stream")) {
        if (line["kind"] != "event") continue;
        const auto bytes = decode_base64(line["protobuf_base64"].get<std::string>());
        REQUIRE(bytes);
        CHECK(bytes->size() == line["record_len"].get<std::size_t>());
        const auto event = decode_event(*bytes);
        REQUIRE(event.has_value());
        const std::string text = line["text"];
        const bool is_offer = text.starts_with("type: OFFERS");
        CHECK(std::holds_alternative<mesos::OffersMade>(*event) == is_offer);
        CHECK(
            std::holds_alternative<mesos::Heartbeat>(*event) ==
            text.starts_with("type: HEARTBEAT"));
        ++records;
    }
    CHECK(records > 3);
}

TEST_CASE("wire: an offer keeps what placement needs", "[mesos]")
{
    const auto offers = only<mesos::OffersMade>(events("r2_volume_life"));
    REQUIRE_FALSE(offers.empty());
    const mesos::Offer& offer = offers[0].offers.at(0);
    CHECK(offer.hostname == "127.0.0.1");
    CHECK(offer.ip == "127.0.0.1");
    CHECK(offer.agent_port == 5051);
    CHECK(offer.role == "mysos");
    CHECK(offer.attributes == std::vector<mesos::Attribute>{{"rack", "r1"}, {"zone", "a"}});
    mesos::Resource cpus = mesos::scalar("cpus", 4000);
    cpus.allocation_role = "mysos";
    mesos::Resource ports = mesos::ports({{31000, 31099}});
    ports.allocation_role = "mysos";
    CHECK(mesos::Pool{offer.resources}.contains({cpus, ports}));
}

TEST_CASE("wire: an agent's attributes become the texts that constraints compare", "[mesos]")
{
    struct Case {
        std::string value;
        std::string text;
    };
    const std::vector<Case> cases{
        {R"("type": "TEXT", "text": {"value": "r1"})", "r1"},
        {R"("type": "SCALAR", "scalar": {"value": 7})", "7"},
        {R"("type": "SCALAR", "scalar": {"value": 0.8})", "0.8"},
        {R"("type": "SCALAR", "scalar": {"value": 1.00051})", "1.001"},
        {R"("type": "SCALAR", "scalar": {"value": 2.0625})", "2.062"},
        {R"("type": "SCALAR", "scalar": {"value": -0.0001})", "0"},
        {R"("type": "SCALAR", "scalar": {"value": 1e15})", "1000000000000000"},
        {R"("type": "RANGES", "ranges": {"range": [{"begin": 8, "end": 9}, {"begin": 6, "end": 7}]})",
         "[6-7,8-9]"},
        {R"("type": "RANGES", "ranges": {})", "[]"},
        {R"("type": "SET", "set": {"item": ["b", "a"]})", "{a,b}"},
        {R"("type": "SET", "set": {})", "{}"},
    };
    for (const Case& c : cases) {
        INFO(c.value);
        const auto event = to_event(from_json<pb::scheduler::Event>(json::parse(
            R"({"type": "OFFERS", "offers": {"offers": [{"id": {"value": "o"},
                "framework_id": {"value": "f"}, "agent_id": {"value": "a"}, "hostname": "h",
                "attributes": [{"name": "n", )" +
            c.value + "}]}]}}")));
        REQUIRE(event.has_value());
        CHECK(
            std::get<mesos::OffersMade>(*event).offers.at(0).attributes ==
            std::vector<mesos::Attribute>{{"n", c.text}});
    }
}

TEST_CASE("wire: the fault domains of agents and master are told", "[mesos]")
{
    const std::string domain =
        R"("domain": {"fault_domain": {"region": {"name": "eu"}, "zone": {"name": "eu-1"}}})";
    const auto offered = to_event(from_json<pb::scheduler::Event>(json::parse(
        R"({"type": "OFFERS", "offers": {"offers": [{"id": {"value": "o"},
            "framework_id": {"value": "f"}, "agent_id": {"value": "a"}, "hostname": "h", )" +
        domain + "}]}}")));
    REQUIRE(offered.has_value());
    const mesos::Offer& offer = std::get<mesos::OffersMade>(*offered).offers.at(0);
    CHECK(offer.region == "eu");
    CHECK(offer.zone == "eu-1");

    const auto subscribed = to_event(from_json<pb::scheduler::Event>(json::parse(
        R"({"type": "SUBSCRIBED", "subscribed": {"framework_id": {"value": "f"},
            "master_info": {"id": "m", "ip": 1, "port": 5050, )" +
        domain + "}}}")));
    REQUIRE(subscribed.has_value());
    CHECK(std::get<mesos::Subscribed>(*subscribed).region == "eu");
    CHECK(only<mesos::Subscribed>(events("r2_volume_life")).at(0).region.empty());
}

TEST_CASE("wire: a volume comes back with its reservation, id and path", "[mesos]")
{
    const auto offers = only<mesos::OffersMade>(events("r2_volume_life"));
    std::size_t volumes = 0;
    for (const mesos::OffersMade& made : offers) {
        for (const mesos::Resource& resource : made.offers.at(0).resources) {
            if (!resource.persistence) continue;
            ++volumes;
            CHECK(resource.persistence->id.text == "vol-1");
            CHECK(resource.persistence->principal == "mysos");
            CHECK(resource.volume == mesos::Volume{"data", false});
            REQUIRE(resource.reservations.size() == 1);
            CHECK(resource.reservations[0].role == "mysos");
            CHECK(resource.reservations[0].principal == "mysos");
            CHECK(resource.reservations[0].kind == mesos::Reservation::Kind::dynamic);
            CHECK(std::get<mesos::Scalar>(resource.value).thousandths == 1'024'000);
            CHECK_FALSE(resource.foreign);
        }
    }
    CHECK(volumes > 0);
}

TEST_CASE("wire: every recorded resource is written back word for word", "[mesos]")
{
    std::size_t resources = 0;
    for (const json& line : trace("r2_volume_life")) {
        if (line["kind"] != "event") continue;
        const auto event = from_json<pb::scheduler::Event>(line["body"]);
        for (const pb::Offer& offer : event.offers().offers()) {
            for (const pb::Resource& resource : offer.resources()) {
                pb::Resource again;
                write_resource(to_resource(resource), again);
                INFO(resource.DebugString() << again.DebugString());
                CHECK(google::protobuf::util::MessageDifferencer::Equals(resource, again));
                ++resources;
            }
        }
    }
    CHECK(resources > 20);
}

TEST_CASE("wire: statuses say who speaks, why, and whether to acknowledge", "[mesos]")
{
    const auto updates = only<mesos::StatusUpdated>(events("r5_agent_lost"));
    REQUIRE_FALSE(updates.empty());
    bool unreachable = false;
    bool back = false;
    for (const mesos::StatusUpdated& update : updates) {
        const mesos::TaskStatus& status = update.status;
        if (status.source == mesos::TaskStatus::Source::executor) CHECK(status.uuid.size() == 16);
        if (status.source == mesos::TaskStatus::Source::master) CHECK(status.uuid.empty());
        if (status.state == mesos::TaskState::unreachable) unreachable = true;
        if (status.reason == "REASON_AGENT_REREGISTERED") {
            back = true;
            CHECK(status.state == mesos::TaskState::running);
        }
    }
    CHECK(unreachable);
    CHECK(back);
}

TEST_CASE("wire: a failure tells of an agent or of an executor", "[mesos]")
{
    CHECK(only<mesos::AgentFailed>(events("r5_agent_lost")).size() == 1);
    const auto ended = only<mesos::ExecutorFailed>(events("r4_executor_ends"));
    REQUIRE_FALSE(ended.empty());
    CHECK(std::ranges::any_of(
        ended, [](const mesos::ExecutorFailed& one) { return one.wait_status == 3 << 8; }));
}

TEST_CASE("wire: what is no event is malformed, what is newer is not understood", "[mesos]")
{
    CHECK(decode_event("\x08").error() == Errc::message_malformed);
    CHECK(decode_event("\x08\x02").error() == Errc::message_malformed);  // OFFERS without offers
    const auto newer = decode_event("\x08\x63");                         // type 99
    REQUIRE(newer.has_value());
    CHECK(std::holds_alternative<mesos::NotUnderstood>(*newer));
}

TEST_CASE("wire: the older form of a reservation is read as the newer one", "[mesos]")
{
    const auto read = [](const char* text) {
        return to_resource(from_json<pb::Resource>(json::parse(text)));
    };
    const std::string head = R"({"name":"cpus","type":"SCALAR","scalar":{"value":1},)";
    CHECK(read((head + R"("role":"*"})").c_str()).reservations.empty());
    const auto fixed = read((head + R"("role":"eng"})").c_str()).reservations;
    REQUIRE(fixed.size() == 1);
    CHECK(fixed[0].kind == mesos::Reservation::Kind::fixed);
    const auto dynamic =
        read((head + R"("role":"eng","reservation":{"principal":"p"}})").c_str()).reservations;
    REQUIRE(dynamic.size() == 1);
    CHECK(dynamic[0].kind == mesos::Reservation::Kind::dynamic);
    CHECK(dynamic[0].role == "eng");
    CHECK(dynamic[0].principal == "p");
}

TEST_CASE("wire: disks of a source, revocable and shared resources are foreign", "[mesos]")
{
    const std::string head = R"({"name":"disk","type":"SCALAR","scalar":{"value":1},)";
    const std::vector<std::string> tails{
        R"("disk":{"source":{"type":"PATH"}}})",
        R"("revocable":{}})",
        R"("shared":{}})",
        R"("provider_id":{"value":"x"}})"};
    for (const std::string& tail : tails) {
        CHECK(to_resource(from_json<pb::Resource>(json::parse(head + tail))).foreign);
    }
}

TEST_CASE("wire: a subscription asks for what the design needs", "[mesos]")
{
    mesos::Subscribe subscribe;
    subscribe.framework.user = "root";
    subscribe.framework.name = "mysos";
    subscribe.framework.role = "mysos";
    subscribe.framework.principal = "mysos";
    subscribe.framework.failover_timeout = std::chrono::hours{1};
    auto recorded = from_json<pb::scheduler::Call>(trace("r2_volume_life")[0]["body"]);
    // That one knew nothing of regions.
    recorded.mutable_subscribe()->mutable_framework_info()->add_capabilities()->set_type(
        pb::FrameworkInfo::Capability::REGION_AWARE);
    const pb::scheduler::Call first = call(encode_subscribe(subscribe));
    INFO(first.DebugString() << recorded.DebugString());
    CHECK(google::protobuf::util::MessageDifferencer::Equals(first, recorded));

    subscribe.framework_id.text = "F";
    subscribe.suppressed = true;
    const pb::scheduler::Call again = call(encode_subscribe(subscribe));
    CHECK(again.framework_id().value() == "F");
    CHECK(again.subscribe().framework_info().id().value() == "F");
    CHECK(again.subscribe().suppressed_roles(0) == "mysos");
}

TEST_CASE(
    "wire: planned maintenance is told with offers, by inverse offers and taken back", "[mesos]")
{
    using namespace std::chrono_literals;
    const std::string window = R"("unavailability": {"start": {"nanoseconds": 1795342087000999999},
        "duration": {"nanoseconds": 60000000000}})";
    const auto read = [](const std::string& text) {
        const auto event = to_event(from_json<pb::scheduler::Event>(json::parse(text)));
        REQUIRE(event.has_value());
        return *event;
    };
    const mesos::Window wanted{1'795'342'087'000, 60s};
    const auto asked = std::get<mesos::InverseOffersMade>(read(
        R"({"type": "INVERSE_OFFERS", "inverse_offers": {"inverse_offers": [{"id": {"value": "o"},
            "framework_id": {"value": "f"}, "agent_id": {"value": "a"}, )" +
        window + "}]}}"));
    CHECK(asked.offers == std::vector<mesos::InverseOffer>{{{"o"}, {"a"}, wanted}});
    const auto offered = std::get<mesos::OffersMade>(read(
        R"({"type": "OFFERS", "offers": {"offers": [{"id": {"value": "o"}, "hostname": "h",
            "framework_id": {"value": "f"}, "agent_id": {"value": "a"}, )" +
        window + "}]}}"));
    CHECK(offered.offers.at(0).unavailable == wanted);
    const auto for_good = std::get<mesos::OffersMade>(
        read(R"({"type": "OFFERS", "offers": {"offers": [{"id": {"value": "o"}, "hostname": "h",
            "framework_id": {"value": "f"}, "agent_id": {"value": "a"},
            "unavailability": {"start": {"nanoseconds": -1}}}]}})"));
    CHECK(for_good.offers.at(0).unavailable == mesos::Window{});
    const auto rescinded =
        std::get<mesos::InverseOfferRescinded>(read(R"({"type": "RESCIND_INVERSE_OFFER",
            "rescind_inverse_offer": {"inverse_offer_id": {"value": "o"}}})"));
    CHECK(rescinded.offer_id.text == "o");
}

TEST_CASE("wire: calls carry the framework id and what they are about", "[mesos]")
{
    const mesos::FrameworkId framework{"F"};
    const auto encoded = [&framework](const mesos::Call& one) {
        return call(encode_call(one, framework));
    };
    const auto kill = encoded(mesos::Kill{{"t"}, {"a"}, std::chrono::seconds{60}});
    CHECK(kill.framework_id().value() == "F");
    CHECK(kill.kill().agent_id().value() == "a");
    CHECK(kill.kill().kill_policy().grace_period().nanoseconds() == 60'000'000'000);
    CHECK_FALSE(encoded(mesos::Kill{{"t"}, {}, {}}).kill().has_agent_id());
    CHECK(encoded(mesos::Acknowledge{{"a"}, {"t"}, "uuid"}).acknowledge().uuid() == "uuid");
    const auto accept = encoded(mesos::AcceptInverse{{{"o"}}, std::chrono::seconds{60}});
    CHECK(accept.type() == pb::scheduler::Call::ACCEPT_INVERSE_OFFERS);
    CHECK(accept.accept_inverse_offers().inverse_offer_ids(0).value() == "o");
    CHECK(accept.accept_inverse_offers().filters().refuse_seconds() == 60.0);
    const auto decline = encoded(mesos::DeclineInverse{{{"o"}}, std::chrono::seconds{60}});
    CHECK(decline.type() == pb::scheduler::Call::DECLINE_INVERSE_OFFERS);
    CHECK(decline.decline_inverse_offers().inverse_offer_ids(0).value() == "o");
    CHECK(decline.decline_inverse_offers().filters().refuse_seconds() == 60.0);
    CHECK(encoded(mesos::Reconcile{}).type() == pb::scheduler::Call::RECONCILE);
    CHECK(
        encoded(mesos::Reconcile{{{{"t"}, {"a"}}}}).reconcile().tasks(0).agent_id().value() == "a");
    CHECK(
        encoded(mesos::Decline{{{"o"}}, std::chrono::seconds{5}})
            .decline()
            .filters()
            .refuse_seconds() == 5.0);
    CHECK(encoded(mesos::Revive{}).type() == pb::scheduler::Call::REVIVE);
    CHECK(encoded(mesos::Suppress{}).type() == pb::scheduler::Call::SUPPRESS);
    const auto operation = encoded(mesos::AcknowledgeOperation{{"a"}, "uuid", "op"});
    CHECK(operation.acknowledge_operation_status().operation_id().value() == "op");
}

TEST_CASE("wire: an accept reserves, creates and launches in order", "[mesos]")
{
    mesos::Task task;
    task.id.text = "t";
    task.name = "n";
    task.agent_id.text = "a";
    task.data = "{}";
    task.kill_grace = std::chrono::seconds{60};
    task.executor.id.text = "t";
    task.executor.source = "mysos.demo.1";
    task.executor.command.value = "./mysos-executor";
    task.executor.command.uris = {{"file:///x", true, false}};
    task.executor.command.environment = {{"A", "b"}};
    task.executor.shutdown_grace = std::chrono::seconds{70};
    task.discovery.name = "demo";
    task.discovery.ports = {{31000, "mysql"}};
    const mesos::Accept accept{
        {{"o"}},
        {mesos::Reserve{{mesos::scalar("cpus", 1000)}},
         mesos::Create{},
         mesos::Launch{task},
         mesos::Destroy{},
         mesos::Unreserve{}},
        std::chrono::seconds{1}};
    const auto encoded = call(encode_call(accept, {"F"})).accept();
    REQUIRE(encoded.operations_size() == 5);
    CHECK(encoded.operations(0).reserve().resources(0).scalar().value() == 1.0);
    CHECK(encoded.operations(1).type() == pb::Offer::Operation::CREATE);
    const pb::TaskInfo& info = encoded.operations(2).launch().task_infos(0);
    CHECK(info.executor().type() == pb::ExecutorInfo::CUSTOM);
    CHECK(info.executor().framework_id().value() == "F");
    CHECK(info.executor().command().uris(0).executable());
    CHECK_FALSE(info.executor().command().uris(0).extract());
    CHECK(info.executor().command().environment().variables(0).value() == "b");
    CHECK(info.executor().shutdown_grace_period().nanoseconds() == 70'000'000'000);
    CHECK(info.discovery().ports().ports(0).number() == 31000);
    CHECK(info.data() == "{}");
    CHECK_FALSE(info.has_command());
    CHECK(encoded.operations(3).type() == pb::Offer::Operation::DESTROY);
    CHECK(encoded.operations(4).type() == pb::Offer::Operation::UNRESERVE);
    CHECK(encoded.filters().refuse_seconds() == 1.0);
}

}  // namespace mysos::wire
