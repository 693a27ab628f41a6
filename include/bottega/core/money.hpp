#pragma once
// Money is a signed count of the currency's minor unit and its ISO 4217 code. No floating point
// comes near it; arithmetic is checked; two currencies never mix.
#include <compare>
#include <cstdint>

#include "bottega/core/currency.hpp"
#include "bottega/core/describe.hpp"

namespace bottega {

struct Money {
  std::int64_t amount = 0;  // minor units: 1999 is 19.99 USD, 1999 JPY, 1.999 BHD
  Currency currency;
  friend bool operator==(const Money&, const Money&) = default;
};
BOOST_DESCRIBE_STRUCT(Money, (), (amount, currency))

// Throws Error(invalid) when the currencies differ or the result does not fit 64 bits.
Money operator+(Money a, Money b);
Money operator-(Money a, Money b);
Money operator*(Money a, std::int64_t times);

// `basis_points` ten-thousandths of the amount, rounded half to even, for amounts and points >= 0.
std::int64_t share_half_even(std::int64_t amount, std::int64_t basis_points);
// `part` of `whole` of the amount, likewise, for 0 <= part <= whole and whole > 0.
std::int64_t part_half_even(std::int64_t amount, std::int64_t part, std::int64_t whole);

// The amount as people write it: "19.99 USD", "1999 JPY". For logs, receipts and the chat's
// fallback.
std::string display(Money money);
// The same without the currency, for where that stands beside it: "19.99", "1999".
std::string decimal(Money money);

// The largest amount that one request may carry; sums of a hundred lines stay far from overflow.
inline constexpr std::int64_t kAmountMax = 1'000'000'000'000;

// A price in a request: an amount from 1 to kAmountMax.
struct Price {
  Count<1, kAmountMax> amount;
  Currency currency;
  Money money() const { return {amount.value, currency}; }
};
BOOST_DESCRIBE_STRUCT(Price, (), (amount, currency))

}  // namespace bottega
