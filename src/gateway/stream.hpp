#pragma once
// One socket, plain or TLS, behind one type: Beast is instantiated once for both. Every operation
// obeys the deadline that was set last.
#include <boost/asio/async_result.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_prefix.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket/teardown.hpp>
#include <memory>

#include "gateway/tls_link.hpp"

namespace bottega::gateway {
namespace asio = boost::asio;
namespace beast = boost::beast;

class Stream {
 public:
  using executor_type = beast::tcp_stream::executor_type;
  using lowest_layer_type = beast::tcp_stream;

  Stream(asio::ip::tcp::socket socket, asio::ssl::context* tls) : tcp_(std::move(socket)) {
    if (tls != nullptr) tls_ = std::make_shared<TlsLink>(tcp_, tls->native_handle());
  }
  ~Stream() {
    if (tls_) tls_->leave();
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  executor_type get_executor() { return tcp_.get_executor(); }
  beast::tcp_stream& tcp() { return tcp_; }
  bool is_tls() const { return tls_ != nullptr; }
  void expires_after(std::chrono::nanoseconds wait) { tcp_.expires_after(wait); }
  void expires_never() { tcp_.expires_never(); }

  asio::awaitable<void> handshake() {
    if (!tls_) co_return;
    const auto start = [this](auto handler) { tls_->handshake(done_of(std::move(handler))); };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, Signature>(start,
                                                                            asio::use_awaitable);
  }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    const auto start = [this](auto handler, const Buffers& given) {
      if (!tls_) return tcp_.async_read_some(given, std::move(handler));
      tls_->read(first_of<asio::mutable_buffer>(given), done_of(std::move(handler)));
    };
    return asio::async_initiate<Token, Signature>(start, token, buffers);
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    const auto start = [this](auto handler, const Buffers& given) {
      if (!tls_) return tcp_.async_write_some(given, std::move(handler));
      // Many small pieces, such as the fields of a head, are one record.
      const auto whole = beast::buffers_to_string(beast::buffers_prefix(kRecordMax, given));
      tls_->write(asio::buffer(whole), done_of(std::move(handler)));
    };
    return asio::async_initiate<Token, Signature>(start, token, buffers);
  }

  // Nothing more will be sent.
  void finish() {
    if (tls_) tls_->finish();
  }

  // What Beast's WebSocket calls at the end (its teardown customisation point).
  template <class Handler>
  friend void async_teardown(beast::role_type role, Stream& stream, Handler&& handler) {
    using beast::websocket::async_teardown;
    stream.finish();
    async_teardown(role, stream.tcp_.socket(), std::forward<Handler>(handler));
  }
  friend void teardown(beast::role_type role, Stream& stream, beast::error_code& ec) {
    using beast::websocket::teardown;
    teardown(role, stream.tcp_.socket(), ec);
  }
  friend void beast_close_socket(Stream& stream) { stream.tcp_.close(); }

 private:
  using Signature = void(beast::error_code, std::size_t);
  static constexpr std::size_t kRecordMax = 16'384;

  template <class Buffer, class Buffers>
  static Buffer first_of(const Buffers& buffers) {
    for (auto at = asio::buffer_sequence_begin(buffers); at != asio::buffer_sequence_end(buffers);
         ++at)
      if (const Buffer one(*at); one.size() > 0) return one;
    return {};
  }
  // A handler that may be kept; handlers cannot be copied, and the link keeps functions.
  template <class Handler>
  static TlsLink::Done done_of(Handler handler) {
    auto shared = std::make_shared<Handler>(std::move(handler));
    return [shared](beast::error_code failed, std::size_t count) {
      std::move (*shared)(failed, count);
    };
  }

  beast::tcp_stream tcp_;
  std::shared_ptr<TlsLink> tls_;
};

}  // namespace bottega::gateway
