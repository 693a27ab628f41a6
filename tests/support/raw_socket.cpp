#include "support/raw_socket.hpp"

#include <poll.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <stdexcept>

namespace bottega::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

using std::chrono::steady_clock;

constexpr auto kLimit = std::chrono::seconds(20);
constexpr char kMask[] = {0x11, 0x22, 0x33, 0x44};

std::string length_of(int bytes, std::uint64_t length) {
  std::string out;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out += static_cast<char>((length >> shift) & 0xff);
  return out;
}

std::string masked(const std::string& payload) {
  std::string out(kMask, sizeof kMask);
  for (std::size_t i = 0; i < payload.size(); ++i)
    out += static_cast<char>(payload[i] ^ kMask[i % sizeof kMask]);
  return out;
}

}  // namespace

std::string ws_frame_telling(int head, int length_bytes, std::uint64_t length,
                             const std::string& payload) {
  const auto marker = length_bytes == 0 ? length : length_bytes == 2 ? 126u : 127u;
  return std::string(1, static_cast<char>(head)) + static_cast<char>(0x80 | marker) +
         (length_bytes == 0 ? "" : length_of(length_bytes, length)) + masked(payload);
}

std::string ws_frame(int head, const std::string& payload, Masked is_masked) {
  const auto size = payload.size();
  const auto bytes = size < 126 ? 0 : size <= 0xffff ? 2 : 8;
  if (is_masked == Masked::yes) return ws_frame_telling(head, bytes, size, payload);
  if (bytes != 0) throw std::logic_error("only short frames are sent without a mask");
  return std::string(1, static_cast<char>(head)) + static_cast<char>(size) + payload;
}

std::string ws_close(int code, const std::string& reason) {
  return length_of(2, static_cast<std::uint64_t>(code)) + reason;
}

RawSocket::RawSocket(std::uint16_t port, const std::string& token, const std::string& certificate)
    : socket_(io_) {
  socket_.connect({asio::ip::address_v4::loopback(), port});
  if (!certificate.empty()) {
    context_.load_verify_file(certificate);
    context_.set_verify_mode(asio::ssl::verify_peer);
    tls_.emplace(socket_, context_);
    tls_->handshake(asio::ssl::stream_base::client);
  }
  until_ = steady_clock::now() + kLimit;
  send(
      "GET /v1/socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
      "Authorization: Bearer " +
      token + "\r\n\r\n");
  while (buffer_.find("\r\n\r\n") == buffer_.npos)
    if (!fill(buffer_.size() + 1)) throw std::runtime_error("no upgrade: " + buffer_);
  if (!buffer_.starts_with("HTTP/1.1 101 ")) throw std::runtime_error("no upgrade: " + buffer_);
  buffer_.erase(0, buffer_.find("\r\n\r\n") + 4);
}

RawSocket::~RawSocket() = default;

void RawSocket::send(const std::string& bytes) {
  boost::system::error_code ignored;
  if (tls_)
    asio::write(*tls_, asio::buffer(bytes), ignored);
  else
    asio::write(socket_, asio::buffer(bytes), ignored);
}

void RawSocket::half_close() { socket_.shutdown(tcp::socket::shutdown_send); }

// Reads until so many bytes are there; false where the other side ends before.
bool RawSocket::fill(std::size_t size) {
  while (buffer_.size() < size) {
    pollfd waiting{socket_.native_handle(), POLLIN, 0};
    const bool buffered = tls_ && SSL_pending(tls_->native_handle()) > 0;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until_ - steady_clock::now());
    const auto limit_ms = static_cast<int>(std::max<std::int64_t>(0, left.count()));
    if (!buffered && poll(&waiting, 1, limit_ms) != 1)
      throw std::runtime_error("nothing came in time");
    char bytes[4096];
    boost::system::error_code error;
    const auto got = tls_ ? tls_->read_some(asio::buffer(bytes), error)
                          : socket_.read_some(asio::buffer(bytes), error);
    buffer_.append(bytes, got);
    if (error) return buffer_.size() >= size;
  }
  return true;
}

std::optional<RawSocket::Frame> RawSocket::read() {
  until_ = steady_clock::now() + kLimit;
  for (;;) {
    if (!fill(2)) return std::nullopt;
    std::size_t at = 2, size = static_cast<unsigned char>(buffer_[1]);
    const std::size_t bytes = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (!fill(at + bytes)) return std::nullopt;
    if (bytes != 0) size = 0;
    for (; at < 2 + bytes; ++at) size = size << 8 | static_cast<unsigned char>(buffer_[at]);
    if (!fill(at + size)) return std::nullopt;
    Frame frame{buffer_[0] & 0xf, buffer_.substr(at, size)};
    buffer_.erase(0, at + size);
    if (frame.opcode != 9) return frame;
    send(ws_frame(0x8a, frame.payload));
  }
}

int RawSocket::close_code() {
  while (const auto frame = read()) {
    if (frame->opcode != 8) continue;
    const auto& payload = frame->payload;
    if (payload.size() < 2) return 1005;
    return static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
  }
  return 0;
}

}  // namespace bottega::test
