#include "bus/peers.hpp"

#include <algorithm>

namespace bottega::bus {

bool Peers::hear(const Envelope& envelope, Time now) {
  const bool is_known = peers_.contains(envelope.node);
  // More nodes than anybody runs: somebody makes names up. What is not remembered counts as missed.
  if (!is_known && peers_.size() >= kPeersMax) return true;
  auto& peer = peers_[envelope.node];
  peer.heard_at = now;
  const auto before = envelope.number - (envelope.parcels.empty() ? 0 : 1);
  const bool missed = before > peer.last;
  peer.last = std::max(peer.last, envelope.number);
  return missed;
}

bool Peers::forget_silent(Time now) {
  return std::erase_if(peers_,
                       [&](const auto& row) { return now - row.second.heard_at > kSilence; }) > 0;
}

}  // namespace bottega::bus
