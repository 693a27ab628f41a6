#include "support/http_push_service.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <stdexcept>

#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using namespace std::string_literals;

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string hmac(const std::string& key, const std::string& text) {
  std::string sum(32, '\0');
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(),
       reinterpret_cast<unsigned char*>(sum.data()), nullptr);
  return sum;
}

std::string open_record(const std::string& key, const std::string& nonce,
                        const std::string& record) {
  if (record.size() < 17) throw std::runtime_error("the record is too short");
  std::string tag = record.substr(record.size() - 16);
  std::string out(record.size() - 16, '\0');
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int size = 0;
  EVP_DecryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, bytes_of(key), bytes_of(nonce));
  EVP_DecryptUpdate(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                    bytes_of(record), static_cast<int>(out.size()));
  EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, 16, tag.data());
  if (EVP_DecryptFinal_ex(context.get(), reinterpret_cast<unsigned char*>(out.data()) + size,
                          &size) != 1)
    throw std::runtime_error("the tag is wrong");
  return out;
}

}  // namespace

std::string decrypt(const notifications::KeyPair& keys, const std::string& auth,
                    const std::string& body) {
  if (body.size() < 86 || body[20] != '\x41') throw std::runtime_error("no header of aes128gcm");
  const auto salt = body.substr(0, 16), sender = body.substr(21, 65);
  const auto mixed = hmac(auth, keys.shared_secret(sender));
  const auto material = hmac(mixed, "WebPush: info\0"s + keys.public_key() + sender + '\x01');
  const auto root = hmac(salt, material);
  const auto key = hmac(root, "Content-Encoding: aes128gcm\0\x01"s).substr(0, 16);
  const auto nonce = hmac(root, "Content-Encoding: nonce\0\x01"s).substr(0, 12);
  return open_record(key, nonce, body.substr(86));
}

Device::Device() : keys_(notifications::KeyPair::make()), auth_(16, '\0') {
  fill_random(std::as_writable_bytes(std::span(auth_.data(), auth_.size())));
}

Json Device::subscription(const std::string& endpoint, const std::string& content) const {
  return {{"endpoint", endpoint},
          {"keys", {{"p256dh", base64url(keys_.public_key())}, {"auth", base64url(auth_)}}},
          {"content", content}};
}

std::string Device::open(const std::string& body) const {
  const auto padded = decrypt(keys_, auth_, body);
  const auto end = padded.find_last_not_of('\0');
  if (end == padded.npos || padded[end] != '\x02') throw std::runtime_error("no last record");
  return padded.substr(0, end);
}

struct PushService::Parts {
  asio::io_context io{1};
  std::unique_ptr<asio::ssl::context> tls;
  tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
  mutable std::mutex mutex;  // owns what follows
  std::condition_variable came;
  unsigned status = 201;
  Manner manner = Manner::answers;
  std::map<std::string, std::string> headers;
  std::vector<Received> received;
  std::size_t taken = 0;
  std::thread thread;

  asio::awaitable<void> accept_loop() {
    while (true) {
      auto socket = co_await acceptor.async_accept(asio::use_awaitable);
      asio::co_spawn(io, serve(std::move(socket)), asio::detached);
    }
  }

  asio::awaitable<void> serve(tcp::socket socket) {
    try {
      if (!tls) {
        co_await talk(socket);
      } else {
        asio::ssl::stream<tcp::socket> secure(std::move(socket), *tls);
        co_await secure.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
        co_await talk(secure);
      }
    } catch (const std::exception&) {
      // A client that goes away, or trusts us not, is what some tests are about.
    }
  }

  template <class Stream>
  asio::awaitable<void> talk(Stream& stream) {
    boost::beast::flat_buffer buffer;
    http::request<http::string_body> request;
    co_await http::async_read(stream, buffer, request, asio::use_awaitable);
    http::response<http::string_body> response;
    bool hangs = false;
    {
      const std::lock_guard lock(mutex);
      received.push_back(received_of(request));
      hangs = manner == Manner::hangs;
      response.result(status);
      for (const auto& [name, value] : headers) response.set(name, value);
    }
    came.notify_all();
    if (hangs) {
      asio::steady_timer for_ever(stream.get_executor(), asio::steady_timer::time_point::max());
      co_await for_ever.async_wait(asio::use_awaitable);
    }
    response.prepare_payload();
    co_await http::async_write(stream, response, asio::use_awaitable);
  }

  static Received received_of(const http::request<http::string_body>& request) {
    Received out;
    out.path = std::string(request.target());
    out.body = request.body();
    for (const auto& field : request) {
      std::string name(field.name_string());
      for (auto& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      out.headers[name] = std::string(field.value());
    }
    return out;
  }
};

PushService::PushService(const std::string& certificate, const std::string& key)
    : parts_(std::make_unique<Parts>()) {
  if (!certificate.empty()) {
    parts_->tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
    parts_->tls->use_certificate_chain_file(certificate);
    parts_->tls->use_private_key_file(key, asio::ssl::context::pem);
  }
  port_ = parts_->acceptor.local_endpoint().port();
  asio::co_spawn(parts_->io, parts_->accept_loop(), asio::detached);
  parts_->thread = std::thread([parts = parts_.get()] { parts->io.run(); });
}

PushService::~PushService() {
  parts_->io.stop();
  parts_->thread.join();
}

std::string PushService::url(const std::string& path, const std::string& host) const {
  const std::string scheme = parts_->tls ? "https://" : "http://";
  return scheme + host + ':' + std::to_string(port_) + path;
}

void PushService::answer(unsigned status, const std::map<std::string, std::string>& headers) {
  const std::lock_guard lock(parts_->mutex);
  parts_->manner = Manner::answers;
  parts_->status = status;
  parts_->headers = headers;
}

void PushService::hang() {
  const std::lock_guard lock(parts_->mutex);
  parts_->manner = Manner::hangs;
}

std::optional<PushService::Received> PushService::next() {
  std::unique_lock lock(parts_->mutex);
  const auto is_there = [this] { return parts_->received.size() > parts_->taken; };
  if (!parts_->came.wait_for(lock, std::chrono::seconds(10), is_there)) return std::nullopt;
  return parts_->received[parts_->taken++];
}

std::size_t PushService::count() const {
  const std::lock_guard lock(parts_->mutex);
  return parts_->received.size();
}

}  // namespace bottega::test
