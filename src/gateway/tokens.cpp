#include "gateway/tokens.hpp"

namespace bottega::gateway {

std::optional<identity::Who> TokenCache::find(const std::string& hash) const {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(hash);
  if (found == rows_.end() || found->second.until < std::chrono::steady_clock::now())
    return std::nullopt;
  return found->second.who;
}

void TokenCache::keep(const std::string& hash, const identity::Who& who) {
  const std::lock_guard lock(mutex_);
  if (rows_.size() >= kSizeMax) rows_.clear();
  rows_[hash] = {who, std::chrono::steady_clock::now() + kLife};
}

void TokenCache::clear() {
  const std::lock_guard lock(mutex_);
  rows_.clear();
}

}  // namespace bottega::gateway
