#pragma once
// What this node has heard of the others. Their messages are numbered, and each says once a second
// that it is there: so a loss is noticed, also that of the last message before a silence.
#include <chrono>
#include <map>

#include "bus/envelope.hpp"

namespace bottega::bus {

// Lives on one thread.
class Peers {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr auto kSilence = std::chrono::seconds(3);
  static constexpr std::size_t kPeersMax = 1'000;

  // True where messages of this node were missed before the one that came.
  bool hear(const Envelope& envelope, Time now);
  // Forgets who has been silent too long; true where there was one.
  bool forget_silent(Time now);
  // Nothing is known any more: our own connection was lost.
  void clear() { peers_.clear(); }
  std::size_t size() const { return peers_.size(); }

 private:
  struct Peer {
    std::uint64_t last = 0;
    Time heard_at{};
  };
  std::map<NodeId, Peer> peers_;
};

}  // namespace bottega::bus
