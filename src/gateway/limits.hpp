#pragma once
// How often somebody may ask: fixed windows, kept in memory and bounded in number. The answer is
// told in the RateLimit fields (draft-ietf-httpapi-ratelimit-headers).
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace bottega::gateway {

struct Allowance {
  std::int64_t quota = 0, left = 0;
  std::chrono::seconds window{0}, resets_in{0};
  bool exceeded = false;
};

class Limits {
 public:
  using Clock = std::chrono::steady_clock;

  // Counts one more of `what` and says what is left of the window.
  Allowance take(const std::string& what, std::int64_t quota, std::chrono::seconds window,
                 Clock::time_point now = Clock::now());
  // Says how it stands without counting.
  Allowance look(const std::string& what, std::int64_t quota, std::chrono::seconds window,
                 Clock::time_point now = Clock::now());
  // Takes back what was counted in the window that runs.
  void give_back(const std::string& what);
  std::size_t size() const;

 private:
  struct Window {
    Clock::time_point ends;
    std::int64_t count = 0;
  };
  static Allowance allowance_of(const Window& of, std::int64_t quota, std::chrono::seconds window,
                                Clock::time_point now, bool exceeded);
  void forget();

  mutable std::mutex mutex_;  // owns windows_
  std::unordered_map<std::string, Window> windows_;
};

// Whom an address stands for: somebody with IPv6 has a whole /64 of them (RFC 6177), and with IPv4
// one, which may come mapped (RFC 4291, 2.5.5.2).
std::string network_of(const std::string& address);

}  // namespace bottega::gateway
