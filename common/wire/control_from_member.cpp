#include "common/wire/control.hpp"
#include "common/wire/errc.hpp"
#include "mysos/control.pb.h"

#include <utility>
#include <variant>

namespace mysos::wire {
namespace {

control::Phase from_wire(pb::control::Phase phase)
{
    using control::Phase;
    switch (phase) {
        case pb::control::FETCH: return Phase::fetch;
        case pb::control::INSTALL: return Phase::install;
        case pb::control::INITIALISE: return Phase::initialise;
        case pb::control::CLONE: return Phase::clone;
        case pb::control::START: return Phase::start;
        case pb::control::FENCED: return Phase::fenced;
        case pb::control::REPLICA: return Phase::replica;
        case pb::control::PRIMARY: return Phase::primary;
        case pb::control::CRASHED: return Phase::crashed;
        case pb::control::STOPPING: return Phase::stopping;
        case pb::control::FAILED: return Phase::failed;
        default: return Phase::unknown;
    }
}

pb::control::Phase to_wire(control::Phase phase)
{
    using control::Phase;
    switch (phase) {
        case Phase::unknown: break;
        case Phase::fetch: return pb::control::FETCH;
        case Phase::install: return pb::control::INSTALL;
        case Phase::initialise: return pb::control::INITIALISE;
        case Phase::clone: return pb::control::CLONE;
        case Phase::start: return pb::control::START;
        case Phase::fenced: return pb::control::FENCED;
        case Phase::replica: return pb::control::REPLICA;
        case Phase::primary: return pb::control::PRIMARY;
        case Phase::crashed: return pb::control::CRASHED;
        case Phase::stopping: return pb::control::STOPPING;
        case Phase::failed: return pb::control::FAILED;
    }
    return pb::control::PHASE_UNKNOWN;
}

control::Refused::Reason from_wire(pb::control::Refused::Reason reason)
{
    using Reason = control::Refused::Reason;
    switch (reason) {
        case pb::control::Refused::OLD_EPOCH: return Reason::old_epoch;
        case pb::control::Refused::LACKS_POSITION: return Reason::lacks_position;
        case pb::control::Refused::ERRANT: return Reason::errant;
        case pb::control::Refused::SERVER_FAILED: return Reason::server_failed;
        case pb::control::Refused::NOT_PRIMARY: return Reason::not_primary;
        case pb::control::Refused::BUSY: return Reason::busy;
        default: return Reason::unknown;
    }
}

pb::control::Refused::Reason to_wire(control::Refused::Reason reason)
{
    using Reason = control::Refused::Reason;
    switch (reason) {
        case Reason::unknown: break;
        case Reason::old_epoch: return pb::control::Refused::OLD_EPOCH;
        case Reason::lacks_position: return pb::control::Refused::LACKS_POSITION;
        case Reason::errant: return pb::control::Refused::ERRANT;
        case Reason::server_failed: return pb::control::Refused::SERVER_FAILED;
        case Reason::not_primary: return pb::control::Refused::NOT_PRIMARY;
        case Reason::busy: return pb::control::Refused::BUSY;
    }
    return pb::control::Refused::REASON_UNKNOWN;
}

control::ReceiverState from_wire(pb::control::ReceiverState state)
{
    using control::ReceiverState;
    switch (state) {
        case pb::control::RECEIVER_STOPPED: return ReceiverState::stopped;
        case pb::control::RECEIVER_CONNECTING: return ReceiverState::connecting;
        case pb::control::RECEIVER_RUNNING: return ReceiverState::running;
        default: return ReceiverState::unknown;
    }
}

pb::control::ReceiverState to_wire(control::ReceiverState state)
{
    using control::ReceiverState;
    switch (state) {
        case ReceiverState::unknown: break;
        case ReceiverState::stopped: return pb::control::RECEIVER_STOPPED;
        case ReceiverState::connecting: return pb::control::RECEIVER_CONNECTING;
        case ReceiverState::running: return pb::control::RECEIVER_RUNNING;
    }
    return pb::control::RECEIVER_UNKNOWN;
}

/// What an older executor does not tell.
void read_later_fields(control::Observation& to, const pb::control::Observation& from)
{
    if (from.has_unanswered_ms()) to.unanswered_ms = from.unanswered_ms();
    to.receiver_state = from_wire(from.receiver_state());
    if (from.has_receiver_error()) to.receiver_error = from.receiver_error();
    if (from.has_applier_error()) to.applier_error = from.applier_error();
    to.source_host = from.source_host();
    to.source_port = static_cast<std::uint16_t>(from.source_port());
    if (from.has_delay_seconds()) to.delay_seconds = from.delay_seconds();
    if (from.has_super_read_only()) to.super_read_only = from.super_read_only();
    if (from.has_disk_total_bytes()) to.disk_total_bytes = from.disk_total_bytes();
}

void fill_later_fields(pb::control::Observation& to, const control::Observation& from)
{
    if (from.unanswered_ms) to.set_unanswered_ms(*from.unanswered_ms);
    to.set_receiver_state(to_wire(from.receiver_state));
    if (from.receiver_error) to.set_receiver_error(*from.receiver_error);
    if (from.applier_error) to.set_applier_error(*from.applier_error);
    to.set_source_host(from.source_host);
    to.set_source_port(from.source_port);
    if (from.delay_seconds) to.set_delay_seconds(*from.delay_seconds);
    if (from.super_read_only) to.set_super_read_only(*from.super_read_only);
    if (from.disk_total_bytes) to.set_disk_total_bytes(*from.disk_total_bytes);
}

control::Observation from_wire(const pb::control::Observation& from)
{
    control::Observation to;
    to.phase = from_wire(from.phase());
    to.message = from.message();
    to.progress_percent = from.progress_percent();
    to.flavor =
        from.flavor() == pb::control::MYSQL ? control::Flavor::mysql : control::Flavor::mariadb;
    to.server_version = from.server_version();
    to.epoch = Epoch{from.epoch()};
    to.epoch_unreadable = from.epoch_unreadable();
    to.amnesiac = from.amnesiac();
    to.answers = from.answers();
    to.read_only = from.read_only();
    to.writable = from.writable();
    to.position = from.position();
    to.applied = from.applied();
    to.marker = Epoch{from.marker()};
    to.receiver_running = from.receiver_running();
    to.applier_running = from.applier_running();
    to.replication_error = from.replication_error();
    to.source = MemberId{from.source_server_id()};
    to.semi_sync_clients = from.semi_sync_clients();
    to.commits_waiting = from.commits_waiting();
    to.commits_acknowledged = from.commits_acknowledged();
    to.server_run = from.server_run();
    to.packet_age_ms = from.packet_age_ms();
    if (from.has_lag_seconds()) to.lag_seconds = from.lag_seconds();
    to.disk_free_bytes = from.disk_free_bytes();
    to.acknowledges = from.acknowledges();
    to.acks_required = from.acks_required();
    to.boot_id = from.boot_id();
    to.server_uuid = from.server_uuid();
    to.empty = from.empty();
    to.errant_transactions = from.errant_transactions();
    to.needs_rebuild = from.needs_rebuild();
    to.leaving = from.leaving();
    read_later_fields(to, from);
    return to;
}

void fill(pb::control::Observation& to, const control::Observation& from)
{
    to.set_phase(to_wire(from.phase));
    to.set_message(from.message);
    to.set_progress_percent(from.progress_percent);
    to.set_flavor(
        from.flavor == control::Flavor::mysql ? pb::control::MYSQL : pb::control::MARIADB);
    to.set_server_version(from.server_version);
    to.set_epoch(number(from.epoch));
    to.set_epoch_unreadable(from.epoch_unreadable);
    to.set_amnesiac(from.amnesiac);
    to.set_answers(from.answers);
    to.set_read_only(from.read_only);
    to.set_writable(from.writable);
    to.set_position(from.position);
    to.set_applied(from.applied);
    to.set_marker(number(from.marker));
    to.set_receiver_running(from.receiver_running);
    to.set_applier_running(from.applier_running);
    to.set_replication_error(from.replication_error);
    to.set_source_server_id(number(from.source));
    to.set_semi_sync_clients(from.semi_sync_clients);
    to.set_commits_waiting(from.commits_waiting);
    to.set_commits_acknowledged(from.commits_acknowledged);
    to.set_server_run(from.server_run);
    to.set_packet_age_ms(from.packet_age_ms);
    if (from.lag_seconds) to.set_lag_seconds(*from.lag_seconds);
    to.set_disk_free_bytes(from.disk_free_bytes);
    to.set_acknowledges(from.acknowledges);
    to.set_acks_required(from.acks_required);
    to.set_boot_id(from.boot_id);
    to.set_server_uuid(from.server_uuid);
    to.set_empty(from.empty);
    to.set_errant_transactions(from.errant_transactions);
    to.set_needs_rebuild(from.needs_rebuild);
    to.set_leaving(from.leaving);
    fill_later_fields(to, from);
}

/// Fills the one field of the message that the value belongs into.
struct Filler {
    pb::control::FromMember& to;

