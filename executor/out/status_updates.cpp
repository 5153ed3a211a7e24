#include "executor/out/status_updates.hpp"

#include "common/base/expects.hpp"
#include "common/wire/protobuf.hpp"

#include <algorithm>
#include <chrono>
#include <mesos/v1/executor.pb.h>
#include <random>

namespace mysos::executor {
namespace {

namespace pb = ::mesos::v1;

pb::TaskState state_of(mesos::TaskState state)
{
    switch (state) {
        case mesos::TaskState::starting: return pb::TASK_STARTING;
        case mesos::TaskState::running: return pb::TASK_RUNNING;
        case mesos::TaskState::finished: return pb::TASK_FINISHED;
        case mesos::TaskState::killed: return pb::TASK_KILLED;
        case mesos::TaskState::failed: return pb::TASK_FAILED;
        default: expects(false); return pb::TASK_FAILED;  // No other is an executor's to say.
    }
}

std::string random_uuid()
{
    std::random_device random;
    std::string bytes;
    while (bytes.size() < 16) bytes += static_cast<char>(random() & 0xffU);
    bytes[6] = static_cast<char>((static_cast<unsigned char>(bytes[6]) & 0x0fU) | 0x40U);
    bytes[8] = static_cast<char>((static_cast<unsigned char>(bytes[8]) & 0x3fU) | 0x80U);
    return bytes;
}

}  // namespace

StatusUpdates::StatusUpdates(std::string framework_id, std::string executor_id)
    : framework_id_{std::move(framework_id)}, executor_id_{std::move(executor_id)}
{}

const StatusUpdates::Stamp& StatusUpdates::stamp(UpdateId update)
{
    const auto found = stamps_.find(update);
    if (found != stamps_.end()) return found->second;
    using Seconds = std::chrono::duration<double>;
    const Seconds now = std::chrono::system_clock::now().time_since_epoch();
    return stamps_.emplace(update, Stamp{random_uuid(), now.count()}).first->second;
}

namespace {

void fill(
    pb::TaskStatus& status,
    const StatusUpdate& update,
    const std::string& executor_id,
    const std::string& uuid,
    double timestamp)
{
    status.mutable_task_id()->set_value(update.task_id.text);
    status.set_state(state_of(update.state));
    status.set_message(update.message);
    status.set_source(pb::TaskStatus::SOURCE_EXECUTOR);
    status.mutable_executor_id()->set_value(executor_id);
    status.set_uuid(uuid);
    status.set_timestamp(timestamp);
}

}  // namespace

std::string StatusUpdates::subscribe_call(
    const std::vector<StatusUpdate>& unacknowledged, bool task_unacknowledged)
{
    pb::executor::Call call;
    call.set_type(pb::executor::Call::SUBSCRIBE);
    call.mutable_framework_id()->set_value(framework_id_);
    call.mutable_executor_id()->set_value(executor_id_);
    auto& subscribe = *call.mutable_subscribe();
    if (task_unacknowledged && !task_info_.empty()) {
        // Kept as the agent gave it, fields that we do not know included.
        expects(!wire::parse_protobuf(task_info_, *subscribe.add_unacknowledged_tasks()));
    }
    for (const StatusUpdate& update : unacknowledged) {
        const Stamp& made = stamp(update.id);
        auto& status = *subscribe.add_unacknowledged_updates()->mutable_status();
        fill(status, update, executor_id_, made.uuid, made.timestamp);
    }
    return wire::serialize_protobuf(call);
}

std::string StatusUpdates::update_call(const StatusUpdate& update)
{
    pb::executor::Call call;
    call.set_type(pb::executor::Call::UPDATE);
    call.mutable_framework_id()->set_value(framework_id_);
    call.mutable_executor_id()->set_value(executor_id_);
    const Stamp& made = stamp(update.id);
    auto& status = *call.mutable_update()->mutable_status();
    fill(status, update, executor_id_, made.uuid, made.timestamp);
    return wire::serialize_protobuf(call);
}

std::optional<UpdateId> StatusUpdates::acknowledged(std::string_view uuid)
{
    const auto found = std::find_if(stamps_.begin(), stamps_.end(), [&](const auto& entry) {
        return entry.second.uuid == uuid;
    });
    if (found == stamps_.end()) return std::nullopt;
    const UpdateId update = found->first;
    stamps_.erase(found);
    return update;
}

}  // namespace mysos::executor
