#pragma once

#include "common/election/effect.hpp"
#include "common/electorate/changes.hpp"

#include <string>

/// What machines order, in words: for tests to compare and people to read.
namespace mysos::test {

[[nodiscard]] std::string to_text(const election::Effects& effects);
[[nodiscard]] std::string to_text(const electorate::Effects& effects);

}  // namespace mysos::test
