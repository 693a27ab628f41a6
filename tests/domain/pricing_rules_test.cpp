// A shop's rules in the database: what a sale reads is always what the managers see, and the bounds
// hold.
#include <gtest/gtest.h>

#include "support/world.hpp"
#include "bottega/pricing/settings.hpp"

namespace bottega::test {
namespace pricing_rules_test {

using namespace pricing;

class PricingRules : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  void SetUp() override {
    owner_ = world_->person("Otto Owner");
    merchant_ = world_->merchant(owner_).id;
  }

  ShopRules rules() const {
    return world_->transact([&](Tx& tx) { return read_rules(tx, merchant_); });
  }
  CheckoutSettings settings() const {
    return world_->transact([&](Tx& tx) { return fetch_settings(tx, merchant_); });
  }
  ShippingZone add_zone(const Json& body) const {
    const auto given = from_json<NewShippingZone>(body);
    return world_->transact([&](Tx& tx) { return pricing::add_zone(tx, merchant_, given); });
  }
  ShippingZone add_zone() const {
    return add_zone({{"name", "All"}, {"countries", Json::array()}});
  }
  static NewShippingRate rate_of(std::int64_t amount, const Json& more = Json::object()) {
    Json body = {{"name", "Post"},
                 {"prices", Json::array({{{"currency", "USD"}, {"amount", amount}}})}};
    body.update(more);
    return from_json<NewShippingRate>(body);
  }
  ShippingRate add_rate(ZoneId zone, std::int64_t amount, const Json& more = Json::object()) const {
    const auto given = rate_of(amount, more);
    return world_->transact([&](Tx& tx) { return pricing::add_rate(tx, merchant_, zone, given); });
  }
  static NewTaxRate tax_of(const std::string& name, const Json& more = Json::object()) {
    Json body = {{"name", name}, {"country", "US"}, {"parts_per_million", 50'000}};
    body.update(more);
    return from_json<NewTaxRate>(body);
  }
  TaxRate add_tax(const std::string& name, const Json& more = Json::object()) const {
    const auto given = tax_of(name, more);
    return world_->transact([&](Tx& tx) { return add_tax_rate(tx, merchant_, given); });
  }
  std::string told(const std::string& sql) const { return execute(world_->urls.superuser, sql); }

  static inline std::unique_ptr<World> world_;
  identity::Who owner_;
  identity::MerchantId merchant_;
};

// ---- settings -----------------------------------------------------------------------------------

TEST_F(PricingRules, GiveBuyersOfAUnionShopTheirFourteenDays) {
  const auto given = from_json<identity::NewMerchant>(
      {{"name", "Lampen"}, {"country", "DE"}, {"currency", "EUR"}});
  const auto shop = world_->transact([&](Tx& tx) {
    return identity::create_merchant(tx, owner_, given, {290, 30}, "sandbox", "DE");
  });
  const auto promise = [&](std::int64_t days) {
    NewCheckoutSettings rules;
    rules.withdrawal_days = Count<0, 365>{days};
    return world_->transact([&](Tx& tx) { return set_settings(tx, owner_, shop.id, rules); });
  };
  EXPECT_EQ(code_of([&] { promise(13); }), Code::invalid);
  EXPECT_EQ(promise(14).withdrawal_days, 14);
}

TEST_F(PricingRules, BeginWithDefaultsThatTheDatabaseHasToo) {
  const auto before = settings();
  EXPECT_EQ(before.tax_mode, TaxMode::none);
  EXPECT_EQ(before.buyer.address, Asked::required);
  EXPECT_EQ(before.withdrawal_days, 14);
  EXPECT_FALSE(before.tips.allowed);
  EXPECT_FALSE(before.pre_checkout.ask);
  EXPECT_EQ(before.updated_by, std::nullopt);
  const auto fresh = rules();
  EXPECT_EQ(fresh.country, from_text<Country>("US"));
  EXPECT_TRUE(fresh.zones.empty());
  add_zone();  // writes a row, and nothing but the rules into it
  EXPECT_EQ(to_json(settings()), to_json(before));
  EXPECT_EQ(to_json(rules().buyer), to_json(fresh.buyer));
  EXPECT_EQ(to_json(rules().tips), to_json(fresh.tips));
  EXPECT_EQ(to_json(rules().pre_checkout), to_json(fresh.pre_checkout));
}

TEST_F(PricingRules, AreReadAsTheyWereSet) {
  const Json body = {
      {"tax_mode", "inclusive"},
      {"buyer",
       {{"address", "optional"},
        {"email", "required"},
        {"phone", "optional"},
        {"name", "required"},
        {"billing", "none"}}},
      {"tips", {{"allowed", true}, {"suggested_percent", {5, 10}}, {"most_percent", 20}}},
      {"pre_checkout", {{"ask", true}, {"standing_answer", "refuse"}}},
      {"withdrawal_days", 30},
      {"disclosures", {{"legal_name", "Ada's Lamps GmbH"}, {"vat_id", "DE 123456789"}}}};
  const auto given = from_json<NewCheckoutSettings>(body);
  const auto set =
      world_->transact([&](Tx& tx) { return set_settings(tx, owner_, merchant_, given); });
  EXPECT_EQ(to_json(set), to_json(settings()));
  EXPECT_EQ(to_json(set.buyer), body["buyer"]);
  EXPECT_EQ(set.updated_by, text_of(owner_.account));
  EXPECT_EQ(set.withdrawal_days, 30);
  EXPECT_EQ(set.disclosures.value().vat_id.value().value, "DE123456789");
  EXPECT_EQ(to_json(set.terms().disclosures), to_json(set.disclosures));
  const auto read = rules();
  EXPECT_EQ(read.tax_mode, TaxMode::inclusive);
  EXPECT_EQ(to_json(read.buyer), body["buyer"]);
  EXPECT_EQ(to_json(read.tips), body["tips"]);
  EXPECT_EQ(to_json(read.pre_checkout), body["pre_checkout"]);
}

TEST_F(PricingRules, OfSettingsLeaveTheZonesAndTaxesAsTheyAre) {
  const auto zone = add_zone();
  add_tax("Tax");
  NewCheckoutSettings plain;
  world_->transact([&](Tx& tx) { set_settings(tx, owner_, merchant_, plain); });
  ASSERT_EQ(rules().zones.size(), 1u);
  EXPECT_EQ(rules().zones[0].id, zone.id);
  EXPECT_EQ(rules().taxes.size(), 1u);
}

// ---- zones and rates ----------------------------------------------------------------------------

TEST_F(PricingRules, HoldEachZoneWithItsActiveRates) {
  const auto west = add_zone({{"name", "West"},
                              {"countries", {"US"}},
                              {"regions", {"us-ca", "CA ", "or"}},
                              {"postal_prefixes", {"9 0", "97"}}});
  const auto rest = add_zone();
  EXPECT_EQ(west.regions, (std::vector<std::string>{"CA", "OR"}));
  EXPECT_EQ(west.postal_prefixes, (std::vector<std::string>{"90", "97"}));
  const auto post = add_rate(west.id, 500, {{"weight_up_to_g", 2'000}, {"days_max", 3}});
  add_rate(west.id, 900, {{"active", false}});
  const auto abroad = add_rate(rest.id, 1'500);
  const auto read = rules();
  ASSERT_EQ(read.zones.size(), 2u);
  EXPECT_EQ(read.zones[0].id, west.id);
  EXPECT_EQ(read.zones[0].regions, west.regions);
  ASSERT_EQ(read.zones[0].rates.size(), 1u);
  EXPECT_EQ(read.zones[0].rates[0].id, post.id);
  EXPECT_EQ(read.zones[0].rates[0].weight_up_to_g, 2'000);
  EXPECT_EQ(read.zones[0].rates[0].days_max, 3);
  EXPECT_EQ(read.zones[0].rates[0].days_min, std::nullopt);
  EXPECT_EQ(read.zones[1].rates.at(0).id, abroad.id);
  const auto listed = world_->transact([&](Tx& tx) { return list_rates(tx, merchant_, west.id); });
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_FALSE(listed[1].active);
}

TEST_F(PricingRules, FollowEveryChangeAndRemoval) {
  const auto zone = add_zone();
  const auto rate = add_rate(zone.id, 500);
  world_->transact([&](Tx& tx) { change_rate(tx, merchant_, zone.id, rate.id, rate_of(700)); });
  EXPECT_EQ(rules().zones.at(0).rates.at(0).prices.items.at(0).amount.value, 700);
  const auto home = from_json<NewShippingZone>({{"name", "Home"}, {"countries", {"US", "US"}}});
  world_->transact([&](Tx& tx) { change_zone(tx, merchant_, zone.id, home); });
  EXPECT_EQ(rules().zones.at(0).countries, std::vector<Country>{from_text<Country>("US")});
  world_->transact([&](Tx& tx) { remove_rate(tx, merchant_, zone.id, rate.id); });
  EXPECT_TRUE(rules().zones.at(0).rates.empty());
  add_rate(zone.id, 100);
  world_->transact([&](Tx& tx) { remove_zone(tx, merchant_, zone.id); });
  EXPECT_TRUE(rules().zones.empty());
  const auto tax = add_tax("Tax", {{"region", "us-ca"}, {"tax_class", "books"}});
  EXPECT_EQ(rules().taxes.at(0).region, "CA");
  world_->transact([&](Tx& tx) { change_tax_rate(tx, merchant_, tax.id, tax_of("GST")); });
  EXPECT_EQ(rules().taxes.at(0).name, "GST");
  EXPECT_EQ(rules().taxes.at(0).tax_class, "standard");
  world_->transact([&](Tx& tx) { remove_tax_rate(tx, merchant_, tax.id); });
  EXPECT_TRUE(rules().taxes.empty());
}

TEST_F(PricingRules, OfAnotherShopAreNotThere) {
  const auto zone = add_zone();
  const auto rate = add_rate(zone.id, 500);
  const auto tax = add_tax("Tax");
  const auto other = world_->merchant(world_->person()).id;
  const auto home = from_json<NewShippingZone>({{"name", "Home"}, {"countries", {"US"}}});
  const std::vector<std::function<void(Tx&)>> acts = {
      [&](Tx& tx) { change_zone(tx, other, zone.id, home); },
      [&](Tx& tx) { remove_zone(tx, other, zone.id); },
      [&](Tx& tx) { list_rates(tx, other, zone.id); },
      [&](Tx& tx) { pricing::add_rate(tx, other, zone.id, rate_of(1)); },
      [&](Tx& tx) { change_rate(tx, other, zone.id, rate.id, rate_of(1)); },
      [&](Tx& tx) { remove_rate(tx, other, zone.id, rate.id); },
      [&](Tx& tx) { change_tax_rate(tx, other, tax.id, tax_of("GST")); },
      [&](Tx& tx) { remove_tax_rate(tx, other, tax.id); },
      [&](Tx& tx) { read_rules(tx, identity::MerchantId::make()); },
  };
  for (std::size_t i = 0; i < acts.size(); ++i)
    EXPECT_EQ(code_of([&] { world_->transact([&](Tx& tx) { acts[i](tx); }); }), Code::not_found)
        << i;
  EXPECT_EQ(rules().zones.at(0).rates.size(), 1u);
}

TEST_F(PricingRules, AreOneTaxForAPlaceClassAndName) {
  add_tax("Tax");
  EXPECT_EQ(code_of([&] { add_tax("Tax"); }), Code::conflict);
  add_tax("Tax", {{"region", "CA"}});
  EXPECT_EQ(code_of([&] { add_tax("Tax", {{"region", "us-ca"}}); }), Code::conflict);
  const auto books = add_tax("Tax", {{"tax_class", "books"}});
  EXPECT_EQ(
      code_of([&] {
        world_->transact([&](Tx& tx) { change_tax_rate(tx, merchant_, books.id, tax_of("Tax")); });
      }),
      Code::conflict);
  EXPECT_EQ(rules().taxes.size(), 3u);
}

TEST_F(PricingRules, AreListedFromTheNewestTaxOn) {
  std::vector<TaxRateId> ids;
  for (const auto* name : {"A", "B", "C"}) ids.push_back(add_tax(name).id);
  const auto page = [&](std::optional<TaxRateId> after) {
    return world_->transact([&](Tx& tx) { return list_tax_rates(tx, merchant_, after, 2); });
  };
  ASSERT_EQ(page(std::nullopt).size(), 2u);
  EXPECT_EQ(page(std::nullopt)[0].id, ids[2]);
  ASSERT_EQ(page(ids[1]).size(), 1u);
  EXPECT_EQ(page(ids[1])[0].id, ids[0]);
}

TEST_F(PricingRules, HaveTheirBounds) {
  const auto zone = add_zone();
  const auto id = "'" + uuid_text(merchant_.uuid) + "'";
  told("INSERT INTO bottega.shipping_zones SELECT " + id +
       ", gen_random_uuid(), 'Z', '{}', '{}', '{}', now(), now() FROM generate_series(2, 50)");
  EXPECT_EQ(code_of([&] { add_zone(); }), Code::conflict);
  told("INSERT INTO bottega.shipping_rates SELECT " + id + ", '" + uuid_text(zone.id.uuid) +
       "', gen_random_uuid(), 'R', '[{\"currency\":\"USD\",\"amount\":1}]', NULL, NULL, NULL, "
       "NULL, true, now(), now() FROM generate_series(1, 50)");
  EXPECT_EQ(code_of([&] { add_rate(zone.id, 500); }), Code::conflict);
  told("INSERT INTO bottega.tax_rates SELECT " + id +
       ", gen_random_uuid(), 'T' || n, 'US', '', 'standard', 1, true, now(), now() "
       "FROM generate_series(1, 500) n");
  EXPECT_EQ(code_of([&] { add_tax("One more"); }), Code::conflict);
}

// The statement itself, with the merchant in it.
std::string statement(identity::MerchantId merchant) {
  for (const auto* sql = SqlText::all; sql != nullptr; sql = sql->rest) {
    if (sql->name != "pricing.rules") continue;
    std::string text(sql->text);
    return text.replace(text.find("$1"), 2, "'{" + uuid_text(merchant.uuid) + "}'");
  }
  return {};
}

TEST_F(PricingRules, AreReadAsTwoRowsByTheirKeysHoweverManyThereAre) {
  const auto zone = add_zone();
  for (int i = 0; i < 5; ++i) add_rate(zone.id, 100 + i);
  const auto plan = told(
      "SET search_path = bottega; SET enable_seqscan = off; EXPLAIN (COSTS off, FORMAT json) " +
      statement(merchant_));
  EXPECT_NE(plan.find("checkout_settings_pkey"), std::string::npos) << plan;
  EXPECT_EQ(plan.find("Seq Scan"), std::string::npos) << plan;
  EXPECT_EQ(plan.find("Aggregate"), std::string::npos) << plan;
  EXPECT_EQ(rules().zones.at(0).rates.size(), 5u);
}

}  // namespace pricing_rules_test
}  // namespace bottega::test
