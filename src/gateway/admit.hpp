#pragma once
// The one strict gate of HTTP/1.1 (RFC 9112): the raw head of a request passes it before anything
// else looks at it. Whatever two servers could read in two ways is refused.
#include <cstdint>
#include <string_view>

namespace bottega::gateway {

// How the body of an admitted request is framed, and what the connection does next.
struct Framing {
  enum class Kind : std::uint8_t { none, length, chunked } kind = Kind::none;
  std::uint64_t length = 0;
  bool keep_alive = true;
  bool expect_continue = false;
  unsigned minor_version = 1;
};

// `head` is everything up to and with the empty line. Throws Error where it may not be answered but
// with a problem and a close.
Framing admit(std::string_view head);

}  // namespace bottega::gateway
