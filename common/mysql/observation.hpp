#pragma once

#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/base/uuid.hpp"
#include "common/control/messages.hpp"
#include "common/mysql/position.hpp"

#include <cstdint>

namespace mysos::mysql {

/// What decisions rest on of that which an executor reports: the same facts with the positions
/// understood, and without what only people read.
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
    std::uint32_t acks_required = 0;
    std::uint64_t server_run = 0;  ///< Names this life of the server process.
    bool needs_rebuild = false;    ///< Has half a data directory.
    friend bool operator==(const Observation&, const Observation&) = default;
};

/// The marker is read from the position, not believed. A volume whose epoch cannot be read makes an
/// amnesiac. Errors: position_malformed.
[[nodiscard]] Result<Observation> understand(
    const control::Observation& report, Flavor flavor, const Uuid& cluster);

}  // namespace mysos::mysql
