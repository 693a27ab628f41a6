#pragma once
// The body of an answer that is made piece by piece.
#include "gateway/body_stream.hpp"

namespace bottega::gateway {

// The other side is not there any more, or cannot be answered as it must be.
struct Gone {};

// Whoever takes it too slowly is cut off; so is everybody where it cannot be read to its end: a
// length that was told is not reached, and the chunk that ends it is not sent.
asio::awaitable<void> pour(Stream& stream, Outgoing& body, Pace pace, bool chunked);

}  // namespace bottega::gateway
