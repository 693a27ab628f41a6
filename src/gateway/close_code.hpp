#pragma once
// What the end of a socket, or of an event stream, tells the client.
#include <cstdint>

namespace bottega::gateway {

// 3000 to 3499 come back, 3500 to 3999 do not.
enum class Close : std::uint16_t {
  expired = 3005,
  slow = 3008,
  restarting = 3010,
  no_pong = 3012,
  overloaded = 3013,
  bad_token = 3500,
  bad_request = 3501,
};

}  // namespace bottega::gateway
