// What holds of every price, for baskets and shops made from seeds.
#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "unit/pricing.hpp"

namespace bottega::test {
namespace pricing_properties_test {

using namespace baskets;
using namespace pricing;

constexpr int kSeeds = 2'000;
const std::vector<std::string> kClasses = {"", "standard", "books", "food"};
const std::vector<std::string> kPlaces = {"DE", "AT", "US"};
const std::vector<std::string> kCurrencies = {"JPY", "USD", "KWD"};

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  std::int64_t below(std::int64_t end) { return static_cast<std::int64_t>(engine_() >> 1) % end; }
  bool one_in(std::int64_t n) { return below(n) == 0; }
  template <class T>
  const T& of(const std::vector<T>& items) {
    return items[static_cast<std::size_t>(below(static_cast<std::int64_t>(items.size())))];
  }
  // Small and odd amounts as often as large ones.
  std::int64_t amount() {
    const std::int64_t ends[] = {2, 10, 100, 10'000, 1'000'000, kAmountMax};
    return below(ends[below(std::ssize(ends))]);
  }

 private:
  std::mt19937_64 engine_;
};

// What a sale needs, all made from one seed.
struct Sale {
  Basket goods;
  Destination there;
  ShopRules rules;
  Choice choice;
  Priced priced() const { return price(goods, &there, rules, choice); }
};

enum class Classes { one, many };

ShopRules rules_from(Dice& dice, const std::string& currency, Classes classes) {
  auto rules = shop_rules(static_cast<TaxMode>(dice.below(3)));
  const auto count = dice.below(12);
  for (std::int64_t i = 0; i < count; ++i) {
    auto one =
        tax(dice.of(kPlaces), dice.below(dice.one_in(2) ? kMillion + 1 : 250'000),
            classes == Classes::one ? "standard" : dice.of(kClasses), dice.one_in(3) ? "CA" : "");
    if (one.tax_class.empty()) one.tax_class = kStandardClass;
    one.applies_to_shipping = dice.one_in(2);
    rules.taxes.push_back(one);
  }
  rules.tips = tips(100, {});
  if (!dice.one_in(4)) rules.zones = {zone({}, {rate(dice.amount(), std::nullopt, currency)})};
  return rules;
}

std::optional<Discount> discount_from(Dice& dice, const std::string& currency) {
  switch (dice.below(4)) {
    case 0:
      return amount_off(dice.amount() + 1, currency);
    case 1:
      return share_off(dice.below(10'000) + 1);
    case 2:
      return free_shipping();
    default:
      return std::nullopt;
  }
}

Sale sale_from(unsigned seed, Classes classes) {
  Dice dice(seed);
  const auto currency = dice.of(kCurrencies);
  Sale sale{basket({}, currency),
            to(dice.of(kPlaces), dice.one_in(2) ? "CA" : ""),
            rules_from(dice, currency, classes),
            {}};
  const auto count = dice.below(8) + 1;
  for (std::int64_t i = 0; i < count; ++i)
    sale.goods.lines.push_back(line(dice.amount(), dice.below(20) + 1, 0,
                                    classes == Classes::one ? "" : dice.of(kClasses)));
  if (!sale.rules.zones.empty()) sale.choice.shipping_rate = sale.rules.zones[0].rates[0].id;
  sale.choice.discount = discount_from(dice, currency);
  const auto goods = sale.priced();
  const auto most = goods.items - goods.discount + goods.shipping_discount;
  if (most > 0 && dice.one_in(2)) sale.choice.tip = dice.below(most) + 1;
  return sale;
}

std::int64_t sum_of(const std::vector<std::int64_t>& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), std::int64_t{0});
}

TEST(PriceProperties, ThePartsAddUpAndNothingIsNegative) {
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    const auto sale = sale_from(seed, Classes::many);
    const auto priced = sale.priced();
    std::vector<std::int64_t> amounts, discounts, taxes;
    for (const auto& one : priced.lines) {
      amounts.push_back(one.amount);
      discounts.push_back(one.discount);
      EXPECT_GE(one.discount, 0) << seed;
      EXPECT_LE(one.discount, one.amount) << seed;
    }
    for (const auto& one : priced.taxes) {
      taxes.push_back(one.amount);
      EXPECT_GT(one.base, 0) << seed;
      EXPECT_GE(one.amount, 0) << seed;
      EXPECT_LE(one.amount, one.base) << seed;
    }
    EXPECT_EQ(sum_of(amounts), priced.items) << seed;
    EXPECT_EQ(sum_of(discounts) + priced.shipping_discount, priced.discount) << seed;
    EXPECT_EQ(sum_of(taxes), priced.tax) << seed;
    EXPECT_EQ(priced.total, priced.items - priced.discount + priced.shipping + priced.tip +
                                (priced.tax_included ? 0 : priced.tax))
        << seed;
    for (const auto number : {priced.items, priced.discount, priced.shipping, priced.tax,
                              priced.tip, priced.total, priced.shipping - priced.shipping_discount})
      EXPECT_GE(number, 0) << seed;
    if (priced.tax_included) {
      EXPECT_LE(priced.tax, priced.total - priced.tip) << seed;
    }
    EXPECT_EQ(priced.lines.size(), sale.goods.lines.size()) << seed;
  }
}

// Half to even, by another way than the product's: the nearest, and of two the even one.
bool is_rounded(const TaxLine& line, std::int64_t whole) {
  __extension__ using Wide = __int128;
  const Wide exact = Wide{line.base} * line.parts_per_million;
  const Wide off = exact - Wide{line.amount} * whole;
  const Wide twice = (off < 0 ? -off : off) * 2;
  return twice < whole || (twice == whole && line.amount % 2 == 0);
}

TEST(PriceProperties, EachTaxLineIsRoundedOnceHalfToEven) {
  int seen = 0;
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    const auto sale = sale_from(seed, Classes::many);
    if (sale.rules.tax_mode != TaxMode::exclusive) continue;
    for (const auto& one : sale.priced().taxes) {
      EXPECT_TRUE(is_rounded(one, kMillion)) << seed;
      ++seen;
    }
  }
  EXPECT_GT(seen, 500);
}

TEST(PriceProperties, WhatIsContainedDependsNotOnTheTotal) {
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    auto sale = sale_from(seed, Classes::many);
    sale.rules.tax_mode = TaxMode::inclusive;
    const auto with_tax = sale.priced();
    sale.rules.tax_mode = TaxMode::none;
    EXPECT_EQ(with_tax.total, sale.priced().total) << seed;
  }
}

