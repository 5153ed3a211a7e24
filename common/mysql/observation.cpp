#include "common/mysql/observation.hpp"

#include <utility>

namespace mysos::mysql {

Result<Observation> understand(
    const control::Observation& report, Flavor flavor, const Uuid& cluster)
{
    auto position = Position::parse(flavor, report.position);
    if (position.has_error()) return position.error();
    const Epoch marker = position->marker(cluster);
    return Observation{
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
        .acks_required = report.acks_required,
        .server_run = report.server_run,
        .needs_rebuild = report.needs_rebuild};
}

}  // namespace mysos::mysql
