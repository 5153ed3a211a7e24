#pragma once

#include "common/base/time.hpp"
#include "scheduler/flags.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace mysos::scheduler {

/// Looks flags up and says what is wrong with them: all but optional() throw FlagError. Refers to
/// `flags`, which must outlive it.
class FlagReader {
  public:
    explicit FlagReader(const Flags& flags) : flags_{flags} {}

    [[nodiscard]] std::optional<std::string> optional(const std::string& flag) const;
    /// `right` is what would be right: "give a port".
    [[nodiscard]] std::string required(const std::string& flag, const std::string& right) const;
    [[nodiscard]] Duration duration(const std::string& flag) const;
    [[nodiscard]] std::uint16_t port(const std::string& flag) const;
    /// Parsed, but its shape not yet checked. `example` is what would be right.
    [[nodiscard]] nlohmann::json parsed_json(
        const std::string& flag, const std::string& example) const;
    [[nodiscard]] bool is_set(const std::string& flag) const;

  private:
    const Flags& flags_;
};

}  // namespace mysos::scheduler