    void operator()(const control::Observation& from) const
    {
        fill(*to.mutable_observation(), from);
    }
    void operator()(const control::Prepared& from) const
    {
        auto& prepared = *to.mutable_prepared();
        prepared.set_epoch(number(from.epoch));
        prepared.set_position(from.position);
        prepared.set_marker(number(from.marker));
        prepared.set_amnesiac(from.amnesiac);
        prepared.set_lags(from.lags);
    }
    void operator()(const control::Promoted& from) const
    {
        auto& promoted = *to.mutable_promoted();
        promoted.set_epoch(number(from.epoch));
        promoted.set_position(from.position);
    }
    void operator()(const control::Followed& from) const
    {
        auto& followed = *to.mutable_followed();
        followed.set_epoch(number(from.epoch));
        followed.set_acknowledge(from.acknowledge);
        followed.set_serial(from.serial);
        followed.set_caught_up(from.caught_up);
        followed.set_server_run(from.server_run);
    }
    void operator()(const control::Opened& from) const
    {
        to.mutable_opened()->set_epoch(number(from.epoch));
    }
    void operator()(const control::AcknowledgersSet& from) const
    {
        auto& set = *to.mutable_acknowledgers_set();
        set.set_epoch(number(from.epoch));
        set.set_acks(from.acks);
        set.set_position(from.position);
        set.set_serial(from.serial);
    }
    void operator()(const control::Refused& from) const
    {
        auto& refused = *to.mutable_refused();
        refused.set_reason(to_wire(from.reason));
        refused.set_epoch(number(from.epoch));
        refused.set_message(from.message);
        refused.set_order(from.order);
    }
    void operator()(const control::Restarted& from) const
    {
        auto& restarted = *to.mutable_restarted();
        restarted.set_epoch(number(from.epoch));
        restarted.set_position(from.position);
    }
    void operator()(const control::AccountLocked& from) const
    {
        auto& locked = *to.mutable_account_locked();
        locked.set_epoch(number(from.epoch));
        locked.set_server_id(number(from.member));
        locked.set_position(from.position);
        locked.set_serial(from.serial);
    }
    void operator()(const control::Shut& from) const
    {
        auto& shut = *to.mutable_shut();
        shut.set_epoch(number(from.epoch));
        shut.set_position(from.position);
        shut.set_serial(from.serial);
    }
    void operator()(const control::Rebuilt& from) const
    {
        auto& rebuilt = *to.mutable_rebuilt();
        rebuilt.set_epoch(number(from.epoch));
        rebuilt.set_serial(from.serial);
        rebuilt.set_position(from.position);
        rebuilt.set_errant_saved(from.errant_saved);
    }
};

Result<control::FromMember> from_wire(const pb::control::FromMember& from)
{
    using Message = control::FromMember;
    switch (from.body_case()) {
        case pb::control::FromMember::kObservation: return Message{from_wire(from.observation())};
        case pb::control::FromMember::kPrepared:
            return Message{control::Prepared{
                .epoch = Epoch{from.prepared().epoch()},
                .position = from.prepared().position(),
                .marker = Epoch{from.prepared().marker()},
                .amnesiac = from.prepared().amnesiac(),
                .lags = from.prepared().lags()}};
        case pb::control::FromMember::kPromoted:
            return Message{control::Promoted{
                .epoch = Epoch{from.promoted().epoch()}, .position = from.promoted().position()}};
        case pb::control::FromMember::kFollowed:
            return Message{control::Followed{
                .epoch = Epoch{from.followed().epoch()},
                .acknowledge = from.followed().acknowledge(),
                .serial = from.followed().serial(),
                .caught_up = from.followed().caught_up(),
                .server_run = from.followed().server_run()}};
        case pb::control::FromMember::kOpened:
            return Message{control::Opened{.epoch = Epoch{from.opened().epoch()}}};
        case pb::control::FromMember::kAcknowledgersSet:
            return Message{control::AcknowledgersSet{
                .epoch = Epoch{from.acknowledgers_set().epoch()},
                .acks = from.acknowledgers_set().acks(),
                .position = from.acknowledgers_set().position(),
                .serial = from.acknowledgers_set().serial()}};
        case pb::control::FromMember::kRefused:
            return Message{control::Refused{
                .reason = from_wire(from.refused().reason()),
                .epoch = Epoch{from.refused().epoch()},
                .message = from.refused().message(),
                .order = from.refused().order()}};
        case pb::control::FromMember::kRestarted:
            return Message{control::Restarted{
                .epoch = Epoch{from.restarted().epoch()}, .position = from.restarted().position()}};
        case pb::control::FromMember::kAccountLocked:
            return Message{control::AccountLocked{
                .epoch = Epoch{from.account_locked().epoch()},
                .member = MemberId{from.account_locked().server_id()},
                .position = from.account_locked().position(),
                .serial = from.account_locked().serial()}};
        case pb::control::FromMember::kShut:
            return Message{control::Shut{
                .epoch = Epoch{from.shut().epoch()},
                .position = from.shut().position(),
                .serial = from.shut().serial()}};
        case pb::control::FromMember::kRebuilt:
            return Message{control::Rebuilt{
                .epoch = Epoch{from.rebuilt().epoch()},
                .serial = from.rebuilt().serial(),
                .position = from.rebuilt().position(),
                .errant_saved = from.rebuilt().errant_saved()}};
        case pb::control::FromMember::BODY_NOT_SET: break;
    }
    return Errc::message_malformed;
}

}  // namespace

std::string encode(const control::Hello& hello)
{
    pb::control::Hello to;
    to.set_protocol_version(hello.protocol_version);
    to.set_task_id(hello.task_id);
    to.set_cluster(hello.cluster);
    to.set_server_id(number(hello.member));
    to.set_executor_version(hello.executor_version);
    fill(*to.mutable_observation(), hello.observation);
    return to.SerializeAsString();
}

Result<control::Hello> decode_hello(std::string_view bytes)
{
    pb::control::Hello from;
    if (!from.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return Errc::message_malformed;
    }
    return control::Hello{
        .protocol_version = from.protocol_version(),
        .task_id = from.task_id(),
        .cluster = from.cluster(),
        .member = MemberId{from.server_id()},
        .executor_version = from.executor_version(),
        .observation = from_wire(from.observation())};
}

std::string encode(const control::FromMember& message)
{
    pb::control::FromMember to;
    std::visit(Filler{to}, message);
    return to.SerializeAsString();
}

Result<control::FromMember> decode_from_member(std::string_view bytes)
{
    pb::control::FromMember from;
    if (!from.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return Errc::message_malformed;
    }
    return from_wire(from);
}

}  // namespace mysos::wire
