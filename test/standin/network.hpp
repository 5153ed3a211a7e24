#pragma once

#include <string>

namespace mysos::standin {

/// While it lives, what this thread opens or forks belongs to the network namespace that `ip netns`
/// knows by this name; an empty one is where it is already. A socket stays where it was opened, and
/// so do the connections that it accepts: so one process can listen on many hosts. Throws
/// std::system_error.
class InNetwork {
  public:
    explicit InNetwork(const std::string& name);
    ~InNetwork();
    InNetwork(const InNetwork&) = delete;
    InNetwork& operator=(const InNetwork&) = delete;

  private:
    int before_ = -1;
};

}  // namespace mysos::standin
