// What a manager may send about prices: the rules across fields, and the forms of numbers and
// codes.
#include <gtest/gtest.h>

#include "bottega/pricing/discounts.hpp"

namespace bottega::test {
namespace pricing_bodies_test {

using namespace pricing;
using Pointers = std::vector<std::string>;

template <class T>
Pointers faults_of(const Json& body) {
  Pointers out;
  try {
    from_json<T>(body);
  } catch (const Error& error) {
    for (const auto& fault : error.faults()) out.push_back(fault.pointer);
  }
  return out;
}

Json patched(Json body, const Json& changes) {
  body.merge_patch(changes);
  return body;
}

Json price_in(const char* currency) { return {{"currency", currency}, {"amount", 5}}; }

TEST(PricingBodies, OfZonesNameRegionsAndPostalCodesOfOneCountryOnly) {
  const Json zone = {{"name", "West"}, {"countries", {"US"}}, {"regions", {"CA", "OR"}}};
  EXPECT_EQ(faults_of<NewShippingZone>(zone), Pointers{});
  EXPECT_EQ(faults_of<NewShippingZone>(patched(zone, {{"countries", {"US", "CA"}}})),
            Pointers{"/regions"});
  EXPECT_EQ(faults_of<NewShippingZone>(
                patched(zone, {{"countries", Json::array()}, {"postal_prefixes", {"9"}}})),
            (Pointers{"/regions", "/postal_prefixes"}));
  EXPECT_EQ(faults_of<NewShippingZone>(patched(zone, {{"postal_prefixes", {"9", "-", "- -"}}})),
            (Pointers{"/postal_prefixes/1", "/postal_prefixes/2"}));
  EXPECT_EQ(faults_of<NewShippingZone>({{"name", ""}, {"countries", {"XX"}}}),
            (Pointers{"/name", "/countries/0"}));
}

TEST(PricingBodies, OfRatesHaveAPricePerCurrencyAndBoundsInOrder) {
  const Json rate = {
      {"name", "Post"},       {"prices", Json::array({price_in("USD"), price_in("EUR")})},
      {"weight_over_g", 100}, {"weight_up_to_g", 101},
      {"days_min", 2},        {"days_max", 2}};
  EXPECT_EQ(faults_of<NewShippingRate>(rate), Pointers{});
  const Json wrong = {{"prices", Json::array({price_in("USD"), price_in("EUR"), price_in("USD")})},
                      {"weight_up_to_g", 100},
                      {"days_max", 1}};
  EXPECT_EQ(faults_of<NewShippingRate>(patched(rate, wrong)),
            (Pointers{"/prices/2/currency", "/weight_up_to_g", "/days_max"}));
  EXPECT_EQ(faults_of<NewShippingRate>(patched(rate, {{"prices", Json::array()}})),
            Pointers{"/prices"});
}

TEST(PricingBodies, OfCodesHaveWhatTheirKindNeeds) {
  const Json amount = {{"code", "five"}, {"kind", "amount"}, {"currency", "USD"}, {"amount", 500}};
  const Json percent = {{"code", "five"}, {"kind", "percent"}, {"basis_points", 500}};
  const Json shipping = {{"code", "five"}, {"kind", "free_shipping"}};
  struct Row {
    Json body;
    Pointers faults;
  };
  const std::vector<Row> rows = {
      {amount, {}},
      {percent, {}},
      {shipping, {}},
      {patched(amount, {{"amount", nullptr}}), {"/amount"}},
      {patched(amount, {{"currency", nullptr}}), {"/currency"}},
      {patched(amount, {{"basis_points", 5}}), {"/basis_points"}},
      {patched(percent, {{"basis_points", nullptr}, {"amount", 1}}), {"/amount", "/basis_points"}},
      {patched(percent, {{"basis_points", 10'001}}), {"/basis_points"}},
      {patched(percent, {{"least_total", 1'000}}), {"/currency"}},
      {patched(percent, {{"least_total", 1'000}, {"currency", "USD"}}), {}},
      {patched(shipping, {{"uses_max", 0}}), {"/uses_max"}},
      {patched(shipping,
               {{"starts_at", "2026-02-01T00:00:00Z"}, {"ends_at", "2026-02-01T00:00:00Z"}}),
       {"/ends_at"}},
  };
  for (const auto& row : rows)
    EXPECT_EQ(faults_of<NewDiscountCode>(row.body), row.faults) << row.body;
}

TEST(PricingBodies, OfTipsRiseToTheMost) {
  const auto faults = [](const Json& suggested, int most) {
    return faults_of<Tips>(
        {{"allowed", true}, {"suggested_percent", suggested}, {"most_percent", most}});
  };
  EXPECT_EQ(faults({5, 10, 20, 25}, 25), Pointers{});
  EXPECT_EQ(faults(Json::array(), 1), Pointers{});
  EXPECT_EQ(faults({5, 5}, 25), Pointers{"/suggested_percent/1"});
  EXPECT_EQ(faults({5, 10}, 9), Pointers{"/suggested_percent/1"});
  EXPECT_EQ(faults({1, 2, 3, 4, 5}, 9), Pointers{"/suggested_percent"});
  EXPECT_EQ(faults({0}, 101), (Pointers{"/suggested_percent/0", "/most_percent"}));
}

TEST(PricingBodies, OfContactsSayHowToReachThem) {
  EXPECT_EQ(faults_of<SellerContact>({{"name", "Ada"}}), Pointers{"/email"});
  EXPECT_EQ(faults_of<SellerContact>({{"name", "Ada"}, {"phone", "+1 555 123 4567"}}), Pointers{});
}

TEST(PricingBodies, TakeCodesWithoutRegardToCapitals) {
  EXPECT_EQ(from_text<CouponCode>("Summer-26_x.y").value, "SUMMER-26_X.Y");
  for (const auto* text : {"", "ab", "a b c", "söm", "50%", "a/b/c"})
    EXPECT_FALSE(Form<CouponCode>::parse(text)) << text;
  EXPECT_FALSE(Form<CouponCode>::parse(std::string(41, 'a')));
  EXPECT_TRUE(Form<CouponCode>::parse(std::string(40, 'a')));
}

TEST(PricingBodies, KeepPhonesAsE164WritesThem) {
  EXPECT_EQ(from_text<Phone>("+49 (30) 123-456").value, "+4930123456");
  EXPECT_EQ(from_text<Phone>("+1.555.123.4567").value, "+15551234567");
  for (const auto* text : {"", "+", "030 123456", "+0301234567", "+123456", "+1234567890123456",
                           "+1 555 CALL NOW", "++15551234567"})
    EXPECT_FALSE(Form<Phone>::parse(text)) << text;
}

TEST(PricingBodies, KeepVatNumbersWithoutTheirSpaces) {
  EXPECT_EQ(from_text<VatId>("de 123 456 789").value, "DE123456789");
  EXPECT_EQ(from_text<VatId>("ATU12345678").value, "ATU12345678");
  for (const auto* text : {"", "DE", "DE1", "123456", "D3123456", "DE12345678901234", "DE12/34"})
    EXPECT_FALSE(Form<VatId>::parse(text)) << text;
}

}  // namespace pricing_bodies_test
}  // namespace bottega::test
