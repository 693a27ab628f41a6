#pragma once
// Remembers for a few seconds whom a token belongs to, so that a busy client does not cost a query
// per request. The end of a session on this node forgets it at once; other nodes do so when the bus
// tells them, and without it within kLife.
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "bottega/identity/identity.hpp"

namespace bottega::gateway {

class TokenCache {
 public:
  static constexpr auto kLife = std::chrono::seconds(5);
  static constexpr std::size_t kSizeMax = 20'000;

  std::optional<identity::Who> find(const std::string& hash) const;
  // What clear() raises. Whoever asks the database remembers it from before.
  std::uint64_t generation() const;
  // Does nothing where the generation is another by now: what was read may have changed since.
  void keep(const std::string& hash, const identity::Who& who, std::uint64_t generation);
  // Whatever changed about sessions, keys or roles: ask the database again.
  void clear();

 private:
  struct Row {
    identity::Who who;
    std::chrono::steady_clock::time_point until;
  };
  mutable std::mutex mutex_;  // owns rows_ and generation_
  std::uint64_t generation_ = 0;
  std::unordered_map<std::string, Row> rows_;
};

}  // namespace bottega::gateway
