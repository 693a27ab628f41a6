#include "gateway/tls_link.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>
#include <cstring>

#include "bottega/core/error.hpp"

namespace bottega::gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;

constexpr std::size_t kLarge = 16'384, kRecordMax = 16'384;

beast::error_code error_of(int why) {
  if (why == SSL_ERROR_NONE) return {};
  if (why == SSL_ERROR_ZERO_RETURN) return asio::error::eof;
  if (why == SSL_ERROR_WANT_READ) return asio::error::operation_aborted;
  const auto code = ERR_get_error();
  if (code == 0) return asio::error::connection_aborted;
  return {static_cast<int>(code), asio::error::get_ssl_category()};
}

}  // namespace

// Where OpenSSL reads and writes its records (BIO_meth_new(3)): no buffer of its own.
struct TlsLink::Bio {
  static TlsLink& link(BIO* bio) { return *static_cast<TlsLink*>(BIO_get_data(bio)); }

  static int write(BIO* bio, const char* data, std::size_t size, std::size_t* written) {
    BIO_clear_retry_flags(bio);
    link(bio).pending_.append(data, size);
    *written = size;
    return 1;
  }
  static int read(BIO* bio, char* data, std::size_t size, std::size_t* count) {
    BIO_clear_retry_flags(bio);
    auto& in = link(bio).in_;
    *count = std::min(size, in.size());
    if (*count == 0) {
      BIO_set_retry_read(bio);
      return 0;
    }
    std::memcpy(data, in.data(), *count);
    in.remove_prefix(*count);
    return 1;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH; }

  static const BIO_METHOD* method() {
    static const BIO_METHOD* const made = [] {
      auto* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "link");
      BIO_meth_set_write_ex(method, write);
      BIO_meth_set_read_ex(method, read);
      BIO_meth_set_ctrl(method, control);
      return method;
    }();
    return made;
  }
};

TlsLink::TlsLink(beast::tcp_stream& tcp, SSL_CTX* context)
    : tcp_(&tcp), executor_(tcp.get_executor()), ssl_(SSL_new(context)) {
  auto* bio = BIO_new(Bio::method());
  if (!ssl_ || bio == nullptr) throw Error(Code::busy, "no memory for TLS");
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_accept_state(ssl_.get());
}

void TlsLink::handshake(Done done) { start(SSL_do_handshake, std::move(done)); }

void TlsLink::read(asio::mutable_buffer into, Done done) {
  if (into.size() == 0) return post(std::move(done), {}, 0);
  const auto size = static_cast<int>(std::min(into.size(), kRecordMax));
  start([data = into.data(), size](SSL* ssl) { return SSL_read(ssl, data, size); },
        std::move(done));
}

void TlsLink::write(asio::const_buffer from, Done done) {
  if (from.size() == 0) return post(std::move(done), {}, 0);
  // What was read before the peer was lost may still be answered.
  if (tcp_ == nullptr) return post(std::move(done), asio::error::broken_pipe, 0);
  ERR_clear_error();
  const auto size = static_cast<int>(std::min(from.size(), kRecordMax));
  const auto count = SSL_write(ssl_.get(), from.data(), size);
  if (count <= 0) {
    const auto why = SSL_get_error(ssl_.get(), count);
    return post(std::move(done), error_of(why), 0);
  }
  pending_done_.emplace_back(std::move(done), static_cast<std::size_t>(count));
  flush();
}

void TlsLink::finish() {
  if (SSL_is_init_finished(ssl_.get()) == 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  flush();
}

void TlsLink::start(Call call, Done done) {
  call_ = std::move(call);
  done_ = std::move(done);
  go_on();
}

void TlsLink::go_on() {
  ERR_clear_error();
  const auto count = call_(ssl_.get());
  const auto why = count > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), count);
  const auto failed = why == SSL_ERROR_WANT_READ && tcp_ ? beast::error_code{} : error_of(why);
  flush();  // alerts and tickets
  if (why == SSL_ERROR_WANT_READ && tcp_) return take_in();
  complete(failed, count > 0 ? static_cast<std::size_t>(count) : 0);
}

void TlsLink::take_in() {
  if (comes_much_)
    large_.resize(kLarge);
  else
    large_ = {};
  const auto space = comes_much_ ? asio::buffer(large_) : asio::buffer(small_);
  tcp_->async_read_some(
      space, [self = shared_from_this(), space](beast::error_code failed, std::size_t count) {
        if (failed == asio::error::eof) failed = asio::ssl::error::stream_truncated;
        if (failed) return self->complete(failed, 0);
        self->in_ = {static_cast<const char*>(space.data()), count};
        self->comes_much_ = count == space.size();
        self->go_on();
      });
}

void TlsLink::complete(beast::error_code failed, std::size_t count) {
  call_ = nullptr;
  post(std::exchange(done_, nullptr), failed, count);
}

void TlsLink::flush() {
  if (is_flushing_ || pending_.empty() || tcp_ == nullptr) return;
  is_flushing_ = true;
  std::swap(pending_, sending_);
  std::swap(pending_done_, sending_done_);
  asio::async_write(*tcp_, asio::buffer(sending_),
                    [self = shared_from_this()](beast::error_code failed, std::size_t) {
                      self->flushed(failed);
                    });
}

void TlsLink::flushed(beast::error_code failed) {
  is_flushing_ = false;
  sending_ = {};
  auto done = std::exchange(sending_done_, {});
  if (failed) {
    tcp_ = nullptr;
    pending_ = {};
    for (auto& waits : std::exchange(pending_done_, {})) done.push_back(std::move(waits));
  }
  for (auto& [call, count] : done) call(failed, failed ? 0 : count);
  flush();
}

void TlsLink::post(Done done, beast::error_code failed, std::size_t count) {
  asio::post(executor_, [done = std::move(done), failed, count] { done(failed, count); });
}

}  // namespace bottega::gateway
