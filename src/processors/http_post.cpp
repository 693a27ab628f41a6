#include "processors/http_post.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <optional>

namespace bottega::processors {
namespace {

using asio::ip::tcp;
constexpr std::size_t kAnswerMax = 65'536;

// "HTTP/1.1 204 …"
unsigned status_of(std::string_view head) {
  unsigned status = 0;
  if (head.size() >= 12) std::from_chars(head.data() + 9, head.data() + 12, status);
  return status;
}

// A header's value in a head that is in lower case; none where it is not there.
std::optional<std::string_view> header(std::string_view head, std::string_view name) {
  const auto found = head.find("\r\n" + std::string(name) + ':');
  if (found == head.npos) return std::nullopt;
  auto value = head.substr(found + name.size() + 3);
  value = value.substr(0, value.find("\r\n"));
  const auto first = value.find_first_not_of(' ');
  return first == value.npos ? std::string_view() : value.substr(first);
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

// How long the body is; none where only the end of the connection would say so.
std::optional<std::size_t> length_of(unsigned status, std::string_view head) {
  if (status == 204 || status == 304) return 0;
  const auto text = header(head, "content-length");
  std::size_t length = 0;
  if (!text || text->empty()) return std::nullopt;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), length);
  if (failed != std::errc() || length > kAnswerMax) return std::nullopt;
  return length;
}

}  // namespace

struct PostLine::Target {
  std::string host, port, path;
  std::string place() const { return host + ':' + port; }

  static std::optional<Target> of(const std::string& url) {
    constexpr std::string_view scheme = "http://";
    if (!url.starts_with(scheme)) return std::nullopt;
    const auto slash = std::min(url.find('/', scheme.size()), url.size());
    const auto authority = url.substr(scheme.size(), slash - scheme.size());
    const auto colon = authority.rfind(':');
    const bool has_port = colon != std::string::npos;
    return Target{authority.substr(0, colon), has_port ? authority.substr(colon + 1) : "80",
                  slash < url.size() ? url.substr(slash) : "/"};
  }
};

// Closing the socket ends whatever waits on it: one limit for the whole of an exchange.
struct PostLine::Link : std::enable_shared_from_this<Link> {
  explicit Link(const asio::any_io_executor& executor)
      : resolver(executor), socket(executor), limit(executor) {}

  void begin(std::chrono::milliseconds timeout) {
    limit.expires_after(timeout);
    limit.async_wait(
        [self = shared_from_this(), now = ++turn](const boost::system::error_code& ended) {
          // An alarm may be on its way when it is called off.
          if (!ended && self->turn == now) self->close();
        });
  }
  void end() {
    ++turn;
    limit.cancel();
  }
  void close() {
    is_late = true;
    resolver.cancel();
    boost::system::error_code ignored;
    socket.close(ignored);
  }

  // The status of the answer; whether the connection is good for another is in is_kept.
  asio::awaitable<unsigned> exchange(const std::string& request) {
    const auto token = asio::as_tuple(asio::use_awaitable);
    is_kept = false;
    const auto bytes = asio::buffer(request);
    const auto [unsent, sent] = co_await asio::async_write(socket, bytes, token);
    if (unsent) co_return 0;
    std::string answer;
    auto space = asio::dynamic_buffer(answer, kAnswerMax);
    const auto [unread, count] = co_await asio::async_read_until(socket, space, "\r\n\r\n", token);
    if (unread) co_return 0;
    const auto head = lower(answer.substr(0, count));
    const auto status = status_of(head);
    const auto length = length_of(status, head);
    const auto come = answer.size() - count;
    if (!length || come > *length || header(head, "connection") == "close") co_return status;
    std::string rest(*length - come, '\0');
    const auto body = asio::buffer(rest);
    const auto [cut, got] = co_await asio::async_read(socket, body, token);
    is_kept = !cut;
    co_return status;
  }

  std::string place;
  tcp::resolver resolver;
  tcp::socket socket;
  asio::steady_timer limit;
  std::uint64_t turn = 0;
  bool is_late = false, is_kept = false;
};

PostLine::PostLine() = default;
PostLine::~PostLine() {
  if (link_) link_->end();
}

asio::awaitable<std::shared_ptr<PostLine::Link>> PostLine::open(const Target& target,
                                                                std::chrono::milliseconds timeout) {
  const auto executor = co_await asio::this_coro::executor;
  const auto token = asio::as_tuple(asio::use_awaitable);
  auto link = std::make_shared<Link>(executor);
  link->place = target.place();
  link->begin(timeout);
  const auto fail = [&] {
    link->end();
    return nullptr;
  };
  const auto [unresolved, endpoints] =
      co_await link->resolver.async_resolve(target.host, target.port, token);
  if (unresolved || link->is_late) co_return fail();
  const auto [refused, endpoint] = co_await asio::async_connect(link->socket, endpoints, token);
  if (refused || link->is_late) co_return fail();
  boost::system::error_code ignored;
  link->socket.set_option(tcp::no_delay(true), ignored);
  co_return link;
}

asio::awaitable<unsigned> PostLine::post(const PostCall& call) {
  const auto target = Target::of(call.url);
  if (!target) co_return 0;
  const std::string request = "POST " + target->path + " HTTP/1.1\r\nHost: " + target->place() +
                              "\r\nContent-Type: application/json\r\n"
                              "Bottega-Sandbox-Signature: " +
                              call.signature +
                              "\r\nContent-Length: " + std::to_string(call.body.size()) +
                              "\r\n\r\n" + call.body;
  for (;;) {
    auto link = std::exchange(link_, nullptr);
    if (link && link->place != target->place()) link = nullptr;
    const bool was_kept = link != nullptr;
    if (was_kept) link->begin(call.timeout);
    if (!was_kept) link = co_await open(*target, call.timeout);
    if (!link) co_return 0;
    const auto status = co_await link->exchange(request);
    link->end();
    const bool has_ended = status == 0 && was_kept && !link->is_late;
    if (has_ended) continue;  // The other side has hung up meanwhile.
    if (link->is_kept && !link->is_late) link_ = std::move(link);
    co_return status;
  }
}

}  // namespace bottega::processors
