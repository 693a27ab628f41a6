#include "gateway/body_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

namespace bottega::gateway {
namespace {

constexpr std::size_t kReadSize = 65'536;

}  // namespace

std::chrono::milliseconds Pace::left(std::uint64_t bytes, Clock::time_point now) const {
  const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(now - began);
  const auto earned =
      std::chrono::milliseconds(static_cast<std::int64_t>(bytes) * 1'000 / bytes_per_s);
  return std::chrono::milliseconds(grace) + earned - spent;
}

BodyStream::BodyStream(Stream& stream, std::string& buffer, const Framing& framing, Pace pace)
    : stream_(stream),
      buffer_(buffer),
      framing_(framing),
      pace_(pace),
      decoder_(SIZE_MAX),
      left_(framing.kind == Framing::Kind::length ? framing.length : 0) {}

std::optional<std::uint64_t> BodyStream::length() const {
  if (framing_.kind == Framing::Kind::chunked) return std::nullopt;
  return framing_.length;
}

void BodyStream::limit(std::uint64_t bytes_max) {
  if (framing_.kind == Framing::Kind::chunked) return decoder_.limit(bytes_max);
  if (framing_.length > bytes_max)
    throw Error(Code::too_large, "the body is larger than " + std::to_string(bytes_max) + " bytes");
}

bool BodyStream::is_whole() const {
  return framing_.kind == Framing::Kind::chunked ? decoder_.done() : left_ == 0;
}

asio::awaitable<std::string_view> BodyStream::next() {
  piece_.clear();
  if (framing_.expect_continue && buffer_.empty() && !is_whole()) co_await say_continue();
  framing_.expect_continue = false;
  for (take_from_buffer(); piece_.empty() && !is_whole(); take_from_buffer()) co_await read_more();
  co_return std::string_view(piece_);
}

void BodyStream::take_from_buffer() {
  if (framing_.kind == Framing::Kind::chunked) {
    buffer_.erase(0, decoder_.feed(buffer_));
    piece_ = decoder_.take();
    return;
  }
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, buffer_.size()));
  piece_ = buffer_.substr(0, size);
  buffer_.erase(0, size);
  left_ -= size;
}

asio::awaitable<void> BodyStream::read_more() {
  const auto wait = pace_.left(received_);
  if (wait.count() <= 0) throw Error(Code::request_timeout, "the body comes too slowly");
  stream_.expires_never();
  Deadline deadline(stream_.tcp());
  deadline.arm(wait);
  const auto old = buffer_.size();
  buffer_.resize(old + kReadSize);
  const auto space = asio::buffer(buffer_.data() + old, kReadSize);
  const auto token = asio::as_tuple(asio::use_awaitable);
  const auto [failed, count] = co_await stream_.async_read_some(space, token);
  buffer_.resize(old + count);
  received_ += count;
  if (deadline.has_passed()) throw Error(Code::request_timeout, "the body comes too slowly");
  if (failed) throw Error(Code::malformed, "the connection ended within the body");
}

asio::awaitable<void> BodyStream::say_continue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  const auto bytes = asio::buffer(kContinue.data(), kContinue.size());
  const auto token = asio::as_tuple(asio::use_awaitable);
  stream_.expires_after(pace_.grace);
  const auto [failed, count] = co_await asio::async_write(stream_, bytes, token);
  if (failed) throw Error(Code::malformed, "the connection ended before the body");
}

}  // namespace bottega::gateway
