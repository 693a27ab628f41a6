// Checked arithmetic on money.
#include "bottega/core/money.hpp"

namespace bottega {
namespace {

void same_currency(const Money& a, const Money& b) {
  if (a.currency != b.currency) throw Error(Code::invalid, "two currencies cannot be mixed");
}

[[noreturn]] void overflow() { throw Error(Code::invalid, "the amount is too large"); }

}  // namespace

Money operator+(Money a, Money b) {
  same_currency(a, b);
  if (__builtin_add_overflow(a.amount, b.amount, &a.amount)) overflow();
  return a;
}

Money operator-(Money a, Money b) {
  same_currency(a, b);
  if (__builtin_sub_overflow(a.amount, b.amount, &a.amount)) overflow();
  return a;
}

Money operator*(Money a, std::int64_t times) {
  if (__builtin_mul_overflow(a.amount, times, &a.amount)) overflow();
  return a;
}

std::int64_t part_half_even(std::int64_t amount, std::int64_t part, std::int64_t whole) {
  if (amount < 0 || part < 0 || whole <= 0 || part > whole) overflow();
  __extension__ using Wide = __int128;
  const Wide product = Wide{amount} * part;
  const auto down = static_cast<std::int64_t>(product / whole);
  const auto twice_rest = product % whole * 2;
  return down + (twice_rest > whole || (twice_rest == whole && down % 2 == 1) ? 1 : 0);
}

std::int64_t share_half_even(std::int64_t amount, std::int64_t basis_points) {
  std::int64_t product = 0;
  if (amount < 0 || basis_points < 0 || __builtin_mul_overflow(amount, basis_points, &product))
    overflow();
  const std::int64_t whole = product / 10'000, rest = product % 10'000;
  if (rest > 5'000 || (rest == 5'000 && whole % 2 == 1)) return whole + 1;
  return whole;
}

std::string display(Money money) {
  return decimal(money) + ' ' + std::string(money.currency.code());
}

std::string decimal(Money money) {
  const auto decimals = money.currency.decimals();
  const bool negative = money.amount < 0;
  // The magnitude as unsigned: -INT64_MIN does not fit a signed 64-bit integer.
  const auto magnitude = negative ? 0 - static_cast<std::uint64_t>(money.amount)
                                  : static_cast<std::uint64_t>(money.amount);
  std::string digits = std::to_string(magnitude);
  if (decimals > 0) {
    if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
    digits.insert(digits.size() - decimals, ".");
  }
  return (negative ? "-" : "") + digits;
}

}  // namespace bottega
