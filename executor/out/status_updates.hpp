#pragma once

#include "executor/decide/effect.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mysos::executor {

/// The executor's calls to its agent, as bytes: what the machine knows by numbers gets the uuid and
/// the time that Mesos wants, which stay the same however often it is sent.
///
/// Shape:  mesos.v1.executor.Call, protobuf. Uuids are random (version 4: Mesos refuses others).
/// Source: Mesos "Executor HTTP API"; src/common/validation.cpp, validateExecutorCall.
class StatusUpdates {
  public:
    StatusUpdates(std::string framework_id, std::string executor_id);

    /// The TaskInfo of a LAUNCH, serialized: a SUBSCRIBE repeats it until its first update is
    /// acknowledged.
    void remember_task(std::string task_info) { task_info_ = std::move(task_info); }

    [[nodiscard]] std::string subscribe_call(
        const std::vector<StatusUpdate>& unacknowledged, bool task_unacknowledged);
    [[nodiscard]] std::string update_call(const StatusUpdate& update);

    /// The update that an ACKNOWLEDGED means, which is forgotten with that.
    [[nodiscard]] std::optional<UpdateId> acknowledged(std::string_view uuid);

  private:
    struct Stamp {
        std::string uuid;  ///< 16 bytes.
        double timestamp = 0;
    };
    const Stamp& stamp(UpdateId update);

    std::string framework_id_;
    std::string executor_id_;
    std::string task_info_;
    std::map<UpdateId, Stamp> stamps_;
};

}  // namespace mysos::executor
