#pragma once

#include "common/base/time.hpp"

#include <cstdint>
#include <variant>
#include <vector>

/// Decides when a primary has to write something so that a commit before it is acknowledged.
///
/// A receiver acknowledges what arrives while it is told to. What it had received before, or had
/// acknowledged over a connection that broke, is not sent to it again. A commit that waits for just
/// that would wait for good once all clients wait: but the acknowledgement of any later transaction
/// counts for all before it, as no receiver holds one without the others.
///
/// Pure: no I/O, clock, randomness, logging or threads.
/// Why it is safe: a push is a transaction of the primary like any other, and waits like any other.
namespace mysos::executor::pushing {

struct Config {
    Duration patience = std::chrono::milliseconds{250};  ///< Doubled by every push in vain.
    Duration patience_max = std::chrono::seconds{30};
};

struct CommitsSeen {  ///< On a primary, by a probe.
    std::uint32_t waiting = 0;
    std::uint64_t acknowledged = 0;  ///< Since the server started.
    std::uint32_t clients = 0;       ///< Receivers that acknowledge.
    std::uint32_t required = 0;      ///< By each commit.
};
struct NotPrimary {};
using Input = std::variant<CommitsSeen, NotPrimary>;

struct Push {
    friend bool operator==(const Push&, const Push&) = default;
};
using Effects = std::vector<Push>;

struct State {
    bool stuck = false;  ///< Commits wait though enough receivers acknowledge.
    TimePoint since{};   ///< Stuck, or pushed in vain.
    Duration patience{};
    std::uint64_t acknowledged = 0;
    friend bool operator==(const State&, const State&) = default;
};

[[nodiscard]] Effects step(State& state, const Config& config, const Input& input, TimePoint now);

}  // namespace mysos::executor::pushing
