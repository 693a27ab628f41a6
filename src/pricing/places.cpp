// Where a basket goes: which zone it falls into, and how it can be shipped there.
#include <algorithm>

#include "pricing/sums.hpp"
#include "bottega/pricing/price.hpp"

namespace bottega::pricing {
namespace {

char in_capitals(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// What a destination is compared as.
struct Folded {
  const Country& country;
  std::string region, postal_code;
};

bool has(const std::vector<std::string>& list, const std::string& item) {
  return std::ranges::find(list, item) != list.end();
}

std::size_t longest_prefix(const std::vector<std::string>& prefixes, const std::string& text) {
  std::size_t longest = 0;
  for (const auto& prefix : prefixes)
    if (text.starts_with(prefix)) longest = std::max(longest, prefix.size());
  return longest;
}

// How exactly a zone names the place; nothing where it does not.
std::optional<std::size_t> exactness(const ZoneRule& zone, const Folded& place) {
  if (zone.countries.empty()) return 0;
  if (std::ranges::find(zone.countries, place.country) == zone.countries.end()) return std::nullopt;
  if (!zone.regions.empty() && !has(zone.regions, place.region)) return std::nullopt;
  const auto prefix = longest_prefix(zone.postal_prefixes, place.postal_code);
  if (!zone.postal_prefixes.empty() && prefix == 0) return std::nullopt;
  return prefix * 4 + (zone.regions.empty() ? 0 : 2) + 1;
}

const ZoneRule* zone_of(const Destination& destination, const ShopRules& rules) {
  const Folded place{destination.country, fold_region(destination.region, destination.country),
                     fold_postal(destination.postal_code)};
  const ZoneRule* best = nullptr;
  std::size_t best_exactness = 0;
  for (const auto& zone : rules.zones) {
    const auto found = exactness(zone, place);
    if (!found || (best != nullptr && *found <= best_exactness)) continue;
    best = &zone;
    best_exactness = *found;
  }
  return best;
}

struct Load {
  std::int64_t weight_g = 0, total = 0;
  bool needs_shipping = false;
};

Load load_of(const Basket& basket) {
  Load load;
  for (const auto& line : basket.lines) {
    load.total = plus(load.total, times(line.unit_amount, line.quantity));
    if (!line.needs_shipping) continue;
    load.needs_shipping = true;
    load.weight_g = plus(load.weight_g, times(line.weight_g, line.quantity));
  }
  return load;
}

bool carries(const RateRule& rate, std::int64_t weight_g) {
  return (!rate.weight_over_g || weight_g > *rate.weight_over_g) &&
         (!rate.weight_up_to_g || weight_g <= *rate.weight_up_to_g);
}

std::optional<ShippingOption> option_of(const RateRule& rate, const Load& load,
                                        const Currency& currency) {
  if (!carries(rate, load.weight_g)) return std::nullopt;
  for (const auto& price : rate.prices) {
    if (price.currency != currency) continue;
    const bool free = price.free_from && load.total >= price.free_from->value;
    return ShippingOption{rate.id, rate.name, Money{free ? 0 : price.amount.value, currency},
                          rate.days_min, rate.days_max};
  }
  return std::nullopt;
}

}  // namespace

std::string fold_postal(std::string_view postal_code) {
  std::string folded;
  for (const char c : postal_code)
    if (c != ' ' && c != '-') folded += in_capitals(c);
  return folded;
}

std::optional<ZoneId> zone_at(const Destination& destination, const ShopRules& rules) {
  const auto* zone = zone_of(destination, rules);
  if (zone == nullptr) return std::nullopt;
  return zone->id;
}

Asked asked_address(const ShopRules& rules, bool needs_shipping) {
  const auto has_rates = [](const ZoneRule& zone) { return !zone.rates.empty(); };
  const bool is_taxed = rules.tax_mode != TaxMode::none && !rules.taxes.empty();
  const bool is_shipped = needs_shipping && std::ranges::any_of(rules.zones, has_rates);
  if (rules.buyer.address == Asked::none) return Asked::none;
  if (is_taxed || is_shipped) return Asked::required;
  return needs_shipping ? rules.buyer.address : Asked::none;
}

bool has_regions(const ShopRules& rules, const Country& country) {
  return std::ranges::any_of(rules.taxes,
                             [&](const TaxRule& rule) {
                               return rules.tax_mode != TaxMode::none && rule.country == country &&
                                      !rule.region.empty();
                             }) ||
         std::ranges::any_of(rules.zones, [&](const ZoneRule& zone) {
           return !zone.regions.empty() && zone.countries.front() == country;
         });
}

std::vector<ShippingOption> shipping_options(const Basket& basket, const Destination* destination,
                                             const ShopRules& rules) {
  if (destination == nullptr || rules.zones.empty()) return {};
  const auto load = load_of(basket);
  const auto* zone = load.needs_shipping ? zone_of(*destination, rules) : nullptr;
  if (zone == nullptr) return {};
  std::vector<ShippingOption> options;
  for (const auto& rate : zone->rates)
    if (auto option = option_of(rate, load, basket.currency)) options.push_back(*std::move(option));
  std::ranges::stable_sort(options, {},
                           [](const ShippingOption& option) { return option.price.amount; });
  return options;
}

}  // namespace bottega::pricing
