#pragma once
// A WebSocket client that sends whatever bytes it is told to, over plain TCP or TLS: what no
// decent client does.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <chrono>
#include <optional>
#include <string>

namespace bottega::test {

// A frame (RFC 6455, 5.2): `head` holds the final bit, the reserved bits and the opcode.
enum class Masked : std::uint8_t { yes, no };
std::string ws_frame(int head, const std::string& payload, Masked masked = Masked::yes);
// The same with a length that is told in so many bytes (0, 2 or 8), true or not.
std::string ws_frame_telling(int head, int length_bytes, std::uint64_t length,
                             const std::string& payload);
// The payload of a close frame.
std::string ws_close(int code, const std::string& reason = "");

class RawSocket {
 public:
  // Upgrades on this port; with the path of a certificate over TLS. Throws where it is refused.
  RawSocket(std::uint16_t port, const std::string& token, const std::string& certificate = "");
  ~RawSocket();

  // The other side may have closed already.
  void send(const std::string& bytes);
  // Says that nothing more comes, and goes on reading.
  void half_close();

  struct Frame {
    int opcode = 0;
    std::string payload;
  };
  // The next frame but a ping; none where the other side has closed. Throws after 20 s without one.
  // Pings are answered on the way.
  std::optional<Frame> read();
  // The code that the server closes with, whatever comes before; 0 where it closes without a word.
  int close_code();

 private:
  bool fill(std::size_t size);

  boost::asio::io_context io_;
  boost::asio::ssl::context context_{boost::asio::ssl::context::tls_client};
  boost::asio::ip::tcp::socket socket_;
  std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
  std::string buffer_;
  std::chrono::steady_clock::time_point until_;
};

}  // namespace bottega::test
