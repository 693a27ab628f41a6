#pragma once
// Nobody asks the system for the time but this clock. In the sandbox mode ops may move it forward
// (a test clock), so that days pass in seconds; leases and time-outs use the steady clock and do
// not move.
#include <atomic>

#include "bottega/core/instant.hpp"

namespace bottega {

class Clock {
 public:
  Instant now() const;
  std::chrono::microseconds offset() const { return offset_.load(std::memory_order_relaxed); }
  // How far now() runs ahead of the machine's time.
  void set_offset(std::chrono::microseconds offset) { offset_.store(offset); }

 private:
  std::atomic<std::chrono::microseconds> offset_{std::chrono::microseconds{0}};
};

}  // namespace bottega
