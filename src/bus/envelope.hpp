#pragma once
// What travels between nodes: some events of one node in one message. The form is our own, in
// network byte order: the letters "BTGA", a version, who sends, the number of the message among the
// sender's own, and then events as they fit. It is checked when read: anybody who reaches NATS can
// send anything.
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bottega/bus/hub.hpp"

namespace bottega::bus {

// One event and who is to hear it.
struct Parcel {
  std::vector<std::string> topics;
  Event event;
};

// A random name that a node has from its start to its end.
using NodeId = std::array<char, 16>;

struct Envelope {
  NodeId node{};
  // Counts the sender's messages from 1. One without events repeats the number of the last one.
  std::uint64_t number = 0;
  std::vector<Parcel> parcels;
};

inline constexpr std::size_t kEnvelopeMax = 1'048'576;  // NATS's own default
inline constexpr std::size_t kTopicsMax = 8;            // of one event
inline constexpr std::size_t kNameMax = 255;            // bytes of a topic or stream

// The envelope without events; the texts of pack() are put behind it.
std::string open_envelope(const NodeId& node, std::uint64_t number);
inline constexpr std::size_t kHeadSize = 29;
// One event. A text that would not fit into `size_max` bytes with the rest is left out where the
// receiver can read it from the log, which is the case for all that has a position. Empty where the
// event cannot be sent at all.
std::string pack(const std::vector<std::string>& topics, const Event& event, std::size_t size_max);

// None where it is not an envelope of this version, or breaks its bounds anywhere.
std::optional<Envelope> read_envelope(std::string_view bytes);

}  // namespace bottega::bus
