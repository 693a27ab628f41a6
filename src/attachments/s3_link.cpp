#include "attachments/s3_link.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cctype>
#include <charconv>

namespace bottega::attachments {
namespace {

using asio::ip::tcp;

constexpr std::size_t kHeadMax = 16'384, kReadSize = 65'536;

asio::ssl::context& client_tls() {
  static asio::ssl::context context = [] {
    asio::ssl::context made(asio::ssl::context::tls_client);
    made.set_default_verify_paths();
    made.set_verify_mode(asio::ssl::verify_peer);
    return made;
  }();
  return context;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return out;
}

template <class T>
std::optional<T> number_in(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  T value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{}) return std::nullopt;
  return value;
}

S3Answer answer_in(std::string_view head) {
  S3Answer answer;
  if (head.starts_with("HTTP/1.1 ") || head.starts_with("HTTP/1.0 "))
    answer.status = number_in<unsigned>(head.substr(9, 3)).value_or(0);
  if (answer.status < 100) throw NoAnswer{"that is not HTTP"};
  while (!head.empty()) {
    const auto line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(line.size() + 2, head.size()));
    const auto colon = line.find(':');
    if (colon != line.npos && lower(line.substr(0, colon)) == "content-length")
      answer.length = number_in<std::uint64_t>(line.substr(colon + 1));
  }
  return answer;
}

}  // namespace

std::optional<S3Address> s3_address(std::string_view url) {
  S3Address address;
  address.tls = url.starts_with("https://");
  if (!address.tls && !url.starts_with("http://")) return std::nullopt;
  url.remove_prefix(address.tls ? 8 : 7);
  while (url.ends_with('/')) url.remove_suffix(1);
  const auto colon = url.find(':');
  address.authority = url;
  address.host = url.substr(0, colon);
  address.port = colon == url.npos ? (address.tls ? "443" : "80") : url.substr(colon + 1);
  const bool valid = !address.host.empty() && url.find_first_of("/?#@ ") == url.npos &&
                     number_in<std::uint16_t>(address.port).has_value();
  if (!valid) return std::nullopt;
  return address;
}

struct S3Link::Parts {
  Parts(const asio::any_io_executor& executor, S3Address to, std::chrono::milliseconds limit)
      : address(std::move(to)),
        timeout(limit),
        resolver(executor),
        socket(executor),
        timer(executor) {
    if (address.tls) tls.emplace(socket, client_tls());
  }

  void close() {
    resolver.cancel();
    boost::system::error_code ignored;
    socket.close(ignored);
  }

  S3Address address;
  std::chrono::milliseconds timeout;
  tcp::resolver resolver;
  tcp::socket socket;
  asio::steady_timer timer;
  std::optional<asio::ssl::stream<tcp::socket&>> tls;
  std::string buffer;
  std::string left_over;  // of the body, that came with the head
};

namespace {

// Closes the socket unless what is waited for comes within the limit of silence.
template <class Parts>
class Watch {
 public:
  explicit Watch(const std::shared_ptr<Parts>& parts) : timer_(parts->timer) {
    timer_.expires_after(parts->timeout);
    timer_.async_wait([weak = std::weak_ptr<Parts>(parts)](boost::system::error_code failed) {
      const auto still = weak.lock();
      if (!failed && still) still->close();
    });
  }
  ~Watch() { timer_.cancel(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  asio::steady_timer& timer_;
};

void require(const boost::system::error_code& failed, const char* doing) {
  if (failed) throw NoAnswer{std::string(doing) + ": " + failed.message()};
}

}  // namespace

S3Link::S3Link(const asio::any_io_executor& executor, S3Address address,
               std::chrono::milliseconds timeout)
    : parts_(std::make_shared<Parts>(executor, std::move(address), timeout)) {}
S3Link::~S3Link() { parts_->close(); }

asio::awaitable<void> S3Link::connect() {
  const Watch<Parts> watch(parts_);
  auto& parts = *parts_;
  const auto token = asio::as_tuple(asio::use_awaitable);
  const auto [unresolved, endpoints] =
      co_await parts.resolver.async_resolve(parts.address.host, parts.address.port, token);
  require(unresolved, "resolving");
  const auto [refused, endpoint] = co_await asio::async_connect(parts.socket, endpoints, token);
  require(refused, "connecting");
  if (!parts.tls) co_return;
  SSL_set_tlsext_host_name(parts.tls->native_handle(), parts.address.host.c_str());
  parts.tls->set_verify_callback(asio::ssl::host_name_verification(parts.address.host));
  const auto [distrusted] =
      co_await parts.tls->async_handshake(asio::ssl::stream_base::client, token);
  require(distrusted, "TLS");
}

asio::awaitable<void> S3Link::send(std::string_view bytes) {
  const Watch<Parts> watch(parts_);
  const auto token = asio::as_tuple(asio::use_awaitable);
  const auto buffer = asio::buffer(bytes.data(), bytes.size());
  if (parts_->tls) {
    const auto [failed, count] = co_await asio::async_write(*parts_->tls, buffer, token);
    require(failed, "sending");
  } else {
    const auto [failed, count] = co_await asio::async_write(parts_->socket, buffer, token);
    require(failed, "sending");
  }
}

asio::awaitable<std::string_view> S3Link::read() {
  if (!parts_->left_over.empty()) {
    parts_->buffer = std::exchange(parts_->left_over, {});
    co_return std::string_view(parts_->buffer);
  }
  const Watch<Parts> watch(parts_);
  auto& buffer = parts_->buffer;
  buffer.resize(kReadSize);
  const auto space = asio::buffer(buffer.data(), buffer.size());
  const auto token = asio::as_tuple(asio::use_awaitable);
  std::size_t size = 0;
  if (parts_->tls) {
    const auto [failed, count] = co_await parts_->tls->async_read_some(space, token);
    if (failed && failed != asio::error::eof) require(failed, "receiving");
    size = count;
  } else {
    const auto [failed, count] = co_await parts_->socket.async_read_some(space, token);
    if (failed && failed != asio::error::eof) require(failed, "receiving");
    size = count;
  }
  co_return std::string_view(buffer.data(), size);
}

asio::awaitable<S3Answer> S3Link::receive() {
  std::string head;
  for (;;) {
    const auto end = head.find("\r\n\r\n");
    if (end != std::string::npos) {
      const auto answer = answer_in(std::string_view(head).substr(0, end));
      head.erase(0, end + 4);
      if (answer.status >= 200) {
        parts_->left_over = std::move(head);
        co_return answer;
      }
      continue;  // 100 Continue
    }
    if (head.size() > kHeadMax) throw NoAnswer{"the answer's head is too long"};
    const auto more = co_await read();
    if (more.empty()) throw NoAnswer{"the connection was closed"};
    head += more;
  }
}

}  // namespace bottega::attachments
