#pragma once

#include "common/base/time.hpp"

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

/// Decides when a primary that is cut off must end itself.
///
/// A primary that has lost the scheduler may have been replaced. As long as enough receivers hang
/// on it, it has not been: the members that elect a successor stop receiving first. So only both
/// losses together, each for the whole lease, end it; a scheduler outage alone never does. Where
/// commits wait for nobody, to serve needs a proof that is fresh: a look that takes long is none.
///
/// Pure: no I/O, clock, randomness, logging or threads.
/// Why it is safe: docs/failover.md, "The old primary".
namespace mysos::executor::fencing {

struct Config {
    Duration lease = std::chrono::seconds{3};
    /// Where commits wait for nobody: since the last proof began. Longer than a probe may take.
    Duration async_lease = std::chrono::seconds{4};
};

struct StreamOpened {};
struct StreamLost {};
struct ReceiversSeen {  ///< On a primary.
    std::uint32_t clients = 0;
    std::uint32_t required = 0;  ///< By each commit, as in force on the server.
    /// Where commits wait for nobody, and everything rests on this: when the look at them began.
    std::optional<TimePoint> asked_at{};
};
struct ServerSilent {};  ///< A primary did not answer: its receivers count for nothing.
struct NotPrimary {};    ///< There is nothing to end.
struct DeadlinePassed {};

using Input =
    std::variant<StreamOpened, StreamLost, ReceiversSeen, ServerSilent, NotPrimary, DeadlinePassed>;

/// Kill the server: SIGKILL, since commits may be waiting that nobody will acknowledge.
struct Fence {
    friend bool operator==(const Fence&, const Fence&) = default;
};
using Effects = std::vector<Fence>;

struct State {
    bool stream_up = false;
    TimePoint stream_lost_at{};  ///< While it is not up.
    std::optional<TimePoint> receivers_short_at;
    std::optional<TimePoint> enough_at{};  ///< Asynchronous: the last proof, else the first look.
    friend bool operator==(const State&, const State&) = default;
};

[[nodiscard]] Effects step(State& state, const Config& config, const Input& input, TimePoint now);
[[nodiscard]] std::optional<TimePoint> next_deadline(const State& state, const Config& config);

}  // namespace mysos::executor::fencing
