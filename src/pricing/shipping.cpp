// The zones that a shop ships to, and the rates in them.
#include <algorithm>

#include "pricing/rows.hpp"

namespace bottega::pricing {
namespace {

using Words = std::vector<std::string>;

const Sql<ShippingZone(MerchantId)> kZones{"pricing.zones", R"(
    SELECT id, name, array_to_json(countries) AS countries, array_to_json(regions) AS regions,
           array_to_json(postal_prefixes) AS postal_prefixes, created_at, updated_at
    FROM shipping_zones WHERE merchant_id = $1 ORDER BY id)"};

const Sql<ZoneId(MerchantId, ZoneId)> kZone{"pricing.zone", R"(
    SELECT id FROM shipping_zones WHERE merchant_id = $1 AND id = $2)"};

const Sql<std::int64_t(MerchantId)> kCountZones{"pricing.count_zones", R"(
    SELECT count(*) FROM shipping_zones WHERE merchant_id = $1)"};

const Sql<ShippingZone(MerchantId, ZoneId, std::string, std::vector<Country>, Words, Words,
                       Instant)>
    kAddZone{"pricing.add_zone", R"(
    INSERT INTO shipping_zones (merchant_id, id, name, countries, regions, postal_prefixes,
                                created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
    RETURNING id, name, array_to_json(countries) AS countries, array_to_json(regions) AS regions,
              array_to_json(postal_prefixes) AS postal_prefixes, created_at, updated_at)"};

const Sql<ShippingZone(MerchantId, ZoneId, std::string, std::vector<Country>, Words, Words,
                       Instant)>
    kChangeZone{"pricing.change_zone", R"(
    UPDATE shipping_zones SET name = $3, countries = $4, regions = $5, postal_prefixes = $6,
                              updated_at = $7
    WHERE merchant_id = $1 AND id = $2
    RETURNING id, name, array_to_json(countries) AS countries, array_to_json(regions) AS regions,
              array_to_json(postal_prefixes) AS postal_prefixes, created_at, updated_at)"};

const Sql<void(MerchantId, ZoneId)> kRemoveZone{"pricing.remove_zone", R"(
    DELETE FROM shipping_zones WHERE merchant_id = $1 AND id = $2)"};

const Sql<ShippingRate(MerchantId, ZoneId)> kRates{"pricing.rates", R"(
    SELECT id, zone_id, name, prices, weight_over_g, weight_up_to_g, days_min, days_max, active,
           created_at, updated_at
    FROM shipping_rates WHERE merchant_id = $1 AND zone_id = $2 ORDER BY id)"};

const Sql<std::int64_t(MerchantId, ZoneId)> kCountRates{"pricing.count_rates", R"(
    SELECT count(*) FROM shipping_rates WHERE merchant_id = $1 AND zone_id = $2)"};

using Bound = std::optional<std::int64_t>;

const Sql<ShippingRate(MerchantId, ZoneId, ShippingRateId, std::string, ShippingPrices, Bound,
                       Bound, Bound, Bound, bool, Instant)>
    kAddRate{"pricing.add_rate", R"(
    INSERT INTO shipping_rates (merchant_id, zone_id, id, name, prices, weight_over_g,
                                weight_up_to_g, days_min, days_max, active, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
    RETURNING id, zone_id, name, prices, weight_over_g, weight_up_to_g, days_min, days_max, active,
              created_at, updated_at)"};

const Sql<ShippingRate(MerchantId, ZoneId, ShippingRateId, std::string, ShippingPrices, Bound,
                       Bound, Bound, Bound, bool, Instant)>
    kChangeRate{"pricing.change_rate", R"(
    UPDATE shipping_rates SET name = $4, prices = $5, weight_over_g = $6, weight_up_to_g = $7,
                              days_min = $8, days_max = $9, active = $10, updated_at = $11
    WHERE merchant_id = $1 AND zone_id = $2 AND id = $3
    RETURNING id, zone_id, name, prices, weight_over_g, weight_up_to_g, days_min, days_max, active,
              created_at, updated_at)"};

const Sql<void(MerchantId, ZoneId, ShippingRateId)> kRemoveRate{"pricing.remove_rate", R"(
    DELETE FROM shipping_rates WHERE merchant_id = $1 AND zone_id = $2 AND id = $3)"};

// As they are compared; two that are one are kept once.
template <class Given, class Fold>
Words folded(const std::optional<Given>& given, Fold fold) {
  Words out;
  if (!given) return out;
  for (const auto& item : *given) out.push_back(fold(item.value));
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Words regions_of(const NewShippingZone& given) {
  return folded(given.regions, [&](const std::string& region) {
    return fold_region(region, given.countries.items.front());
  });
}

// What a zone is written down as.
struct Zone {
  std::vector<Country> countries;
  Words regions, postal_prefixes;
};

Zone zone_of(const NewShippingZone& given) {
  Zone zone{given.countries.items, {}, {}};
  std::ranges::sort(zone.countries);
  const auto same = std::unique(zone.countries.begin(), zone.countries.end());
  zone.countries.erase(same, zone.countries.end());
  if (zone.countries.size() != 1) return zone;
  zone.regions = regions_of(given);
  zone.postal_prefixes = folded(given.postal_prefixes, fold_postal);
  return zone;
}

}  // namespace

std::vector<ShippingZone> list_zones(Tx& tx, MerchantId merchant) {
  return tx.all(kZones, merchant);
}

ShippingZone add_zone(Tx& tx, MerchantId merchant, const NewShippingZone& given) {
  hold_rules(tx, merchant);
  if (tx.one(kCountZones, merchant) >= kZonesMax)
    throw Error(Code::conflict, "no more zones can be kept; remove some first");
  const auto zone = zone_of(given);
  auto added = tx.one(kAddZone, merchant, ZoneId::make(), given.name.value, zone.countries,
                      zone.regions, zone.postal_prefixes, tx.now());
  renew_rules(tx, merchant);
  return added;
}

ShippingZone change_zone(Tx& tx, MerchantId merchant, ZoneId id, const NewShippingZone& given) {
  hold_rules(tx, merchant);
  const auto zone = zone_of(given);
  auto changed = tx.one(kChangeZone, merchant, id, given.name.value, zone.countries, zone.regions,
                        zone.postal_prefixes, tx.now());
  renew_rules(tx, merchant);
  return changed;
}

void remove_zone(Tx& tx, MerchantId merchant, ZoneId id) {
  hold_rules(tx, merchant);
  if (tx.run(kRemoveZone, merchant, id) == 0) not_there();
  renew_rules(tx, merchant);
}

std::vector<ShippingRate> list_rates(Tx& tx, MerchantId merchant, ZoneId zone) {
  tx.one(kZone, merchant, zone);
  return tx.all(kRates, merchant, zone);
}

ShippingRate add_rate(Tx& tx, MerchantId merchant, ZoneId zone, const NewShippingRate& given) {
  hold_rules(tx, merchant);
  tx.one(kZone, merchant, zone);
  if (tx.one(kCountRates, merchant, zone) >= kRatesMax)
    throw Error(Code::conflict, "no more rates can be kept in this zone; remove some first");
  auto added = tx.one(kAddRate, merchant, zone, ShippingRateId::make(), given.name.value,
                      given.prices, number_of(given.weight_over_g), number_of(given.weight_up_to_g),
                      number_of(given.days_min), number_of(given.days_max),
                      given.active.value_or(true), tx.now());
  renew_rules(tx, merchant);
  return added;
}

ShippingRate change_rate(Tx& tx, MerchantId merchant, ZoneId zone, ShippingRateId id,
                         const NewShippingRate& given) {
  hold_rules(tx, merchant);
  auto changed = tx.one(kChangeRate, merchant, zone, id, given.name.value, given.prices,
                        number_of(given.weight_over_g), number_of(given.weight_up_to_g),
                        number_of(given.days_min), number_of(given.days_max),
                        given.active.value_or(true), tx.now());
  renew_rules(tx, merchant);
  return changed;
}

void remove_rate(Tx& tx, MerchantId merchant, ZoneId zone, ShippingRateId id) {
  hold_rules(tx, merchant);
  if (tx.run(kRemoveRate, merchant, zone, id) == 0) not_there();
  renew_rules(tx, merchant);
}

}  // namespace bottega::pricing
