// Where it goes decides what it costs: the address is asked for where that is so, kept where it was
// asked for, and not moved afterwards to where it would have cost something else.
#include "domain/checkout.hpp"

namespace bottega::test {
namespace checkout_places_test {

class Places : public Checkout {
 protected:
  static Json in_region(const char* region, const char* postal_code = "12345") {
    auto out = address();
    if (region != nullptr) out["region"] = region;
    out["postal_code"] = postal_code;
    return out;
  }
  void ask(const char* asked, const char* tax_mode = "none") {
    auto rules = settings();
    rules["tax_mode"] = tax_mode;
    rules["buyer"]["address"] = asked;
    set(rules);
  }
  void add_tax(const Json& more) {
    Json body = {{"name", "Tax"}, {"country", "US"}, {"parts_per_million", 100'000}};
    body.update(more);
    const auto given = from_json<pricing::NewTaxRate>(body);
    in([&](Tx& tx) { return pricing::add_tax_rate(tx, shop.merchant, given); });
  }
  // Postal codes that begin so; answers the rate's id.
  std::string ship_to(const char* prefix, std::int64_t amount) {
    const auto zone = from_json<pricing::NewShippingZone>(
        {{"name", prefix}, {"countries", {"US"}}, {"postal_prefixes", {prefix}}});
    const auto rate = from_json<pricing::NewShippingRate>(
        {{"name", prefix}, {"prices", {{{"currency", "USD"}, {"amount", amount}}}}});
    return in([&](Tx& tx) {
      const auto made = pricing::add_zone(tx, shop.merchant, zone);
      return text_of(pricing::add_rate(tx, shop.merchant, made.id, rate).id);
    });
  }
  catalog::VariantId digital() {
    auto body = tea("FILE");
    body["needs_shipping"] = false;
    return published(body).variants[0].id;
  }
  checkout::Quote quote_of(catalog::VariantId id, const Json& to = nullptr) {
    Json body = {{"lines", lines({line(id, 1)})}};
    if (!to.is_null()) body["ship_to"] = to;
    return quote(body);
  }
  Json want_at(catalog::VariantId id, std::int64_t total, const Json& to) {
    auto body = want(id, 1, total);
    body["ship_to"] = to;
    if (to.is_null()) body.erase("ship_to");
    return body;
  }
  orders::Order move(const orders::Order& order, const Json& to) {
    const auto given = from_json<orders::ChangedOrder>({{"ship_to", to}});
    return in([&](Tx& tx) { return orders::change(tx, shop.buyer, order.id, given); });
  }
};

using pricing::Asked;

TEST_F(Places, AreAskedForWhereThePriceDependsOnThem) {
  ask("optional");
  const auto id = counted("TEA-1", 9);
  EXPECT_EQ(quote_of(id).asks.address, Asked::optional);
  EXPECT_TRUE(quote_of(id).is_final);
  EXPECT_FALSE(buy(want_at(id, 1'250, nullptr)).order->ship_to) << "nothing depends on it";
  ship_everywhere(500);
  EXPECT_EQ(quote_of(id).asks.address, Asked::required);
  EXPECT_FALSE(quote_of(id).is_final);
  EXPECT_EQ(faults_of([&] { begin(want_at(id, 1'250, nullptr)); }), Pointers{"/ship_to"});
}

TEST_F(Places, OfWhatIsNotShippedAreThoseOfItsTax) {
  const auto id = digital();
  EXPECT_EQ(quote_of(id).asks.address, Asked::none) << "there is no tax yet";
  EXPECT_FALSE(buy(want_at(id, 1'250, address())).order->ship_to) << "nobody needs it";
  add_tax(Json::object());
  ask("required", "exclusive");
  EXPECT_EQ(quote_of(id).asks.address, Asked::required);
  EXPECT_EQ(faults_of([&] { begin(want_at(id, 1'250, nullptr)); }), Pointers{"/ship_to"});
  const auto taxed = buy(want_at(id, 1'375, address()));
  EXPECT_EQ(taxed.order->breakdown->tax, 125);
  EXPECT_EQ(taxed.order->ship_to->country.value, "US") << "it says whose tax it is";
  const auto abroad = buy(want_at(id, 1'250, address("DE")));
  EXPECT_EQ(abroad.order->ship_to->country.value, "DE");
}

TEST_F(Places, AreNotKeptByAShopThatAsksForNone) {
  ask("none", "exclusive");
  add_tax(Json::object());
  ship_everywhere(500);
  const auto id = counted("TEA-1", 9);
  const auto quoted = quote_of(id, address("DE"));
  EXPECT_EQ(quoted.total, 1'375) << "the tax of the shop's own place";
  EXPECT_TRUE(quoted.shipping_options.empty());
  EXPECT_TRUE(quoted.is_final);
  const auto done = buy(want_at(id, 1'375, address("DE")));
  EXPECT_FALSE(done.order->ship_to);
  EXPECT_FALSE(done.payment_request.ship_to);
  EXPECT_EQ(faults_of([&] { move(*done.order, address()); }), Pointers{"/ship_to"})
      << "it was priced without one";
}

TEST_F(Places, HaveRegionsByTheirCodesAndNames) {
  ask("required", "exclusive");
  add_tax({{"region", "Illinois"}});
  const auto id = counted("TEA-1", 9);
  for (const auto* region : {"IL", "il", "US-IL", "Illinois", " ILLINOIS. "})
    EXPECT_EQ(quote_of(id, in_region(region)).tax, 125) << region;
  EXPECT_EQ(quote_of(id, in_region("District of Columbia")).tax, 0);
  EXPECT_EQ(quote_of(id, in_region("Washington, D.C.")).tax, 0);
  EXPECT_EQ(faults_of([&] { quote_of(id, in_region("Illinios")); }), Pointers{"/ship_to/region"});
  EXPECT_FALSE(quote_of(id, address()).is_final) << "a region that is left out is not none";
  EXPECT_EQ(faults_of([&] { begin(want_at(id, 1'250, address())); }), Pointers{"/ship_to/region"});
  EXPECT_TRUE(quote_of(id, address("DE")).is_final) << "nothing there depends on regions";
  EXPECT_EQ(faults_of([&] { add_tax({{"region", "Illinios"}}); }), Pointers{"/region"});
}

TEST_F(Places, AreCorrectedOnlyWhereItCostsTheSame) {
  ask("required", "exclusive");
  add_tax({{"region", "IL"}});
  const auto near = ship_to("6", 500);
  ship_to("9", 900);
  const auto id = counted("TEA-1", 9);
  auto body = want_at(id, 1'250 + 125 + 500, in_region("Illinois", "62701"));
  body["shipping_rate"] = near;
  const auto order = *buy(body).order;
  auto other = in_region("IL", "60601");
  other["street"] = "2 Main St";
  EXPECT_EQ(move(order, other).ship_to->street.value, "2 Main St");
  EXPECT_EQ(faults_of([&] { move(order, in_region("OR", "62701")); }), Pointers{"/ship_to/region"});
  EXPECT_EQ(faults_of([&] { move(order, in_region("CA", "90210")); }),
            (Pointers{"/ship_to/region", "/ship_to/postal_code"}));
  EXPECT_EQ(faults_of([&] { move(order, in_region("IL", "10001")); }),
            Pointers{"/ship_to/postal_code"})
      << "where the shop does not ship to";
  EXPECT_EQ(faults_of([&] { move(order, address("DE")); }), Pointers{"/ship_to/country"});
}

// ---- what is sold -------------------------------------------------------------------------------

TEST_F(Places, OfTheOptionsAreKeptHoweverLongTheTitle) {
  auto body = tea("LONG-L");
  body["title"] = std::string("Caf\xc3\xa9 ") + std::string(140, 'x');
  body["option_names"] = {"Size"};
  body["variants"][0]["options"] = {"Extra large"};
  const auto done = buy(want(published(body).variants[0].id, 1, 1'250));
  const auto& name = done.order->lines.items[0].name.value;
  EXPECT_TRUE(name.ends_with("x\xe2\x80\xa6, Extra large")) << name;
  EXPECT_EQ(code_points(name), 100u);
  EXPECT_EQ(done.order->lines.items[0].sku->value, "LONG-L");
}

TEST_F(Places, WhatComesToNothingIsNotSold) {
  add_code({{"code", "ALL"}, {"kind", "percent"}, {"basis_points", 10'000}});
  const auto id = counted("TEA-1", 9);
  const Json body = {{"lines", lines({line(id, 1)})}, {"discount_code", "ALL"}};
  EXPECT_EQ(faults_of([&] { quote(body); }), Pointers{"/discount_code"});
  const auto free = published(tea("FREE", 0)).variants[0].id;
  EXPECT_EQ(faults_of([&] { quote_of(free); }), Pointers{"/lines"});
}

}  // namespace checkout_places_test
}  // namespace bottega::test
