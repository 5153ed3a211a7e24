#pragma once

#include <compare>
#include <string>

namespace mysos::mesos {

/// A name that Mesos or we gave to something. One type for each kind, so that an agent's id cannot
/// be passed where a task's belongs.
template <class Tag>
struct Id {
    std::string text;

    [[nodiscard]] bool empty() const { return text.empty(); }

    friend bool operator==(const Id&, const Id&) = default;
    friend auto operator<=>(const Id&, const Id&) = default;
};

using FrameworkId = Id<struct FrameworkTag>;
using AgentId = Id<struct AgentTag>;
using OfferId = Id<struct OfferTag>;
using TaskId = Id<struct TaskTag>;
using ExecutorId = Id<struct ExecutorTag>;
using PersistenceId = Id<struct PersistenceTag>;

}  // namespace mysos::mesos
