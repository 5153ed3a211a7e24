#include "common/wire/errc.hpp"
#include "common/wire/mesos.hpp"
#include "mesos/v1/scheduler.pb.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace mysos::wire {
namespace {

namespace pb = ::mesos::v1;

mesos::TaskState to_state(pb::TaskState state)
{
    switch (state) {
        case pb::TASK_STAGING: return mesos::TaskState::staging;
        case pb::TASK_STARTING: return mesos::TaskState::starting;
        case pb::TASK_RUNNING: return mesos::TaskState::running;
        case pb::TASK_KILLING: return mesos::TaskState::killing;
        case pb::TASK_FINISHED: return mesos::TaskState::finished;
        case pb::TASK_FAILED: return mesos::TaskState::failed;
        case pb::TASK_KILLED: return mesos::TaskState::killed;
        case pb::TASK_ERROR: return mesos::TaskState::error;
        case pb::TASK_LOST: return mesos::TaskState::lost;
        case pb::TASK_DROPPED: return mesos::TaskState::dropped;
        case pb::TASK_UNREACHABLE: return mesos::TaskState::unreachable;
        case pb::TASK_GONE: return mesos::TaskState::gone;
        case pb::TASK_GONE_BY_OPERATOR: return mesos::TaskState::gone_by_operator;
        case pb::TASK_UNKNOWN: return mesos::TaskState::unknown;
    }
    return mesos::TaskState::unknown;
}

mesos::TaskStatus::Source to_source(const pb::TaskStatus& status)
{
    if (!status.has_source()) return mesos::TaskStatus::Source::unknown;
    switch (status.source()) {
        case pb::TaskStatus::SOURCE_MASTER: return mesos::TaskStatus::Source::master;
        case pb::TaskStatus::SOURCE_AGENT: return mesos::TaskStatus::Source::agent;
        case pb::TaskStatus::SOURCE_EXECUTOR: return mesos::TaskStatus::Source::executor;
    }
    return mesos::TaskStatus::Source::unknown;
}

mesos::TaskStatus to_status(const pb::TaskStatus& status)
{
    mesos::TaskStatus result;
    result.task_id.text = status.task_id().value();
    result.state = to_state(status.state());
    result.message = status.message();
    result.source = to_source(status);
    if (status.has_reason()) result.reason = pb::TaskStatus::Reason_Name(status.reason());
    result.agent_id.text = status.agent_id().value();
    result.executor_id.text = status.executor_id().value();
    result.uuid = status.uuid();
    return result;
}

/// To the nearest thousandth, half to even, without zeros at the end: as Marathon compares.
std::string to_text(double number)
{
    constexpr double in_thousandths_max = 9e12;
    std::array<char, 400> digits{};
    if (std::abs(number) < in_thousandths_max) number = std::nearbyint(number * 1000) / 1000;
    if (number == 0) number = 0;  // Never "-0".
    const auto written = std::to_chars(
        digits.data(), digits.data() + digits.size(), number, std::chars_format::fixed);
    return {digits.data(), written.ptr};
}

std::string to_text(const pb::Value::Ranges& ranges)
{
    std::vector<std::pair<std::uint64_t, std::uint64_t>> sorted;
    for (const auto& range : ranges.range()) sorted.emplace_back(range.begin(), range.end());
    std::ranges::sort(sorted);
    std::string text;
    for (const auto& [begin, end] : sorted) {
        text += (text.empty() ? "[" : ",") + std::to_string(begin) + '-' + std::to_string(end);
    }
    return text.empty() ? "[]" : text + ']';
}

std::string to_text(const pb::Value::Set& set)
{
    std::vector<std::string> sorted{set.item().begin(), set.item().end()};
    std::ranges::sort(sorted);
    std::string text;
    for (const std::string& item : sorted) text += (text.empty() ? "{" : ",") + item;
    return text.empty() ? "{}" : text + '}';
}

mesos::Attribute to_attribute(const pb::Attribute& attribute)
{
    mesos::Attribute result{attribute.name(), {}};
    if (attribute.has_text()) {
        result.text = attribute.text().value();
    } else if (attribute.has_scalar()) {
        result.text = to_text(attribute.scalar().value());
    } else if (attribute.has_set()) {
        result.text = to_text(attribute.set());
    } else {
        result.text = to_text(attribute.ranges());
    }
    return result;
}

mesos::Window to_window(const pb::Unavailability& unavailability)
{
    constexpr std::int64_t ns_per_ms = 1'000'000;
    mesos::Window result;
    result.from_unix_ms =
        std::max(unavailability.start().nanoseconds(), std::int64_t{0}) / ns_per_ms;
    if (unavailability.has_duration()) {
        result.lasts = std::chrono::nanoseconds{unavailability.duration().nanoseconds()};
    }
    return result;
}

mesos::Offer to_offer(const pb::Offer& offer)
{
    mesos::Offer result;
    result.id.text = offer.id().value();
    result.agent_id.text = offer.agent_id().value();
    result.hostname = offer.hostname();
    result.ip = offer.url().address().ip();
    result.agent_port = static_cast<std::uint16_t>(offer.url().address().port());
    result.role = offer.allocation_info().role();
    for (const pb::Resource& resource : offer.resources()) {
        result.resources.push_back(to_resource(resource));
    }
    for (const pb::Attribute& attribute : offer.attributes()) {
        result.attributes.push_back(to_attribute(attribute));
    }
    if (offer.domain().has_fault_domain()) {
        result.region = offer.domain().fault_domain().region().name();
        result.zone = offer.domain().fault_domain().zone().name();
    }
    for (const pb::ExecutorID& executor : offer.executor_ids()) {
        result.executor_ids.push_back({executor.value()});
    }
    if (offer.has_unavailability()) result.unavailable = to_window(offer.unavailability());
    return result;
}

mesos::Subscribed to_subscribed(const pb::scheduler::Event::Subscribed& subscribed)
{
    mesos::Subscribed result;
    result.framework_id.text = subscribed.framework_id().value();
    result.heartbeat_interval = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(subscribed.heartbeat_interval_seconds()));
    if (subscribed.has_master_info()) {
        const pb::MasterInfo& master = subscribed.master_info();
        const std::string host =
            master.address().has_hostname() ? master.address().hostname() : master.hostname();
        result.master = host + ':' + std::to_string(master.port());
        if (master.has_version()) result.master += " (" + master.version() + ')';
        result.region = master.domain().fault_domain().region().name();
    }
    return result;
}

