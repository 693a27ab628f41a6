// The shop's table of taxes.
#include "pricing/rows.hpp"

namespace bottega::pricing {
namespace {

const Sql<TaxRate(MerchantId, TaxRateId, std::int64_t)> kList{"pricing.tax_rates", R"(
    SELECT id, name, country, region, tax_class, parts_per_million, applies_to_shipping,
           created_at, updated_at
    FROM tax_rates WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3)"};

const Sql<std::int64_t(MerchantId)> kCount{"pricing.count_tax_rates", R"(
    SELECT count(*) FROM tax_rates WHERE merchant_id = $1)"};

// The rate, other than this one, that has the same place, class and name.
const Sql<TaxRateId(MerchantId, TaxRateId, Country, std::string, std::string, std::string)> kSame{
    "pricing.same_tax_rate", R"(
    SELECT id FROM tax_rates
    WHERE merchant_id = $1 AND id <> $2 AND country = $3 AND region = $4 AND tax_class = $5
      AND name = $6)"};

const Sql<TaxRate(MerchantId, TaxRateId, std::string, Country, std::string, std::string,
                  std::int64_t, bool, Instant)>
    kAdd{"pricing.add_tax_rate", R"(
    INSERT INTO tax_rates (merchant_id, id, name, country, region, tax_class, parts_per_million,
                           applies_to_shipping, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
    RETURNING id, name, country, region, tax_class, parts_per_million, applies_to_shipping,
              created_at, updated_at)"};

const Sql<TaxRate(MerchantId, TaxRateId, std::string, Country, std::string, std::string,
                  std::int64_t, bool, Instant)>
    kChange{"pricing.change_tax_rate", R"(
    UPDATE tax_rates SET name = $3, country = $4, region = $5, tax_class = $6,
                         parts_per_million = $7, applies_to_shipping = $8, updated_at = $9
    WHERE merchant_id = $1 AND id = $2
    RETURNING id, name, country, region, tax_class, parts_per_million, applies_to_shipping,
              created_at, updated_at)"};

const Sql<void(MerchantId, TaxRateId)> kRemove{"pricing.remove_tax_rate", R"(
    DELETE FROM tax_rates WHERE merchant_id = $1 AND id = $2)"};

std::string region_of(const NewTaxRate& given) {
  return given.region ? fold_region(given.region->value, given.country) : std::string();
}

std::string class_of(const NewTaxRate& given) {
  return given.tax_class ? given.tax_class->value : std::string(kStandardClass);
}

// The shop's rules are held, so that nobody adds the same meanwhile.
void require_only_one(Tx& tx, MerchantId merchant, TaxRateId id, const NewTaxRate& given) {
  if (tx.find(kSame, merchant, id, given.country, region_of(given), class_of(given),
              given.name.value))
    throw Error(Code::conflict, "there is a rate of this name for the same place and class",
                {{"/name", "must be one that is not taken"}});
}

}  // namespace

std::vector<TaxRate> list_tax_rates(Tx& tx, MerchantId merchant, std::optional<TaxRateId> after,
                                    std::int64_t limit) {
  return tx.all(kList, merchant, after.value_or(TaxRateId::newest()), limit);
}

TaxRate add_tax_rate(Tx& tx, MerchantId merchant, const NewTaxRate& given) {
  hold_rules(tx, merchant);
  if (tx.one(kCount, merchant) >= kTaxRatesMax)
    throw Error(Code::conflict, "no more tax rates can be kept; remove some first");
  const auto id = TaxRateId::make();
  require_only_one(tx, merchant, id, given);
  auto added =
      tx.one(kAdd, merchant, id, given.name.value, given.country, region_of(given), class_of(given),
             given.parts_per_million.value, given.applies_to_shipping.value_or(false), tx.now());
  renew_rules(tx, merchant);
  return added;
}

TaxRate change_tax_rate(Tx& tx, MerchantId merchant, TaxRateId id, const NewTaxRate& given) {
  hold_rules(tx, merchant);
  require_only_one(tx, merchant, id, given);
  auto changed = tx.one(kChange, merchant, id, given.name.value, given.country, region_of(given),
                        class_of(given), given.parts_per_million.value,
                        given.applies_to_shipping.value_or(false), tx.now());
  renew_rules(tx, merchant);
  return changed;
}

void remove_tax_rate(Tx& tx, MerchantId merchant, TaxRateId id) {
  hold_rules(tx, merchant);
  if (tx.run(kRemove, merchant, id) == 0) not_there();
  renew_rules(tx, merchant);
}

}  // namespace bottega::pricing
