#pragma once
// Where a reader of the event stream has got to, as the id of an event (WHATWG HTML, 9.2): all
// that was written before a time, and of some conversations more. Opaque to clients.
#include <map>
#include <string>
#include <string_view>

#include "bottega/conversations/conversations.hpp"
#include "bottega/gateway/route.hpp"

namespace bottega::gateway {

struct Mark {
  Instant since{};
  std::map<conversations::ConversationId, std::int64_t> positions;
  friend bool operator==(const Mark&, const Mark&) = default;
};

inline constexpr std::size_t kMarkPositionsMax = 64;

// `actor` is whose stream it is: nobody else's id is taken for one's own.
std::string mark_text(const Mark& mark, std::string_view actor);
// Throws Error(bad_cursor) for what is no such text.
Mark read_mark(std::string_view text, std::string_view actor);

// Where the stream that a request asks for goes on; none where it is a new one. Throws
// Error(bad_cursor).
std::optional<Mark> resumed_from(const Request& request, const identity::Who& who);

inline constexpr std::string_view kEventStream = "text/event-stream";
// Whether a reply means that the stream begins.
bool is_event_stream(const Reply& reply);

// Follows a stream: knows at any event what its id has to say.
class Trail {
 public:
  // From this time on nothing is known; `resumed` is where the client has got to before.
  explicit Trail(Mark resumed) : mark_(std::move(resumed)) {}

  // The event was sent. Those of a conversation come in order.
  void sent(conversations::ConversationId id, std::int64_t position, Instant at);
  // All that was committed before `upto` has been sent: conversations without a later event need
  // not be named any more.
  void settled(Instant upto);
  const Mark& mark() const { return mark_; }

 private:
  Mark mark_;
  std::map<conversations::ConversationId, Instant> at_;  // of the last event; of those in mark_
};

}  // namespace bottega::gateway
