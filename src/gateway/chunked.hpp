#pragma once
// A chunked body (RFC 9112, 7.1), strictly: no extensions, no trailers, exact CRLFs.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace bottega::gateway {

class ChunkedDecoder {
 public:
  explicit ChunkedDecoder(std::size_t body_max) : body_max_(body_max) {}

  // Takes bytes as they come; answers how many belonged to this body. Throws Error(malformed) or,
  // over the limit, Error(too_large).
  std::size_t feed(std::string_view bytes);
  bool done() const { return state_ == State::done; }
  // What has come since the last time.
  std::string take() { return std::exchange(body_, {}); }
  // From now on the whole body may have so many bytes; what has come already counts.
  void limit(std::size_t body_max);

 private:
  enum class State : std::uint8_t { size, size_lf, data, data_cr, data_lf, last_cr, last_lf, done };
  void step(char c);
  void take_size_digit(char c);

  void check(std::size_t more) const;

  std::size_t body_max_;
  std::size_t total_ = 0;  // bytes of the body so far
  State state_ = State::size;
  std::size_t left_ = 0;  // bytes of the present chunk still to come
  unsigned digits_ = 0;
  std::string body_;
};

}  // namespace bottega::gateway
