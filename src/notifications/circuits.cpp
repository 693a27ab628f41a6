#include "notifications/circuits.hpp"

#include <algorithm>

namespace bottega::notifications {
namespace {

constexpr std::int64_t kPatience = 5;  // failures in a row before it is left alone
constexpr std::size_t kRememberedMax = 10'000;
constexpr auto kPauseFirst = std::chrono::seconds(30), kPauseMost = std::chrono::seconds(600);

std::chrono::seconds pause_after(std::int64_t failures) {
  const auto doublings = std::min<std::int64_t>(failures - kPatience, 5);
  return std::min(kPauseFirst * (std::int64_t{1} << doublings), kPauseMost);
}

}  // namespace

Circuits::Rooms Circuits::rooms(Time now) const {
  Rooms out;
  for (const auto& [origin, circuit] : circuits_) {
    out.origins.push_back(origin);
    out.rooms.push_back(room(circuit, now));
  }
  return out;
}

void Circuits::begun(const std::string& origin) { ++circuits_[origin].under_way; }

void Circuits::ended(const std::string& origin, Call how, Time now) {
  const auto found = circuits_.find(origin);
  auto& circuit = found->second;
  --circuit.under_way;
  if (how == Call::well) {
    circuit.failures = 0;
    if (circuit.under_way == 0) circuits_.erase(found);  // Nothing to remember: there are many.
    return;
  }
  if (++circuit.failures >= kPatience) circuit.closed_at = now + pause_after(circuit.failures);
  if (circuits_.size() <= kRememberedMax) return;
  std::erase_if(circuits_, [&](const auto& one) {
    return one.second.under_way == 0 && one.second.closed_at <= now;
  });
}

std::int64_t Circuits::open(Time now) const {
  return std::ranges::count_if(circuits_, [&](const auto& one) {
    return one.second.failures >= kPatience && one.second.closed_at > now;
  });
}

// One that was left alone is tried with one call.
std::int64_t Circuits::room(const Circuit& circuit, Time now) const {
  if (circuit.failures < kPatience)
    return std::max<std::int64_t>(calls_max_ - circuit.under_way, 0);
  if (circuit.closed_at > now || circuit.under_way > 0) return 0;
  return 1;
}

}  // namespace bottega::notifications
