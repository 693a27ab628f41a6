#include "gateway/pour.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/chunk_encode.hpp>

#include "bottega/core/log.hpp"

namespace bottega::gateway {
namespace {

namespace http = boost::beast::http;

asio::awaitable<std::string_view> next_of(Outgoing& body) {
  try {
    co_return co_await body.next();
  } catch (const Error& error) {
    log::error("download.broken", {{"error", std::string(error.what())}});
  }
  throw Gone{};
}

asio::awaitable<void> write_piece(Stream& stream, std::string_view bytes, bool chunked) {
  const auto piece = asio::buffer(bytes.data(), bytes.size());
  if (chunked) {
    const auto chunk = http::make_chunk(piece);
    co_await asio::async_write(stream, chunk, asio::use_awaitable);
  } else {
    co_await asio::async_write(stream, piece, asio::use_awaitable);
  }
}

}  // namespace

asio::awaitable<void> pour(Stream& stream, Outgoing& body, Pace pace, bool chunked) {
  const auto length = body.length();
  std::uint64_t sent = 0;
  while (!length || sent < *length) {
    const auto bytes = co_await next_of(body);
    if (bytes.empty() && !length) break;
    if (bytes.empty() || (length && bytes.size() > *length - sent)) throw Gone{};
    stream.expires_after(std::max(pace.left(sent), std::chrono::milliseconds(1)));
    co_await write_piece(stream, bytes, chunked);
    sent += bytes.size();
  }
  if (!chunked) co_return;
  const auto last = http::make_chunk_last();
  co_await asio::async_write(stream, last, asio::use_awaitable);
}

}  // namespace bottega::gateway
