#pragma once
// How a shop sells, as its managers set it: what buyers are asked for, shipping, taxes, tips, and
// what the law wants a seller to say. A sale reads all that its price depends on as one row.
#include "bottega/catalog/fields.hpp"
#include "bottega/identity/merchants.hpp"
#include "bottega/pricing/price.hpp"

namespace bottega::pricing {

// A phone number of any country, kept as E.164 writes it: +15551234567.
struct Phone {
  std::string value;
  operator const std::string&() const { return value; }
  friend auto operator<=>(const Phone&, const Phone&) = default;
};
// A country's two letters and up to 13 letters and digits; whether it is registered is not asked.
struct VatId {
  std::string value;
  operator const std::string&() const { return value; }
  friend auto operator<=>(const VatId&, const VatId&) = default;
};

}  // namespace bottega::pricing

namespace bottega {

template <>
struct Form<pricing::Phone> {
  static std::string text(const pricing::Phone& value) { return value.value; }
  static std::optional<pricing::Phone> parse(std::string_view text);
  static std::string expected() { return "a phone number with its country, such as +15551234567"; }
  static Json schema() { return schemas::text(8, 40); }
};
template <>
struct Form<pricing::VatId> {
  static std::string text(const pricing::VatId& value) { return value.value; }
  static std::optional<pricing::VatId> parse(std::string_view text);
  static std::string expected() { return "a VAT number with its country, such as DE123456789"; }
  static Json schema() { return schemas::text(4, 30); }
};

}  // namespace bottega

