#pragma once

#include "common/electorate/changes.hpp"

/// The two halves of changes.cpp: getting members to follow and to be believed, and changing (E,
/// k). For changes.cpp alone; a leadership is there when these are called.
namespace mysos::electorate {

/// Where a step collects what it orders.
struct Step {
    State& state;
    const Config& config;
    TimePoint now;
    Effects effects;

    [[nodiscard]] Leadership& leadership() { return *state.leadership; }
    /// Asks the primary to set k, or with k in force only to read its position. Returns the serial.
    std::uint64_t ask_primary(std::size_t acks);
    void repeat_question(std::uint64_t serial, std::size_t acks);
    /// Members of E acknowledge, and nobody else.
    void send_follow(MemberId member, bool caught_up, std::uint64_t serial = 0);
};

void observe_follower(Step& step, MemberId member, const mysql::Observation& seen);
void read_position(Step& step, std::uint64_t serial, const mysql::Position& position);
void begin_reading(Step& step, MemberId member, Follower& follower);
void repeat_orders(Step& step);

/// Members that cannot follow with what they hold, up to their rebuild. (rebuild.cpp)
void observe_unfit(Step& step, Follower& follower, const mysql::Observation& seen);
void begin_errant(Follower& follower);
void refuse_rebuild(Step& step, Follower& follower);
void repeat_rebuild(Step& step, MemberId member, Follower& follower);
/// Starts the next rebuild, or the leave before it.
void advance_rebuild(Step& step);
/// Those who acknowledge, `without` aside.
[[nodiscard]] std::size_t acknowledging(Step& step, MemberId without);
/// Whether the member's phase takes orders at all.
[[nodiscard]] bool takes_orders(control::Phase phase);

/// Finishes what waits for positions, then starts the next change if there is one to make.
void advance_change(Step& step);
void align(Step& step);
void begin_leave(Step& step, MemberId member, bool comes_back);
void repeat_change(Step& step);

}  // namespace mysos::electorate
