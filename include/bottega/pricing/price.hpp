#pragma once
// What a basket costs: a pure function of the basket, the place, the shop's rules and what the
// buyer chose. Whole minor units; every sum is checked; a tax line is rounded once, half to even.
#include "bottega/core/id.hpp"
#include "bottega/core/money.hpp"

namespace bottega::pricing {

using ZoneId = Id<"zone">;
using ShippingRateId = Id<"rate">;
using TaxRateId = Id<"tax">;
using DiscountId = Id<"disc">;

inline constexpr std::int64_t kWeightMax = 1'000'000'000;  // grams
inline constexpr std::int64_t kMillion = 1'000'000;
// The tax class of goods that name none, and of shipping.
inline constexpr std::string_view kStandardClass = "standard";

// ---- what is bought -----------------------------------------------------------------------------

struct BasketLine {
  std::int64_t unit_amount = 0, quantity = 1;
  std::int64_t weight_g = 0;  // of one piece
  std::string tax_class;      // empty: the standard one
  bool needs_shipping = true;
};
struct Basket {
  Currency currency;
  std::vector<BasketLine> lines;
};
struct Destination {
  Country country;
  std::string region, postal_code;  // as people write them
};

// ---- the shop's rules ---------------------------------------------------------------------------

// Whether the shop's prices are without any tax, contain it, or have it added.
enum class TaxMode : std::uint8_t { none, inclusive, exclusive };
BOOST_DESCRIBE_ENUM(TaxMode, none, inclusive, exclusive)
// Whether a buyer must give something, may, or is not asked for it.
enum class Asked : std::uint8_t { required, optional, none };
BOOST_DESCRIBE_ENUM(Asked, required, optional, none)
// What is answered for a seller who does not answer in time.
enum class StandingAnswer : std::uint8_t { accept, refuse };
BOOST_DESCRIBE_ENUM(StandingAnswer, accept, refuse)
enum class DiscountKind : std::uint8_t { amount, percent, free_shipping };
BOOST_DESCRIBE_ENUM(DiscountKind, amount, percent, free_shipping)

struct BuyerData {
  Asked address = Asked::required, email = Asked::none, phone = Asked::none, name = Asked::none,
        billing = Asked::optional;
};
BOOST_DESCRIBE_STRUCT(BuyerData, (), (address, email, phone, name, billing))

// Of the goods after the discount.
struct Tips {
  bool allowed = false;
  List<Count<1, 100>, 0, 4> suggested_percent;
  Count<1, 100> most_percent{100};
  // What is suggested rises, and is not more than the most.
  void check(Faults& faults, const std::string& pointer) const;
};
BOOST_DESCRIBE_STRUCT(Tips, (), (allowed, suggested_percent, most_percent))

// Whether the seller is asked before a charge.
struct PreCheckout {
  bool ask = false;
  StandingAnswer standing_answer{};
};
BOOST_DESCRIBE_STRUCT(PreCheckout, (), (ask, standing_answer))

// What a way of shipping costs in a currency; nothing from this total of the goods on.
struct ShippingPrice {
  Currency currency;
  Count<0, kAmountMax> amount;
  std::optional<Count<0, kAmountMax>> free_from;
};
BOOST_DESCRIBE_STRUCT(ShippingPrice, (), (currency, amount, free_from))
using ShippingPrices = List<ShippingPrice, 1, 10>;

struct RateRule {
  ShippingRateId id;
  std::string name;
  ShippingPrices prices;
  std::optional<std::int64_t> weight_over_g, weight_up_to_g;
  std::optional<std::int64_t> days_min, days_max;
};
BOOST_DESCRIBE_STRUCT(RateRule, (),
                      (id, name, prices, weight_over_g, weight_up_to_g, days_min, days_max))

// Where some rates hold: everywhere where no country is named. Regions and the beginnings of postal
// codes are folded as fold_region() and fold_postal() do.
struct ZoneRule {
  ZoneId id;
  std::vector<Country> countries;
  std::vector<std::string> regions, postal_prefixes;
  std::vector<RateRule> rates;
};
BOOST_DESCRIBE_STRUCT(ZoneRule, (), (id, countries, regions, postal_prefixes, rates))

struct TaxRule {
  TaxRateId id;
  std::string name;
  Country country;
  std::string region;  // empty: the whole country
  std::string tax_class;
  std::int64_t parts_per_million = 0;
  bool applies_to_shipping = false;
};
BOOST_DESCRIBE_STRUCT(TaxRule, (),
                      (id, name, country, region, tax_class, parts_per_million,
                       applies_to_shipping))

struct ShopRules {
  Country country;  // the shop's own
  TaxMode tax_mode{};
  BuyerData buyer;
  Tips tips;
  PreCheckout pre_checkout;
  std::vector<ZoneRule> zones;  // in the order in which they were made
  std::vector<TaxRule> taxes;
  std::int64_t withdrawal_days = 0;
};

// Compared without regard to capitals, dots, commas and spaces around; "US-CA" and "California" are
// "CA" of the US. So are the names of Canada's provinces; those of other countries stay as they
// are.
std::string fold_region(std::string_view region, const Country& country);
// Whether it is a member of the European Union.
bool is_in_union(const Country& country);
// False for what is no region of the US or of Canada; of other countries we know none.
bool is_region(std::string_view region, const Country& country);
// Without spaces and hyphens, in capitals.
std::string fold_postal(std::string_view postal_code);

// ---- tax ----------------------------------------------------------------------------------------

struct TaxPart {
  TaxRateId id;
  std::string name;
  std::int64_t parts_per_million = 0;
  friend bool operator==(const TaxPart&, const TaxPart&) = default;
};
using TaxParts = std::vector<TaxPart>;

// Who knows the taxes of a place. Each part is a tax line of its own, none a tax on another.
class TaxTable {
 public:
  virtual ~TaxTable() = default;
  virtual TaxParts of_goods(const Destination& place, std::string_view tax_class) const = 0;
  virtual TaxParts of_shipping(const Destination& place) const = 0;
};

// The shop's own table. The rates of a region are in place of its country's, and the class's own in
// place of the standard ones.
class ShopTaxes final : public TaxTable {
 public:
  explicit ShopTaxes(const std::vector<TaxRule>& rules) : rules_(rules) {}
  TaxParts of_goods(const Destination& place, std::string_view tax_class) const override;
  TaxParts of_shipping(const Destination& place) const override;

