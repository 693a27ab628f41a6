#pragma once
// One socket, plain or TLS, behind one type: Beast is instantiated once for both. Every operation
// obeys the deadline that was set last.
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket/teardown.hpp>
#include <optional>

namespace bottega::gateway {
namespace asio = boost::asio;
namespace beast = boost::beast;

class Stream {
 public:
  using executor_type = beast::tcp_stream::executor_type;
  using lowest_layer_type = beast::tcp_stream;

  Stream(asio::ip::tcp::socket socket, asio::ssl::context* tls) : tcp_(std::move(socket)) {
    if (tls != nullptr) tls_.emplace(tcp_, *tls);
  }

  executor_type get_executor() { return tcp_.get_executor(); }
  beast::tcp_stream& tcp() { return tcp_; }
  bool is_tls() const { return tls_.has_value(); }
  void expires_after(std::chrono::nanoseconds wait) { tcp_.expires_after(wait); }
  void expires_never() { tcp_.expires_never(); }

  asio::awaitable<void> handshake() {
    if (tls_) co_await tls_->async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
  }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (tls_) return tls_->async_read_some(buffers, std::forward<Token>(token));
    return tcp_.async_read_some(buffers, std::forward<Token>(token));
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    if (tls_) return tls_->async_write_some(buffers, std::forward<Token>(token));
    return tcp_.async_write_some(buffers, std::forward<Token>(token));
  }

  // What Beast's WebSocket calls at the end (its teardown customisation point).
  template <class Handler>
  friend void async_teardown(beast::role_type role, Stream& stream, Handler&& handler) {
    using beast::websocket::async_teardown;
    async_teardown(role, stream.tcp_.socket(), std::forward<Handler>(handler));
  }
  friend void teardown(beast::role_type role, Stream& stream, beast::error_code& ec) {
    using beast::websocket::teardown;
    teardown(role, stream.tcp_.socket(), ec);
  }
  friend void beast_close_socket(Stream& stream) { stream.tcp_.close(); }

 private:
  beast::tcp_stream tcp_;
  std::optional<asio::ssl::stream<beast::tcp_stream&>> tls_;
};

}  // namespace bottega::gateway
