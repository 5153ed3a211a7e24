// What an agent does when time has passed.
#include "test/standin/agent.hpp"

#include <algorithm>
#include <array>

namespace mysos::standin {

void AgentMachine::tick()
{
    const TimePoint now = world_.now();
    if (state_ == State::stopped) return;
    if (recovery_until_ && *recovery_until_ <= now) end_recovery();
    if (register_at_ && *register_at_ <= now) register_now();
    if (state_ == State::running && pinged_at_ + config_.master_ping_timeout <= now)
        master_detected();
    for (auto& [framework_id, framework] : frameworks_) {
        for (auto& [id, executor] : framework.executors) {
            if (executor.registration_until && *executor.registration_until <= now)
                destroy(
                    executor,
                    {v1::TASK_FAILED,
                     v1::TaskStatus::REASON_EXECUTOR_REGISTRATION_TIMEOUT,
                     "Executor did not register within " +
                         duration_text(config_.executor_registration_timeout)});
            if (executor.kill_at && *executor.kill_at <= now) {
                executor.kill_at.reset();
                port_.destroy(executor.run.container);
            }
            if (executor.heartbeat_at > now) continue;
            executor.heartbeat_at = now + config_.executor_heartbeat_interval;
            Event event;
            event.set_type(Event::HEARTBEAT);
            emit(executor, event);
        }
    }
    retry_updates();
    retry_operations();
}

TimePoint AgentMachine::next_deadline() const
{
    TimePoint next = TimePoint::max();
    const auto until = [&](const std::optional<TimePoint>& at) {
        if (at) next = std::min(next, *at);
    };
    until(recovery_until_);
    until(register_at_);
    if (state_ == State::running) until(pinged_at_ + config_.master_ping_timeout);
    for (const auto& [framework_id, framework] : frameworks_)
        for (const auto& [id, executor] : framework.executors) {
            until(executor.registration_until);
            until(executor.kill_at);
            until(executor.heartbeat_at);
        }
    for (const auto& [id, stream] : updates_)
        if (!stream.pending.empty()) until(stream.retry_at);
    for (const auto& [uuid, pending] : operations_) until(pending.retry_at);
    return next;
}

std::string duration_text(std::chrono::nanoseconds duration)
{
    struct Unit {
        std::int64_t size;
        const char* name;
    };
    constexpr std::int64_t second = 1'000'000'000;
    constexpr std::array<Unit, 8> units{{
        {second * 604'800, "weeks"},
        {second * 86'400, "days"},
        {second * 3'600, "hrs"},
        {second * 60, "mins"},
        {second, "secs"},
        {1'000'000, "ms"},
        {1'000, "us"},
        {1, "ns"},
    }};
    for (const auto& unit : units)
        if (duration.count() != 0 && duration.count() % unit.size == 0)
            return std::to_string(duration.count() / unit.size) + unit.name;
    return "0ns";
}

}  // namespace mysos::standin
