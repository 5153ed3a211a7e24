#pragma once

#include "common/base/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>

/// What an executor tells of its server, at once on change and at least every second: all that the
/// scheduler's decisions may rest on. Positions are the server's own text. The form on the wire,
/// and what each field means: proto/mysos/control.proto.
namespace mysos::control {

enum class Flavor { mariadb, mysql };

enum class Phase {
    unknown,
    fetch,
    install,
    initialise,
    clone,
    start,
    fenced,
    replica,
    primary,
    crashed,
    stopping,
    failed,
};

[[nodiscard]] constexpr const char* to_text(Phase phase)
{
    switch (phase) {
        case Phase::unknown: return "unknown";
        case Phase::fetch: return "fetch";
        case Phase::install: return "install";
        case Phase::initialise: return "initialise";
        case Phase::clone: return "clone";
        case Phase::start: return "start";
        case Phase::fenced: return "fenced";
        case Phase::replica: return "replica";
        case Phase::primary: return "primary";
        case Phase::crashed: return "crashed";
        case Phase::stopping: return "stopping";
        case Phase::failed: return "failed";
    }
    return "unknown";
}

enum class ReceiverState { unknown, stopped, connecting, running };

[[nodiscard]] constexpr const char* to_text(ReceiverState state)
{
    switch (state) {
        case ReceiverState::unknown: return "unknown";
        case ReceiverState::stopped: return "stopped";
        case ReceiverState::connecting: return "connecting";
        case ReceiverState::running: return "running";
    }
    return "unknown";
}

struct Observation {
    Phase phase = Phase::unknown;
    std::string message;
    std::uint32_t progress_percent = 0;
    Flavor flavor = Flavor::mariadb;
    std::string server_version;
    Epoch epoch{};
    bool epoch_unreadable = false;
    bool amnesiac = false;
    bool answers = false;
    bool read_only = false;
    bool writable = false;
    std::string position;
    std::string applied;
    Epoch marker{};
    bool receiver_running = false;
    bool applier_running = false;
    std::string replication_error;
    MemberId source{};  ///< Whom it follows; 0: nobody.
    std::uint32_t semi_sync_clients = 0;
    std::uint32_t commits_waiting = 0;
    std::uint64_t commits_acknowledged = 0;
    std::uint64_t packet_age_ms = 0;
    std::optional<std::uint64_t> lag_seconds;
    std::uint64_t disk_free_bytes = 0;
    bool acknowledges = false;
    std::uint32_t acks_required = 0;
    std::string boot_id;
    std::string server_uuid;
    bool empty = false;
    std::uint64_t server_run = 0;  ///< Names this life of the server process; never used again.
    std::uint64_t errant_transactions = 0;  ///< Saved on its volume, in all.
    bool needs_rebuild = false;             ///< Has half a data directory, waits for Rebuild.
    bool leaving = false;  ///< Leads and was told to end: another is to lead before it does.
    // Absent: not known.
    std::optional<std::uint64_t> unanswered_ms;  ///< While `answers` is false; at least so long.
    ReceiverState receiver_state = ReceiverState::unknown;
    std::optional<std::string> receiver_error;
    std::optional<std::string> applier_error;
    std::string source_host;
    std::uint16_t source_port = 0;
    std::optional<std::uint64_t> delay_seconds;
    std::optional<bool> super_read_only;
    std::optional<std::uint64_t> disk_total_bytes;
    friend bool operator==(const Observation&, const Observation&) = default;
};

}  // namespace mysos::control
