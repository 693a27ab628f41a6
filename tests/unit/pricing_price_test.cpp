// Prices by hand: discounts, taxes, shipping and tips, to the minor unit.
#include "bottega/pricing/price.hpp"

#include <gtest/gtest.h>

#include "unit/pricing.hpp"

namespace bottega::test {
namespace pricing_price_test {

using namespace baskets;
using namespace pricing;
using Numbers = std::vector<std::int64_t>;

Numbers line_discounts(const Priced& priced) {
  Numbers out;
  for (const auto& one : priced.lines) out.push_back(one.discount);
  return out;
}

// ---- goods and discounts ------------------------------------------------------------------------

TEST(Price, OfGoodsAloneIsTheirSum) {
  const auto priced =
      price(basket({line(1'250, 2), line(99), line(0, 3)}), nullptr, shop_rules(TaxMode::none), {});
  EXPECT_EQ(priced.items, 2'599);
  EXPECT_EQ(priced.total, 2'599);
  EXPECT_EQ(priced.lines, (std::vector<PricedLine>{{2'500, 0}, {99, 0}, {0, 0}}));
  EXPECT_TRUE(priced.taxes.empty());
  EXPECT_FALSE(priced.tax_included);
  EXPECT_FALSE(priced.shipping_asked);
}

struct SpreadRow {
  std::int64_t amount;
  Numbers shares, parts;
};
TEST(Price, SpreadsByTheLargestRemainderAndOfTwoAlikeToTheFirst) {
  const std::vector<SpreadRow> rows = {
      {0, {5, 5}, {0, 0}},
      {1, {1, 1, 1}, {1, 0, 0}},
      {2, {1, 1, 1}, {1, 1, 0}},
      {10, {3, 3, 4}, {3, 3, 4}},
      {100, {333, 333, 334}, {33, 33, 34}},
      {5, {1, 100}, {0, 5}},
      {7, {0, 7, 0}, {0, 7, 0}},
      {3, {0, 2, 0, 2}, {0, 2, 0, 1}},
      {INT64_MAX, {INT64_MAX, 0}, {INT64_MAX, 0}},
      {INT64_MAX - 1, {INT64_MAX / 2, INT64_MAX / 2}, {INT64_MAX / 2, INT64_MAX / 2}},
  };
  for (const auto& row : rows) EXPECT_EQ(spread(row.amount, row.shares), row.parts) << row.amount;
  EXPECT_THROW(spread(3, {1, 1}), Error);
  EXPECT_THROW(spread(-1, {1, 1}), Error);
  EXPECT_TRUE(spread(0, {}).empty());
}

TEST(Price, TakesAnAmountOffButNeverMoreThanTheGoods) {
  const auto rules = shop_rules(TaxMode::none);
  const auto goods = basket({line(1'000), line(500), line(500)});
  const auto some = price(goods, nullptr, rules, with(amount_off(333)));
  EXPECT_EQ(some.discount, 333);
  EXPECT_EQ(some.total, 1'667);
  EXPECT_EQ(line_discounts(some), (Numbers{167, 83, 83}));
  const auto all = price(goods, nullptr, rules, with(amount_off(5'000)));
  EXPECT_EQ(all.discount, 2'000);
  EXPECT_EQ(all.total, 0);
  EXPECT_EQ(line_discounts(all), (Numbers{1'000, 500, 500}));
}

TEST(Price, TakesAShareOffRoundedHalfToEvenOnTheWhole) {
  const auto rules = shop_rules(TaxMode::none);
  const auto off = [&](std::int64_t amount, std::int64_t basis_points) {
    return price(basket({line(amount)}), nullptr, rules, with(share_off(basis_points))).discount;
  };
  EXPECT_EQ(off(1'005, 1'000), 100) << "100.5";
  EXPECT_EQ(off(1'015, 1'000), 102) << "101.5";
  EXPECT_EQ(off(1'016, 1'000), 102);
  EXPECT_EQ(off(999, 10'000), 999);
  EXPECT_EQ(off(1, 1), 0);
  EXPECT_EQ(off(0, 5'000), 0);
}

TEST(Price, RefusesADiscountThatIsNotForThisBasket) {
  const auto rules = shop_rules(TaxMode::none);
  const auto goods = basket({line(1'999)});
  const auto faults = [&](const Discount& discount) {
    return faults_of([&] { price(goods, nullptr, rules, with(discount)); });
  };
  const std::vector<std::string> refused = {"/discount_code"}, taken;
  EXPECT_EQ(faults(amount_off(100, "EUR")), refused);
  auto least = share_off(1'000);
  least.currency = parse_currency("USD");
  least.least_total = 2'000;
  EXPECT_EQ(faults(least), refused);
  least.least_total = 1'999;
  EXPECT_EQ(faults(least), taken);
}

// ---- tax ----------------------------------------------------------------------------------------

struct TaxRow {
  const char* name;
  TaxMode mode;
  std::int64_t amount, parts_per_million, tax, total;
};

TEST(Price, RoundsEachTaxOnceHalfToEven) {
  const std::vector<TaxRow> rows = {
      {"added", TaxMode::exclusive, 10'000, 190'000, 1'900, 11'900},
      {"contained", TaxMode::inclusive, 11'900, 190'000, 1'900, 11'900},
      {"not taken", TaxMode::none, 10'000, 190'000, 0, 10'000},
      {"0.5 added", TaxMode::exclusive, 5, 100'000, 0, 5},
      {"1.5 added", TaxMode::exclusive, 15, 100'000, 2, 17},
      {"2.5 added", TaxMode::exclusive, 25, 100'000, 2, 27},
      {"2.6 added", TaxMode::exclusive, 26, 100'000, 3, 29},
      {"0.5 contained", TaxMode::inclusive, 1, 1'000'000, 0, 1},
      {"1.5 contained", TaxMode::inclusive, 3, 1'000'000, 2, 3},
      {"7 % of 1.07", TaxMode::inclusive, 107, 70'000, 7, 107},
      {"19 % of 9.99", TaxMode::inclusive, 999, 190'000, 160, 999},
      {"8.875 % on 19.99", TaxMode::exclusive, 1'999, 88'750, 177, 2'176},
      {"nothing of nothing", TaxMode::exclusive, 0, 190'000, 0, 0},
      {"no rate at all", TaxMode::exclusive, 500, 0, 0, 500},
  };
  for (const auto& row : rows) {
    const auto priced = price(basket({line(row.amount)}), nullptr,
                              shop_rules(row.mode, {tax("DE", row.parts_per_million)}), {});
    EXPECT_EQ(priced.tax, row.tax) << row.name;
    EXPECT_EQ(priced.total, row.total) << row.name;
    EXPECT_EQ(priced.tax_included, row.mode == TaxMode::inclusive) << row.name;
  }
}

TEST(Price, AddsUpTheLinesOfATaxBeforeItIsRounded) {
  const auto rules = shop_rules(TaxMode::exclusive, {tax("DE", 100'000)});
  const auto priced = price(basket({line(5), line(5), line(5)}), nullptr, rules, {});
  EXPECT_EQ(priced.tax, 2) << "1.5, not three times 0.5";
  ASSERT_EQ(priced.taxes.size(), 1u);
  EXPECT_EQ(priced.taxes[0].base, 15);
}

TEST(Price, TakesTheTaxAfterTheDiscount) {
  const auto rules =
      shop_rules(TaxMode::exclusive, {tax("DE", 190'000), tax("DE", 70'000, "books")});
  const auto goods = basket({line(10'000), line(10'000, 1, 0, "books")});
  const auto priced = price(goods, nullptr, rules, with(amount_off(1'000)));
  ASSERT_EQ(priced.taxes.size(), 2u);
  EXPECT_EQ(priced.taxes[0].base, 9'500);
  EXPECT_EQ(priced.taxes[0].amount, 1'805);
  EXPECT_EQ(priced.taxes[1].amount, 665);
  EXPECT_EQ(priced.total, 19'000 + 1'805 + 665);
}

TEST(Price, LetsARegionsRatesStandInPlaceOfTheCountrys) {
  auto gst = tax("CA", 50'000), gst_there = tax("CA", 50'000, "standard", "BC"),
       pst = tax("CA", 70'000, "standard", "BC"), hst = tax("CA", 130'000, "standard", "ON");
  const auto rules = shop_rules(TaxMode::exclusive, {gst, gst_there, pst, hst});
  const auto tax_at = [&](const std::string& region) {
    const auto there = to("CA", region);
    Numbers amounts;
    for (const auto& one : price(basket({line(1'000)}), &there, rules, {}).taxes)
      amounts.push_back(one.amount);
    return amounts;
  };
  EXPECT_EQ(tax_at("AB"), Numbers{50});
  EXPECT_EQ(tax_at("BC"), (Numbers{50, 70}));
  EXPECT_EQ(tax_at("ca-bc "), (Numbers{50, 70})) << "as people write it";
  EXPECT_EQ(tax_at("ON"), Numbers{130});
  const auto elsewhere = to("FR");
  EXPECT_EQ(price(basket({line(1'000)}), &elsewhere, rules, {}).tax, 0);
}

TEST(Price, TakesTheStandardRatesForAClassThatHasNone) {
  const auto rules = shop_rules(TaxMode::exclusive,
                                {tax("DE", 190'000), tax("DE", 0, "gifts"), tax("AT", 200'000)});
  const auto germany = to("DE"), austria = to("AT");
  const auto gift = basket({line(1'000, 1, 0, "gifts")});
  EXPECT_EQ(price(gift, &germany, rules, {}).tax, 0);
  EXPECT_EQ(price(gift, &austria, rules, {}).tax, 200);
  EXPECT_EQ(price(gift, nullptr, rules, {}).tax, 0) << "the shop's own country";
}

TEST(Price, SplitsWhatIsContainedAmongSeveralTaxes) {
  const auto rules = shop_rules(TaxMode::inclusive, {tax("DE", 100'000), tax("DE", 50'000)});
  const auto priced = price(basket({line(1'150)}), nullptr, rules, {});
  ASSERT_EQ(priced.taxes.size(), 2u);
  EXPECT_EQ(priced.taxes[0].amount, 100);
  EXPECT_EQ(priced.taxes[1].amount, 50);
  EXPECT_EQ(priced.total, 1'150);
}

TEST(Price, NeverFindsMoreTaxInAnAmountThanThereIs) {
  std::vector<TaxRule> many;
  for (int i = 0; i < 5; ++i) many.push_back(tax("DE", 600'000));
  const auto priced = price(basket({line(4)}), nullptr, shop_rules(TaxMode::inclusive, many), {});
  EXPECT_EQ(priced.tax, 4) << "five times 0.6 is rounded up each";
}

class FlatTax final : public TaxTable {
  TaxParts of_goods(const Destination&, std::string_view) const override {
    return {{TaxRateId::make(), "Flat", 100'000}};
  }
  TaxParts of_shipping(const Destination&) const override { return {}; }
};

TEST(Price, TakesWhateverTableOfTaxesItIsGiven) {
  Faults faults;
  const auto priced =
      price(basket({line(1'000)}), nullptr, shop_rules(TaxMode::exclusive), {}, FlatTax{}, faults);
  EXPECT_TRUE(faults.empty());
  EXPECT_EQ(priced.tax, 100);
  EXPECT_EQ(priced.taxes.at(0).name, "Flat");
}

// ---- shipping and tips --------------------------------------------------------------------------

TEST(Price, AddsTheChosenShippingWithItsTax) {
  auto rules = shop_rules(TaxMode::exclusive, {tax("DE", 190'000), tax("DE", 70'000, "books")});
  const auto post = rate(500);
  rules.zones = {zone({"DE"}, {post})};
  const auto germany = to("DE");
  const auto goods = basket({line(1'000, 1, 0, "books")});
  EXPECT_TRUE(price(goods, &germany, rules, {}).shipping_asked);
  const auto priced = price(goods, &germany, rules, {post.id, std::nullopt, 0});
  EXPECT_EQ(priced.shipping, 500);
  EXPECT_EQ(priced.tax, 70 + 95) << "shipping is of the standard class";
  EXPECT_EQ(priced.total, 1'665);
  rules.taxes[0].applies_to_shipping = false;
  EXPECT_EQ(price(goods, &germany, rules, {post.id, std::nullopt, 0}).tax, 70);
}

TEST(Price, AddsATaxOnceWhateverOthersAreTakenOfThePart) {
  auto state = tax("DE", 62'500), city = tax("DE", 12'500);
  city.applies_to_shipping = false;
  auto rules = shop_rules(TaxMode::exclusive, {state, city});
  const auto post = rate(11);
  rules.zones = {zone({"DE"}, {post})};
  const auto germany = to("DE");
  const auto goods = basket({line(24'697)});
  const pricing::Choice by_post{post.id, std::nullopt, 0};
  const auto priced = price(goods, &germany, rules, by_post);
  ASSERT_EQ(priced.taxes.size(), 2u);
  EXPECT_EQ(priced.taxes[0].base, 24'708);
  EXPECT_EQ(priced.taxes[0].amount, 1'544) << "1544.25, not 1543.56 and 0.69";
  EXPECT_EQ(priced.taxes[1].base, 24'697);
  EXPECT_EQ(priced.taxes[1].amount, 309);
  EXPECT_EQ(priced.total, 24'708 + 1'853);
  rules.tax_mode = TaxMode::inclusive;
  const auto contained = price(goods, &germany, rules, by_post);
  ASSERT_EQ(contained.taxes.size(), 3u) << "what is contained is 6.25/107.5 here and 6.25/106.25";
  EXPECT_EQ(contained.taxes[2].base, 11);
}

TEST(Price, TakesTheShippingOffWhereItIsFree) {
  auto rules = shop_rules(TaxMode::exclusive, {tax("DE", 190'000)});
  const auto post = rate(500);
  rules.zones = {zone({"DE"}, {post})};
  const auto germany = to("DE");
  const auto priced = price(basket({line(1'000)}), &germany, rules, {post.id, free_shipping(), 0});
  EXPECT_EQ(priced.shipping, 500);
  EXPECT_EQ(priced.shipping_discount, 500);
  EXPECT_EQ(priced.discount, 500);
  EXPECT_EQ(line_discounts(priced), Numbers{0});
  EXPECT_EQ(priced.tax, 190) << "none on what is not paid";
  EXPECT_EQ(priced.total, 1'190);
  EXPECT_EQ(price(basket({line(1'000)}), &germany, rules, with(free_shipping())).discount, 0);
}

TEST(Price, LeavesTheTipUntaxedAndWithinItsMost) {
  auto rules = shop_rules(TaxMode::exclusive, {tax("DE", 190'000)});
  rules.tips = tips(25, {5, 10, 20});
  const auto goods = basket({line(1'000)});
  const auto pay = [&](std::int64_t tip) {
    return price(goods, nullptr, rules, {std::nullopt, std::nullopt, tip});
  };
  EXPECT_EQ(pay(250).total, 1'000 + 190 + 250);
  EXPECT_EQ(pay(250).tax, 190);
  EXPECT_EQ(faults_of([&] { pay(251); }), std::vector<std::string>{"/tip"});
  EXPECT_EQ(faults_of([&] { pay(-1); }), std::vector<std::string>{"/tip"});
  EXPECT_EQ(suggested_tips(pay(0), rules.tips), (Numbers{50, 100, 200}));
  rules.tips.allowed = false;
  EXPECT_EQ(faults_of([&] { pay(1); }), std::vector<std::string>{"/tip"});
  EXPECT_TRUE(suggested_tips(pay(0), rules.tips).empty());
}

TEST(Price, SuggestsNoTipTwiceWhereTheGoodsAreFewYen) {
  const auto rules = shop_rules(TaxMode::none);
  const auto priced = price(basket({line(12)}, "JPY"), nullptr, rules, {});
  EXPECT_EQ(suggested_tips(priced, tips(100, {2, 10, 11, 20})), (Numbers{1, 2}));
}

TEST(Price, NamesEverythingThatIsWrongAtOnce) {
  const auto rules = shop_rules(TaxMode::none);
  const Choice wrong{ShippingRateId::make(), amount_off(1, "EUR"), 7};
  EXPECT_EQ(faults_of([&] { price(basket({line(100)}), nullptr, rules, wrong); }),
            (std::vector<std::string>{"/discount_code", "/shipping_rate", "/tip"}));
}

TEST(Price, IsTheSameInCurrenciesOfAnyDecimals) {
  for (const auto* code : {"JPY", "USD", "KWD"}) {
    auto rules = shop_rules(TaxMode::inclusive, {tax("DE", 190'000)});
    const auto post = rate(700, std::nullopt, code);
    rules.zones = {zone({}, {post})};
    const auto anywhere = to("NZ");
    const auto priced = price(basket({line(11'900)}, code), &anywhere, rules,
                              {post.id, amount_off(1'190, code), 0});
    EXPECT_EQ(priced.currency, parse_currency(code));
    EXPECT_EQ(priced.total, 11'900 - 1'190 + 700);
    EXPECT_EQ(priced.tax, 0) << "nothing is taken in New Zealand";
  }
}

TEST(Price, RefusesWhatDoesNotFit) {
  const auto rules = shop_rules(TaxMode::exclusive, {tax("DE", 1'000'000)});
  const std::vector<std::string> too_large = {"the amount is too large"};
  const auto faults = [&](std::vector<BasketLine> lines) {
    return faults_of([&] { price(basket(std::move(lines)), nullptr, rules, {}); });
  };
  EXPECT_EQ(faults({line(INT64_MAX, 2)}), too_large);
  EXPECT_EQ(faults({line(INT64_MAX), line(1)}), too_large);
  EXPECT_EQ(faults({line(INT64_MAX)}), too_large) << "with its tax";
  EXPECT_TRUE(faults({line(INT64_MAX / 2)}).empty());
  EXPECT_EQ(faults({line(-1)}), std::vector<std::string>{"a basket holds no negative numbers"});
  EXPECT_EQ(faults({line(1, 0)}), std::vector<std::string>{"a basket holds no negative numbers"});
}

}  // namespace pricing_price_test
}  // namespace bottega::test
