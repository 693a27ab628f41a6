#pragma once
// The frames of a WebSocket client (RFC 6455, 5.2), written and read by hand.
#include <optional>
#include <string>
#include <string_view>

namespace bottega::bench {

enum : char { kTextFrame = 1, kCloseFrame = 8, kPingFrame = 9, kPongFrame = 10 };

// Puts one masked frame behind the others. The mask is zero: the server unmasks all the same.
void put_frame(std::string& out, char opcode, std::string_view payload);

struct FrameView {
  int opcode;
  std::string_view payload;
  std::size_t bytes;  // with the header
};
// None where it is not all there yet.
std::optional<FrameView> first_frame(std::string_view in);

// The request that opens a socket.
std::string hello_frame(const std::string& path, const std::string& token);

}  // namespace bottega::bench
