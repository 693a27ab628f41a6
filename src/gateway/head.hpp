#pragma once
// A request's head as our own types, once the gate has let it through.
#include <string>
#include <string_view>

#include "gateway/admit.hpp"
#include "bottega/gateway/route.hpp"

namespace bottega::gateway {

struct Head {
  Framing framing;
  std::string method, target;  // as sent
  bool is_head = false;        // HEAD: a GET whose answer has no body
  bool is_options = false;
  bool is_upgrade = false;  // asks for another protocol
  Request request;          // without its body
};

// Reads an admitted head. Throws Error where it is HTTP, but not for us.
Head read_head(std::string_view raw);

// The token of "Authorization: Bearer …", if there is one; throws Error(unauthenticated) for
// another scheme.
std::optional<std::string> bearer_token(const Request& request);

// "00-<trace>-<span>-<flags>" of ours below the caller's trace, or of a new one (W3C Trace
// Context).
std::string child_trace(std::string_view trace_parent);
// The caller's X-Request-Id where it is a decent one, else a new one.
std::string request_id_of(std::string_view given);

}  // namespace bottega::gateway
