#include "frames.hpp"

namespace bottega::bench {

void put_frame(std::string& out, char opcode, std::string_view payload) {
  const auto size = payload.size();
  out += static_cast<char>(0x80 | opcode);
  if (size < 126) {
    out += static_cast<char>(0x80 | size);
  } else {
    out += static_cast<char>(0x80 | 126);
    out += static_cast<char>(size >> 8);
    out += static_cast<char>(size & 0xff);
  }
  out.append(4, '\0');
  out += payload;
}

std::optional<FrameView> first_frame(std::string_view in) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(in[i]));
  };
  if (in.size() < 2) return std::nullopt;
  std::size_t size = byte(1) & 0x7f, header = 2;
  if (size == 126) header = 4;
  if (size == 127) header = 10;
  if (in.size() < header) return std::nullopt;
  if (header > 2) {
    size = 0;
    for (std::size_t i = 2; i < header; ++i) size = size << 8 | byte(i);
  }
  if (in.size() < header + size) return std::nullopt;
  return FrameView{static_cast<int>(byte(0) & 0x0f), in.substr(header, size), header + size};
}

std::string hello_frame(const std::string& path, const std::string& token) {
  std::string hello = "GET " + path +
                      " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
  if (!token.empty())
    hello += "Authorization: Bearer " + token + "\r\nSec-WebSocket-Protocol: bottega.v1\r\n";
  return hello + "\r\n";
}

}  // namespace bottega::bench
