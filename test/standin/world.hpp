#pragma once

#include "common/base/time.hpp"

#include <string>

namespace mysos::standin {

/// What master and agent machines ask of the outside; a test gives them its own.
class World {
  public:
    World() = default;
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    virtual ~World() = default;

    [[nodiscard]] virtual TimePoint now() const = 0;
    /// Seconds since 1970, as Mesos stamps its updates.
    [[nodiscard]] virtual double wall_seconds() const = 0;
    /// 16 bytes of a random UUID, version 4.
    [[nodiscard]] virtual std::string uuid() = 0;
};

}  // namespace mysos::standin
