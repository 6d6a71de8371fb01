// When to stop.
#pragma once

#include <chrono>

namespace ingot::passes::memory {

class Deadline {
  public:
    // In so many seconds; never, where that is more than a year.
    explicit Deadline(double seconds) {
        constexpr double year = 365.0 * 24 * 3600;
        if (seconds < year)
            at_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                     std::chrono::duration<double>(seconds > 0 ? seconds : 0));
    }
    static Deadline never() { return Deadline(1e300); }

    bool passed() const { return at_ != Clock::time_point::max() && Clock::now() >= at_; }

  private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point at_ = Clock::time_point::max();
};

} // namespace ingot::passes::memory