TEST(PriceProperties, TheSameIsPricedTheSame) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    const auto sale = sale_from(seed, Classes::many);
    EXPECT_EQ(sale.priced(), sale.priced()) << seed;
  }
}

// Where goods have several classes a discount is spread, and a unit of it may move between two.
TEST(PriceProperties, DearerGoodsAndTipsNeverCostLess) {
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    auto sale = sale_from(seed, Classes::one);
    const auto before = sale.priced().total;
    auto dearer = sale;
    dearer.goods.lines[seed % dearer.goods.lines.size()].unit_amount += 1 + seed % 7;
    EXPECT_GE(dearer.priced().total, before) << seed;
    auto more = sale;
    ++more.goods.lines[0].quantity;
    EXPECT_GE(more.priced().total, before) << seed;
    auto less = sale;
    less.choice.tip /= 2;
    EXPECT_EQ(less.priced().total, before - (sale.choice.tip - less.choice.tip)) << seed;
  }
}

TEST(PriceProperties, MoreOffNeverCostsMore) {
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    auto sale = sale_from(seed, Classes::one);
    if (!sale.choice.discount || sale.choice.discount->kind == DiscountKind::free_shipping)
      continue;
    sale.choice.tip = 0;
    const auto before = sale.priced().total;
    auto& discount = *sale.choice.discount;
    if (discount.amount) discount.amount = *discount.amount + 1 + seed % 5;
    if (discount.basis_points)
      discount.basis_points =
          std::min<std::int64_t>(*discount.basis_points + 1 + seed % 50, 10'000);
    EXPECT_LE(sale.priced().total, before) << seed;
    sale.choice.discount.reset();
    EXPECT_GE(sale.priced().total, before) << seed;
  }
}

TEST(PriceProperties, APartIsWithinAUnitOfItsShare) {
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    Dice dice(seed);
    std::vector<std::int64_t> shares;
    const auto count = dice.below(9) + 1;
    for (std::int64_t i = 0; i < count; ++i) shares.push_back(dice.amount());
    const auto whole = sum_of(shares);
    const auto amount = whole == 0 ? 0 : dice.below(whole + 1);
    const auto parts = spread(amount, shares);
    EXPECT_EQ(sum_of(parts), amount) << seed;
    for (std::size_t i = 0; i < parts.size() && whole > 0; ++i) {
      __extension__ using Wide = __int128;
      const Wide off = Wide{parts[i]} * whole - Wide{amount} * shares[i];
      EXPECT_TRUE(off > -Wide{whole} && off < Wide{whole}) << seed;
      EXPECT_LE(parts[i], shares[i]) << seed;
    }
  }
}

}  // namespace pricing_properties_test
}  // namespace bottega::test
