#include "gateway/limits.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace bottega::gateway {
namespace {
// From this many names on the ended windows are swept, each time that so many more have come: a
// flood must not make every request walk through all of them. More still and all are forgotten,
// which lets a flood of addresses through once rather than letting it fill the memory.
constexpr std::size_t kSweepAt = 100'000, kSweepEvery = 10'000, kNamesMax = 200'000;
}  // namespace

Allowance Limits::take(const std::string& what, std::int64_t quota, std::chrono::seconds window,
                       Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  const auto names = windows_.size();
  if (names >= kSweepAt && names % kSweepEvery == 0 && !windows_.contains(what))
    std::erase_if(windows_, [&](const auto& row) { return row.second.ends <= now; });
  if (windows_.size() > kNamesMax) forget();
  auto& current = windows_[what];
  if (current.ends <= now) current = {now + window, 0};
  const bool exceeded = current.count >= quota;
  if (!exceeded) ++current.count;
  return allowance_of(current, quota, window, now, exceeded);
}

Allowance Limits::look(const std::string& what, std::int64_t quota, std::chrono::seconds window,
                       Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  const auto found = windows_.find(what);
  if (found == windows_.end() || found->second.ends <= now)
    return {quota, quota, window, window, quota <= 0};
  return allowance_of(found->second, quota, window, now, found->second.count >= quota);
}

// Who guesses passwords does not get new tries by calling from many places.
void Limits::forget() {
  std::erase_if(windows_, [](const auto& row) { return !row.first.starts_with("tries:"); });
  if (windows_.size() > kNamesMax / 2) windows_.clear();
}

Allowance Limits::allowance_of(const Window& of, std::int64_t quota, std::chrono::seconds window,
                               Clock::time_point now, bool exceeded) {
  const auto rest = std::chrono::ceil<std::chrono::seconds>(of.ends - now);
  return {quota, std::max<std::int64_t>(0, quota - of.count), window, rest, exceeded};
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

std::string network_of(const std::string& address) {
  namespace ip = boost::asio::ip;
  if (address.find(':') == std::string::npos) return address;
  boost::system::error_code failed;
  const auto parsed = ip::make_address_v6(address, failed);
  if (failed) return address;
  if (parsed.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, parsed).to_string();
  auto bytes = parsed.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return ip::address_v6(bytes).to_string() + "/64";
}

}  // namespace bottega::gateway
