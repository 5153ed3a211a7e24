#include "executor/in/server_probe.hpp"

#include <algorithm>
#include <sys/statvfs.h>
#include <utility>

namespace mysos::executor {
namespace {

constexpr std::chrono::seconds answers_max{1};
constexpr std::chrono::milliseconds life_max{750};

using Count = ProbeServer::Receivers;

/// Of the receivers that acknowledge, as the server counts them, those that are there. Which of its
/// connections acknowledge it does not tell.
std::uint32_t believed(std::uint32_t counted, Count count, const Outcome<Receivers>& receivers)
{
    if (receivers.has_error()) return 0;
    const std::uint32_t stalled = count == Count::proven ? receivers->stalled : 0;
    return std::min(counted - std::min(stalled, counted), receivers->alive);
}

/// On a pool thread.
Input observe(RunId run, const ProbeTarget& target)
{
    auto seen = target.control->observe(target.cluster_uuid, Clock::now() + answers_max);
    if (seen.has_error()) {
        using Sign = ProbeFailed::Sign;
        Sign sign = Sign::refused;
        if (seen.error().code != ControlErrc::server_refused) {
            const auto life = target.control->ping(Clock::now() + life_max);
            sign = life.has_value() ? Sign::late : Sign::none;
        }
        return ProbeFailed{run, seen.error().text, sign};
    }
    if (target.receivers != Count::as_counted) {
        const auto receivers = target.control->receivers(target.port, Clock::now() + life_max);
        seen->semi_sync_clients = believed(seen->semi_sync_clients, target.receivers, receivers);
    }
    struct statvfs space {};
    if (::statvfs(target.volume.c_str(), &space) == 0) {
        seen->disk_free_bytes = std::uint64_t{space.f_bavail} * std::uint64_t{space.f_frsize};
        seen->disk_total_bytes = std::uint64_t{space.f_blocks} * std::uint64_t{space.f_frsize};
    }
    return Probed{run, *seen};
}

}  // namespace

io::Awaitable<void> probe(io::Offload& offload, RunId run, ProbeTarget target, Post post)
{
    auto work = [run, target = std::move(target)] { return observe(run, target); };
    Input outcome = co_await offload.run(std::move(work));
    post(std::move(outcome));
}

}  // namespace mysos::executor
