#pragma once
// What the fuzz targets share. A target is a function over bytes; whatever it finds wrong aborts,
// and libFuzzer keeps the bytes.
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "bottega/core/error.hpp"

namespace bottega::fuzz {

// Defined once by each target.
void run(std::string_view input);

inline void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "this does not hold: %s\n", what);
  std::abort();
}

// RFC 3629, table 3-7 of Unicode; by nobody's code but this.
inline bool is_utf8(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = at(i);
    const std::size_t more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || i + more >= text.size()) return false;
    for (std::size_t k = 1; k <= more; ++k)
      if (at(i + k) < 0x80 || at(i + k) > 0xbf) return false;
    if ((lead == 0xe0 && at(i + 1) < 0xa0) || (lead == 0xed && at(i + 1) > 0x9f) ||
        (lead == 0xf0 && at(i + 1) < 0x90) || (lead == 0xf4 && at(i + 1) > 0x8f))
      return false;
    i += more + 1;
  }
  return true;
}

// What the work answers; none where it refuses the input, which it may only do in words that fit
// into a problem document, and never as a fault of ours.
template <class Work>
auto answer_of(Work&& work) -> std::optional<decltype(work())> {
  try {
    return work();
  } catch (const Error& error) {
    check(error.code() != Code::internal, "bad input is not our fault");
    check(is_utf8(error.what()), "a refusal is in UTF-8");
    for (const auto& fault : error.faults())
      check(is_utf8(fault.pointer) && is_utf8(fault.detail), "a fault is in UTF-8");
    return std::nullopt;
  }
}

// Takes numbers and pieces from the front of the input.
class Input {
 public:
  explicit Input(std::string_view bytes) : left_(bytes) {}
  std::size_t number() {
    if (left_.empty()) return 0;
    const auto byte = static_cast<unsigned char>(left_.front());
    left_.remove_prefix(1);
    return byte;
  }
  // Up to the next zero byte, or all of it.
  std::string_view piece() {
    const auto end = std::min(left_.find('\0'), left_.size());
    const auto piece = left_.substr(0, end);
    left_.remove_prefix(std::min(end + 1, left_.size()));
    return piece;
  }
  std::string_view rest() const { return left_; }

 private:
  std::string_view left_;
};

}  // namespace bottega::fuzz
