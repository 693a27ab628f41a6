#include "gateway/tokens.hpp"

namespace bottega::gateway {

std::optional<identity::Who> TokenCache::find(const std::string& hash) const {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(hash);
  if (found == rows_.end() || found->second.until < std::chrono::steady_clock::now())
    return std::nullopt;
  return found->second.who;
}

std::uint64_t TokenCache::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

void TokenCache::keep(const std::string& hash, const identity::Who& who, std::uint64_t generation) {
  const std::lock_guard lock(mutex_);
  if (generation != generation_) return;
  if (rows_.size() >= kSizeMax) rows_.clear();
  rows_[hash] = {who, std::chrono::steady_clock::now() + kLife};
}

void TokenCache::clear() {
  const std::lock_guard lock(mutex_);
  ++generation_;
  rows_.clear();
}

}  // namespace bottega::gateway
