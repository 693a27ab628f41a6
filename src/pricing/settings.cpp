// What a shop's managers have set, and what a sale reads of it.
#include "bottega/pricing/settings.hpp"

#include <algorithm>

#include "pricing/rows.hpp"

namespace bottega::pricing {
namespace {

// The zones, rates and taxes as a sale reads them. What is written is read by later versions: a
// member that is added must be optional.
struct Document {
  std::vector<ZoneRule> zones;
  std::vector<TaxRule> taxes;
};
BOOST_DESCRIBE_STRUCT(Document, (), (zones, taxes))

// Everything but the country is NULL for a shop that has set nothing.
struct Row {
  MerchantId merchant_id;
  Country country;
  std::optional<TaxMode> tax_mode;
  std::optional<Asked> ask_address, ask_email, ask_phone, ask_name, ask_billing;
  std::optional<Tips> tips;
  std::optional<bool> pre_checkout;
  std::optional<StandingAnswer> standing_answer;
  std::optional<std::int64_t> withdrawal_days;
  std::optional<Disclosures> disclosures;
  std::optional<Document> rules;
  std::optional<std::string> updated_by;
  std::optional<Instant> updated_at;
};
BOOST_DESCRIBE_STRUCT(Row, (),
                      (merchant_id, country, tax_mode, ask_address, ask_email, ask_phone, ask_name,
                       ask_billing, tips, pre_checkout, standing_answer, withdrawal_days,
                       disclosures, rules, updated_by, updated_at))

const Sql<Row(std::vector<MerchantId>)> kRules{"pricing.rules", R"(
    SELECT m.id AS merchant_id, m.country, s.tax_mode, s.ask_address, s.ask_email, s.ask_phone,
           s.ask_name, s.ask_billing, s.tips, s.pre_checkout, s.standing_answer,
           s.withdrawal_days, NULL::jsonb AS disclosures, s.rules,
           NULL::text AS updated_by, NULL::timestamptz AS updated_at
    FROM merchants m LEFT JOIN checkout_settings s ON s.merchant_id = m.id
    WHERE m.id = ANY($1::uuid[]))"};

const Sql<Row(MerchantId)> kSettings{"pricing.settings", R"(
    SELECT m.id AS merchant_id, m.country, s.tax_mode, s.ask_address, s.ask_email, s.ask_phone,
           s.ask_name, s.ask_billing, s.tips, s.pre_checkout, s.standing_answer, s.withdrawal_days,
           s.disclosures, NULL::jsonb AS rules, s.updated_by, s.updated_at
    FROM merchants m LEFT JOIN checkout_settings s ON s.merchant_id = m.id
    WHERE m.id = $1)"};

const Sql<void(MerchantId, TaxMode, Asked, Asked, Asked, Asked, Asked, Tips, bool, StandingAnswer,
               std::int64_t, std::optional<Disclosures>, std::string, Instant)>
    kSet{"pricing.set_settings", R"(
    INSERT INTO checkout_settings (merchant_id, tax_mode, ask_address, ask_email, ask_phone,
                                   ask_name, ask_billing, tips, pre_checkout, standing_answer,
                                   withdrawal_days, disclosures, updated_by, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    ON CONFLICT (merchant_id) DO UPDATE
    SET tax_mode = excluded.tax_mode, ask_address = excluded.ask_address,
        ask_email = excluded.ask_email, ask_phone = excluded.ask_phone,
        ask_name = excluded.ask_name, ask_billing = excluded.ask_billing, tips = excluded.tips,
        pre_checkout = excluded.pre_checkout, standing_answer = excluded.standing_answer,
        withdrawal_days = excluded.withdrawal_days, disclosures = excluded.disclosures,
        updated_by = excluded.updated_by, updated_at = excluded.updated_at)"};

const Sql<void(MerchantId)> kHold{"pricing.hold_rules", R"(
    INSERT INTO checkout_settings (merchant_id) VALUES ($1)
    ON CONFLICT (merchant_id) DO UPDATE SET rules = checkout_settings.rules)"};

struct ZoneRow {
  ZoneId id;
  std::vector<Country> countries;
  std::vector<std::string> regions, postal_prefixes;
};
BOOST_DESCRIBE_STRUCT(ZoneRow, (), (id, countries, regions, postal_prefixes))

const Sql<ZoneRow(MerchantId)> kZones{"pricing.zones_of_rules", R"(
    SELECT id, array_to_json(countries) AS countries, array_to_json(regions) AS regions,
           array_to_json(postal_prefixes) AS postal_prefixes
    FROM shipping_zones WHERE merchant_id = $1 ORDER BY id)"};

struct RateRow {
  ZoneId zone_id;
  ShippingRateId id;
  std::string name;
  ShippingPrices prices;
  std::optional<std::int64_t> weight_over_g, weight_up_to_g, days_min, days_max;
};
BOOST_DESCRIBE_STRUCT(RateRow, (),
                      (zone_id, id, name, prices, weight_over_g, weight_up_to_g, days_min,
                       days_max))

const Sql<RateRow(MerchantId)> kRates{"pricing.rates_of_rules", R"(
    SELECT zone_id, id, name, prices, weight_over_g, weight_up_to_g, days_min, days_max
    FROM shipping_rates WHERE merchant_id = $1 AND active ORDER BY zone_id, id)"};

const Sql<TaxRule(MerchantId)> kTaxes{"pricing.taxes_of_rules", R"(
    SELECT id, name, country, region, tax_class, parts_per_million, applies_to_shipping
    FROM tax_rates WHERE merchant_id = $1 ORDER BY id)"};

const Sql<void(MerchantId, Document)> kRenew{"pricing.renew_rules", R"(
    UPDATE checkout_settings SET rules = $2 WHERE merchant_id = $1)"};

BuyerData buyer_of(const Row& row) {
  const BuyerData usual;
  return {row.ask_address.value_or(usual.address), row.ask_email.value_or(usual.email),
          row.ask_phone.value_or(usual.phone), row.ask_name.value_or(usual.name),
          row.ask_billing.value_or(usual.billing)};
}

PreCheckout pre_checkout_of(const Row& row) {
  const PreCheckout usual;
  return {row.pre_checkout.value_or(usual.ask),
          row.standing_answer.value_or(usual.standing_answer)};
}

}  // namespace

CheckoutTerms CheckoutSettings::terms() const {
  return {merchant_id, tax_mode, buyer, tips, withdrawal_days, disclosures};
}

CheckoutSettings fetch_settings(Tx& tx, MerchantId merchant) {
  const auto row = tx.one(kSettings, merchant);
  return {merchant,
          row.tax_mode.value_or(TaxMode::none),
          buyer_of(row),
          row.tips.value_or(Tips{}),
          pre_checkout_of(row),
          row.withdrawal_days.value_or(kWithdrawalDays),
          row.disclosures,
          row.updated_by,
          row.updated_at};
}

CheckoutSettings set_settings(Tx& tx, const Who& who, MerchantId merchant,
                              const NewCheckoutSettings& given) {
  const auto& buyer = given.buyer;
  const auto country = identity::fetch_merchant(tx, merchant).country;
  if (is_in_union(country) &&
      number_of(given.withdrawal_days).value_or(kWithdrawalDays) < kWithdrawalDays)
    throw Error(Code::invalid, "a shop in the European Union gives more time than that",
                {{"/withdrawal_days", "must be at least " + std::to_string(kWithdrawalDays)}});
  tx.run(kSet, merchant, given.tax_mode, buyer.address, buyer.email, buyer.phone, buyer.name,
         buyer.billing, given.tips, given.pre_checkout.ask, given.pre_checkout.standing_answer,
         number_of(given.withdrawal_days).value_or(kWithdrawalDays), given.disclosures, who.actor(),
         tx.now());
  return fetch_settings(tx, merchant);
}

std::map<MerchantId, ShopRules> read_rules(Tx& tx, const std::set<MerchantId>& merchants) {
  std::map<MerchantId, ShopRules> all;
  if (merchants.empty()) return all;
  for (auto& row : tx.all(kRules, {merchants.begin(), merchants.end()})) {
    ShopRules rules{row.country,
                    row.tax_mode.value_or(TaxMode::none),
                    buyer_of(row),
                    row.tips.value_or(Tips{}),
                    pre_checkout_of(row),
                    {},
                    {},
                    row.withdrawal_days.value_or(kWithdrawalDays)};
    if (row.rules) {
      rules.zones = std::move(row.rules->zones);
      rules.taxes = std::move(row.rules->taxes);
    }
    all.emplace(row.merchant_id, std::move(rules));
  }
  return all;
}

ShopRules read_rules(Tx& tx, MerchantId merchant) {
  auto found = read_rules(tx, std::set{merchant});
  if (found.empty()) not_there();
  return std::move(found.begin()->second);
}

void hold_rules(Tx& tx, MerchantId merchant) { tx.run(kHold, merchant); }

void renew_rules(Tx& tx, MerchantId merchant) {
  Document document;
  for (auto& zone : tx.all(kZones, merchant))
    document.zones.push_back({zone.id,
                              std::move(zone.countries),
                              std::move(zone.regions),
                              std::move(zone.postal_prefixes),
                              {}});
  for (auto& rate : tx.all(kRates, merchant)) {
    const auto zone = std::ranges::find(document.zones, rate.zone_id, &ZoneRule::id);
    zone->rates.push_back({rate.id, std::move(rate.name), std::move(rate.prices),
                           rate.weight_over_g, rate.weight_up_to_g, rate.days_min, rate.days_max});
  }
  document.taxes = tx.all(kTaxes, merchant);
  tx.run(kRenew, merchant, document);
}

}  // namespace bottega::pricing
