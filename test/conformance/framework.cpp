#include "test/conformance/framework.hpp"

#include <algorithm>
#include <array>
#include <random>

namespace mysos::conformance {
namespace {

using namespace std::chrono_literals;

constexpr const char* scheduler_path = "/api/v1/scheduler";

std::mt19937_64& generator()
{
    static std::mt19937_64 one{std::random_device{}()};
    return one;
}

}  // namespace

void require(bool holds, const std::string& what)
{
    if (!holds) throw Failed(what);
}

const Json& at(const Json& value, const char* pointer)
{
    const Json::json_pointer path{pointer};
    if (!value.contains(path)) throw Failed(std::string{pointer} + " missing in " + value.dump());
    return value.at(path);
}

std::string text(const Json& value, const char* pointer)
{
    const Json::json_pointer path{pointer};
    if (!value.contains(path)) return {};
    const Json& found = value.at(path);
    return found.is_string() ? found.get<std::string>() : found.dump();
}

std::string base64(std::string_view bytes)
{
    static constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j) {
            group <<= 8U;
            if (i + j < bytes.size()) group |= static_cast<unsigned char>(bytes[i + j]);
        }
        for (std::size_t j = 0; j < 4; ++j) {
            const bool padding = i + j > bytes.size();
            out.push_back(padding ? '=' : alphabet[(group >> (18 - 6 * j)) & 63U]);
        }
    }
    return out;
}

std::string new_uuid()
{
    std::string bytes(16, '\0');
    for (char& byte : bytes) byte = static_cast<char>(generator()() & 0xffU);
    bytes[6] = static_cast<char>((static_cast<unsigned char>(bytes[6]) & 0x0fU) | 0x40U);
    bytes[8] = static_cast<char>((static_cast<unsigned char>(bytes[8]) & 0x3fU) | 0x80U);
    return base64(bytes);
}

std::string new_id(const std::string& stem)
{
    static constexpr std::string_view hex = "0123456789abcdef";
    std::string id = stem + "-";
    for (int i = 0; i < 8; ++i) id.push_back(hex[generator()() & 15U]);
    return id;
}

Request json_request(const std::string& path, const Json& body)
{
    Request request;
    request.path = path;
    request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
    request.body = body.dump();
    return request;
}

Request scheduler_request(const Options& options, const Json& body)
{
    Request request = json_request(scheduler_path, body);
    if (!options.principal.empty()) {
        request.headers.emplace(
            "Authorization", "Basic " + base64(options.principal + ":" + options.secret));
    }
    return request;
}

Json default_info(const Options& options)
{
    Json info{
        {"user", options.user},
        {"name", "mysos-conformance"},
        {"roles", Json::array({options.role})},
        {"failover_timeout", 60.0},
        {"checkpoint", true},
        {"capabilities",
         {{{"type", "MULTI_ROLE"}},
          {{"type", "RESERVATION_REFINEMENT"}},
          {{"type", "PARTITION_AWARE"}}}}};
    if (!options.principal.empty()) info["principal"] = options.principal;
    return info;
}

Json subscribe_call(const Json& framework_info)
{
    Json call{{"type", "SUBSCRIBE"}, {"subscribe", {{"framework_info", framework_info}}}};
    if (framework_info.contains("id")) call["framework_id"] = framework_info["id"];
    return call;
}

Framework::Framework(const Options& options, const Json& patch)
    : options_{options}, info_(default_info(options))
{
    info_.merge_patch(patch);
    resubscribe();
}

Framework::~Framework()
{
    if (gone_ || id_.empty()) return;
    try {
        if (!stream_ || stream_->ended()) resubscribe();
        call({{"type", "TEARDOWN"}});
    } catch (const std::exception& problem) {
        // The check's own outcome is what counts; a framework that stays ends by its failover
        // timeout.
        std::fprintf(stderr, "  (teardown of %s: %s)\n", id_.c_str(), problem.what());
    }
}

void Framework::resubscribe()
{
    if (!id_.empty()) info_["id"] = {{"value", id_}};
    const Json call = subscribe_call(info_);
    stream_ = std::make_unique<RecordStream>(options_.master, scheduler_request(options_, call));
    require_equal(stream_->head().status, 200, "answer to SUBSCRIBE");
    stream_id_ = stream_->head().header("mesos-stream-id");
    offers_.clear();
    const std::optional<Json> first = next(in(20s));
    require(first.has_value(), "nothing came on the stream");
    require_equal(
        text(*first, "/type"),
        std::string{"SUBSCRIBED"},
        "first event " + text(*first, "/error/message"));
    subscribed_ = *first;
    id_ = text(*first, "/subscribed/framework_id/value");
}

