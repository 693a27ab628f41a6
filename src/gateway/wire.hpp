#pragma once
// What goes out on one socket: whole frames, gathered while a write is under way and written
// together, so that many small ones cost one system call. Beast writes its control frames through
// the same place, so no frame lands inside another. Lives on the socket's thread.
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "gateway/stream.hpp"

namespace bottega::gateway {

class Wire {
 public:
  explicit Wire(Stream& stream) : stream_(stream) {}

  // Queues a text frame (RFC 6455, 5.2: final, not masked); `deflated`: see deflate.hpp.
  enum class Form : std::uint8_t { plain, deflated };
  void text(std::string_view payload, Form form = Form::plain);
  // Queues bytes of Beast's own; `done` is called when they are written, or cannot be.
  using Done = std::function<void(beast::error_code)>;
  void raw(std::string_view bytes, Done done);
  // Forgets the frames that are queued and not yet being written, unless Beast waits for some.
  void drop();
  // Takes nothing more and forgets what is queued.
  void stop();

  std::size_t queued_bytes() const { return pending_.size() + sending_.size(); }
  // Whether it has let go of the stream.
  bool is_idle() const { return !is_flushing_; }

 private:
  void wake();
  void flush();

  Stream& stream_;
  std::string pending_, sending_;
  std::vector<Done> pending_done_, sending_done_;
  bool is_flushing_ = false, is_stopped_ = false;
};

// The layer below Beast's WebSocket: reads from the stream, writes through the wire.
class WireLayer {
 public:
  using executor_type = Stream::executor_type;

  WireLayer(Stream& stream, Wire& wire) : stream_(stream), wire_(wire) {}
  executor_type get_executor() { return stream_.get_executor(); }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return stream_.async_read_some(buffers, std::forward<Token>(token));
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    const auto start = [this](auto handler, const Buffers& given) {
      const auto bytes = beast::buffers_to_string(given);
      const auto shared = std::make_shared<decltype(handler)>(std::move(handler));
      wire_.raw(bytes, [this, shared, size = bytes.size()](beast::error_code failed) {
        asio::post(get_executor(), beast::bind_front_handler(std::move(*shared), failed, size));
      });
    };
    return asio::async_initiate<Token, void(beast::error_code, std::size_t)>(start, token, buffers);
  }

  template <class Handler>
  friend void async_teardown(beast::role_type role, WireLayer& layer, Handler&& handler) {
    async_teardown(role, layer.stream_, std::forward<Handler>(handler));
  }
  friend void teardown(beast::role_type role, WireLayer& layer, beast::error_code& ec) {
    teardown(role, layer.stream_, ec);
  }
  friend void beast_close_socket(WireLayer& layer) { beast_close_socket(layer.stream_); }

 private:
  Stream& stream_;
  Wire& wire_;
};

}  // namespace bottega::gateway
