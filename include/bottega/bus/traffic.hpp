#pragma once
// What has gone between this node and the others, for the page of metrics.
#include <atomic>
#include <cstdint>

namespace bottega::bus {

struct Traffic {
  std::atomic<bool> connected{false};
  // Events: sent out, taken in, and given up because NATS was away or too slow for them.
  std::atomic<std::uint64_t> published{0}, received{0}, dropped{0};
  // Messages on the subject that are none of ours.
  std::atomic<std::uint64_t> refused{0};
};

}  // namespace bottega::bus