namespace bottega::pricing {

using identity::AccountId, identity::MerchantId, identity::Who;

// ---- settings -----------------------------------------------------------------------------------

struct SellerAddress {
  Line<1, 200> street;
  Line<1, 100> city;
  std::optional<Line<1, 100>> region;
  Line<1, 20> postal_code;
  Country country;
};
BOOST_DESCRIBE_STRUCT(SellerAddress, (), (street, city, region, postal_code, country))

// Who answers for a high-volume seller (US, INFORM Consumers Act): a mail address, a phone, or
// both.
struct SellerContact {
  Line<1, 200> name;
  std::optional<SellerAddress> address;
  std::optional<Email> email;
  std::optional<Phone> phone;
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(SellerContact, (), (name, address, email, phone))

struct Disclosures {
  Line<1, 200> legal_name;
  std::optional<SellerAddress> address;
  std::optional<Email> email;
  std::optional<Phone> phone;
  std::optional<Line<1, 100>> registration_number;
  std::optional<VatId> vat_id;
  std::optional<Text<1, 10'000>> returns_policy;
  std::optional<SellerContact> contact;
};
BOOST_DESCRIBE_STRUCT(Disclosures, (),
                      (legal_name, address, email, phone, registration_number, vat_id,
                       returns_policy, contact))

inline constexpr std::int64_t kWithdrawalDays = 14;  // Directive 2011/83/EU, article 9

// What anybody may know before they buy.
struct CheckoutTerms {
  MerchantId merchant_id;
  TaxMode tax_mode{};
  BuyerData buyer;
  Tips tips;
  std::int64_t withdrawal_days = kWithdrawalDays;
  std::optional<Disclosures> disclosures;
};
BOOST_DESCRIBE_STRUCT(CheckoutTerms, (),
                      (merchant_id, tax_mode, buyer, tips, withdrawal_days, disclosures))

struct CheckoutSettings {
  MerchantId merchant_id;
  TaxMode tax_mode{};
  BuyerData buyer;
  Tips tips;
  PreCheckout pre_checkout;
  std::int64_t withdrawal_days = kWithdrawalDays;
  std::optional<Disclosures> disclosures;
  std::optional<std::string> updated_by;  // none: nobody has set anything yet
  std::optional<Instant> updated_at;
  CheckoutTerms terms() const;
};
BOOST_DESCRIBE_STRUCT(CheckoutSettings, (),
                      (merchant_id, tax_mode, buyer, tips, pre_checkout, withdrawal_days,
                       disclosures, updated_by, updated_at))

// All of the settings: what is not given is as for a new shop.
struct NewCheckoutSettings {
  TaxMode tax_mode{};
  BuyerData buyer;
  Tips tips;
  PreCheckout pre_checkout;
  std::optional<Count<0, 365>> withdrawal_days;
  std::optional<Disclosures> disclosures;
};
BOOST_DESCRIBE_STRUCT(NewCheckoutSettings, (),
                      (tax_mode, buyer, tips, pre_checkout, withdrawal_days, disclosures))

CheckoutSettings fetch_settings(Tx& tx, MerchantId merchant);
CheckoutSettings set_settings(Tx& tx, const Who& who, MerchantId merchant,
                              const NewCheckoutSettings& given);

// All that a price at this shop depends on but a discount code, in one statement that reads two
// rows.
ShopRules read_rules(Tx& tx, MerchantId merchant);
// The same of several shops.
std::map<MerchantId, ShopRules> read_rules(Tx& tx, const std::set<MerchantId>& merchants);

// ---- shipping -----------------------------------------------------------------------------------

inline constexpr std::int64_t kZonesMax = 50, kRatesMax = 50, kTaxRatesMax = 500;

struct ShippingZone {
  ZoneId id;
  std::string name;
  std::vector<Country> countries;
  std::vector<std::string> regions, postal_prefixes;
  Instant created_at{}, updated_at{};
};
BOOST_DESCRIBE_STRUCT(ShippingZone, (),
                      (id, name, countries, regions, postal_prefixes, created_at, updated_at))

struct NewShippingZone {
  Line<1, 100> name;
  List<Country, 0, 250> countries;  // none: everywhere
  std::optional<List<Line<1, 100>, 0, 100>> regions;
  std::optional<List<Line<1, 12>, 0, 200>> postal_prefixes;
  // Regions and postal codes are those of one country, and regions such of it, where we know those.
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(NewShippingZone, (), (name, countries, regions, postal_prefixes))

struct ShippingRate {
  ShippingRateId id;
  ZoneId zone_id;
  std::string name;
  ShippingPrices prices;
  std::optional<std::int64_t> weight_over_g, weight_up_to_g, days_min, days_max;
  bool active = true;
  Instant created_at{}, updated_at{};
};
BOOST_DESCRIBE_STRUCT(ShippingRate, (),
                      (id, zone_id, name, prices, weight_over_g, weight_up_to_g, days_min, days_max,
                       active, created_at, updated_at))

// For what weighs more than one bound and at most the other; offered in the currencies that have a
// price.
struct NewShippingRate {
  Line<1, 100> name;
  ShippingPrices prices;
  std::optional<Count<0, kWeightMax>> weight_over_g, weight_up_to_g;
  std::optional<Count<0, 365>> days_min, days_max;
  std::optional<bool> active;
  // One price for a currency; bounds that leave something between them.
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(NewShippingRate, (),
                      (name, prices, weight_over_g, weight_up_to_g, days_min, days_max, active))

// Oldest first.
std::vector<ShippingZone> list_zones(Tx& tx, MerchantId merchant);
// Throws Error(conflict) where kZonesMax are there.
ShippingZone add_zone(Tx& tx, MerchantId merchant, const NewShippingZone& given);
ShippingZone change_zone(Tx& tx, MerchantId merchant, ZoneId id, const NewShippingZone& given);
// With its rates.
void remove_zone(Tx& tx, MerchantId merchant, ZoneId id);

// Oldest first; throws Error(not_found) where there is no such zone.
std::vector<ShippingRate> list_rates(Tx& tx, MerchantId merchant, ZoneId zone);
// Throws Error(conflict) where kRatesMax are in the zone.
ShippingRate add_rate(Tx& tx, MerchantId merchant, ZoneId zone, const NewShippingRate& given);
ShippingRate change_rate(Tx& tx, MerchantId merchant, ZoneId zone, ShippingRateId id,
                         const NewShippingRate& given);
void remove_rate(Tx& tx, MerchantId merchant, ZoneId zone, ShippingRateId id);

// ---- taxes --------------------------------------------------------------------------------------

struct TaxRate {
  TaxRateId id;
  std::string name;
  Country country;
  std::string region, tax_class;  // no region: the whole country
  std::int64_t parts_per_million = 0;
  bool applies_to_shipping = false;
  Instant created_at{}, updated_at{};
};
BOOST_DESCRIBE_STRUCT(TaxRate, (),
                      (id, name, country, region, tax_class, parts_per_million, applies_to_shipping,
                       created_at, updated_at))

struct NewTaxRate {
  Line<1, 60> name;
  Country country;
  std::optional<Line<1, 100>> region;
  std::optional<catalog::TaxClass> tax_class;  // the standard one where none is given
  Count<0, kMillion> parts_per_million;
  std::optional<bool> applies_to_shipping;
  // A region is one of its country, where we know those.
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(NewTaxRate, (),
                      (name, country, region, tax_class, parts_per_million, applies_to_shipping))

// Newest first.
std::vector<TaxRate> list_tax_rates(Tx& tx, MerchantId merchant, std::optional<TaxRateId> after,
                                    std::int64_t limit);
// Both throw Error(conflict) where another rate has the same place, class and name, the first also
// where kTaxRatesMax are there.
TaxRate add_tax_rate(Tx& tx, MerchantId merchant, const NewTaxRate& given);
TaxRate change_tax_rate(Tx& tx, MerchantId merchant, TaxRateId id, const NewTaxRate& given);
void remove_tax_rate(Tx& tx, MerchantId merchant, TaxRateId id);

}  // namespace bottega::pricing