mesos::OperationUpdated to_operation(const pb::OperationStatus& status)
{
    mesos::OperationUpdated result;
    result.operation_id = status.operation_id().value();
    result.state = pb::OperationState_Name(status.state());
    result.message = status.message();
    result.agent_id.text = status.agent_id().value();
    result.uuid = status.uuid().value();
    return result;
}

mesos::Event to_failure(const pb::scheduler::Event::Failure& failure)
{
    if (!failure.has_executor_id()) return mesos::AgentFailed{{failure.agent_id().value()}};
    mesos::ExecutorFailed result{
        {failure.agent_id().value()}, {failure.executor_id().value()}, std::nullopt};
    if (failure.has_status()) result.wait_status = failure.status();
    return result;
}

mesos::OffersMade to_offers(const pb::scheduler::Event::Offers& offers)
{
    mesos::OffersMade result;
    for (const pb::Offer& offer : offers.offers()) result.offers.push_back(to_offer(offer));
    return result;
}

mesos::InverseOffersMade to_inverse(const pb::scheduler::Event::InverseOffers& offers)
{
    mesos::InverseOffersMade result;
    for (const pb::InverseOffer& offer : offers.inverse_offers()) {
        result.offers.push_back(
            {{offer.id().value()}, {offer.agent_id().value()}, to_window(offer.unavailability())});
    }
    return result;
}

/// Whether the message that the event's type needs is in it.
bool is_complete(const pb::scheduler::Event& event)
{
    using Event = pb::scheduler::Event;
    switch (event.type()) {
        case Event::SUBSCRIBED: return event.has_subscribed();
        case Event::OFFERS: return event.has_offers();
        case Event::INVERSE_OFFERS: return event.has_inverse_offers();
        case Event::RESCIND: return event.has_rescind();
        case Event::RESCIND_INVERSE_OFFER: return event.has_rescind_inverse_offer();
        case Event::UPDATE: return event.has_update();
        case Event::UPDATE_OPERATION_STATUS: return event.has_update_operation_status();
        case Event::MESSAGE: return event.has_message();
        case Event::FAILURE: return event.has_failure();
        case Event::ERROR: return event.has_error();
        case Event::HEARTBEAT:
        case Event::UNKNOWN: return true;
    }
    return true;
}

}  // namespace

Result<mesos::Event> decode_event(std::string_view bytes)
{
    pb::scheduler::Event event;
    if (!event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return Errc::message_malformed;
    }
    return to_event(event);
}

Result<mesos::Event> to_event(const pb::scheduler::Event& event)
{
    using Event = pb::scheduler::Event;
    if (!is_complete(event)) return Errc::message_malformed;
    switch (event.type()) {
        case Event::SUBSCRIBED: return mesos::Event{to_subscribed(event.subscribed())};
        case Event::OFFERS: return mesos::Event{to_offers(event.offers())};
        case Event::INVERSE_OFFERS: return mesos::Event{to_inverse(event.inverse_offers())};
        case Event::RESCIND:
            return mesos::Event{mesos::OfferRescinded{{event.rescind().offer_id().value()}}};
        case Event::UPDATE:
            return mesos::Event{mesos::StatusUpdated{to_status(event.update().status())}};
        case Event::UPDATE_OPERATION_STATUS:
            return mesos::Event{to_operation(event.update_operation_status().status())};
        case Event::MESSAGE:
            return mesos::Event{mesos::MessageReceived{
                {event.message().agent_id().value()},
                {event.message().executor_id().value()},
                event.message().data()}};
        case Event::FAILURE: return to_failure(event.failure());
        case Event::ERROR: return mesos::Event{mesos::Errored{event.error().message()}};
        case Event::HEARTBEAT: return mesos::Event{mesos::Heartbeat{}};
        case Event::RESCIND_INVERSE_OFFER:
            return mesos::Event{mesos::InverseOfferRescinded{
                {event.rescind_inverse_offer().inverse_offer_id().value()}}};
        case Event::UNKNOWN: break;
    }
    return mesos::Event{mesos::NotUnderstood{Event::Type_Name(event.type())}};
}

}  // namespace mysos::wire
