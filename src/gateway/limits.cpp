#include "gateway/limits.hpp"

#include <algorithm>

namespace bottega::gateway {
namespace {
// From this many names on the ended windows are swept, each time that so many more have come: a
// flood must not make every request walk through all of them. More still and all are forgotten,
// which lets a flood of addresses through once rather than letting it fill the memory.
constexpr std::size_t kSweepAt = 100'000, kSweepEvery = 10'000, kNamesMax = 200'000;
}  // namespace

Allowance Limits::take(const std::string& what, std::int64_t quota, std::chrono::seconds window,
                       Clock::time_point now) {
  return count(what, 1, quota, window, now);
}

Allowance Limits::look(const std::string& what, std::int64_t quota, std::chrono::seconds window,
                       Clock::time_point now) {
  return count(what, 0, quota, window, now);
}

Allowance Limits::count(const std::string& what, std::int64_t by, std::int64_t quota,
                        std::chrono::seconds window, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  const auto names = windows_.size();
  if (names >= kSweepAt && names % kSweepEvery == 0 && !windows_.contains(what))
    std::erase_if(windows_, [&](const auto& row) { return row.second.ends <= now; });
  if (windows_.size() > kNamesMax) windows_.clear();
  auto& current = windows_[what];
  if (current.ends <= now) current = {now + window, 0};
  const bool exceeded = by == 0 ? current.count >= quota : current.count + by > quota;
  if (!exceeded) current.count += by;
  const auto rest = std::chrono::ceil<std::chrono::seconds>(current.ends - now);
  return {quota, std::max<std::int64_t>(0, quota - current.count), window, rest, exceeded};
}

void Limits::give_back(const std::string& what) {
  const std::lock_guard lock(mutex_);
  const auto found = windows_.find(what);
  if (found != windows_.end() && found->second.count > 0) --found->second.count;
}

std::size_t Limits::size() const {
  const std::lock_guard lock(mutex_);
  return windows_.size();
}

}  // namespace bottega::gateway