 private:
  const std::vector<TaxRule>& rules_;
};

// ---- the price ----------------------------------------------------------------------------------

// A discount code as far as a price depends on it; whether it may be used now is another question.
struct Discount {
  DiscountId id;
  std::string code;
  DiscountKind kind{};
  std::optional<Currency> currency;           // of the amount and the least total; none: any
  std::optional<std::int64_t> amount;         // of kind `amount`
  std::optional<std::int64_t> basis_points;   // of kind `percent`
  std::optional<std::int64_t> least_total{};  // of the goods
};

struct Choice {
  std::optional<ShippingRateId> shipping_rate;
  std::optional<Discount> discount;
  std::int64_t tip = 0;
};

struct ShippingOption {
  ShippingRateId id;
  std::string name;
  Money price;
  std::optional<std::int64_t> days_min, days_max;
};
BOOST_DESCRIBE_STRUCT(ShippingOption, (), (id, name, price, days_min, days_max))

// A line of the basket, in its order: what it comes to, and its part of the discount.
struct PricedLine {
  std::int64_t amount = 0, discount = 0;
  friend bool operator==(const PricedLine&, const PricedLine&) = default;
};
BOOST_DESCRIBE_STRUCT(PricedLine, (), (amount, discount))

// `amount` is the tax on `base`, or in it where it is included.
struct TaxLine {
  TaxRateId id;
  std::string name;
  std::int64_t parts_per_million = 0, base = 0, amount = 0;
  friend bool operator==(const TaxLine&, const TaxLine&) = default;
};
BOOST_DESCRIBE_STRUCT(TaxLine, (), (id, name, parts_per_million, base, amount))

// total = items - discount + shipping + tax (unless it is included) + tip. The discounts of the
// lines and of the shipping add up to the discount, the tax lines to the tax.
struct Priced {
  Currency currency;
  std::int64_t items = 0, discount = 0, shipping = 0, tax = 0, tip = 0, total = 0;
  bool tax_included = false;
  std::int64_t shipping_discount = 0;
  std::vector<PricedLine> lines;
  std::vector<TaxLine> taxes;
  // The shop ships what is in the basket, and asks how: without a rate the price is not the last
  // one.
  bool shipping_asked = false;
  friend bool operator==(const Priced&, const Priced&) = default;
};
BOOST_DESCRIBE_STRUCT(Priced, (),
                      (currency, items, discount, shipping, tax, tip, total, tax_included,
                       shipping_discount, lines, taxes, shipping_asked))

// How the total of a sale came about, as it is kept with it.
struct Breakdown {
  std::int64_t items = 0, discount = 0, shipping = 0, tax = 0, tip = 0;
  bool tax_included = false;
  std::vector<PricedLine> lines;
  std::vector<TaxLine> taxes;
  std::optional<std::string> shipping_name, discount_code;
  std::optional<std::int64_t> withdrawal_days;  // as the shop has promised then
};
BOOST_DESCRIBE_STRUCT(Breakdown, (),
                      (items, discount, shipping, tax, tip, tax_included, lines, taxes,
                       shipping_name, discount_code, withdrawal_days))

// Without a destination the taxes are those of the shop's own country, and nothing is shipped.
// Throws Error(invalid) with the faults of /shipping_rate, /discount_code and /tip together, and
// where a sum is too large.
Priced price(const Basket& basket, const Destination* destination, const ShopRules& rules,
             const Choice& choice);
// The same with a table of taxes, which may be another than the shop's, and with the faults added
// to those that there are: what is wrong is then not in the price.
Priced price(const Basket& basket, const Destination* destination, const ShopRules& rules,
             const Choice& choice, const TaxTable& taxes, Faults& faults);

// How the basket can be shipped there, the cheapest first. The most exact zone decides, by the
// longest beginning of the postal code, the region, the country; of two alike the older one. A zone
// without a rate that fits says that nothing is shipped there.
std::vector<ShippingOption> shipping_options(const Basket& basket, const Destination* destination,
                                             const ShopRules& rules);

// The zone that decides there; none where the shop ships to no such place.
std::optional<ZoneId> zone_at(const Destination& destination, const ShopRules& rules);
// Whether a buyer must say where they are: always where the price depends on it, by the tax or the
// shipping. A shop that asks for no address sells at the price of its own place, and ships nothing
// by its zones.
Asked asked_address(const ShopRules& rules, bool needs_shipping);
// Whether the shop's taxes or zones tell the regions of a country apart.
bool has_regions(const ShopRules& rules, const Country& country);

// The tips to suggest for a price, in minor units: rising, none twice.
std::vector<std::int64_t> suggested_tips(const Priced& priced, const Tips& tips);

// So much, spread over shares so that the parts add up: by the largest remainder, of two alike the
// first. The amount is at most the sum of the shares, and no part more than its share.
std::vector<std::int64_t> spread(std::int64_t amount, const std::vector<std::int64_t>& shares);

}  // namespace bottega::pricing
