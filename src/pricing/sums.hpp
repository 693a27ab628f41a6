#pragma once
// Sums of amounts that must fit 64 bits; all of them are of one currency.
#include "bottega/core/money.hpp"

namespace bottega::pricing {

[[noreturn]] inline void too_large() { throw Error(Code::invalid, "the amount is too large"); }

inline std::int64_t plus(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) too_large();
  return sum;
}

inline std::int64_t times(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) too_large();
  return product;
}

}  // namespace bottega::pricing
