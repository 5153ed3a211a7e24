#pragma once

#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/base/uuid.hpp"
#include "common/control/messages.hpp"
#include "common/mysql/position.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace mysos::mysql {

/// What decisions and diagnosis rest on of that which an executor reports: the same facts with the
/// positions understood. Where a fact is optional, its absence means that it is not known.
struct Observation {
    control::Phase phase = control::Phase::unknown;
    Epoch epoch{};          ///< The highest promised or followed, from the volume.
    bool amnesiac = false;  ///< May have forgotten what it acknowledged.
    bool answers = false;   ///< The server answered the last probe.
    bool writable = false;  ///< Clients can write.
    Position position;
    Epoch marker{};     ///< Of `position`.
    MemberId source{};  ///< Whom it follows; 0: nobody.
    bool receiver_running = false;
    bool applier_running = false;
    bool acknowledges = false;
    std::uint32_t semi_sync_clients = 0;
    std::uint32_t commits_waiting = 0;
    std::uint64_t commits_acknowledged = 0;  ///< Since the server started.
    std::uint32_t acks_required = 0;
    std::uint64_t server_run = 0;  ///< Names this life of the server process.
    bool needs_rebuild = false;    ///< Has half a data directory.

    bool quarantined = false;  ///< The epoch on its volume cannot be read.
    bool read_only = false;
    std::optional<Duration> unanswered{};  ///< While it does not answer; at least so long.
    Duration packet_age{};                 ///< Since the last packet of its source.
    control::ReceiverState receiver_state = control::ReceiverState::unknown;
    std::optional<std::string> receiver_error{};  ///< Empty: none.
    std::optional<std::string> applier_error{};
    std::string source_host{};  ///< Whom it is set to follow; empty: nobody, or not known.
    std::uint16_t source_port = 0;
    std::optional<Duration> lag{};
    std::optional<Duration> delay{};  ///< Of the lag, on purpose.
    std::uint64_t disk_free_bytes = 0;
    std::optional<std::uint64_t> disk_total_bytes{};  ///< Without it, what is free is not known.
    friend bool operator==(const Observation&, const Observation&) = default;
};

/// Its applier has stopped with an error, which no order to go on mends.
[[nodiscard]] bool cannot_apply(const Observation& seen);

/// Its receiver has ended with an error: only an order starts it again.
[[nodiscard]] bool cannot_receive(const Observation& seen);

/// The marker is read from the position, not believed. A volume whose epoch cannot be read makes an
/// amnesiac. Errors: position_malformed.
[[nodiscard]] Result<Observation> understand(
    const control::Observation& report, Flavor flavor, const Uuid& cluster);

}  // namespace mysos::mysql
