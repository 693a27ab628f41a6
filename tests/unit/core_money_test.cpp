// Money at its edges: overflow both ways in every operation, the fee's rounding against a slow
// exact one, and amounts as people read them.
#include "bottega/core/money.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "bottega/core/describe.hpp"

namespace bottega::test {
namespace core_money_test {

Money usd(std::int64_t amount) { return {amount, parse_currency("USD")}; }

struct Sum {
  std::int64_t a;
  char op;
  std::int64_t b;
  std::optional<std::int64_t> result;  // none: it does not fit
};

Money compute(const Sum& sum) {
  if (sum.op == '+') return usd(sum.a) + usd(sum.b);
  if (sum.op == '-') return usd(sum.a) - usd(sum.b);
  return usd(sum.a) * sum.b;
}

class CheckedArithmetic : public testing::TestWithParam<Sum> {};

TEST_P(CheckedArithmetic, GivesTheExactResultOrRefuses) {
  const auto& sum = GetParam();
  if (sum.result) {
    EXPECT_EQ(compute(sum), usd(*sum.result));
    return;
  }
  try {
    const auto wrapped = compute(sum);
    FAIL() << "it gave " << wrapped.amount;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    EXPECT_EQ(std::string(error.what()), "the amount is too large");
  }
}

constexpr auto kMost = INT64_MAX, kLeast = INT64_MIN;
INSTANTIATE_TEST_SUITE_P(
    Edges, CheckedArithmetic,
    testing::Values(
        Sum{kMost, '+', 0, kMost}, Sum{kMost - 1, '+', 1, kMost}, Sum{kMost, '+', 1, {}},
        Sum{1, '+', kMost, {}}, Sum{kMost, '+', kMost, {}}, Sum{kLeast, '+', 0, kLeast},
        Sum{kLeast + 1, '+', -1, kLeast}, Sum{kLeast, '+', -1, {}}, Sum{kLeast, '+', kLeast, {}},
        Sum{kMost, '+', kLeast, -1}, Sum{kLeast, '-', 0, kLeast}, Sum{kLeast + 1, '-', 1, kLeast},
        Sum{kLeast, '-', 1, {}}, Sum{kMost, '-', -1, {}}, Sum{0, '-', kLeast, {}},
        Sum{-1, '-', kLeast, kMost}, Sum{kMost, '-', kMost, 0}, Sum{kLeast, '-', kLeast, 0},
        Sum{0, '-', kMost, -kMost}, Sum{kMost, '*', 1, kMost}, Sum{kMost, '*', 0, 0},
        Sum{kMost, '*', -1, -kMost}, Sum{kMost, '*', 2, {}}, Sum{kMost, '*', -2, {}},
        Sum{kLeast, '*', 1, kLeast}, Sum{kLeast, '*', -1, {}}, Sum{kLeast / 2, '*', 2, kLeast},
        Sum{kLeast / 2 - 1, '*', 2, {}}, Sum{3'037'000'500, '*', 3'037'000'500, {}},
        Sum{3'037'000'499, '*', 3'037'000'499, 9'223'372'030'926'249'001}));

TEST(MoneyArithmetic, LeavesItsOperandsAsTheyWereWhenItRefuses) {
  const auto most = usd(INT64_MAX);
  EXPECT_THROW((void)(most + usd(1)), Error);
  EXPECT_EQ(most, usd(INT64_MAX));
}

TEST(MoneyArithmetic, NeverMixesWithTheCodeForNoCurrency) {
  EXPECT_THROW((void)(usd(1) + Money{}), Error);
  EXPECT_THROW((void)(Money{} - usd(1)), Error);
}

TEST(MoneyArithmetic, SaysThatTwoCurrenciesCannotBeMixedEvenWhereAnAmountIsZero) {
  try {
    (void)(usd(0) + Money{0, parse_currency("EUR")});
    FAIL() << "they were added";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "two currencies cannot be mixed");
  }
}

TEST(MoneyArithmetic, TheSameAmountOfAnotherCurrencyIsAnotherValue) {
  EXPECT_NE(usd(5), (Money{5, parse_currency("EUR")}));
  EXPECT_NE(usd(5), usd(-5));
}

static_assert(!std::is_convertible_v<std::int64_t, Money>);
static_assert(!std::is_convertible_v<double, Money>);

TEST(MoneyArithmetic, ALineOfAHundredOfTheDearestPiecesStillFits) {
  Money total = usd(0);
  for (int line = 0; line < 100; ++line) total = total + usd(kAmountMax) * 9'999;
  EXPECT_EQ(total, usd(100 * 9'999 * kAmountMax));
}

// The exact half-even rounding of amount * points / 10000, by counting up.
std::int64_t slow_share(std::int64_t amount, std::int64_t points) {
  const auto product = amount * points;
  std::int64_t below = 0;
  while ((below + 1) * 10'000 <= product) ++below;
  const auto twice = 2 * (product - below * 10'000);
  if (twice == 10'000) return below % 2 == 0 ? below : below + 1;
  return twice > 10'000 ? below + 1 : below;
}

class FeeRate : public testing::TestWithParam<int> {};

TEST_P(FeeRate, RoundsEveryAmountLikeTheSlowExactRule) {
  for (std::int64_t amount = 0; amount <= 400; ++amount)
    ASSERT_EQ(share_half_even(amount, GetParam()), slow_share(amount, GetParam())) << amount;
}

TEST_P(FeeRate, NeverTakesMoreThanTheAmountOrLessThanNothing) {
  std::int64_t last = 0;
  for (std::int64_t amount = 0; amount <= 10'000; amount += 7) {
    const auto share = share_half_even(amount, GetParam());
    ASSERT_GE(share, last) << "a larger amount has a smaller fee at " << amount;
    ASSERT_LE(share, amount);
    last = share;
  }
}

INSTANTIATE_TEST_SUITE_P(Points, FeeRate,
                         testing::Values(0, 1, 5, 25, 50, 125, 250, 290, 333, 625, 1'250, 2'500,
                                         5'000, 7'500, 9'999, 10'000));

TEST(FeeShare, RefusesWhatIsBelowZero) {
  EXPECT_THROW(share_half_even(-1, 290), Error);
  EXPECT_THROW(share_half_even(100, -1), Error);
  EXPECT_THROW(share_half_even(INT64_MIN, 10'000), Error);
}

TEST(FeeShare, RefusesAShareThatDoesNotFit) {
  EXPECT_THROW(share_half_even(INT64_MAX, 10'001), Error);
  EXPECT_THROW(share_half_even(INT64_MAX, INT64_MAX), Error);
}

TEST(FeeShare, IsExactForTheLargestAmountOfARequest) {
  EXPECT_EQ(share_half_even(kAmountMax, 290), 29'000'000'000);
  EXPECT_EQ(share_half_even(kAmountMax - 1, 5'000), 500'000'000'000);
  EXPECT_EQ(share_half_even(kAmountMax - 3, 5'000), 499'999'999'998);
}

struct Shown {
  std::int64_t amount;
  const char *currency, *text;
};
void PrintTo(const Shown& shown, std::ostream* out) { *out << shown.text; }

class DisplayedMoney : public testing::TestWithParam<Shown> {};
TEST_P(DisplayedMoney, HasTheDecimalsOfItsCurrency) {
  const auto& shown = GetParam();
  const Money money{shown.amount, parse_currency(shown.currency)};
  EXPECT_EQ(display(money), shown.text);
  EXPECT_EQ(decimal(money) + ' ' + shown.currency, shown.text) << "the same without the currency";
}
INSTANTIATE_TEST_SUITE_P(
    Amounts, DisplayedMoney,
    testing::Values(Shown{0, "USD", "0.00 USD"}, Shown{1, "USD", "0.01 USD"},
                    Shown{10, "USD", "0.10 USD"}, Shown{99, "USD", "0.99 USD"},
                    Shown{100, "USD", "1.00 USD"}, Shown{-1, "USD", "-0.01 USD"},
                    Shown{-100, "USD", "-1.00 USD"}, Shown{123'456'789, "EUR", "1234567.89 EUR"},
                    Shown{0, "JPY", "0 JPY"}, Shown{-7, "JPY", "-7 JPY"},
                    Shown{1, "BHD", "0.001 BHD"}, Shown{999, "BHD", "0.999 BHD"},
                    Shown{-1'000, "KWD", "-1.000 KWD"}, Shown{1, "CLF", "0.0001 CLF"},
                    Shown{12'345, "UYW", "1.2345 UYW"},
                    Shown{INT64_MAX, "JPY", "9223372036854775807 JPY"},
                    Shown{INT64_MIN, "JPY", "-9223372036854775808 JPY"},
                    Shown{INT64_MAX, "CLF", "922337203685477.5807 CLF"}));

TEST(MoneyJson, IsAnIntegerAmountAndACode) {
  EXPECT_EQ(to_json(usd(1250)).dump(), R"({"amount":1250,"currency":"USD"})");
  EXPECT_EQ(from_json<Money>(Json::parse(R"({"amount":-3,"currency":"USD"})")), usd(-3));
}

TEST(MoneyJson, APriceGoesFromOneToTheMostThatOneRequestMayCarry) {
  const auto price = [](std::int64_t amount) {
    return from_json<Price>(Json{{"amount", amount}, {"currency", "USD"}}).money();
  };
  EXPECT_EQ(price(1), usd(1));
  EXPECT_EQ(price(kAmountMax), usd(1'000'000'000'000));
  EXPECT_THROW(price(0), Error);
  EXPECT_THROW(price(kAmountMax + 1), Error);
}

TEST(MoneyJson, APriceNamesBothOfItsBadFields) {
  try {
    from_json<Price>(Json{{"amount", 12.5}, {"currency", "dollars"}});
    FAIL() << "it was read";
  } catch (const Error& error) {
    const Faults wanted{{"/amount", "expected an integer from 1 to 1000000000000"},
                        {"/currency", "expected an active ISO 4217 code such as USD"}};
    EXPECT_EQ(error.faults(), wanted);
  }
}

}  // namespace core_money_test
}  // namespace bottega::test
