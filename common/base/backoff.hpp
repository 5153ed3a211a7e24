#pragma once

#include "common/base/expects.hpp"
#include "common/base/prng.hpp"
#include "common/base/time.hpp"

#include <algorithm>

namespace mysos {

struct BackoffConfig {
    Duration first = std::chrono::milliseconds{250};
    Duration max = std::chrono::seconds{30};
    friend bool operator==(const BackoffConfig&, const BackoffConfig&) = default;
};

/// How long to wait before the next attempt: doubles up to a maximum, and each wait is drawn from
/// the upper half of that, so that many clients that lost one server do not return all at once.
class Backoff {
  public:
    Backoff(BackoffConfig config, Prng prng) : config_{config}, prng_{prng}, bound_{config.first}
    {
        expects(config.first.count() > 1 && config.first <= config.max);
    }

    /// In [bound/2, bound), where bound is first, 2 first, 4 first, … max.
    [[nodiscard]] Duration next()
    {
        const Duration half = bound_ / 2;
        bound_ = bound_ > config_.max / 2 ? config_.max : bound_ * 2;
        const auto jitter = prng_.below(static_cast<std::uint64_t>(half.count()));
        return half + Duration{static_cast<Duration::rep>(jitter)};
    }

    /// The attempt has succeeded: the next failure starts small again.
    void reset() { bound_ = config_.first; }

  private:
    BackoffConfig config_;
    Prng prng_;
    Duration bound_;
};

}  // namespace mysos