void Framework::disconnect()
{
    stream_->connection().close();
    stream_.reset();
}

Response Framework::call(Json body)
{
    if (!body.contains("framework_id")) body["framework_id"] = {{"value", id_}};
    Request request = scheduler_request(options_, body);
    request.headers.emplace("Mesos-Stream-Id", stream_id_);
    return fetch(options_.master, request);
}

void Framework::must(Json body)
{
    const std::string type = text(body, "/type");
    const Response response = call(std::move(body));
    if (response.status != 202) {
        throw Failed(type + " answered " + std::to_string(response.status) + " " + response.body);
    }
}

std::optional<Json> Framework::next(Deadline deadline)
{
    const std::optional<std::string> record = stream_->next(deadline);
    if (!record) return std::nullopt;
    if (options_.verbose) std::fprintf(stderr, "    < %s\n", record->c_str());
    Json event = Json::parse(*record, nullptr, false);
    require(!event.is_discarded(), "a record is not JSON: " + *record);
    if (event.value("type", "") == "OFFERS") {
        for (const Json& offer : at(event, "/offers/offers")) offers_.push_back(offer);
    }
    if (event.value("type", "") == "RESCIND") {
        const std::string gone = text(event, "/rescind/offer_id/value");
        std::erase_if(offers_, [&](const Json& o) { return text(o, "/id/value") == gone; });
    }
    return event;
}

Json Framework::await(
    const std::string& type, const Predicate& wanted, std::chrono::milliseconds within)
{
    const Deadline deadline = in(within);
    for (;;) {
        const std::optional<Json> event = next(deadline);
        if (!event) {
            throw Failed(
                stream_->ended() ? "the stream ended before " + type : "no " + type + " came");
        }
        if (event->value("type", "") == type && (!wanted || wanted(*event))) return *event;
    }
}

void Framework::await_none(
    const std::string& type, const Predicate& unwanted, std::chrono::milliseconds quiet)
{
    const Deadline deadline = in(quiet);
    while (const std::optional<Json> event = next(deadline)) {
        if (event->value("type", "") == type && (!unwanted || unwanted(*event))) {
            throw Failed("came, but must not: " + event->dump());
        }
    }
    require(!stream_->ended(), "the stream ended");
}

std::vector<Json> Framework::await_end()
{
    std::vector<Json> events;
    const Deadline deadline = in(20s);
    while (const std::optional<Json> event = next(deadline)) events.push_back(*event);
    require(stream_->ended(), "the stream does not end");
    return events;
}

Json Framework::await_status(
    const std::string& task, const std::string& state, std::chrono::milliseconds within)
{
    const Json event = await(
        "UPDATE",
        [&](const Json& e) {
            return text(e, "/update/status/task_id/value") == task &&
                   (state.empty() || text(e, "/update/status/state") == state);
        },
        within);
    return event["update"]["status"];
}

void Framework::acknowledge(const Json& status)
{
    must(
        {{"type", "ACKNOWLEDGE"},
         {"acknowledge",
          {{"agent_id", at(status, "/agent_id")},
           {"task_id", at(status, "/task_id")},
           {"uuid", at(status, "/uuid")}}}});
}

Json Framework::offer(const Predicate& wanted, std::chrono::milliseconds within)
{
    const auto fits = [&](const Json& o) {
        return wanted ? wanted(o) : unreserved(o, "cpus") >= 0.5 && unreserved(o, "mem") >= 128;
    };
    const Deadline deadline = in(within);
    for (;;) {
        const auto found = std::ranges::find_if(offers_, fits);
        if (found != offers_.end()) {
            Json one = *found;
            offers_.erase(found);
            return one;
        }
        if (!next(deadline)) throw Failed("no such offer came");
    }
}

void clean_role(const Options& options)
{
    Framework framework{options};
    // One pass: what is offered at once. Another framework of the role would be another run's.
    for (;;) {
        Json offer;
        try {
            offer = framework.offer([](const Json&) { return true; }, 3s);
        } catch (const Failed&) {
            return;
        }
        std::vector<Json> held;
        std::vector<Json> destroyed;
        for (const Json& resource : offer["resources"]) {
            if (!resource.contains("reservations")) continue;
            if (resource["reservations"].back().value("type", "") != "DYNAMIC") continue;
            if (resource.contains("disk")) destroyed.push_back(resource);
            Json plain = resource;
            plain.erase("disk");
            held.push_back(plain);
        }
        std::vector<Json> operations;
        if (!destroyed.empty()) operations.push_back(operation("DESTROY", destroyed));
        if (!held.empty()) operations.push_back(operation("UNRESERVE", held));
        framework.must(accept(offer, operations, 3600));
    }
}

}  // namespace mysos::conformance
