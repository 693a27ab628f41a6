#pragma once
// What a client says over a socket: a request in JSON, AUTH, or RESUME.
#include <map>

#include "bottega/conversations/conversations.hpp"
#include "bottega/gateway/route.hpp"

namespace bottega::gateway {

struct Frame {
  std::string id;
  std::string method;  // an HTTP method, AUTH or RESUME
  Request request;     // for an HTTP method
  Secret token;        // for AUTH
  std::map<conversations::ConversationId, std::int64_t> positions;  // for RESUME
  std::optional<Instant> since;
};

// Conversations that one `since` looks at.
inline constexpr std::size_t kSinceMax = 1'000;

// Throws Error(malformed) or Error(invalid) for what is not such a frame.
Frame read_frame(std::string_view text);

// Whether it is a message for the writer, which other requests need not wait behind: POST
// /v1/conversations/{id}/messages without an idempotency_key, and with no product to be looked up.
// Its lane is the conversation's id.
bool is_message(const Frame& frame, std::string_view lane);

// Requests with the same lane take effect in the order sent: those on one conversation, which is
// named by the path or the body, and those on one thing that was asked for or sold in it. Empty: no
// lane.
std::string lane_of(const Frame& frame);

}  // namespace bottega::gateway
