#include "executor/in/server_probe.hpp"

#include <sys/statvfs.h>
#include <utility>

namespace mysos::executor {
namespace {

constexpr std::chrono::seconds hang_timeout{3};

/// On a pool thread.
Outcome<control::Observation> observe(const ProbeTarget& target)
{
    auto seen = target.control->observe(target.cluster_uuid, Clock::now() + hang_timeout);
    struct statvfs space {};
    if (seen.has_value() && ::statvfs(target.volume.c_str(), &space) == 0) {
        seen->disk_free_bytes = std::uint64_t{space.f_bavail} * std::uint64_t{space.f_frsize};
        seen->disk_total_bytes = std::uint64_t{space.f_blocks} * std::uint64_t{space.f_frsize};
    }
    return seen;
}

}  // namespace

io::Awaitable<void> probe(io::Offload& offload, RunId run, ProbeTarget target, Post post)
{
    auto work = [target = std::move(target)] { return observe(target); };
    const Outcome<control::Observation> seen = co_await offload.run(std::move(work));
    if (seen.has_error()) {
        const bool silent = seen.error().code != ControlErrc::server_refused;
        post(ProbeFailed{run, seen.error().text, silent});
    } else {
        post(Probed{run, *seen});
    }
}

}  // namespace mysos::executor
