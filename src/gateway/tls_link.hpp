#pragma once
// TLS over a TCP stream. asio::ssl::stream keeps 34 KB of buffers for each connection and as much
// again in a BIO pair, whether it has something to say or not; this one keeps half a kilobyte.
// Lives on the connection's thread.
#include <openssl/ssl.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/openssl.hpp"

namespace bottega::gateway {

class TlsLink : public std::enable_shared_from_this<TlsLink> {
 public:
  // Called once, never from within the call that asked for it: what went wrong, and how many bytes.
  using Done = std::function<void(boost::beast::error_code, std::size_t)>;

  // Obeys the deadline that is set for `tcp`. The context is a server's.
  TlsLink(boost::beast::tcp_stream& tcp, SSL_CTX* context);
  // Nothing is read or written any more; the stream may go.
  void leave() { tcp_ = nullptr; }

  void handshake(Done done);
  // One handshake or read at a time, and any number of writes.
  void read(boost::asio::mutable_buffer into, Done done);
  void write(boost::asio::const_buffer from, Done done);
  // Says that nothing more will come (RFC 8446, 6.1), as far as the socket takes it at once.
  void finish();

 private:
  struct Bio;
  // An SSL call that waits for input.
  using Call = std::function<int(SSL*)>;

  void start(Call call, Done done);
  void go_on();
  void take_in();
  void complete(boost::beast::error_code failed, std::size_t count);
  void flush();
  void flushed(boost::beast::error_code failed);
  // Behind whatever runs on this thread already.
  void post(Done done, boost::beast::error_code failed, std::size_t count);

  boost::beast::tcp_stream* tcp_;
  boost::beast::tcp_stream::executor_type executor_;
  std::unique_ptr<SSL, openssl::Freed<SSL_free>> ssl_;
  Call call_;
  Done done_;
  // What was read and not yet looked at: in `small_`, or in `large_` where much comes.
  std::array<char, 512> small_;
  std::string large_;
  std::string_view in_;
  bool comes_much_ = false;
  // Records on their way out.
  std::string pending_, sending_;
  std::vector<std::pair<Done, std::size_t>> pending_done_, sending_done_;
  bool is_flushing_ = false;
};

}  // namespace bottega::gateway
