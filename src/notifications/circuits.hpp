#pragma once
// How much may be asked of each push service now: a few calls at once, and after failures in a row
// none for a while, so that a service that hangs does not hold up the others.
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bottega::notifications {

enum class Call : std::uint8_t { well, badly };

// Lives on one thread.
class Circuits {
 public:
  using Time = std::chrono::steady_clock::time_point;
  explicit Circuits(std::int64_t calls_max) : calls_max_(calls_max) {}

  // The services of which less than all may be asked, and how many calls each may take now.
  struct Rooms {
    std::vector<std::string> origins;
    std::vector<std::int64_t> rooms;
  };
  Rooms rooms(Time now) const;
  std::int64_t calls_max() const { return calls_max_; }

  void begun(const std::string& origin);
  void ended(const std::string& origin, Call how, Time now);
  std::int64_t open(Time now) const;

 private:
  struct Circuit {
    std::int64_t under_way = 0, failures = 0;  // in a row
    Time closed_at{};                          // asked again from then on
  };
  std::int64_t room(const Circuit& circuit, Time now) const;

  const std::int64_t calls_max_;
  std::map<std::string, Circuit> circuits_;
};

}  // namespace bottega::notifications
