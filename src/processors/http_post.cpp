#include "processors/http_post.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
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

struct Target {
  std::string host, port, path;
};

std::optional<Target> target_of(const std::string& url) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) return std::nullopt;
  const auto slash = std::min(url.find('/', scheme.size()), url.size());
  const auto authority = url.substr(scheme.size(), slash - scheme.size());
  const auto colon = authority.rfind(':');
  const bool has_port = colon != std::string::npos;
  return Target{authority.substr(0, colon), has_port ? authority.substr(colon + 1) : "80",
                slash < url.size() ? url.substr(slash) : "/"};
}

// "HTTP/1.1 204 …"
unsigned status_of(std::string_view answer) {
  unsigned status = 0;
  if (answer.size() >= 12) std::from_chars(answer.data() + 9, answer.data() + 12, status);
  return status;
}

}  // namespace

asio::awaitable<unsigned> post(const PostCall& call) {
  const auto target = target_of(call.url);
  if (!target) co_return 0;
  const auto executor = co_await asio::this_coro::executor;
  const auto token = asio::as_tuple(asio::use_awaitable);
  tcp::resolver resolver(executor);
  tcp::socket socket(executor);
  // Closing the socket ends whatever waits on it: one limit for the whole exchange.
  asio::steady_timer limit(executor, call.timeout);
  limit.async_wait([&](const boost::system::error_code& failed) {
    if (failed) return;
    resolver.cancel();
    boost::system::error_code ignored;
    socket.close(ignored);
  });
  const auto [unresolved, endpoints] =
      co_await resolver.async_resolve(target->host, target->port, token);
  if (unresolved) co_return 0;
  const auto [refused, endpoint] = co_await asio::async_connect(socket, endpoints, token);
  if (refused) co_return 0;
  const std::string request =
      "POST " + target->path + " HTTP/1.1\r\nHost: " + target->host + ':' + target->port +
      "\r\nContent-Type: application/json\r\nConnection: close\r\n"
      "Bottega-Sandbox-Signature: " +
      call.signature + "\r\nContent-Length: " + std::to_string(call.body.size()) + "\r\n\r\n" +
      call.body;
  const auto bytes = asio::buffer(request);
  const auto [unsent, sent] = co_await asio::async_write(socket, bytes, token);
  if (unsent) co_return 0;
  std::string answer;
  std::array<char, 4096> part{};
  while (answer.size() < kAnswerMax) {
    const auto space = asio::buffer(part);
    const auto [ended, count] = co_await socket.async_read_some(space, token);
    answer.append(part.data(), count);
    if (ended) break;
  }
  limit.cancel();
  co_return status_of(answer);
}

}  // namespace bottega::processors
