#pragma once

#include "common/diagnosis/case.hpp"
#include "common/diagnosis/situations.hpp"

#include <span>
#include <string>

/// The rows that situations are found by. For the files of this folder alone.
namespace mysos::diagnosis {

using Concerns = bool (*)(const Case&, MemberId, const Member&);
using Detail = std::string (*)(const Case&, MemberId, const Member&);

/// A situation that is there or not, and whom it concerns.
struct Whole {
    Code code;
    bool (*holds)(const Case&);
    Concerns concerns;
};
/// A situation that is there as soon as it concerns somebody.
struct Each {
    Code code;
    Concerns concerns;
    Detail detail = nullptr;
};

[[nodiscard]] std::span<const Whole> rules_of_cluster();
[[nodiscard]] std::span<const Whole> rules_of_primary();      ///< The first that holds.
[[nodiscard]] std::span<const Whole> rules_of_replication();  ///< The first that holds.
[[nodiscard]] std::span<const Each> rules_of_members();

/// There was a primary that clients were let in to.
[[nodiscard]] bool has_led(const Case& c);
[[nodiscard]] bool is_replica_of_electorate(const Case& c, MemberId id);
[[nodiscard]] bool is_writable(const Case& c, MemberId id, const Member& member);

}  // namespace mysos::diagnosis
