#pragma once

#include "test/standin/world.hpp"

#include <random>
#include <string>

namespace mysos::standin {

/// The machine's clocks and randomness.
class RealWorld final : public World {
  public:
    [[nodiscard]] TimePoint now() const override { return Clock::now(); }
    [[nodiscard]] double wall_seconds() const override
    {
        const auto since = std::chrono::system_clock::now().time_since_epoch();
        return std::chrono::duration<double>(since).count();
    }
    [[nodiscard]] std::string uuid() override
    {
        std::string bytes(16, '\0');
        for (char& byte : bytes) byte = static_cast<char>(random_() & 0xffU);
        bytes[6] = static_cast<char>((static_cast<unsigned char>(bytes[6]) & 0x0fU) | 0x40U);
        bytes[8] = static_cast<char>((static_cast<unsigned char>(bytes[8]) & 0x3fU) | 0x80U);
        return bytes;
    }

  private:
    std::random_device random_;
};

}  // namespace mysos::standin
