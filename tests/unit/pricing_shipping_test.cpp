// Which zone a place falls into, and which rates it is offered.
#include <gtest/gtest.h>

#include "unit/pricing.hpp"

namespace bottega::test {
namespace pricing_shipping_test {

using namespace baskets;
using namespace pricing;

// A zone whose one rate costs so much, which tells it from the others.
ZoneRule marked(std::int64_t amount, const std::vector<std::string>& countries,
                std::vector<std::string> regions = {}, std::vector<std::string> prefixes = {}) {
  auto rule = zone(countries, {rate(amount)});
  rule.regions = std::move(regions);
  rule.postal_prefixes = std::move(prefixes);
  return rule;
}

ShopRules shop_with(std::vector<ZoneRule> zones) {
  auto rules = shop_rules(TaxMode::none);
  rules.zones = std::move(zones);
  return rules;
}

std::vector<std::int64_t> prices(const ShopRules& rules, const Destination& there,
                                 const Basket& goods = basket({line(100)})) {
  std::vector<std::int64_t> out;
  for (const auto& option : shipping_options(goods, &there, rules))
    out.push_back(option.price.amount);
  return out;
}

using Amounts = std::vector<std::int64_t>;

TEST(ShippingZones, AreChosenByHowExactlyTheyNameThePlace) {
  const auto rules = shop_with({marked(1, {}), marked(2, {"US", "CA"}), marked(3, {"US"}, {"HI"}),
                                marked(4, {"US"}, {}, {"9"}), marked(5, {"US"}, {}, {"967"}),
                                marked(6, {"GB"}, {}, {"SW1A"}), marked(7, {"US"}, {"CA"}, {"9"})});
  struct Row {
    Destination there;
    std::int64_t price;
  };
  const std::vector<Row> rows = {
      {to("FR"), 1},
      {to("CA", "CA"), 2},
      {to("US", "NY", "10001"), 2},
      {to("US", "HI", "80000"), 3},
      {to("US", "us-hi", ""), 3},
      {to("US", "OR", "97201"), 4},
      {to("US", "HI", "96701"), 5},
      {to("US", "CA", "94016"), 7},
      {to("GB", "", "sw1a 1aa"), 6},
      {to("GB", "", "SW1-A1AA"), 6},
      {to("GB", "", "SW1"), 1},
  };
  for (const auto& row : rows)
    EXPECT_EQ(prices(rules, row.there), Amounts{row.price})
        << row.there.country.value << ' ' << row.there.region << ' ' << row.there.postal_code;
}

TEST(ShippingZones, OfTwoAlikeAreTheOlderOne) {
  EXPECT_EQ(prices(shop_with({marked(1, {"DE"}), marked(2, {"DE"})}), to("DE")), Amounts{1});
  EXPECT_EQ(prices(shop_with({marked(1, {}), marked(2, {})}), to("DE")), Amounts{1});
}

TEST(ShippingZones, WithoutARateSayThatNothingIsShippedThere) {
  const auto rules = shop_with({marked(1, {}), zone({"RU"}, {})});
  EXPECT_EQ(prices(rules, to("DE")), Amounts{1});
  EXPECT_TRUE(prices(rules, to("RU")).empty());
  const auto russia = to("RU");
  EXPECT_TRUE(price(basket({line(1)}), &russia, rules, {}).shipping_asked);
}

TEST(ShippingZones, AreNotAskedWhereNothingIsToBeShipped) {
  const auto rules = shop_with({marked(1, {})});
  auto goods = basket({line(100)});
  const auto there = to("DE");
  EXPECT_TRUE(shipping_options(goods, nullptr, rules).empty());
  goods.lines[0].needs_shipping = false;
  EXPECT_TRUE(shipping_options(goods, &there, rules).empty());
  EXPECT_FALSE(price(goods, &there, rules, {}).shipping_asked);
  EXPECT_FALSE(price(basket({line(1)}), &there, shop_with({}), {}).shipping_asked);
}

TEST(ShippingRates, CarryWhatIsHeavierThanOneBoundAndAtMostTheOther) {
  auto small = rate(1), middle = rate(2), large = rate(3);
  small.weight_up_to_g = 1'000;
  middle.weight_over_g = 1'000;
  middle.weight_up_to_g = 5'000;
  large.weight_over_g = 5'000;
  const auto rules = shop_with({zone({}, {small, middle, large})});
  const auto at = [&](std::int64_t weight_g, std::int64_t quantity) {
    return prices(rules, to("DE"), basket({line(100, quantity, weight_g)}));
  };
  EXPECT_EQ(at(0, 1), Amounts{1});
  EXPECT_EQ(at(500, 2), Amounts{1});
  EXPECT_EQ(at(1'001, 1), Amounts{2});
  EXPECT_EQ(at(1'000, 5), Amounts{2});
  EXPECT_EQ(at(5'001, 1), Amounts{3});
  auto mixed = basket({line(100, 1, 900), line(100, 1, 90'000)});
  mixed.lines[1].needs_shipping = false;
  EXPECT_EQ(prices(rules, to("DE"), mixed), Amounts{1}) << "only what is shipped is weighed";
}

TEST(ShippingRates, CostNothingFromATotalOnBeforeADiscount) {
  const auto post = rate(490, 5'000);
  const auto rules = shop_with({zone({}, {post})});
  EXPECT_EQ(prices(rules, to("DE"), basket({line(4'999)})), Amounts{490});
  EXPECT_EQ(prices(rules, to("DE"), basket({line(2'500, 2)})), Amounts{0});
  const auto there = to("DE");
  const auto priced = price(basket({line(5'000)}), &there, rules, {post.id, amount_off(4'000), 0});
  EXPECT_EQ(priced.shipping, 0);
}

TEST(ShippingRates, AreOfferedInTheCurrenciesThatTheyHaveAPriceIn) {
  auto both = rate(500);
  both.prices.items.push_back({parse_currency("JPY"), {800}, std::nullopt});
  const auto rules = shop_with({zone({}, {rate(300), both})});
  EXPECT_EQ(prices(rules, to("DE")), (Amounts{300, 500}));
  EXPECT_EQ(prices(rules, to("DE"), basket({line(100)}, "JPY")), Amounts{800});
  EXPECT_TRUE(prices(rules, to("DE"), basket({line(100)}, "EUR")).empty());
}

TEST(ShippingRates, AreOfferedFromTheCheapestOn) {
  const auto rules = shop_with({zone({}, {rate(900), rate(300), rate(500, 100)})});
  EXPECT_EQ(prices(rules, to("DE")), (Amounts{0, 300, 900}));
  const auto there = to("DE");
  const auto options = shipping_options(basket({line(50)}), &there, rules);
  EXPECT_EQ(options.at(0).price, (Money{300, parse_currency("USD")}));
  EXPECT_EQ(options.at(0).id, rules.zones[0].rates[1].id);
}

TEST(ShippingRates, OfAnotherPlaceCannotBeChosen) {
  const auto home = rate(100), abroad = rate(900);
  const auto rules = shop_with({zone({"DE"}, {home}), zone({}, {abroad})});
  const auto france = to("FR");
  const auto goods = basket({line(100)});
  EXPECT_EQ(price(goods, &france, rules, {abroad.id, std::nullopt, 0}).shipping, 900);
  EXPECT_EQ(faults_of([&] {
              price(goods, &france, rules, {home.id, std::nullopt, 0});
            }),
            std::vector<std::string>{"/shipping_rate"});
  EXPECT_EQ(faults_of([&] {
              price(goods, nullptr, rules, {home.id, std::nullopt, 0});
            }),
            std::vector<std::string>{"/shipping_rate"});
}

TEST(ShippingFolds, TreatAlikeWhatPeopleWriteDifferently) {
  EXPECT_EQ(fold_postal("sw1a 1aa"), "SW1A1AA");
  EXPECT_EQ(fold_postal("100-0001"), "1000001");
  EXPECT_EQ(fold_postal(" - "), "");
  EXPECT_EQ(fold_region(" ca ", country("US")), "CA");
  EXPECT_EQ(fold_region("US-ca", country("US")), "CA");
  EXPECT_EQ(fold_region("US-CA", country("CA")), "US-CA");
  EXPECT_EQ(fold_region("US-", country("US")), "US-");
  EXPECT_EQ(fold_region("New  york.", country("US")), "NY");
  EXPECT_EQ(fold_region("Washington, D.C.", country("US")), "DC");
  EXPECT_EQ(fold_region("Qu\xc3\xa9"
                        "bec",
                        country("CA")),
            "QC");
  EXPECT_EQ(fold_region("New York", country("AU")), "NEW YORK");
}

TEST(ShippingRegions, AreKnownWhereTaxesAreTheirs) {
  for (const auto* region : {"CA", "US-CA", "california", "PR", "ap"})
    EXPECT_TRUE(is_region(region, country("US"))) << region;
  for (const auto* region : {"", "XX", "Californa", "CAL", "ON"})
    EXPECT_FALSE(is_region(region, country("US"))) << region;
  EXPECT_TRUE(is_region("Ontario", country("CA")));
  EXPECT_TRUE(is_region("Canarias", country("ES"))) << "of others we know none";
}

}  // namespace pricing_shipping_test
}  // namespace bottega::test
