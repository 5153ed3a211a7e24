#pragma once

#include "executor/decide/parts.hpp"

#include <optional>
#include <string>

/// A member that is rebuilt from another one: its server ends, what it alone holds is saved, its
/// volume says that it is being rebuilt, and only then anything is deleted. From there on no server
/// is started on the data before they are whole again, whatever crashes in between. For member.cpp
/// and on_*.cpp only.
/// Why it is safe: docs/failover.md, "Rebuilding a member".
namespace mysos::executor {

/// Why it must not be rebuilt so.
[[nodiscard]] std::optional<std::string> objection_to(
    const State& state, const control::Rebuild& order);
/// The order's epoch is on the volume.
void begin_rebuild(Step& step, const control::Rebuild& order);
/// Any order that comes meanwhile.
void take_while_rebuilding(Step& step, const control::ToMember& order);

// In the phase Rebuilding.
void on_exit_while_rebuilding(Step& step, const std::string& how);
void on_answer_while_rebuilding(Step& step);
void rebuild_failed(Step& step, std::string why);

// In any phase.
void go_on_rebuilding(Step& step);
void go_on_cloned(Step& step);
void rebuild_recorded(Step& step, const EpochRecord& record);
void rebuild_not_recorded(Step& step, const std::string& why);

[[nodiscard]] std::string message_of(const Rebuilding& rebuilding);

}  // namespace mysos::executor
