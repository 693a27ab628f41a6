// The one place that reads the machine's wall clock for the domain.
#include "bottega/core/clock.hpp"

namespace bottega {

Instant Clock::now() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now()) +
         offset();
}

}  // namespace bottega
