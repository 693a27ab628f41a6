#pragma once
// A request's body that is handed over as it comes. The handler pulls: what it does not ask for is
// not read, and a client that waits for 100 Continue is told to go on only then.
#include "gateway/chunked.hpp"
#include "gateway/deadline.hpp"
#include "gateway/head.hpp"
#include "gateway/stream.hpp"

namespace bottega::gateway {

// How slow a body may be: so long, and then so many bytes a second on the average.
struct Pace {
  std::chrono::seconds grace;
  std::int64_t bytes_per_s;
  using Clock = std::chrono::steady_clock;
  Clock::time_point began = Clock::now();

  // How long it may take until the next byte, with so many there.
  std::chrono::milliseconds left(std::uint64_t bytes, Clock::time_point now = Clock::now()) const;
};

class BodyStream final : public Incoming {
 public:
  // `buffer` holds what was read behind the head, and what is behind the body in the end.
  BodyStream(Stream& stream, std::string& buffer, const Framing& framing, Pace pace);

  std::optional<std::uint64_t> length() const override;
  void limit(std::uint64_t bytes_max) override;
  asio::awaitable<std::string_view> next() override;
  // Whether the connection knows where the next request begins.
  bool is_whole() const;

 private:
  asio::awaitable<void> read_more();
  asio::awaitable<void> say_continue();
  void take_from_buffer();

  Stream& stream_;
  std::string& buffer_;
  Framing framing_;
  Pace pace_;
  ChunkedDecoder decoder_;
  std::uint64_t left_;          // of a body of known length
  std::uint64_t received_ = 0;  // from the socket
  std::string piece_;
};

}  // namespace bottega::gateway
