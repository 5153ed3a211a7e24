#pragma once

#include "common/publish/publish.hpp"

#include <vector>

/// The tree that clients should find, and how to get there from another. For publish.cpp.
namespace mysos::publish {

/// The nodes wanted, paths to data.
[[nodiscard]] std::map<std::string, std::string> nodes_of(const Wanted& wanted);

/// What makes `tree` hold `nodes`: removals first, children before parents, then creations, parents
/// before children. Nodes of others beside `master` and `slaves` are left, unless all is to go.
[[nodiscard]] std::vector<Operation> difference(
    const Tree& tree, const std::map<std::string, std::string>& nodes);

/// The tree once these are carried out.
[[nodiscard]] Tree applied(Tree tree, const std::vector<Operation>& operations);

}  // namespace mysos::publish
