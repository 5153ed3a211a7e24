#include "common/mysql/observation.hpp"

#include <chrono>
#include <utility>

namespace mysos::mysql {
namespace {

template <class Unit>
std::optional<Duration> duration(const std::optional<std::uint64_t>& count)
{
    if (!count) return std::nullopt;
    return Unit{static_cast<std::int64_t>(*count)};
}

/// What is not known when the server does not answer, or to an older executor.
void add_details(Observation& seen, const control::Observation& report)
{
    using std::chrono::milliseconds;
    using std::chrono::seconds;
    seen.quarantined = report.epoch_unreadable;
    seen.read_only = report.read_only;
    seen.unanswered = duration<milliseconds>(report.unanswered_ms);
    seen.packet_age = milliseconds{static_cast<std::int64_t>(report.packet_age_ms)};
    seen.receiver_state = report.receiver_state;
    seen.receiver_error = report.receiver_error;
    seen.applier_error = report.applier_error;
    seen.source_host = report.source_host;
    seen.source_port = report.source_port;
    seen.lag = duration<seconds>(report.lag_seconds);
    seen.delay = duration<seconds>(report.delay_seconds);
    seen.disk_free_bytes = report.disk_free_bytes;
    seen.disk_total_bytes = report.disk_total_bytes;
}

}  // namespace

bool cannot_apply(const Observation& seen)
{
    return !seen.applier_running && seen.applier_error && !seen.applier_error->empty();
}

bool cannot_receive(const Observation& seen)
{
    return seen.receiver_state == control::ReceiverState::stopped && seen.receiver_error &&
           !seen.receiver_error->empty();
}

Result<Observation> understand(
    const control::Observation& report, Flavor flavor, const Uuid& cluster)
{
    auto position = Position::parse(flavor, report.position);
    if (position.has_error()) return position.error();
    const Epoch marker = position->marker(cluster);
    Observation seen{
        .phase = report.phase,
        .epoch = report.epoch,
        .amnesiac = report.amnesiac || report.epoch_unreadable,
        .answers = report.answers,
        .writable = report.writable,
        .position = std::move(*position),
        .marker = marker,
        .source = report.source,
        .receiver_running = report.receiver_running,
        .applier_running = report.applier_running,
        .acknowledges = report.acknowledges,
        .semi_sync_clients = report.semi_sync_clients,
        .commits_waiting = report.commits_waiting,
        .commits_acknowledged = report.commits_acknowledged,
        .acks_required = report.acks_required,
        .server_run = report.server_run,
        .needs_rebuild = report.needs_rebuild};
    add_details(seen, report);
    return seen;
}

}  // namespace mysos::mysql
