#include "gateway/chunked.hpp"

#include <algorithm>

#include "bottega/core/error.hpp"

namespace bottega::gateway {
namespace {

constexpr unsigned kDigitsMax = 8;

[[noreturn]] void refuse() { throw Error(Code::malformed, "the chunked body is not one"); }

void expect(char c, char wanted) {
  if (c != wanted) refuse();
}

}  // namespace

std::size_t ChunkedDecoder::feed(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && state_ != State::done) {
    if (state_ != State::data) {
      step(bytes[used++]);
      continue;
    }
    const auto part = std::min(left_, bytes.size() - used);
    body_.append(bytes.substr(used, part));
    total_ += part;
    used += part;
    left_ -= part;
    if (left_ == 0) state_ = State::data_cr;
  }
  return used;
}

void ChunkedDecoder::check(std::size_t more) const {
  if (total_ > body_max_ || more > body_max_ - total_)
    throw Error(Code::too_large, "the body is larger than " + std::to_string(body_max_) + " bytes");
}

void ChunkedDecoder::limit(std::size_t body_max) {
  body_max_ = body_max;
  check(left_);
}

void ChunkedDecoder::step(char c) {
  switch (state_) {
    case State::size:
      if (c != '\r') return take_size_digit(c);
      if (digits_ == 0) refuse();
      state_ = State::size_lf;
      return;
    case State::size_lf:
      expect(c, '\n');
      check(left_);
      state_ = left_ > 0 ? State::data : State::last_cr;
      return;
    case State::data_cr:
      expect(c, '\r');
      state_ = State::data_lf;
      return;
    case State::data_lf:
      expect(c, '\n');
      digits_ = 0;
      state_ = State::size;
      return;
    case State::last_cr:
      expect(c, '\r');
      state_ = State::last_lf;
      return;
    case State::last_lf:
      expect(c, '\n');
      state_ = State::done;
      return;
    case State::data:
    case State::done:
      return;
  }
}

void ChunkedDecoder::take_size_digit(char c) {
  unsigned value = 0;
  if (c >= '0' && c <= '9')
    value = static_cast<unsigned>(c - '0');
  else if (c >= 'a' && c <= 'f')
    value = static_cast<unsigned>(c - 'a' + 10);
  else if (c >= 'A' && c <= 'F')
    value = static_cast<unsigned>(c - 'A' + 10);
  else
    refuse();
  if (++digits_ > kDigitsMax) refuse();
  left_ = left_ * 16 + value;
}

}  // namespace bottega::gateway
