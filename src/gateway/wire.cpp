#include "gateway/wire.hpp"

#include <boost/asio/write.hpp>

namespace bottega::gateway {
namespace {

constexpr char kFinalText = static_cast<char>(0x81), kDeflatedText = static_cast<char>(0xc1);

void put_header(std::string& out, std::size_t size, Wire::Form form) {
  out += form == Wire::Form::plain ? kFinalText : kDeflatedText;
  if (size < 126) {
    out += static_cast<char>(size);
    return;
  }
  const int bytes = size <= 0xffff ? 2 : 8;
  out += static_cast<char>(bytes == 2 ? 126 : 127);
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out += static_cast<char>((size >> shift) & 0xff);
}

}  // namespace

void Wire::text(std::string_view payload, Form form) {
  if (is_stopped_) return;
  put_header(pending_, payload.size(), form);
  pending_ += payload;
  wake();
}

void Wire::raw(std::string_view bytes, Done done) {
  if (is_stopped_) return done(asio::error::broken_pipe);
  pending_ += bytes;
  pending_done_.push_back(std::move(done));
  wake();
}

void Wire::drop() {
  if (pending_done_.empty()) pending_.clear();
}

void Wire::stop() {
  is_stopped_ = true;
  pending_.clear();
  for (const auto& done : std::exchange(pending_done_, {})) done(asio::error::broken_pipe);
}

// Behind whatever runs on this thread already, which may have more to say.
void Wire::wake() {
  if (std::exchange(is_flushing_, true)) return;
  asio::post(stream_.get_executor(), [this] { flush(); });
}

void Wire::flush() {
  if (pending_.empty() || is_stopped_) {
    is_flushing_ = false;
    // An idle socket keeps no memory for what it may have to send.
    pending_ = {};
    sending_ = {};
    return;
  }
  std::swap(pending_, sending_);
  std::swap(pending_done_, sending_done_);
  asio::async_write(stream_, asio::buffer(sending_), [this](beast::error_code failed, std::size_t) {
    sending_.clear();
    for (const auto& done : std::exchange(sending_done_, {})) done(failed);
    if (failed) stop();
    flush();
  });
}

}  // namespace bottega::gateway
